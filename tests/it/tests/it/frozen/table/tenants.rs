//! Tenants: settings, onboarding, current snapshot, plan and installation.

use rollcall_clients::store::REFRESH_LEASE;
use rollcall_clients::store::tenants::SnapshotPointer;
use rollcall_domain::audience::settings::Settings;
use rollcall_domain::base::audit::Action;
use rollcall_domain::base::throttle::DefaultLimit;
use rollcall_domain::connection::entitlement::{Entitlement, Plan};
use rollcall_domain::connection::installation::Installation;
use rollcall_domain::snapshot::sanity::{Counts, RecentCounts};

use super::Table;
use crate::frozen::samples::{
    OTHER_TENANT, TENANT, at, bare_event, catalog, event, object, snapshot_id,
};

fn small_settings() -> Settings {
    Settings {
        contact: "lms@contoso.example".to_owned(),
        also_notify: [].into(),
        group_prefix: String::new(),
        display_name: String::new(),
        lms_url: String::new(),
        entra_properties: [].into(),
        default_limit: Some(DefaultLimit::default()),
        catalog_admins: [].into(),
    }
}

fn large_settings() -> Settings {
    Settings {
        contact: "lms@contoso.example".to_owned(),
        also_notify: ["ada@contoso.example".to_owned()].into(),
        group_prefix: "LMS - ".to_owned(),
        display_name: "Contoso".to_owned(),
        lms_url: "https://eu.learn365.example".to_owned(),
        entra_properties: ["employeeType".to_owned()].into(),
        default_limit: Some(DefaultLimit::default()),
        catalog_admins: [(object(1), [catalog(1), catalog(2)].into())].into(),
    }
}

/// Snapshots a tenant that waits for its first refresh, and one that is active.
#[tokio::test]
async fn tenants() {
    let table = Table::new("tenants").await;
    let (store, events) = (&table.store, [event(1, Action::SettingsSaved)]);
    let (large, small) = (large_settings(), small_settings());
    let save = store.change_settings(TENANT, &large, None, None, &events);
    save.await.expect("not saved");
    store.mark_ready(TENANT).await.expect("not marked");
    let save = store.save_settings(OTHER_TENANT, &small, None);
    save.await.expect("not saved");
    insta::assert_json_snapshot!(table.items().await);
}

/// A tenant remains ready when its settings are saved again.
#[tokio::test]
async fn a_tenant_saved_again() {
    let table = Table::new("tenant-again").await;
    let store = &table.store;
    let (large, small) = (large_settings(), small_settings());
    let save = store.save_settings(TENANT, &small, None);
    save.await.expect("not saved");
    store.mark_ready(TENANT).await.expect("not marked");
    let save = store.save_settings(TENANT, &large, Some(1));
    save.await.expect("not saved");
    insta::assert_json_snapshot!(table.items().await);
}

#[tokio::test]
async fn the_snapshot_in_use() {
    let table = Table::new("snapshot").await;
    let full = SnapshotPointer {
        id: snapshot_id(1),
        taken_at: at(0),
        key: "snapshots/a/b.rcsnap".to_owned(),
        schema_key: "schemas/a/b.json".to_owned(),
        counts: Counts {
            people: 6,
            reachable: 5,
            courses: 4,
            catalogs: 3,
            fields: 2,
            enrolments: 1,
            roles: 7,
        },
        filled: [("city".to_owned(), 5), ("custom:x".to_owned(), 1)].into(),
        recent: vec![RecentCounts {
            at: at(-10),
            counts: Counts::default(),
        }],
    };
    let bare = SnapshotPointer {
        counts: Counts::default(),
        filled: [].into(),
        recent: Vec::new(),
        ..full.clone()
    };
    for (tenant, pointer) in [(TENANT, full), (OTHER_TENANT, bare)] {
        let lease = table.lease(tenant, REFRESH_LEASE).await;
        let moved = table.store.set_snapshot_pointer(lease.fence(), &pointer);
        moved.await.expect("pointer not moved");
    }
    insta::assert_json_snapshot!(table.items().await);
}

#[tokio::test]
async fn plans_and_installations() {
    let table = Table::new("plans").await;
    let bare = Entitlement {
        plan: Plan::Standard,
        until: None,
        azure_communication_services: false,
        directory_sync: false,
    };
    let full = Entitlement {
        plan: Plan::SuccessPremium,
        until: Some(at(0)),
        azure_communication_services: true,
        directory_sync: true,
    };
    let installed = Installation {
        version: Some("3.74.1".to_owned()),
        environments: ["Production".to_owned(), "Test".to_owned()].into(),
    };
    let unknown = Installation::default();
    let both = [(TENANT, full, installed), (OTHER_TENANT, bare, unknown)];
    for (tenant, plan, installation) in both {
        let changed = bare_event(1, Action::EntitlementChanged);
        let put = table.store.put_entitlement(tenant, &plan, &changed);
        put.await.expect("not stored");
        let changed = bare_event(2, Action::InstallationChanged);
        let put = table
            .store
            .put_installation(tenant, &installation, &changed);
        put.await.expect("not stored");
    }
    insta::assert_json_snapshot!(table.items().await);
}
