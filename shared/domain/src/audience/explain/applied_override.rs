//! An override that applies to a person.

use serde::{Deserialize, Serialize};

use crate::audience::profile::Target;

/// An override that applies to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// Whom it names: the person, or a profile whose audience holds them.
    pub target: Target,
    /// The profile's title, when it names a profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}
