//! How a connection lives: its states, what happens to it, and what has to be done then.

use serde::{Deserialize, Serialize};

use super::kind::{ConnectionKind, Ending};

/// How a connection stands. The names are part of the API: they stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectionStatus))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// Nobody ever made it.
    NotConfigured,
    /// Somebody is on Microsoft's pages, or Microsoft has not carried the consent out yet.
    PendingConsent,
    /// It works.
    Connected,
    /// It works in part: a licence or a permission is missing.
    Degraded,
    /// It works no longer until somebody consents anew (S1-25).
    ConsentOutdated,
    /// It works, and its secret ends soon.
    SecretExpiring,
    /// It does not work; somebody has to connect it again.
    Error,
    /// Somebody switched it off for a while.
    Paused,
    /// Somebody ended it.
    Disconnected,
}

impl ConnectionStatus {
    /// Every state.
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

    /// Whether the service may work with the connection.
    pub const fn is_usable(self) -> bool {
        matches!(
            self,
            Self::Connected | Self::Degraded | Self::SecretExpiring
        )
    }
}

/// Something that happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Somebody was sent to Microsoft's pages to connect it for the first time
    /// or after it was lost.
    Begun,
    /// Nobody came back from there in time.
    Lapsed,
    /// It was refused or declined on the way.
    Refused,
    /// It was proved to work; `whole` if everything it can do works.
    Proved {
        /// Whether nothing is missing.
        whole: bool,
    },
    /// What worked was taken away: revoked, expired, disabled.
    Lost,
    /// The consent no longer covers what is needed.
    Outdated,
    /// The secret ends soon.
    Expiring,
    /// Somebody switches it off for a while.
    Paused,
    /// Somebody switches it on again.
    Resumed,
    /// Somebody ends it.
    Disconnected,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 11] = [
        Self::Begun,
        Self::Lapsed,
        Self::Refused,
        Self::Proved { whole: true },
        Self::Proved { whole: false },
        Self::Lost,
        Self::Outdated,
        Self::Expiring,
        Self::Paused,
        Self::Resumed,
        Self::Disconnected,
    ];
}

/// What has to be done because of a step. The caller does it after the new
/// state is stored, so that a step that happens twice does it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Keep mails that wait, visibly, instead of sending them (S1-32, S1-38).
    Hold,
    /// Send what was held.
    Release,
    /// Tell the administrators over another channel, once (S1-33, S1-34, C-27).
    TellLoss,
    /// Mail the connected account, which also proves that sending works (S1-31).
    Welcome,
    /// Forget the credential (S1-39).
    Forget,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// It is in this state now, and this has to be done.
    To(ConnectionStatus, &'static [Effect]),
    /// Nothing changes.
    Stay,
    /// This cannot be done with this kind (S0-06).
    Forbidden,
}

/// The state after an event. It is total: every event has an answer in every
/// state, so that late and repeated ones do no harm.
pub const fn step(kind: ConnectionKind, now: ConnectionStatus, event: Event) -> Transition {
    match event {
        Event::Begun => begun(now),
        Event::Lapsed => match now {
            ConnectionStatus::PendingConsent => {
                Transition::To(ConnectionStatus::NotConfigured, &[])
            }
            _ => Transition::Stay,
        },
        // What worked before an attempt to renew it failed works still (S1-30).
        Event::Refused => match now {
            ConnectionStatus::PendingConsent
            | ConnectionStatus::NotConfigured
            | ConnectionStatus::Disconnected => Transition::To(ConnectionStatus::Error, &[]),
            _ => Transition::Stay,
        },
        Event::Proved { whole } => proved(kind, now, whole),
        Event::Lost => match now {
            ConnectionStatus::Connected
            | ConnectionStatus::Degraded
            | ConnectionStatus::SecretExpiring => {
                Transition::To(ConnectionStatus::Error, &[Effect::Hold, Effect::TellLoss])
            }
            // Told already when the consent went; nothing is left to hope for now.
            ConnectionStatus::ConsentOutdated => Transition::To(ConnectionStatus::Error, &[]),
            _ => Transition::Stay,
        },
        Event::Outdated => match now {
            ConnectionStatus::Connected
            | ConnectionStatus::Degraded
            | ConnectionStatus::SecretExpiring => Transition::To(
                ConnectionStatus::ConsentOutdated,
                &[Effect::Hold, Effect::TellLoss],
            ),
            // Asked for once, not again and again (C-47).
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
        // An abandoned sign-in leaves what there was (S1-30), a fault included.
        _ => Transition::Stay,
    }
}

const fn proved(kind: ConnectionKind, now: ConnectionStatus, whole: bool) -> Transition {
    let to = if whole {
        ConnectionStatus::Connected
    } else {
        ConnectionStatus::Degraded
    };
    match (kind, now) {
        (ConnectionKind::Mail, _) => Transition::To(to, &[Effect::Welcome, Effect::Release]),
        (_, ConnectionStatus::Connected) if whole => Transition::Stay,
        (_, _) => Transition::To(to, &[]),
    }
}

const fn disconnected(kind: ConnectionKind, now: ConnectionStatus) -> Transition {
    match (kind.ending(), now) {
        // Before it ever worked there is nothing that could not be dropped (S0-07).
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

    /// Proves X-02, S0-06, S0-07, S1-30, S1-34 and C-47: the whole table; what
    /// is not listed stays as it is.
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

    /// Proves S1-34: whatever happens after a loss, it is told once until the
    /// connection works again.
    #[test]
    fn a_loss_is_told_once_until_it_is_proved_again() {
        let tells = |step: Transition| matches!(step, Transition::To(_, effects) if effects.contains(&Effect::TellLoss));
        for lost in [Event::Lost, Event::Outdated] {
            let Transition::To(after, _) =
                step(ConnectionKind::Mail, ConnectionStatus::Connected, lost)
            else {
                panic!("a loss changes the state")
            };
            for event in Event::ALL {
                assert!(
                    !tells(step(ConnectionKind::Mail, after, event)),
                    "{after:?} {event:?}"
                );
            }
        }
    }

    /// Every repeated event finds nothing left to do, but a proof: each is one.
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
