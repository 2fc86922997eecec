//! Tests of single users that cannot be written or must be reported.

use super::*;

/// An account that the platform never lets us change does not stop others, is reported in every
/// run, and pauses nothing.
#[tokio::test]
async fn an_account_no_one_may_change_pauses_nothing() {
    for code in [400, 403, 409] {
        let mut fixture = SyncFixture::small().await;
        fixture.active(|_| ()).await;
        fixture.person("Ada", |ada| ada.job_title = Some("Lead".to_owned()));
        let key = fixture.key_of("Ada");
        fixture
            .app
            .fault(&format!("/Users/{key}"), refused(code), 1, 1_000);
        fixture.on_platform(|outside| outside.scim.behaviour.bulk = false);
        for _ in 0..2 {
            let run = fixture.run().await;
            let failed = count(&run, "failed");
            assert_eq!(
                (run.status, failed),
                (RunStatus::SucceededWithFailures, 1),
                "{code}: {run:?}"
            );
        }
        let state = fixture.state().await;
        assert!(state.pause.is_none() && state.due.is_some(), "{code}");
        fixture.person("Alan", |alan| alan.account_enabled = false);
        let run = fixture.run().await;
        assert_eq!(count(&run, "usersDeactivated"), 1, "{code}: {run:?}");
    }
}

/// Proves S2-48: if a temporary failure turns into one that requires an administrator, another
/// notice is sent.
#[tokio::test]
async fn what_takes_a_person_only_now_is_reported() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    fixture.app.notices().await;
    fixture.app.fault("/v1.0/users/delta", broken(503), 1, 100);
    fixture.run().await;
    assert_eq!(fixture.app.notices().await.len(), 1);
    fixture.app.clear_faults();
    fixture
        .app
        .edit(|outside| outside.world.apps[0].secret_expired = true);
    fixture.forget_tokens().await;
    assert_eq!(fixture.run().await.status, RunStatus::Failed);
    assert_eq!(fixture.app.notices().await.len(), 1);
    assert!(
        fixture
            .state()
            .await
            .pause
            .is_some_and(|it| it.needs_person)
    );
}

/// If a swap of addresses fails halfway, every user keeps the old address.
#[tokio::test]
async fn a_circle_that_does_not_close_locks_no_one_out() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    fixture.person("Ada", |it| {
        it.mail = Some("alan@contoso.example".to_owned());
    });
    fixture.person("Alan", |it| {
        it.mail = Some("ada@contoso.example".to_owned());
    });
    // The user with the smaller id gets a temporary address first; the change of the other one is
    // refused.
    let keys = [fixture.key_of("Ada"), fixture.key_of("Alan")];
    let last = keys.iter().max().expect("no keys").clone();
    fixture
        .app
        .fault(&format!("/Users/{last}"), refused(409), 1, 1);
    let run = fixture.run().await;
    assert_eq!(run.status, RunStatus::SucceededWithFailures, "{run:?}");
    let users = fixture.users();
    let names: Vec<_> = ["Ada", "Alan"]
        .map(|name| users[name]["userName"].clone())
        .into();
    assert!(
        names
            .iter()
            .all(|name| !name.as_str().is_some_and(|it| it.ends_with(".invalid"))),
        "{names:?}"
    );
    fixture.app.clear_faults();
    let run = fixture.run().await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    assert_eq!(fixture.users()["Ada"]["userName"], "alan@contoso.example");
}

/// An account linked to a user who is not in the directory is reported in every run.
#[tokio::test]
async fn an_account_of_no_one_is_listed() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    let stranger = uuid::Uuid::from_u128(99);
    fixture.by_hand("Grace", |grace| grace["externalId"] = json!(stranger));
    let run = fixture.run().await;
    let lines = fixture.changes(&run, "&state=skipped").await;
    let line =
        "skipped Grace Wright is linked to an account that does not exist in Microsoft Entra ID";
    assert!(lines.iter().any(|it| it.starts_with(line)), "{lines:?}");
}
