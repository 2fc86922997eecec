//! Connects the account of a catalog: checks the account that signed in and stores it as a draft
//! until an administrator saves it (S1-09…S1-12, S1-30).

use chrono::{TimeDelta, Utc};
use rollcall_clients::entra::Grant;
use rollcall_clients::http::{ApiError, Secret};
use rollcall_clients::mailbox::{AccountFacts, Mailbox, MailboxPurpose};
use rollcall_clients::store::oauth_states::new_state;
use rollcall_clients::vault::Draft;
use rollcall_domain::base::ids::CatalogId;
use rollcall_domain::connection::{Account, AccountCapabilities, Cause, SignInAttempt};

use crate::response::{CallbackResult, Refusal};
use crate::{AppState, identity};

/// The time within which an account that signed in can be saved.
const SAVE_WITHIN: TimeDelta = TimeDelta::hours(1);

/// Reads the account that signed in and stores it as a draft.
pub(crate) async fn signed_in(
    app: &AppState,
    attempt: &SignInAttempt,
    catalog: CatalogId,
    state: &str,
    code: &Secret,
) -> Result<CallbackResult, Refusal> {
    let (identity, grant) = identity::redeem(app, attempt, state, code).await?;
    let facts = read_account(app, &grant).await?;
    if facts.object != identity.object {
        tracing::error!("Graph and the identity token name different accounts");
        return Err(Cause::StartAgain.into());
    }
    let Some(refresh) = &grant.refresh else {
        tracing::error!("the token response of a sign-in has no refresh token");
        return Err(Cause::OurRequest.into());
    };
    let name = save_draft(app, attempt, catalog, &facts, refresh).await;
    name.map(CallbackResult::SignedIn).map_err(|error| {
        tracing::error!(%error, "an account that signed in could not be stored");
        Refusal::Unavailable
    })
}

/// Returns the account's identity and capabilities if it has its own mailbox in the cloud.
async fn read_account(app: &AppState, grant: &Grant) -> Result<AccountFacts, Refusal> {
    let services = &app.services;
    let token = grant.access.secret().clone();
    let mailbox = Mailbox::new(services.http(), &services.settings.graph_url, token);
    let mailbox = mailbox.map_err(|error| unreadable(&error))?;
    let facts = mailbox
        .account()
        .await
        .map_err(|error| unreadable(&error))?;
    // A purpose that cannot be read is an error and must not count as a missing licence, because
    // a shared mailbox has no licence either.
    match mailbox
        .purpose()
        .await
        .map_err(|error| unreadable(&error))?
    {
        MailboxPurpose::Shared | MailboxPurpose::Room => Err(Cause::SharedMailbox.into()),
        MailboxPurpose::NotInCloud if facts.exchange || facts.kiosk => {
            Err(Cause::NoCloudMailbox.into())
        }
        // Without a licence there is no mailbox; the console shows the consequences (S1-10).
        MailboxPurpose::User | MailboxPurpose::Other(_) | MailboxPurpose::NotInCloud => Ok(facts),
    }
}

fn unreadable(error: &ApiError) -> Refusal {
    tracing::warn!(%error, "an account could not be read");
    if error.is_auth() {
        let code = error.code().map(str::to_owned);
        let cause = Cause::ConsentMissing;
        return Refusal::Refused { cause, code };
    }
    Refusal::Unavailable
}

/// Stores the account as a draft that only the administrator who began the sign-in can save, and
/// replaces an earlier draft. The account that is connected now remains in use. Returns the name
/// of the draft.
async fn save_draft(
    app: &AppState,
    attempt: &SignInAttempt,
    catalog: CatalogId,
    facts: &AccountFacts,
    refresh: &Secret,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let services = &app.services;
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
    // A tick deletes a draft that is never saved.
    let noted = services.change_mail_connection(attempt.tenant, catalog, &[], |it| {
        it.draft_until = Some(until);
        true
    });
    noted.await?;
    Ok(name)
}
