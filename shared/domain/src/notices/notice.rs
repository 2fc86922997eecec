//! A notice with its recipients.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::channel::{Channel, Urgency};
use super::identity;
use super::kind::NoticeKind;
use super::language::Language;
use crate::base::ids::TenantId;

/// A notice with its recipients and channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Identity of the event; the same event is sent once.
    pub id: Uuid,
    /// The tenant.
    pub tenant: TenantId,
    /// Name of the tenant, for the greeting.
    pub tenant_name: String,
    /// E-mail addresses, each once.
    pub recipients: Vec<String>,
    /// The kind of the notice, with its values.
    pub about: NoticeKind,
    /// The channel. Messages that were queued before this field existed are system mail.
    #[serde(default)]
    pub channel: Channel,
    /// The urgency.
    #[serde(default)]
    pub urgency: Urgency,
    /// The language of the text.
    #[serde(default)]
    pub language: Language,
}

impl Notice {
    /// Creates a notice: system mail, default urgency of its kind, English.
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

    /// Returns the notice with another channel.
    #[must_use]
    pub fn over(mut self, channel: Channel) -> Self {
        self.channel = channel;
        self
    }

    /// Returns the notice with another urgency.
    #[must_use]
    pub fn urgency(mut self, urgency: Urgency) -> Self {
        self.urgency = urgency;
        self
    }

    /// Returns the notice in another language. The identity does not change: an event with several
    /// recipients is sent in one language.
    #[must_use]
    pub fn in_language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }
}

/// Removes duplicate addresses and keeps the first spelling: two lists may spell an address
/// differently.
fn once_each(recipients: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    recipients
        .into_iter()
        .filter(|address| seen.insert(address.to_lowercase()))
        .collect()
}
