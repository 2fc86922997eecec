//! A tenant's Exchange and Teams configuration: mailboxes, rooms, and consent policy.

use serde::{Deserialize, Serialize};

/// A user's mailbox; the default is an ordinary one with Teams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mailbox {
    /// The licensed plan.
    pub exchange: ExchangePlan,
    /// Whether Teams meetings can be created from its calendar.
    pub teams: bool,
    /// Whether it is shared; a shared mailbox needs no plan.
    pub shared: bool,
    /// Whether it is on premises, where Graph cannot access it.
    pub on_premises: bool,
    /// Maximum messages in any minute.
    pub per_minute: u32,
}

impl Default for Mailbox {
    fn default() -> Self {
        Self {
            exchange: ExchangePlan::Plan1,
            teams: true,
            shared: false,
            on_premises: false,
            per_minute: 30,
        }
    }
}

impl Mailbox {
    /// Returns whether Graph can access it.
    pub(crate) fn is_reachable(&self) -> bool {
        !self.on_premises && (self.shared || self.exchange != ExchangePlan::None)
    }
}

/// An Exchange Online plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExchangePlan {
    /// No plan, and therefore no mailbox unless it is shared.
    None,
    /// The plan for frontline workers.
    Kiosk,
    /// The smaller ordinary plan.
    Plan1,
    /// The larger ordinary plan.
    Plan2,
}

/// A room with a mailbox that responds to invitations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    /// Display name.
    pub name: String,
    /// Address of its mailbox.
    pub email: String,
    /// Number of seats.
    pub capacity: u32,
    /// Building it is in.
    #[serde(default)]
    pub building: Option<String>,
    /// Accepts invitations for free times; otherwise it declines all.
    #[serde(default = "yes")]
    pub accepts: bool,
    /// Delay of the response in milliseconds.
    #[serde(default)]
    pub answer_after_ms: u64,
}

fn yes() -> bool {
    true
}

/// Whether users may consent to an application for themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserConsent {
    /// All users may.
    #[default]
    Allowed,
    /// Only global administrators may.
    AdminOnly,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mailbox_leaves_out_is_ordinary() {
        let read = |text: &str| serde_json::from_str::<Mailbox>(text).expect("a mailbox");
        assert_eq!(read("{}"), Mailbox::default());
        assert_eq!(read("{}").per_minute, 30);
        assert!(read("{}").is_reachable());
        assert!(!read(r#"{"exchange": "None"}"#).is_reachable());
        assert!(read(r#"{"exchange": "None", "shared": true}"#).is_reachable());
        assert!(!read(r#"{"shared": true, "on_premises": true}"#).is_reachable());
    }
}
