//! A tenant's subscription: it decides whether the tenant may use this service (S4-001).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A plan of the vendor of the learning platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Plan without success package; does not include this service.
    Standard,
    /// Includes this service.
    SuccessPlus,
    /// Includes this service.
    SuccessPremium,
}

/// A tenant's plan, as an operator entered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entitlement {
    /// The plan.
    pub plan: Plan,
    /// End of the subscription; unlimited if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// True if notifications may be sent through Azure Communication Services (S1-28).
    #[serde(default)]
    pub azure_communication_services: bool,
    /// True if the directory sync, a paid add-on, is enabled (S2-02).
    #[serde(default)]
    pub directory_sync: bool,
}

impl Entitlement {
    /// Returns true if the directory sync may be used at `at`.
    pub fn includes_sync(&self, at: DateTime<Utc>) -> bool {
        self.directory_sync && self.includes_service(at)
    }

    /// Returns true if the service may be used at `at`.
    pub fn includes_service(&self, at: DateTime<Utc>) -> bool {
        let in_plan = matches!(self.plan, Plan::SuccessPlus | Plan::SuccessPremium);
        in_plan && self.until.is_none_or(|until| at < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::slot;
    use chrono::TimeDelta;

    /// Proves S4-001: Success Plus and Success Premium include the service until they end.
    #[test]
    fn two_plans_include_the_service_while_they_last() {
        let at = |plan, until| {
            Entitlement {
                plan,
                until,
                azure_communication_services: false,
                directory_sync: false,
            }
            .includes_service(slot())
        };
        assert!(at(Plan::SuccessPlus, None) && at(Plan::SuccessPremium, None));
        assert!(!at(Plan::Standard, None));
        assert!(at(Plan::SuccessPlus, Some(slot() + TimeDelta::seconds(1))));
        assert!(!at(Plan::SuccessPlus, Some(slot())));
    }
}
