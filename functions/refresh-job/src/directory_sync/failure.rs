//! Why a run ended without having done its work, and who can mend it.

use rollcall_app::directory_sync::SyncClientError;
use rollcall_clients::graph::GraphError;
use rollcall_clients::http::ApiError;
use rollcall_clients::store::StoreError;

/// Why a run failed.
#[derive(Debug)]
pub(super) struct SyncFailure {
    /// In words, for people.
    pub(super) text: String,
    /// Whether somebody has to act before another run makes sense (C-25).
    pub(super) needs_person: bool,
    /// Whether people were told before.
    pub(super) quiet: bool,
}

impl SyncFailure {
    /// Something that may be over by the next run.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            needs_person: false,
            quiet: false,
        }
    }

    fn for_person(text: String) -> Self {
        Self {
            text,
            needs_person: true,
            quiet: false,
        }
    }

    pub(super) fn of_client(error: &SyncClientError) -> Self {
        Self {
            needs_person: error.needs_person(),
            ..Self::new(error.to_string())
        }
    }

    pub(super) fn of_store(error: &StoreError) -> Self {
        Self::new(error.to_string())
    }

    pub(super) fn of_graph(error: GraphError) -> Self {
        let text = format!("Microsoft Graph: {error}");
        // A filter that Graph no longer takes does not mend itself either.
        let refused = error
            .status()
            .is_some_and(|status| (400..500).contains(&status));
        if error.is_auth() || (refused && !error.is_transient()) {
            return Self::for_person(text);
        }
        Self::new(text)
    }

    pub(super) fn of_platform(error: ApiError) -> Self {
        let text = format!("the learning platform: {error}");
        if error.is_transient() || matches!(error, ApiError::Incomplete { .. }) {
            return Self::new(text);
        }
        let refused = error.status().is_some_and(|it| it == 401 || it == 403);
        if refused {
            return Self::for_person(format!(
                "{text} Enter a token that is valid; a passing test lifts the pause."
            ));
        }
        Self::for_person(text)
    }
}
