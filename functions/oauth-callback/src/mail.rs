//! A catalog's account: it signs in, is looked at, and waits to be saved (S1-09…S1-12, S1-30).

use chrono::{TimeDelta, Utc};
use rollcall_clients::entra::Grant;
use rollcall_clients::http::{ApiError, Secret};
use rollcall_clients::mailbox::{AccountFacts, Mailbox, MailboxPurpose};
use rollcall_clients::store::oauth_states::new_state;
use rollcall_clients::vault::Draft;
use rollcall_domain::base::ids::CatalogId;
use rollcall_domain::connection::{Account, AccountCapabilities, Cause, SignInAttempt};

use crate::AppState;
use crate::callback;
use crate::entra::{Failed, identity};
use crate::response::Outcome;

/// An account that signed in may be saved for so long.
const SAVE_WITHIN: TimeDelta = TimeDelta::hours(1);

/// The account signed in.
pub(crate) async fn signed_in(
    desk: &AppState,
    attempt: &SignInAttempt,
    catalog: CatalogId,
    state: &str,
    code: &Secret,
) -> Outcome {
    let (identity, grant) = match identity(desk, attempt, state, code).await {
        Ok(found) => found,
        Err(failed) => return failed.tell(desk, attempt).await,
    };
    let facts = match look_at(desk, &grant).await {
        Ok(facts) => facts,
        Err(failed) => return failed.tell(desk, attempt).await,
    };
    if facts.object != identity.object {
        tracing::error!("Graph and the identity token name different accounts");
        return callback::refused(desk, attempt, Cause::StartAgain, None).await;
    }
    let Some(refresh) = &grant.refresh else {
        tracing::error!("a sign-in brought no refresh token");
        return callback::refused(desk, attempt, Cause::OurRequest, None).await;
    };
    match keep(desk, attempt, catalog, &facts, refresh).await {
        Ok(name) => Outcome::SignedIn(name),
        Err(error) => {
            tracing::error!(%error, "an account that signed in could not be kept");
            Outcome::Unavailable
        }
    }
}

/// Who it is, what it may use, and that it is a mailbox of its own in the cloud.
async fn look_at(desk: &AppState, grant: &Grant) -> Result<AccountFacts, Failed> {
    let services = &desk.services;
    let token = grant.access.secret().clone();
    let mailbox = Mailbox::new(services.http(), &services.settings.graph_url, token);
    let mailbox = mailbox.map_err(|error| failed(&error))?;
    let facts = mailbox.account().await.map_err(|error| failed(&error))?;
    // Only a definite answer lets an account pass: a shared mailbox has no licence.
    match mailbox.purpose().await.map_err(|error| failed(&error))? {
        MailboxPurpose::Shared | MailboxPurpose::Room => {
            Err(Failed::Refused(Cause::SharedMailbox, None))
        }
        MailboxPurpose::NotInCloud if facts.exchange || facts.kiosk => {
            Err(Failed::Refused(Cause::NoCloudMailbox, None))
        }
        // Without a licence there is no mailbox; what that means is shown (S1-10).
        MailboxPurpose::User | MailboxPurpose::Other(_) | MailboxPurpose::NotInCloud => Ok(facts),
    }
}

fn failed(error: &ApiError) -> Failed {
    tracing::warn!(%error, "an account could not be looked at");
    if error.is_auth() {
        let code = error.code().map(str::to_owned);
        return Failed::Refused(Cause::ConsentMissing, code);
    }
    Failed::Silent
}

/// Keeps the account where only its administrator can save it; one that waited
/// before is forgotten. The catalog's connection stays as it is.
async fn keep(
    desk: &AppState,
    attempt: &SignInAttempt,
    catalog: CatalogId,
    facts: &AccountFacts,
    refresh: &Secret,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let services = &desk.services;
    let name = new_state();
    let account = Account {
        object: facts.object,
        address: facts.address.clone().unwrap_or_else(|| facts.upn.clone()),
        name: facts.name.clone(),
    };
    let can = AccountCapabilities::new(facts.exchange, facts.teams);
    let until = Utc::now() + SAVE_WITHIN;
    let draft = Draft::new(&name, refresh, account, can, attempt.by.clone(), until);
    let lease = services.grant_lease(attempt.tenant, catalog).await?;
    let kept = async {
        let mut grant = services.vault.grant(attempt.tenant, catalog).await?;
        grant.draft = Some(draft);
        services
            .vault
            .put_grant(attempt.tenant, catalog, &grant)
            .await
    };
    let kept = kept.await;
    lease.release().await?;
    kept?;
    // A sign-in that nobody saves is forgotten by a tick.
    let noted = services.change_mail_connection(attempt.tenant, catalog, &[], |it| {
        it.draft_until = Some(until);
        true
    });
    noted.await?;
    Ok(name)
}
