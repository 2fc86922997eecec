//! The directory sync: state, checkpoint and decisions of administrators.

use std::collections::BTreeMap;

use rollcall_clients::store::SYNC_LEASE;
use rollcall_clients::store::sync::CheckpointPointer;
use rollcall_domain::base::audit::{Action, Actor};
use rollcall_domain::directory_sync::{Pin, SyncConfig, SyncState};

use super::Table;
use crate::frozen::samples::{OTHER_TENANT, TENANT, ada, at, event};
use crate::frozen::values::sync::{every_change, full_state};

#[tokio::test]
async fn how_it_stands() {
    let table = Table::new("sync").await;
    let events = [event(1, Action::SyncSaved)];
    let full = full_state();
    let put = table.store.put_sync(TENANT, &full, None, &events);
    put.await.expect("not stored");
    let config = SyncConfig::new("https://lms.example/scim/v2");
    let bare = SyncState::new(config, Actor::named("operator"), at(0));
    let put = table.store.put_sync(OTHER_TENANT, &bare, None, &[]);
    put.await.expect("not stored");
    insta::assert_json_snapshot!(table.items().await);
}

#[tokio::test]
async fn what_was_read_last() {
    let table = Table::new("mirror").await;
    let full = CheckpointPointer {
        key: "sync/a/b.0.json.zst".to_owned(),
        read_in_full: at(0),
        people: "https://graph.example/users/delta?token=1".to_owned(),
        groups: Some("https://graph.example/groups/delta?token=2".to_owned()),
        groups_of: "0123456789abcdef".to_owned(),
        settled: true,
        newest_user: Some(at(1)),
        newest_group: Some(at(2)),
        target: "https://lms.example/scim/v2".to_owned(),
        platform_in_full: at(3),
    };
    let bare = CheckpointPointer {
        groups: None,
        groups_of: String::new(),
        settled: false,
        newest_user: None,
        newest_group: None,
        ..full.clone()
    };
    for (tenant, pointer) in [(TENANT, full), (OTHER_TENANT, bare)] {
        let lease = table.lease(tenant, SYNC_LEASE).await;
        let put = table.store.put_checkpoint_pointer(lease.fence(), &pointer);
        put.await.expect("not stored");
    }
    insta::assert_json_snapshot!(table.items().await);
}

#[tokio::test]
async fn what_people_decided() {
    let table = Table::new("pins").await;
    let changes = every_change();
    let pins = changes
        .iter()
        .map(|change| Pin::against(change, ada(), at(0)));
    // Some samples have the same key; only one of them is ever proposed.
    let pins: BTreeMap<_, _> = pins.map(|pin| (pin.key.clone(), pin)).collect();
    let pins: Vec<_> = pins.into_values().collect();
    let decided = event(1, Action::SyncDecided);
    let decide = table.store.decide(TENANT, &pins, &[], &decided);
    decide.await.expect("not decided");
    insta::assert_json_snapshot!(table.items().await);
}
