//! What people are told: kinds of notices, their words, their identity.
//!
//! A notice's id is derived from what it is about, so that the same thing found
//! twice (at refresh and again at maintenance) is told once.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::base::ids::{CatalogId, TenantId};

pub mod delivery;
mod identity;
mod kind;
mod language;
mod recurrence;
mod render;
mod template_blocks;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use kind::NoticeKind;
pub use language::Language;
pub use render::{RenderedNotice, render};

/// The way a notice takes to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "via",
    deny_unknown_fields
)]
pub enum Channel {
    /// System mail, which works when a tenant's own channels do not.
    #[default]
    System,
    /// Only in the product.
    InProduct,
    /// Mail from the account that is connected to a catalog.
    Catalog {
        /// The catalog.
        catalog: CatalogId,
    },
}

/// What is sent first: the more urgent is the smaller.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Urgency {
    /// Something stands still, or takes place otherwise than people expect.
    Urgent,
    /// Everything else that is about one matter.
    #[default]
    Normal,
    /// Many at once that may wait behind all others.
    Bulk,
}

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
