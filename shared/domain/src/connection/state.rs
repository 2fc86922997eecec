//! How a connection lives: its states, what happens to it, and what has to be done then.

use serde::{Deserialize, Serialize};

use super::kind::{Ending, Kind};

/// How a connection stands. The names are part of the API: they stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectionStatus))]
#[serde(rename_all = "snake_case")]
pub enum Status {
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

impl Status {
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
pub enum Step {
    /// It is in this state now, and this has to be done.
    To(Status, &'static [Effect]),
    /// Nothing changes.
    Stay,
    /// This cannot be done with this kind (S0-06).
    Forbidden,
}

/// The state after an event. It is total: every event has an answer in every
/// state, so that late and repeated ones do no harm.
pub const fn step(kind: Kind, now: Status, event: Event) -> Step {
    match event {
        Event::Begun => begun(now),
        Event::Lapsed => match now {
            Status::PendingConsent => Step::To(Status::NotConfigured, &[]),
            _ => Step::Stay,
        },
        // What worked before an attempt to renew it failed works still (S1-30).
        Event::Refused => match now {
            Status::PendingConsent | Status::NotConfigured | Status::Disconnected => {
                Step::To(Status::Error, &[])
            }
            _ => Step::Stay,
        },
        Event::Proved { whole } => proved(kind, now, whole),
        Event::Lost => match now {
            Status::Connected | Status::Degraded | Status::SecretExpiring => {
                Step::To(Status::Error, &[Effect::Hold, Effect::TellLoss])
            }
            // Told already when the consent went; nothing is left to hope for now.
            Status::ConsentOutdated => Step::To(Status::Error, &[]),
            _ => Step::Stay,
        },
        Event::Outdated => match now {
            Status::Connected | Status::Degraded | Status::SecretExpiring => {
                Step::To(Status::ConsentOutdated, &[Effect::Hold, Effect::TellLoss])
            }
            // Asked for once, not again and again (C-47).
            _ => Step::Stay,
        },
        Event::Expiring => match now {
            Status::Connected => Step::To(Status::SecretExpiring, &[]),
            _ => Step::Stay,
        },
        Event::Paused => match now {
            Status::Connected | Status::Degraded | Status::SecretExpiring => {
                Step::To(Status::Paused, &[Effect::Hold])
            }
            _ => Step::Stay,
        },
        Event::Resumed => match now {
            Status::Paused => Step::To(Status::Connected, &[Effect::Release]),
            _ => Step::Stay,
        },
        Event::Disconnected => disconnected(kind, now),
    }
}

const fn begun(now: Status) -> Step {
    match now {
        Status::NotConfigured | Status::Disconnected => Step::To(Status::PendingConsent, &[]),
        // An abandoned sign-in leaves what there was (S1-30), a fault included.
        _ => Step::Stay,
    }
}

const fn proved(kind: Kind, now: Status, whole: bool) -> Step {
    let to = if whole {
        Status::Connected
    } else {
        Status::Degraded
    };
    match (kind, now) {
        (Kind::Mail, _) => Step::To(to, &[Effect::Welcome, Effect::Release]),
        (_, Status::Connected) if whole => Step::Stay,
        (_, _) => Step::To(to, &[]),
    }
}

const fn disconnected(kind: Kind, now: Status) -> Step {
    match (kind.ending(), now) {
        // Before it ever worked there is nothing that could not be dropped (S0-07).
        (Ending::Never, Status::PendingConsent | Status::Error | Status::NotConfigured) => {
            Step::To(Status::NotConfigured, &[Effect::Forget])
        }
        (Ending::Never | Ending::Replace, _) => Step::Forbidden,
        (_, Status::NotConfigured | Status::Disconnected) => Step::Stay,
        (Ending::Disconnect, _) => Step::To(Status::Disconnected, &[Effect::Hold, Effect::Forget]),
        (Ending::Deactivate, _) => Step::To(Status::Paused, &[Effect::Hold]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: Kind, status: Status, event: Event) -> String {
        let step = match step(kind, status, event) {
            Step::Stay => return String::new(),
            Step::Forbidden => "forbidden".to_owned(),
            Step::To(to, effects) => format!("{to:?} {effects:?}"),
        };
        format!("{kind:?} {status:?} + {event:?} -> {step}\n")
    }

    /// Proves X-02, S0-06, S0-07, S1-30, S1-34 and C-47: the whole table; what
    /// is not listed stays as it is.
    #[test]
    fn the_transition_table() {
        let mut table = String::new();
        for kind in [Kind::Entra, Kind::Mail, Kind::DirectorySync, Kind::EntraApp] {
            for status in Status::ALL {
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
        let tells = |step: Step| matches!(step, Step::To(_, effects) if effects.contains(&Effect::TellLoss));
        for lost in [Event::Lost, Event::Outdated] {
            let Step::To(after, _) = step(Kind::Mail, Status::Connected, lost) else {
                panic!("a loss changes the state")
            };
            for event in Event::ALL {
                assert!(
                    !tells(step(Kind::Mail, after, event)),
                    "{after:?} {event:?}"
                );
            }
        }
    }

    /// Every repeated event finds nothing left to do, but a proof: each is one.
    #[test]
    fn an_event_that_comes_twice_does_nothing_the_second_time() {
        for kind in Kind::ALL {
            for status in Status::ALL {
                for event in Event::ALL {
                    let Step::To(after, _) = step(kind, status, event) else {
                        continue;
                    };
                    if matches!(event, Event::Proved { .. }) {
                        continue;
                    }
                    let again = step(kind, after, event);
                    let same = matches!(again, Step::To(to, _) if to == after);
                    assert!(
                        again == Step::Stay || same,
                        "{kind:?} {status:?} {event:?} {again:?}"
                    );
                }
            }
        }
    }
}
