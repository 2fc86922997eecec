//! What callers are told when something does not work; causes stay in the log.

use axum::http::StatusCode;
use rollcall_clients::store::StoreError;
use rollcall_domain::base::problem::Problem;
use rollcall_runtime::ProblemDetails;

/// Seconds after which trying again makes sense when a service does not answer.
const RETRY_AFTER: u64 = 5;
/// Seconds after which a locked tenant is worth another try: maintenance holds
/// its lock for a short while only.
const LOCK_RETRY_AFTER: u64 = 30;

/// What a handler answers when it cannot do what it was asked for.
pub(crate) type Refused = ProblemDetails;

/// A store's error as an answer.
pub(crate) fn stored(error: StoreError) -> ProblemDetails {
    match error {
        StoreError::Locked | StoreError::LeaseLost => locked(),
        StoreError::Conflict => stale(),
        StoreError::TitleTaken => ProblemDetails::invalid(vec![title_taken()]),
        StoreError::Missing => missing(),
        StoreError::Cursor => cursor(),
        StoreError::Decided => decided(),
        StoreError::Contended => unavailable("Many people save at this moment; try again shortly."),
        StoreError::TooLarge { bytes, limit, .. } => ProblemDetails::invalid(vec![Problem::at(
            "",
            format!(
                "this would take {bytes} bytes, {limit} are allowed; shorten its lists of overrides or values"
            ),
        )]),
        StoreError::Service(_) => {
            tracing::error!(%error, "the state of a tenant cannot be read or written");
            unavailable("The state table does not answer; try again shortly.")
        }
        StoreError::Unreadable { .. } => {
            tracing::error!(%error, "something stored is unreadable");
            broken()
        }
    }
}

/// Something of ours that is not as it should be.
pub(crate) fn broken() -> ProblemDetails {
    let detail = "Something stored is not as it should be; the operators have the details under this request's id.";
    ProblemDetails::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}

/// Something that does not answer now.
pub(crate) fn unavailable(detail: &str) -> ProblemDetails {
    ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, detail).after(RETRY_AFTER)
}

/// Maintenance works on the tenant (S4-114).
pub(crate) fn locked() -> ProblemDetails {
    let detail = "The tenant is locked for maintenance; try again in a moment.";
    ProblemDetails::new(StatusCode::LOCKED, detail)
        .of_kind("locked")
        .after(LOCK_RETRY_AFTER)
}

/// Somebody else changed it since the caller read it.
pub(crate) fn stale() -> ProblemDetails {
    let detail = "Somebody else has changed this since you opened it; nothing of yours was saved over it. Read it again and repeat your change.";
    ProblemDetails::new(StatusCode::PRECONDITION_FAILED, detail).of_kind("stale")
}

/// Not there, or another tenant's: nobody learns which.
pub(crate) fn missing() -> ProblemDetails {
    ProblemDetails::new(StatusCode::NOT_FOUND, "There is nothing under this id.")
}

/// Somebody approved the held change before.
fn decided() -> ProblemDetails {
    let detail = "Somebody has approved this change already; a run makes it, or has begun to.";
    ProblemDetails::new(StatusCode::CONFLICT, detail).of_kind("decided")
}

/// A cursor that is none of ours.
pub(crate) fn cursor() -> ProblemDetails {
    let detail = "The cursor is none of this list's; begin the list again without one.";
    ProblemDetails::new(StatusCode::BAD_REQUEST, detail).of_kind("cursor")
}

/// The title belongs to another profile (S4-054).
pub(crate) fn title_taken() -> Problem {
    Problem::at(
        "/title",
        "another profile has this title; titles that differ only in case count as the same",
    )
}

/// The tenant never saved its settings.
pub(crate) fn no_settings() -> ProblemDetails {
    let detail = "This tenant has no settings yet; save them to begin.";
    ProblemDetails::new(StatusCode::NOT_FOUND, detail).of_kind("no-settings")
}

/// There is no data yet to check or evaluate anything with.
pub(crate) fn not_ready() -> ProblemDetails {
    let detail = "The data of your tenant has not been read yet; this takes a few minutes after the first save of the settings. A mail tells when it is ready.";
    ProblemDetails::new(StatusCode::CONFLICT, detail)
        .of_kind("not-ready")
        .after(60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_app::consent::AppError;
    use rollcall_app::mail_account::AccountError;
    use rollcall_clients::objects::ObjectError;
    use rollcall_clients::vault::VaultError;
    use rollcall_domain::connection::Cause;

    #[test]
    fn causes_stay_in_the_log() {
        let silent = stored(StoreError::Service("table arn:aws:secret".to_owned()));
        assert_eq!(
            (silent.status, silent.retry_after),
            (503, Some(RETRY_AFTER))
        );
        let damaged = stored(StoreError::Unreadable {
            entity: "run#secret".to_owned(),
            problem: "secret".to_owned(),
        });
        assert_eq!((damaged.status, damaged.retry_after), (500, None));
        assert!(!format!("{silent:?}{damaged:?}").contains("secret"));
    }

    /// Proves S4-114: 423 with a time to come back.
    #[test]
    fn a_lock_says_when_to_come_back() {
        let told = stored(StoreError::Locked);
        assert_eq!((told.status, told.retry_after), (423, Some(30)));
    }
    fn all_stored() -> Vec<ProblemDetails> {
        let text = || "secret".to_owned();
        let errors = [
            StoreError::Conflict,
            StoreError::LeaseLost,
            StoreError::Locked,
            StoreError::TitleTaken,
            StoreError::Missing,
            StoreError::Decided,
            StoreError::Cursor,
            StoreError::Contended,
            StoreError::Unreadable {
                entity: text(),
                problem: text(),
            },
            StoreError::TooLarge {
                entity: text(),
                bytes: 500_000,
                limit: 400_000,
            },
            StoreError::Service(text()),
        ];
        errors.into_iter().map(stored).collect()
    }

    fn all_others() -> Vec<ProblemDetails> {
        use crate::cache::snapshots::object;
        use crate::connections::entra::app;
        use crate::mail_connection::account;
        use crate::settings::show::vault;
        let text = || "secret".to_owned();
        let mut all = vec![
            vault(&VaultError::Service(text())),
            vault(&VaultError::Missing("key")),
            vault(&VaultError::Unreadable("key")),
            object(&ObjectError::Missing(text())),
            object(&ObjectError::Service(text())),
            app(&AppError::Setting("app")),
            account(&AccountError::NotConnected),
            account(&AccountError::Later(text())),
            no_settings(),
            not_ready(),
        ];
        all.extend(Cause::ALL.map(|cause| account(&AccountError::Lost(cause))));
        all
    }

    /// What is told, word by word, also of what no test over the router can break.
    #[test]
    fn every_failure_as_it_is_told() {
        let all = all_stored().into_iter().chain(all_others());
        let told = all.map(|problem| {
            let after = problem.retry_after;
            let body = serde_json::to_string_pretty(&problem).expect("JSON");
            assert!(!body.contains("secret"), "{body}");
            format!("{} {after:?}\n{body}\n", problem.status)
        });
        let told: Vec<String> = told.collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
