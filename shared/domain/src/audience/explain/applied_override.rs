//! An override that applies to a learner.

use serde::{Deserialize, Serialize};

use crate::audience::profile::Target;

/// An override that applies to the learner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// The learner, or a profile whose audience contains the learner.
    pub target: Target,
    /// The profile's title if the target is a profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}
