//! The identity of notices.

use uuid::Uuid;

use super::kind::NoticeKind;
use crate::base::ids::TenantId;

const NAMESPACE: Uuid = Uuid::from_u128(0x6f63_3d1c_77a4_4f0e_9a53_0d6f_3d7c_2b11);

/// Returns the identity of a notice. Additional data (a catalog's title, the number of held
/// messages) is not part of it, because a change of it would send the same event again.
pub(super) fn id(tenant: TenantId, recipients: &[String], about: &NoticeKind) -> Uuid {
    let name = match session(about) {
        // Session notices are one message per recipient list.
        Some(event) => format!("{event} {}", people(recipients)),
        // All other notices are one event, regardless of the recipients.
        None => event(about),
    };
    Uuid::new_v5(&NAMESPACE, format!("{tenant} {name}").as_bytes())
}

fn event(about: &NoticeKind) -> String {
    use NoticeKind as K;
    match about {
        K::Failure {
            job, slot, errors, ..
        } => format!("failure {job} {slot} {}", errors.join("|")),
        K::Held {
            profile,
            hash,
            since,
            ..
        } => format!("held {profile} {hash} {since}"),
        K::NeedsReview {
            profile,
            problems,
            edited,
            ..
        } => format!("review {profile} {edited} {}", problems.join("|")),
        K::ConnectionLost {
            catalog: Some(catalog),
            since,
            ..
        } => format!("lost catalog {catalog} {since}"),
        K::ConnectionLost {
            connection, since, ..
        } => format!("lost {connection} {since}"),
        K::AccountConnected {
            catalog,
            account,
            at,
            ..
        } => format!("connected {catalog} {} {at}", account.to_lowercase()),
        K::SecretExpiring {
            connection,
            on,
            days,
            ..
        } => format!("secret {connection} {on} {days}"),
        K::SyncFailed {
            trigger,
            started,
            errors,
            ..
        } => format!("sync failed {trigger} {started} {}", errors.join("|")),
        K::SyncComplete { started, .. } => format!("sync complete {started}"),
        K::RoomDeclined {
            session,
            version,
            room,
            ..
        } => format!("room declined {session} {version} {room}"),
        K::Ready { .. } => "ready".to_owned(),
        // Handled by `session`, above.
        K::SessionScheduled { .. } | K::SessionChanged { .. } | K::SessionCancelled { .. } => {
            session(about).unwrap_or_default()
        }
    }
}

/// Returns the identity of a session notice to learners.
fn session(about: &NoticeKind) -> Option<String> {
    use NoticeKind as K;
    match about {
        K::SessionScheduled {
            session, version, ..
        } => Some(format!("session scheduled {session} {version}")),
        K::SessionChanged {
            session, version, ..
        } => Some(format!("session changed {session} {version}")),
        K::SessionCancelled {
            session, version, ..
        } => Some(format!("session cancelled {session} {version}")),
        _ => None,
    }
}

/// Normalizes recipients: order and case do not matter.
fn people(recipients: &[String]) -> String {
    let mut all: Vec<_> = recipients.iter().map(|one| one.to_lowercase()).collect();
    all.sort_unstable();
    all.join(",")
}
