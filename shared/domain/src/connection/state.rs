//! The state machine of connections: states, events and effects.

use serde::{Deserialize, Serialize};

use super::kind::{ConnectionKind, Ending};

/// The state of a connection. The names are part of the API and must not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectionStatus))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// Never connected.
    NotConfigured,
    /// A user is on Microsoft's pages, or Microsoft has not applied the consent yet.
    PendingConsent,
    /// Works.
    Connected,
    /// Works partly: a licence or a permission is missing.
    Degraded,
    /// Does not work until the consent is given again (S1-25).
    ConsentOutdated,
    /// Works, but the secret expires soon.
    SecretExpiring,
    /// Does not work; an administrator has to connect it again.
    Error,
    /// Switched off temporarily.
    Paused,
    /// Ended by an administrator.
    Disconnected,
}

impl ConnectionStatus {
    /// All states.
    pub const ALL: [Self; 9] = [
        Self::NotConfigured,
        Self::PendingConsent,
        Self::Connected,
        Self::Degraded,
        Self::ConsentOutdated,
        Self::SecretExpiring,
        Self::Error,
        Self::Paused,
        Self::Disconnected,
    ];

    /// Returns true if the service may use the connection.
    pub const fn is_usable(self) -> bool {
        matches!(
            self,
            Self::Connected | Self::Degraded | Self::SecretExpiring
        )
    }
}

/// An event of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A user was redirected to Microsoft to connect it for the first time or after a loss.
    Begun,
    /// The user did not return from Microsoft in time.
    Lapsed,
    /// The attempt was refused or declined.
    Refused,
    /// The connection was proved to work.
    Proved {
        /// True if no capability is missing.
        complete: bool,
    },
    /// A working connection was lost: revoked, expired or disabled.
    Lost,
    /// The consent no longer includes all required permissions.
    Outdated,
    /// The secret expires soon.
    Expiring,
    /// An administrator switches the connection off temporarily.
    Paused,
    /// An administrator switches the connection on again.
    Resumed,
    /// An administrator ends the connection.
    Disconnected,
}

impl Event {
    /// All events.
    pub const ALL: [Self; 11] = [
        Self::Begun,
        Self::Lapsed,
        Self::Refused,
        Self::Proved { complete: true },
        Self::Proved { complete: false },
        Self::Lost,
        Self::Outdated,
        Self::Expiring,
        Self::Paused,
        Self::Resumed,
        Self::Disconnected,
    ];
}

/// An action that a transition requires. The caller performs it after the new state is stored, so
/// that a repeated event performs it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Hold waiting messages visibly instead of sending them (S1-32, S1-38).
    Hold,
    /// Send the held messages.
    Release,
    /// Notify the administrators through another channel, once (S1-33, S1-34, C-27).
    NotifyLoss,
    /// Send mail to the connected account, which also proves that sending works (S1-31).
    Welcome,
    /// Delete the credential (S1-39).
    Forget,
}

/// The result of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// The new state and the required effects.
    To(ConnectionStatus, &'static [Effect]),
    /// Nothing changes.
    Stay,
    /// The kind does not allow the event (S0-06).
    Forbidden,
}

/// Returns the transition for an event. Every event is defined in every state, so that late and
/// repeated events are harmless.
pub const fn step(kind: ConnectionKind, now: ConnectionStatus, event: Event) -> Transition {
    match event {
        Event::Begun => begun(now),
        Event::Lapsed => match now {
            ConnectionStatus::PendingConsent => {
                Transition::To(ConnectionStatus::NotConfigured, &[])
            }
            _ => Transition::Stay,
        },
        // A failed renewal does not break a working connection (S1-30).
        Event::Refused => match now {
            ConnectionStatus::PendingConsent
            | ConnectionStatus::NotConfigured
            | ConnectionStatus::Disconnected => Transition::To(ConnectionStatus::Error, &[]),
            _ => Transition::Stay,
        },
        Event::Proved { complete } => proved(kind, now, complete),
        Event::Lost => match now {
            ConnectionStatus::Connected
            | ConnectionStatus::Degraded
            | ConnectionStatus::SecretExpiring => {
                Transition::To(ConnectionStatus::Error, &[Effect::Hold, Effect::NotifyLoss])
            }
            // The loss was already reported when the consent became outdated.
            ConnectionStatus::ConsentOutdated => Transition::To(ConnectionStatus::Error, &[]),
            _ => Transition::Stay,
        },
        Event::Outdated => match now {
            ConnectionStatus::Connected
            | ConnectionStatus::Degraded
            | ConnectionStatus::SecretExpiring => Transition::To(
                ConnectionStatus::ConsentOutdated,
                &[Effect::Hold, Effect::NotifyLoss],
            ),
            // Report it once, not repeatedly (C-47).
            _ => Transition::Stay,
        },
        Event::Expiring => match now {
            ConnectionStatus::Connected => Transition::To(ConnectionStatus::SecretExpiring, &[]),
            _ => Transition::Stay,
        },
        Event::Paused => match now {
            ConnectionStatus::Connected
            | ConnectionStatus::Degraded
            | ConnectionStatus::SecretExpiring => {
                Transition::To(ConnectionStatus::Paused, &[Effect::Hold])
            }
            _ => Transition::Stay,
        },
        Event::Resumed => match now {
            ConnectionStatus::Paused => {
                Transition::To(ConnectionStatus::Connected, &[Effect::Release])
            }
            _ => Transition::Stay,
        },
        Event::Disconnected => disconnected(kind, now),
    }
}

