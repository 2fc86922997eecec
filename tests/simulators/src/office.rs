//! What a tenant has in Exchange and Teams: mailboxes, rooms, and who may consent to applications.

use serde::{Deserialize, Serialize};

/// A person's mailbox; the default is an ordinary one with Teams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mailbox {
    /// The plan that pays for it.
    pub exchange: ExchangePlan,
    /// Teams meetings can be made from its calendar.
    pub teams: bool,
    /// Belongs to several people; needs no plan.
    pub shared: bool,
    /// Lives on a server of the organisation, which Graph does not reach.
    pub on_premises: bool,
    /// Messages it sends in any minute.
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
    /// Whether Graph can work with it.
    pub(crate) fn is_reachable(&self) -> bool {
        !self.on_premises && (self.shared || self.exchange != ExchangePlan::None)
    }
}

/// An Exchange Online plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExchangePlan {
    /// No plan, so no mailbox unless it is shared.
    None,
    /// For people without a desk.
    Kiosk,
    /// The smaller ordinary plan.
    Plan1,
    /// The larger ordinary plan.
    Plan2,
}

/// A room with a mailbox that answers invitations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    /// Display name.
    pub name: String,
    /// Address of its mailbox.
    pub email: String,
    /// How many people fit in.
    pub capacity: u32,
    /// Building it is in.
    #[serde(default)]
    pub building: Option<String>,
    /// Accepts invitations for times when it is free; otherwise it declines all.
    #[serde(default = "yes")]
    pub accepts: bool,
    /// How long it takes to answer.
    #[serde(default)]
    pub answer_after_ms: u64,
}

fn yes() -> bool {
    true
}

/// Whether ordinary people may consent to an application for themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserConsent {
    /// They may.
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
