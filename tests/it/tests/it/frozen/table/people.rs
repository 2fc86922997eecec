//! Administrators who signed in, their audit events, and sign-in attempts.

use rollcall_clients::store::admins::SeenAdmin;
use rollcall_clients::store::oauth_states::OAUTH_STATE_LIFETIME;
use rollcall_domain::base::audit::Action;
use rollcall_domain::connection::{ReturnPath, SignInAttempt, SignInStage};

use super::Table;
use crate::frozen::samples::{TENANT, ada, at, bare_event, catalog, event, object};

#[tokio::test]
async fn administrators() {
    let table = Table::new("admins").await;
    let full = SeenAdmin {
        name: "ada@contoso.example".to_owned(),
        display_name: Some("Ada".to_owned()),
        roles: ["Owner", "SuperAdmin"].map(str::to_owned).into(),
        at: at(0),
    };
    let bare = SeenAdmin {
        display_name: None,
        roles: ["SuperAdmin".to_owned()].into(),
        ..full.clone()
    };
    for (number, admin) in [(1, full), (2, bare)] {
        let note = table.store.note_admin(TENANT, object(number), &admin);
        note.await.expect("not recorded");
    }
    insta::assert_json_snapshot!(table.items().await);
}

#[tokio::test]
async fn audit_events() {
    let table = Table::new("audit").await;
    for event in [
        event(0, Action::SettingsSaved),
        bare_event(1, Action::EntitlementChanged),
    ] {
        table
            .store
            .record(TENANT, &event)
            .await
            .expect("not recorded");
    }
    insta::assert_json_snapshot!(table.items().await);
}

#[tokio::test]
async fn sign_ins_that_were_begun() {
    let table = Table::new("oauth").await;
    let stages = [
        SignInStage::EntraSignIn,
        SignInStage::EntraConsent,
        SignInStage::MailSignIn {
            catalog: catalog(1),
        },
    ];
    for (number, stage) in stages.into_iter().enumerate() {
        let attempt = SignInAttempt {
            tenant: TENANT,
            by: ada(),
            stage,
            return_to: ReturnPath::try_from("/catalogs?tab=mail".to_owned()).expect("invalid path"),
            began: at(0),
        };
        let state = format!("state-{number}");
        let begin = table
            .store
            .begin_oauth_state(&state, &attempt, OAUTH_STATE_LIFETIME);
        begin.await.expect("not begun");
    }
    insta::assert_json_snapshot!(table.items().await);
}