const fn begun(now: ConnectionStatus) -> Transition {
    match now {
        ConnectionStatus::NotConfigured | ConnectionStatus::Disconnected => {
            Transition::To(ConnectionStatus::PendingConsent, &[])
        }
        // An abandoned sign-in does not change the connection (S1-30) or its fault.
        _ => Transition::Stay,
    }
}

const fn proved(kind: ConnectionKind, now: ConnectionStatus, complete: bool) -> Transition {
    let to = if complete {
        ConnectionStatus::Connected
    } else {
        ConnectionStatus::Degraded
    };
    match (kind, now) {
        (ConnectionKind::Mail, _) => Transition::To(to, &[Effect::Welcome, Effect::Release]),
        (_, ConnectionStatus::Connected) if complete => Transition::Stay,
        (_, _) => Transition::To(to, &[]),
    }
}

const fn disconnected(kind: ConnectionKind, now: ConnectionStatus) -> Transition {
    match (kind.ending(), now) {
        // A connection that never worked can always be dropped (S0-07).
        (
            Ending::Never,
            ConnectionStatus::PendingConsent
            | ConnectionStatus::Error
            | ConnectionStatus::NotConfigured,
        ) => Transition::To(ConnectionStatus::NotConfigured, &[Effect::Forget]),
        (Ending::Never | Ending::Replace, _) => Transition::Forbidden,
        (_, ConnectionStatus::NotConfigured | ConnectionStatus::Disconnected) => Transition::Stay,
        (Ending::Disconnect, _) => Transition::To(
            ConnectionStatus::Disconnected,
            &[Effect::Hold, Effect::Forget],
        ),
        (Ending::Deactivate, _) => Transition::To(ConnectionStatus::Paused, &[Effect::Hold]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: ConnectionKind, status: ConnectionStatus, event: Event) -> String {
        let step = match step(kind, status, event) {
            Transition::Stay => return String::new(),
            Transition::Forbidden => "forbidden".to_owned(),
            Transition::To(to, effects) => format!("{to:?} {effects:?}"),
        };
        format!("{kind:?} {status:?} + {event:?} -> {step}\n")
    }

    /// Proves X-02, S0-06, S0-07, S1-30, S1-34 and C-47: the complete table; transitions that are
    /// not listed change nothing.
    #[test]
    fn the_transition_table() {
        let mut table = String::new();
        for kind in [
            ConnectionKind::Entra,
            ConnectionKind::Mail,
            ConnectionKind::DirectorySync,
            ConnectionKind::EntraApp,
        ] {
            for status in ConnectionStatus::ALL {
                for event in Event::ALL {
                    table += &line(kind, status, event);
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    /// Proves S1-34: a loss is reported once until the connection works again.
    #[test]
    fn a_loss_is_reported_once_until_it_is_proved_again() {
        let notifies = |step: Transition| matches!(step, Transition::To(_, effects) if effects.contains(&Effect::NotifyLoss));
        for lost in [Event::Lost, Event::Outdated] {
            let Transition::To(after, _) =
                step(ConnectionKind::Mail, ConnectionStatus::Connected, lost)
            else {
                panic!("a loss did not change the state")
            };
            for event in Event::ALL {
                assert!(
                    !notifies(step(ConnectionKind::Mail, after, event)),
                    "{after:?} {event:?}"
                );
            }
        }
    }

    /// A repeated event has no further effect, except a proof, which always has one.
    #[test]
    fn an_event_that_comes_twice_does_nothing_the_second_time() {
        for kind in ConnectionKind::ALL {
            for status in ConnectionStatus::ALL {
                for event in Event::ALL {
                    let Transition::To(after, _) = step(kind, status, event) else {
                        continue;
                    };
                    if matches!(event, Event::Proved { .. }) {
                        continue;
                    }
                    let again = step(kind, after, event);
                    let same = matches!(again, Transition::To(to, _) if to == after);
                    assert!(
                        again == Transition::Stay || same,
                        "{kind:?} {status:?} {event:?} {again:?}"
                    );
                }
            }
        }
    }
}
