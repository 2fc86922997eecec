//! Channel and urgency of a notice.

use serde::{Deserialize, Serialize};

use crate::base::ids::CatalogId;

/// The channel through which a notice is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "via",
    deny_unknown_fields
)]
pub enum Channel {
    /// System mail, which works if a tenant's own channels do not.
    #[default]
    System,
    /// Only in the product.
    InProduct,
    /// Mail from a catalog's connected account.
    Catalog {
        /// The catalog.
        catalog: CatalogId,
    },
}

/// The sending order: more urgent notices are smaller.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Urgency {
    /// A process is blocked, or something takes place differently than users expect.
    Urgent,
    /// All other single notices.
    #[default]
    Normal,
    /// One of many notices that may wait for all others.
    Bulk,
}
