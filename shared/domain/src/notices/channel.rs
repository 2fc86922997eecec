//! How a notice reaches its recipients, and how soon.

use serde::{Deserialize, Serialize};

use crate::base::ids::CatalogId;

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
