//! Tests a tenant's app without writes: sign-in, required permissions, excess permissions.

use std::collections::BTreeSet;

use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::connection::credentials::{REQUIRED, compare};
use rollcall_domain::connection::{Check, CheckId, ENTRA_APP};

use super::batch_part::Part;
use super::permissions::{Grant, Grants};
use super::{GraphError, GraphReader};
use crate::entra::{AccessToken, misshapen, refused, roles_named_in};
use crate::http::within;

const USER_READ: &str = REQUIRED[0];
const GROUP_WRITE: &str = REQUIRED[1];
const MEMBER_WRITE: &str = REQUIRED[2];

/// The number of given users that the directory contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPeople {
    /// The number of users looked up.
    pub asked: usize,
    /// The number of them that exist.
    pub known: usize,
}

impl GraphReader {
    /// Tests sign-in and permissions with a new token. Every check has a result, at the
    /// latest by the deadline of [`GraphReader::with_deadline`].
    pub async fn check(&self) -> Vec<Check> {
        match self.sign_in().await {
            Ok(token) => {
                let signed_in = "Microsoft Entra accepts the client id and the secret.";
                let mut checks = vec![Check::passed(CheckId::EntraSignIn, signed_in)];
                let named = roles_named_in(&token);
                checks.extend(permission_checks(self.grants().await, named.as_ref()));
                checks.push(excess_check(named));
                checks
            }
            Err(check) => not_signed_in(check),
        }
    }

    pub(super) async fn sign_in(&self) -> Result<AccessToken, Check> {
        let from = &self.transport.tokens;
        if let Some(check) = misshapen(&from.client_id, &from.secret) {
            return Err(check);
        }
        let asked = from.entra.new_token(
            from.tenant,
            &from.client_id,
            &from.secret,
            &self.transport.scope,
            self.transport.deadline,
        );
        match within(self.transport.deadline, asked).await {
            Some(Ok(token)) => Ok(token),
            Some(Err(error)) => Err(refused(&error)),
            None => {
                let late = "Microsoft Entra did not answer in time. Try again in some minutes.";
                Err(Check::not_checked(CheckId::EntraSignIn, late))
            }
        }
    }

    /// Counts which of these users the directory contains; deleted users do not count.
    pub async fn known_people(&self, people: &[ObjectId]) -> Result<KnownPeople, GraphError> {
        let parts: Vec<Part> = people
            .iter()
            .map(|id| Part::get(format!("/users/{id}?$select=id")))
            .collect();
        let mut known = 0;
        for answer in self.transport.read_parts(&parts).await? {
            match answer {
                Ok(_) => known += 1,
                Err(error) if error.status() == Some(404) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let asked = people.len();
        Ok(KnownPeople { asked, known })
    }
}

/// Returns the failed sign-in and the other checks, which cannot be made without a token.
fn not_signed_in(sign_in: Check) -> Vec<Check> {
    let rest = [
        CheckId::EntraUserReadAll,
        CheckId::EntraGroupReadWriteAll,
        CheckId::EntraGroupMemberReadWriteAll,
        CheckId::EntraExcessPermissions,
    ];
    let reason = "The Entra app could not sign in.";
    let rest = rest.map(|id| Check::not_checked(id, reason));
    std::iter::once(sign_in).chain(rest).collect()
}

fn permission_checks(grants: Grants, named: Option<&BTreeSet<String>>) -> [Check; 3] {
    let covered = grants.groups == Grant::Works;
    let members_found = if covered {
        covered_members(named)
    } else {
        "The app may add and remove members."
    };
    [
        permission_check(
            CheckId::EntraUserReadAll,
            USER_READ,
            grants.users,
            "The app may read users and their properties.",
        ),
        permission_check(
            CheckId::EntraGroupReadWriteAll,
            GROUP_WRITE,
            grants.groups,
            "The app may create groups and rename them.",
        ),
        permission_check(
            CheckId::EntraGroupMemberReadWriteAll,
            MEMBER_WRITE,
            grants.members,
            members_found,
        ),
    ]
}

/// Returns the text of a granted write access to members. The permission for groups includes
/// the one for members, so no request can determine whether both are granted.
fn covered_members(named: Option<&BTreeSet<String>>) -> &'static str {
    match named.map(|named| named.contains(MEMBER_WRITE)) {
        Some(true) => "The app may add and remove members.",
        Some(false) => {
            "The app may add and remove members, because Group.ReadWrite.All allows it. \
             GroupMember.ReadWrite.All itself seems not to be granted, but is not needed then."
        }
        None => {
            "The app may add and remove members. Group.ReadWrite.All allows that as well, so \
             whether GroupMember.ReadWrite.All itself is granted cannot be determined."
        }
    }
}

fn permission_check(id: CheckId, name: &str, grant: Grant, works: &str) -> Check {
    match grant {
        Grant::Works => Check::passed(id, works),
        Grant::Missing => Check::failed(
            id,
            format!(
                "{name} is missing. Add it to the app registration under API permissions, \
                 Microsoft Graph, as an application permission (not a delegated one), and grant \
                 admin consent. New permissions may take some minutes to take effect."
            ),
        )
        .at(ENTRA_APP),
        Grant::Unknown(reason) => Check::not_checked(id, reason),
    }
}

/// Checks for permissions that are not needed (C-33). It relies only on the names that the
/// token seems to contain, so it never fails.
fn excess_check(named: Option<BTreeSet<String>>) -> Check {
    let id = CheckId::EntraExcessPermissions;
    let Some(named) = named else {
        let list = REQUIRED.join(", ");
        return Check::not_checked(
            id,
            format!(
                "Microsoft does not reveal to an app which permissions it has. Compare the list under \
                 API permissions of the app registration: {list} are needed and no others."
            ),
        );
    };
    let excess: Vec<String> = compare(&named).excess.into_iter().collect();
    if excess.is_empty() {
        return Check::passed(
            id,
            "According to the app's token, it has no other permissions.",
        );
    }
    let excess = excess.join(", ");
    Check::warning(
        id,
        format!(
            "The app's token names permissions that are not needed: {excess}. Remove them from \
             the app registration unless another program uses the same app."
        ),
    )
    .at(ENTRA_APP)
}
