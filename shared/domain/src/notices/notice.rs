//! A notice on its way to its recipients.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::channel::{Channel, Urgency};
use super::identity;
use super::kind::NoticeKind;
use super::language::Language;
use crate::base::ids::TenantId;

/// A notice on its way to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notice {
    /// What it is about, as an identity: the same thing is told once.
    pub id: Uuid,
    /// Whose.
    pub tenant: TenantId,
    /// The tenant's name, for the greeting.
    pub tenant_name: String,
    /// Mail addresses, each once.
    pub recipients: Vec<String>,
    /// What it is about.
    pub about: NoticeKind,
    /// The way it takes; messages queued before there was a choice are system mail.
    #[serde(default)]
    pub channel: Channel,
    /// How urgent it is.
    #[serde(default)]
    pub urgency: Urgency,
    /// The language it is told in.
    #[serde(default)]
    pub language: Language,
}

impl Notice {
    /// A notice for these people: by system mail, as urgent as its kind, in English.
    pub fn new(
        tenant: TenantId,
        tenant_name: &str,
        recipients: Vec<String>,
        about: NoticeKind,
    ) -> Self {
        let recipients = once_each(recipients);
        Self {
            id: identity::id(tenant, &recipients, &about),
            tenant,
            tenant_name: tenant_name.to_owned(),
            recipients,
            urgency: about.default_urgency(),
            about,
            channel: Channel::default(),
            language: Language::default(),
        }
    }

    /// The same by another way.
    #[must_use]
    pub fn over(mut self, channel: Channel) -> Self {
        self.channel = channel;
        self
    }

    /// The same, more or less urgent than its kind.
    #[must_use]
    pub fn urgency(mut self, urgency: Urgency) -> Self {
        self.urgency = urgency;
        self
    }

    /// The same in another language. Its identity stays: an event of which
    /// several people are told at once is told in one language.
    #[must_use]
    pub fn in_language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }
}

/// Every address once, in its first spelling: nobody reads a mail twice because
/// two lists write the address differently.
fn once_each(recipients: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    recipients
        .into_iter()
        .filter(|address| seen.insert(address.to_lowercase()))
        .collect()
}
