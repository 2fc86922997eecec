//! Tests of the connection of a catalog's mail account.

use super::*;
use crate::testing::slot;

fn account(name: &str) -> Account {
    Account {
        object: ObjectId::new(uuid::Uuid::from_u128(7)),
        address: format!("{name}@contoso.example"),
        name: name.to_owned(),
    }
}

fn connected(exchange: bool, teams: bool) -> (MailConnection, &'static [Effect]) {
    let mut it = MailConnection::not_configured(slot());
    it.options.enabled = true;
    let by = Actor::named("cat@contoso.example");
    let effects = it.connect(
        account("events"),
        AccountCapabilities::new(exchange, teams),
        "g".to_owned(),
        by,
        slot(),
    );
    (it, effects)
}

/// Proves S1-01 and S1-05: off by default, which disables all capabilities.
#[test]
fn a_new_catalog_is_switched_off() {
    let blank = MailConnection::not_configured(slot());
    assert!(!blank.options.enabled && blank.status == ConnectionStatus::NotConfigured);
    let (mut it, _) = connected(true, true);
    assert!(it.allows(Capability::Mail));
    it.options.enabled = false;
    assert!(!it.allows(Capability::Mail));
}

/// Proves S1-10 and S1-11: missing capabilities have a reason, the others work.
#[test]
fn licences_decide_what_an_account_can() {
    let (complete, _) = connected(true, true);
    assert_eq!(complete.status, ConnectionStatus::Connected);
    let (no_teams, _) = connected(true, false);
    assert_eq!(no_teams.status, ConnectionStatus::Degraded);
    assert!(no_teams.allows(Capability::Rooms) && !no_teams.allows(Capability::Meetings));
    assert!(no_teams.can.unable[0].reason.contains("Microsoft Teams"));
    let (nothing, _) = connected(false, true);
    assert_eq!(nothing.can.unable.len(), 3);
    assert!(nothing.can.unable[0].reason.contains("Plan 1"));
}

/// Proves S1-32, S1-33 and S1-34: a loss stops the catalog's mail and is reported once.
#[test]
fn a_loss_is_noted_once() {
    let (mut it, _) = connected(true, true);
    let code = Some("AADSTS50173".to_owned());
    let effects = it.fail(Cause::GrantRevoked, code.clone(), slot());
    assert_eq!(effects, [Effect::Hold, Effect::NotifyLoss]);
    assert!(!it.allows(Capability::Mail));
    assert_eq!(it.fault.as_ref().and_then(|fault| fault.code.clone()), code);
    assert!(it.fail(Cause::AccountGone, None, slot()).is_empty());
    assert_eq!(
        it.fault.as_ref().map(|fault| fault.cause),
        Some(Cause::GrantRevoked)
    );
}

/// Proves S1-25 and C-47: an outdated consent has its own status and is requested once.
#[test]
fn an_outdated_consent_is_asked_for_once() {
    let (mut it, _) = connected(true, true);
    assert!(!it.fail(Cause::ConsentMissing, None, slot()).is_empty());
    assert_eq!(it.status, ConnectionStatus::ConsentOutdated);
    assert!(it.fail(Cause::ConsentMissing, None, slot()).is_empty());
    let by = Actor::named("cat@contoso.example");
    let effects = it.connect(
        account("events"),
        AccountCapabilities::new(true, true),
        "g".to_owned(),
        by,
        slot(),
    );
    assert_eq!(it.status, ConnectionStatus::Connected);
    assert!(effects.contains(&Effect::Release));
}

/// Proves S1-39 and S1-40: disconnecting removes the account; a new one gets a welcome mail.
#[test]
fn another_account_takes_the_place_of_the_first() {
    let (mut it, effects) = connected(true, true);
    assert_eq!(effects, [Effect::Welcome, Effect::Release]);
    assert_eq!(it.disconnect(slot()), [Effect::Hold, Effect::Forget]);
    assert!(it.account.is_none() && it.options.enabled);
    let by = Actor::named("cat@contoso.example");
    let effects = it.connect(
        account("other"),
        AccountCapabilities::new(true, true),
        "g".to_owned(),
        by,
        slot(),
    );
    assert!(effects.contains(&Effect::Welcome));
    assert_eq!(
        it.account.map(|it| it.address).as_deref(),
        Some("other@contoso.example")
    );
}

/// Proves S1-19: the grant is used every six days, long before it would expire.
#[test]
fn a_quiet_grant_is_used_in_time() {
    let (mut it, _) = connected(true, true);
    let days = |days| slot() + TimeDelta::days(days);
    assert!(!it.wants_keep_alive(days(5)) && it.wants_keep_alive(days(6)));
    it.fail(Cause::GrantRevoked, None, slot());
    assert!(
        !it.wants_keep_alive(days(60)),
        "a revoked grant was to be used"
    );
}

#[test]
fn what_passes_changes_nothing() {
    let (mut it, _) = connected(true, true);
    let before = it.clone();
    for cause in [Cause::Transient, Cause::OurCredential, Cause::OurRequest] {
        assert!(it.fail(cause, None, slot()).is_empty());
    }
    assert_eq!(it, before);
}
