//! Tests an app for the directory sync without writes: reading users, and groups if needed.

use std::collections::BTreeSet;

use reqwest::Method;
use rollcall_domain::connection::credentials::covered_for_reading;
use rollcall_domain::connection::{Check, CheckId, CheckStatus, ENTRA_APP};

use super::GraphReader;
use super::permissions::Grant;
use crate::entra::roles_named_in;

/// The owner of the tested app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncApp {
    /// The customer's own app, whose permissions the customer must fix.
    Customers,
    /// This service's own app, which is consented to as a whole.
    Ours,
}

impl GraphReader {
    /// Tests sign-in and the permissions that a sync needs (S2-12…S2-15) with a new token.
    /// Every check has a result.
    pub async fn check_for_sync(&self, groups: bool, app: SyncApp) -> Vec<Check> {
        let token = match self.sign_in().await {
            Ok(token) => token,
            Err(mut check) => {
                if app == SyncApp::Ours && check.status == CheckStatus::Failed {
                    check.detail = format!(
                        "This service's app is not accepted in your directory. A global administrator \
                         has to connect Microsoft Entra ID and accept all the permissions listed. ({})",
                        check.detail
                    );
                }
                return not_signed_in(check, groups);
            }
        };
        let signed_in = "Microsoft Entra accepts the app's credential.";
        let mut checks = vec![Check::passed(CheckId::EntraSignIn, signed_in)];
        let named = roles_named_in(&token);
        for (id, name) in required(groups) {
            checks.push(self.reading(id, name, named.as_ref(), app).await);
        }
        if app == SyncApp::Customers {
            checks.extend(excess(named.as_ref(), groups));
        }
        checks
    }

    /// Uses the permissions named in the token. If the token names none, sends a request that
    /// requires exactly this permission and returns no users.
    async fn reading(
        &self,
        id: CheckId,
        name: &str,
        named: Option<&BTreeSet<String>>,
        app: SyncApp,
    ) -> Check {
        if named.is_some_and(|named| covered_for_reading(name, named)) {
            return Check::passed(id, "It is granted.");
        }
        let tail = match id {
            CheckId::EntraUserReadAll => "/v1.0/users/delta?$deltaToken=latest&$select=id",
            CheckId::EntraGroupReadAll => "/v1.0/groups/delta?$deltaToken=latest&$select=id",
            _ => "/v1.0/groups/delta?$deltaToken=latest&$select=id,members",
        };
        match (self.grant(Method::GET, tail, None, |_| false).await, app) {
            (Grant::Works, _) => Check::passed(id, "It works."),
            (Grant::Unknown(reason), _) => Check::not_checked(id, reason),
            (Grant::Missing, SyncApp::Customers) => Check::failed(
                id,
                format!(
                    "{name} is missing. Add it to the app registration under API permissions, \
                     Microsoft Graph, as an application permission (not a delegated one), and \
                     grant admin consent. New permissions may take some minutes to take effect."
                ),
            )
            .at(ENTRA_APP),
            (Grant::Missing, SyncApp::Ours) => Check::failed(
                id,
                format!(
                    "{name} was not accepted. Connect Microsoft Entra ID again as a global \
                     administrator and accept all the permissions listed."
                ),
            ),
        }
    }
}

/// Returns the required permissions by their real names.
fn required(groups: bool) -> impl Iterator<Item = (CheckId, &'static str)> {
    let all = [
        (CheckId::EntraUserReadAll, "User.Read.All"),
        (CheckId::EntraGroupReadAll, "Group.Read.All"),
        (CheckId::EntraGroupMemberReadAll, "GroupMember.Read.All"),
    ];
    all.into_iter().take(if groups { 3 } else { 1 })
}

fn not_signed_in(sign_in: Check, groups: bool) -> Vec<Check> {
    let rest =
        required(groups).map(|(id, _)| Check::not_checked(id, "The Entra app could not sign in."));
    std::iter::once(sign_in).chain(rest).collect()
}

/// Reports permissions that are not needed (C-33), because a stolen secret could use them.
fn excess(named: Option<&BTreeSet<String>>, groups: bool) -> Option<Check> {
    let needed: BTreeSet<&str> = required(groups).map(|(_, name)| name).collect();
    let excess: Vec<&str> = named?
        .iter()
        .map(String::as_str)
        .filter(|name| !needed.contains(name))
        .collect();
    let id = CheckId::EntraExcessPermissions;
    if excess.is_empty() {
        return Some(Check::passed(
            id,
            "According to the app's token, it has no other permissions.",
        ));
    }
    let excess = excess.join(", ");
    Some(
        Check::warning(
            id,
            format!(
                "The app's token names permissions that are not needed: {excess}. Remove them \
                 from the app registration unless another program uses the same app."
            ),
        )
        .at(ENTRA_APP),
    )
}
