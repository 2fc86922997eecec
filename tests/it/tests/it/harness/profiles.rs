//! The profiles of the test tenant and their stored state.

use std::collections::BTreeMap;
use std::time::Duration;

use rollcall_clients::store::profile_states::ProfileState;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::ids::ProfileId;
use rollcall_domain::membership::plan::recorded_members::RecordedMembers;

use super::{TestApp, in_city, platform, profile_id};

impl TestApp {
    /// Stores a profile as an administrator would; `change` edits it first.
    pub(crate) async fn put(&self, title: &str, change: impl FnOnce(&mut Profile)) -> Profile {
        let id = profile_id(self.id, title);
        let stored = self
            .services
            .store
            .profiles(self.id)
            .await
            .expect("store failed");
        let before = stored
            .into_iter()
            .find(|stored| stored.key == id.to_string());
        let version = before.as_ref().map(|before| before.version);
        let mut profile = before
            .and_then(|before| before.profile.ok())
            .unwrap_or_else(|| {
                let mut fresh = rollcall_domain::testing::profile(title);
                fresh.id = id;
                fresh
            });
        change(&mut profile);
        self.services
            .store
            .save_profile(self.id, &profile, version)
            .await
            .expect("profile not saved");
        profile
    }

    /// Stores a profile for all users in a city, enrolled in these courses.
    pub(crate) async fn put_city(&self, title: &str, city: &str, courses: &[&str]) -> Profile {
        let filter = in_city(city);
        let courses = courses.iter().map(|course| self.course(course)).collect();
        self.put(title, |profile| {
            profile.filter.properties = Some(filter);
            profile.courses = courses;
        })
        .await
    }

    /// Returns the stored profile.
    pub(crate) async fn profile(&self, title: &str) -> Profile {
        let stored = self
            .services
            .store
            .profiles(self.id)
            .await
            .expect("store failed");
        let id = profile_id(self.id, title).to_string();
        let found = stored
            .into_iter()
            .find(|stored| stored.key == id)
            .expect("no such profile");
        found.profile.expect("invalid profile")
    }

    /// Returns the state of a profile that jobs have stored.
    pub(crate) async fn state(&self, title: &str) -> ProfileState {
        let states = self.services.store.profile_states(self.id).await;
        let found = states
            .expect("store failed")
            .remove(&profile_id(self.id, title));
        found.expect("no state is stored")
    }

    /// Returns the known members of a profile's group; `None` if they were invalidated.
    pub(crate) async fn kept(&self, title: &str) -> Option<RecordedMembers> {
        let kept = self.services.store.recorded_members(self.id).await;
        let found = kept
            .expect("store failed")
            .remove(&profile_id(self.id, title));
        found.map(|kept| kept.expect("stored members are invalid"))
    }

    /// Returns all items of the tenant except leases and those that the test set-up stores.
    pub(crate) async fn items(&self) -> Vec<String> {
        let dynamo = aws_sdk_dynamodb::Client::new(&platform::config().await);
        let pages = dynamo
            .query()
            .table_name(&self.services.settings.table)
            .key_condition_expression("tenant = :tenant")
            .expression_attribute_values(
                ":tenant",
                aws_sdk_dynamodb::types::AttributeValue::S(self.id.to_string()),
            )
            .into_paginator()
            .items()
            .send();
        let items = pages
            .collect::<Result<Vec<_>, _>>()
            .await
            .expect("list not read");
        let told = items.iter().map(|item| {
            let sorted: BTreeMap<_, _> = item.iter().collect();
            format!("{sorted:?}")
        });
        // The test set-up stores the installation, not the code under test.
        let given = [
            "S(\"admin#",
            "S(\"lease#",
            "S(\"installation\")",
            "installation_changed",
        ];
        told.filter(|item| !given.iter().any(|part| item.contains(part)))
            .collect()
    }

    /// Publishes a snapshot of a world, as a refresh does.
    pub(crate) async fn use_snapshot(&self, world: rollcall_domain::testing::World) {
        use rollcall_clients::store::{Lease, REFRESH_LEASE};
        let mut snapshot = world.snapshot();
        snapshot.header.tenant = self.id;
        let services = &self.services;
        let before = services.store.snapshot_pointer(self.id).await;
        let mut pointer = before.expect("pointer not read").expect("not refreshed");
        pointer.id = snapshot.header.id.clone();
        pointer.key = rollcall_clients::objects::snapshot_key(self.id, &pointer.id);
        let bytes = rollcall_domain::snapshot::format::encode(&snapshot).expect("not encoded");
        let put = services
            .objects
            .put(&pointer.key, "application/octet-stream", bytes);
        put.await.expect("not stored");
        let length = Duration::from_secs(30);
        let lease = Lease::acquire(&services.store, self.id, REFRESH_LEASE, length).await;
        let lease = lease.expect("lease request failed").expect("lease taken");
        let moved = services
            .store
            .set_snapshot_pointer(lease.fence(), &pointer)
            .await;
        moved.expect("pointer not moved");
        lease.release().await.expect("not released");
    }

    /// Changes the stored state of a profile, as an earlier run would have.
    pub(crate) async fn change_state(&self, title: &str, change: impl FnOnce(&mut ProfileState)) {
        use rollcall_clients::store::{Lease, MAINTENANCE_LEASE};
        let mut state = self.state(title).await;
        change(&mut state);
        let store = &self.services.store;
        let lease =
            Lease::acquire(store, self.id, MAINTENANCE_LEASE, Duration::from_secs(30)).await;
        let lease = lease.expect("lease request failed").expect("lease taken");
        let id = profile_id(self.id, title);
        let put = store.put_profile_state(lease.fence(), id, &state).await;
        put.expect("state not stored");
        lease.release().await.expect("not released");
    }

    /// Invalidates the known members of a group, as an interrupted change does.
    pub(crate) async fn forget_kept(&self, id: ProfileId) {
        use rollcall_clients::store::{Lease, MAINTENANCE_LEASE};
        let store = &self.services.store;
        let length = Duration::from_secs(30);
        let lease = Lease::acquire(store, self.id, MAINTENANCE_LEASE, length).await;
        let lease = lease.expect("lease request failed").expect("lease taken");
        let forgotten = store.delete_recorded_members(lease.fence(), [id]).await;
        forgotten.expect("not deleted");
        lease.release().await.expect("not released");
    }
}
