//! One emulator and one simulated world for the whole binary; a tenant, three
//! queues and a verb per action for each test.

mod client;
mod connect;
pub(crate) mod logs;
mod people;
mod platform;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_clients::http::Secret;
use rollcall_clients::store::profile_states::ProfileState;
use rollcall_clients::store::tenants::Tenant;
use rollcall_clients::vault::AppRegistration;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::audience::settings::Settings as TenantSettings;
use rollcall_domain::base::ids::{CourseId, ProfileId, TenantId, UserId};
use rollcall_domain::base::run::{Run, RunRequest, RunStatus, Trigger};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_domain::membership::plan::known_members::KeptMembers;
use rollcall_domain::membership::report::{MaintenanceReport, ProfileReport};
use rollcall_domain::notices::{Notice, NoticeKind};
use rollcall_runtime::{Deadline, Failure};
use rollcall_simulators::world::World;
use rollcall_simulators::{Fault, FaultKind, Simulators, TenantState};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use client::{AUDIENCE, Admin, Answer, CLIENT_ID, FRONTEND, PUBLIC, call};
pub(crate) use connect::Return;
pub(crate) use people::Town;

/// The contact of every test tenant.
pub(crate) const CONTACT: &str = "lms@contoso.example";

/// One test's tenant and everything around it.
pub(crate) struct App {
    pub(crate) services: Services,
    pub(crate) id: TenantId,
    pub(crate) town: Town,
    pub(crate) simulators: &'static Simulators,
    sqs: aws_sdk_sqs::Client,
    slot: DateTime<Utc>,
}

impl App {
    /// A tenant with these people, connected, settings saved, not yet refreshed.
    pub(crate) async fn of(town: Town) -> Self {
        let (app, world) = Box::pin(Self::blank(town)).await;
        Box::pin(app.connect(&world)).await;
        app
    }

    /// A tenant whose settings were never saved, with everything outside in place.
    pub(crate) async fn blank(town: Town) -> (Self, World) {
        let platform = platform::shared().await;
        let id = TenantId::new(Uuid::new_v4());
        let world = town.world(id.uuid());
        platform.simulators.load(world.clone());
        let (services, sqs) = platform::services(platform, id).await;
        let app = Self {
            services,
            id,
            town,
            simulators: &platform.simulators,
            sqs,
            slot: Utc::now(),
        };
        // Most tests are about something else than connecting the directory.
        Box::pin(app.installed("3.73")).await;
        (app, world)
    }

    /// The same, refreshed once and ready; its first notices are read already.
    pub(crate) async fn ready(town: Town) -> Self {
        let mut app = Self::of(town).await;
        let run = app.refresh().await;
        assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
        app.notices().await;
        app
    }

    async fn connect(&self, world: &World) {
        let vault = &self.services.vault;
        let key = Secret::new(world.lms_keys[0].key.clone());
        vault
            .put_lms_key(self.id, &key)
            .await
            .expect("the key is stored");
        let app = &world.apps[0];
        let registration =
            AppRegistration::new(app.client_id.to_string(), app.client_secret.clone());
        vault
            .put_app_registration(self.id, &registration)
            .await
            .expect("the app is stored");
        let settings = TenantSettings {
            contact: CONTACT.to_owned(),
            also_notify: BTreeSet::new(),
            group_prefix: "LMS - ".to_owned(),
            display_name: "Contoso".to_owned(),
            lms_url: String::new(),
            entra_properties: BTreeSet::new(),
            catalog_admins: BTreeMap::new(),
        };
        self.services
            .store
            .save_settings(self.id, &settings, None)
            .await
            .expect("settings are saved");
    }

    /// The tenant's record.
    pub(crate) async fn tenant(&self) -> Tenant {
        self.services
            .store
            .tenant(self.id)
            .await
            .expect("the store answers")
            .expect("it exists")
    }

    /// A request for the next slot: each is a minute after the one before.
    pub(crate) fn request(&mut self, job: Job) -> RunRequest {
        self.slot += chrono::TimeDelta::minutes(1);
        RunRequest {
            job,
            tenant: self.id,
            slot: Slot::of_tick(self.slot),
            trigger: Trigger::Schedule,
            continuation: 0,
            waits: 0,
        }
    }

    /// Runs the refresh of the next slot.
    pub(crate) async fn refresh(&mut self) -> Run {
        let request = self.request(Job::Refresh);
        self.work(&request).await.expect("the message is handled");
        self.run(&request).await
    }

    /// Runs the maintenance of the next slot to its end, continuations included.
    pub(crate) async fn maintain(&mut self) -> (Run, MaintenanceReport) {
        let request = self.request(Job::Maintenance);
        self.work(&request).await.expect("the message is handled");
        let run = self.run(&request).await;
        let report = self.report(&run).await;
        (run, report)
    }

    /// The same, started by an administrator: every group is read in full.
    pub(crate) async fn maintain_by_hand(&mut self) -> (Run, MaintenanceReport) {
        let mut request = self.request(Job::Maintenance);
        request.trigger = Trigger::by_hand(CONTACT);
        self.work(&request).await.expect("the message is handled");
        let run = self.run(&request).await;
        let report = self.report(&run).await;
        (run, report)
    }

    /// Lets a day pass: the next slot is one more than 24 hours after the last.
    pub(crate) fn a_day_passes(&mut self) {
        self.slot += chrono::TimeDelta::days(1);
    }

    /// Runs the maintenance of the next slot, where only what it leaves behind matters.
    pub(crate) async fn maintained(&mut self) {
        let (run, _) = self.maintain().await;
        assert!(run.is_over() && run.status != RunStatus::Failed, "{run:?}");
    }

    /// Handles one message as the deployed function would.
    pub(crate) async fn work(&self, request: &RunRequest) -> Result<(), Failure> {
        self.work_within(request, Duration::from_mins(2)).await
    }

    /// The same with so little time.
    pub(crate) async fn work_within(
        &self,
        request: &RunRequest,
        left: Duration,
    ) -> Result<(), Failure> {
        let deadline = Deadline::after(left);
        match request.job {
            Job::Refresh | Job::DirectorySync => {
                Box::pin(rollcall_refresh_job::work(
                    &self.services,
                    request.clone(),
                    deadline,
                ))
                .await
            }
            Job::Maintenance | Job::Membership => {
                Box::pin(rollcall_maintenance_job::work(
                    &self.services,
                    request.clone(),
                    deadline,
                ))
                .await
            }
        }
    }

    /// The record of a run.
    pub(crate) async fn run(&self, request: &RunRequest) -> Run {
        let run = self
            .services
            .store
            .run(request)
            .await
            .expect("the store answers");
        run.unwrap_or_else(|| {
            panic!(
                "there is no record of the {} run of {}",
                request.job, request.slot
            )
        })
    }

    /// The full report of a run; an empty one if it left none.
    pub(crate) async fn report(&self, run: &Run) -> MaintenanceReport {
        let Some(key) = &run.report else {
            return MaintenanceReport::default();
        };
        let bytes = self
            .services
            .objects
            .get(key)
            .await
            .expect("the report is there");
        serde_json::from_slice(&bytes).expect("the report is readable")
    }

    /// Stores a profile as an administrator would; `change` edits it first.
    pub(crate) async fn put(&self, title: &str, change: impl FnOnce(&mut Profile)) -> Profile {
        let id = profile_id(self.id, title);
        let stored = self
            .services
            .store
            .profiles(self.id)
            .await
            .expect("the store answers");
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
            .expect("the profile is saved");
        profile
    }

    /// A profile for everybody in a city, enrolled in these courses.
    pub(crate) async fn put_city(&self, title: &str, city: &str, courses: &[&str]) -> Profile {
        let filter = in_city(city);
        let courses = courses.iter().map(|course| self.course(course)).collect();
        self.put(title, |profile| {
            profile.filter.properties = Some(filter);
            profile.courses = courses;
        })
        .await
    }

    /// A profile as stored now.
    pub(crate) async fn profile(&self, title: &str) -> Profile {
        let stored = self
            .services
            .store
            .profiles(self.id)
            .await
            .expect("the store answers");
        let id = profile_id(self.id, title).to_string();
        let found = stored
            .into_iter()
            .find(|stored| stored.key == id)
            .expect("the profile is there");
        found.profile.expect("it is readable")
    }

    /// What the jobs know about a profile.
    pub(crate) async fn state(&self, title: &str) -> ProfileState {
        let states = self.services.store.profile_states(self.id).await;
        let found = states
            .expect("the store answers")
            .remove(&profile_id(self.id, title));
        found.expect("the profile has a state")
    }

    /// What is kept about the members of a profile's group; `None` while in doubt.
    pub(crate) async fn kept(&self, title: &str) -> Option<KeptMembers> {
        let kept = self.services.store.kept_members(self.id).await;
        let found = kept
            .expect("the store answers")
            .remove(&profile_id(self.id, title));
        found.map(|kept| kept.expect("readable"))
    }

    /// Changes the members of a profile's group as people do in Entra: these
    /// people in, those out.
    pub(crate) fn edit_members(&self, title: &str, add: &[&str], remove: &[&str]) {
        let person = |name: &&str| people::id(self.id.uuid(), "person", name);
        let unique_name = unique_name(self.id, title);
        self.edit(|outside| {
            let group = outside
                .world
                .groups
                .iter_mut()
                .find(|group| group.unique_name.as_deref() == Some(unique_name.as_str()))
                .expect("the group exists");
            group.members.extend(add.iter().map(person));
            for gone in remove.iter().map(person) {
                group.members.remove(&gone);
            }
        });
    }

    /// How many pages of members the outside world was asked for.
    pub(crate) fn member_reads(&self) -> usize {
        let requests = self.simulators.requests(self.id.uuid());
        requests
            .iter()
            .filter(|request| request.method == "GET" && request.path.contains("/members?"))
            .count()
    }

    /// Notices queued since the last look, in any order.
    pub(crate) async fn notices(&self) -> Vec<Notice> {
        self.messages(&self.services.settings.notice_queue_url)
            .await
            .iter()
            .map(|body| serde_json::from_value(body.clone()).expect("a notice"))
            .collect()
    }

    /// The same, reduced to what they are about.
    pub(crate) async fn told(&self) -> Vec<NoticeKind> {
        self.notices()
            .await
            .into_iter()
            .map(|notice| notice.about)
            .collect()
    }

    /// Requests put back into the queue of maintenance-job, due or not.
    pub(crate) async fn requested(&self, job: Job) -> usize {
        let url = match job {
            Job::Refresh | Job::DirectorySync => &self.services.settings.refresh_queue_url,
            Job::Maintenance | Job::Membership => &self.services.settings.maintenance_queue_url,
        };
        platform::queued(&self.sqs, url).await
    }

    /// Requests for runs of a job that are visible in its queue; they are taken out.
    pub(crate) async fn requests(&self, job: Job) -> Vec<RunRequest> {
        let url = self.services.queue(job).url().to_owned();
        let bodies = self.messages(&url).await;
        let requests = bodies.into_iter().map(serde_json::from_value);
        requests
            .map(|request| request.expect("a request"))
            .collect()
    }

    /// Everything the table holds about the tenant, leases and what was given apart.
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
        let items = pages.collect::<Result<Vec<_>, _>>().await.expect("reads");
        let told = items.iter().map(|item| {
            let sorted: BTreeMap<_, _> = item.iter().collect();
            format!("{sorted:?}")
        });
        // How the tenant was installed is given, not what a test does.
        let given = [
            "S(\"admin#",
            "S(\"lease#",
            "S(\"installation\")",
            "installation_changed",
        ];
        told.filter(|item| !given.iter().any(|part| item.contains(part)))
            .collect()
    }

    /// The same tenant in a deployment whose plans this tenant operates.
    pub(crate) async fn operated_by(mut self, operators: Uuid) -> Self {
        let mut settings = self.services.settings.clone();
        settings.operator_tenant = Some(TenantId::new(operators));
        self.services = self.with_settings(settings).await;
        self
    }

    /// Puts a world's snapshot into use, as a refresh would.
    pub(crate) async fn use_snapshot(&self, world: rollcall_domain::testing::World) {
        use rollcall_clients::store::{Lease, REFRESH_LEASE};
        let mut snapshot = world.snapshot();
        snapshot.header.tenant = self.id;
        let services = &self.services;
        let before = services.store.snapshot_pointer(self.id).await;
        let mut pointer = before.expect("answers").expect("refreshed once");
        pointer.id = snapshot.header.id.clone();
        pointer.key = rollcall_clients::objects::snapshot_key(self.id, &pointer.id);
        let bytes = rollcall_domain::snapshot::format::encode(&snapshot).expect("encodes");
        let put = services
            .objects
            .put(&pointer.key, "application/octet-stream", bytes);
        put.await.expect("stored");
        let length = Duration::from_secs(30);
        let lease = Lease::acquire(&services.store, self.id, REFRESH_LEASE, length).await;
        let lease = lease.expect("an answer").expect("a free lock");
        let moved = services
            .store
            .set_snapshot_pointer(lease.fence(), &pointer)
            .await;
        moved.expect("moved");
        lease.release().await.expect("released");
    }

    /// Makes the members of a group doubtful, as a change cut off does.
    pub(crate) async fn forget_kept(&self, id: ProfileId) {
        use rollcall_clients::store::{Lease, MAINTENANCE_LEASE};
        let store = &self.services.store;
        let length = Duration::from_secs(30);
        let lease = Lease::acquire(store, self.id, MAINTENANCE_LEASE, length).await;
        let lease = lease.expect("an answer").expect("a free lock");
        let forgotten = store.forget_members(lease.fence(), [id]).await;
        forgotten.expect("forgotten");
        lease.release().await.expect("released");
    }

    async fn messages(&self, url: &str) -> Vec<Value> {
        platform::drain(&self.sqs, url).await
    }

    /// The outside world as it is now.
    pub(crate) fn outside(&self) -> TenantState {
        self.simulators
            .dump(self.id.uuid())
            .expect("the tenant is loaded")
    }

    /// Changes the outside world.
    pub(crate) fn edit<R>(&self, change: impl FnOnce(&mut TenantState) -> R) -> R {
        self.simulators
            .edit(self.id.uuid(), change)
            .expect("the tenant is loaded")
    }

    /// Makes the outside world misbehave.
    pub(crate) fn fault(&self, path: &str, kind: FaultKind, from: u32, times: u32) {
        self.simulators
            .add_fault(self.id.uuid(), Fault::once(path, kind).at(from, times));
    }

    /// Makes the outside world behave again.
    pub(crate) fn clear_faults(&self) {
        self.simulators.clear_faults(self.id.uuid());
    }

    /// Names of the members of a profile's group, sorted; `None` without a group.
    pub(crate) fn members(&self, title: &str) -> Option<Vec<String>> {
        self.members_of(profile_id(self.id, title))
    }

    /// The same by the profile's id.
    pub(crate) fn members_of(&self, id: ProfileId) -> Option<Vec<String>> {
        let outside = self.outside();
        let group = outside.group_by_unique_name(&format!("rollcall-{}", id.uuid().simple()))?;
        let mut names: Vec<String> = group
            .members
            .iter()
            .map(|id| self.town.name_of(self.id.uuid(), *id))
            .collect();
        names.sort();
        Some(names)
    }

    /// Titles of the courses a profile's group is enrolled in, sorted.
    pub(crate) fn enrolled(&self, title: &str) -> Vec<String> {
        self.enrolled_of(profile_id(self.id, title))
    }

    /// The same by the profile's id.
    pub(crate) fn enrolled_of(&self, id: ProfileId) -> Vec<String> {
        let outside = self.outside();
        let unique_name = format!("rollcall-{}", id.uuid().simple());
        let Some(group) = outside.group_by_unique_name(&unique_name) else {
            return Vec::new();
        };
        let mut titles: Vec<String> = outside
            .world
            .courses
            .iter()
            .filter(|course| outside.is_group_enrolled(group.id, course.id))
            .map(|course| course.title.clone())
            .collect();
        titles.sort();
        titles
    }

    /// Paths of the writes the outside world has seen, `METHOD path`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let requests = self.simulators.requests(self.id.uuid());
        requests
            .iter()
            .filter(|request| {
                request.method != "GET"
                    && !request.path.contains("/token")
                    && !request.path.contains("$batch")
            })
            .map(|request| format!("{} {}", request.method, request.path))
            .collect()
    }

    /// Forgets the requests seen so far.
    pub(crate) fn forget_requests(&self) {
        self.simulators.clear_requests(self.id.uuid());
    }

    /// The id of a course by title.
    pub(crate) fn course(&self, title: &str) -> CourseId {
        CourseId::new(people::id(self.id.uuid(), "course", title))
    }

    /// The platform's id of a person by name.
    pub(crate) fn user(&self, name: &str) -> UserId {
        UserId::new(people::id(self.id.uuid(), "learner", name))
    }

    /// The name rules use for a custom field.
    pub(crate) fn field(&self, title: &str) -> String {
        format!("custom:{}", people::id(self.id.uuid(), "field", title))
    }

    /// Services of the same tenant with other settings.
    pub(crate) async fn with_settings(&self, settings: rollcall_runtime::Settings) -> Services {
        let config = platform::config().await;
        Services::new(settings, &config).expect("clients")
    }

    /// Mails the emulated SES has accepted for an address.
    pub(crate) async fn mails_to(&self, address: &str) -> Vec<rollcall_local::mails::Mail> {
        let all = rollcall_local::mails::sent(&platform::shared().await.endpoint).await;
        let mut mine = all.expect("the emulator answers");
        mine.retain(|mail| mail.to.iter().any(|to| to == address));
        mine
    }
}

/// The id of a test profile.
pub(crate) fn profile_id(tenant: TenantId, title: &str) -> ProfileId {
    ProfileId::new(people::id(tenant.uuid(), "profile", title))
}

fn unique_name(tenant: TenantId, title: &str) -> String {
    format!("rollcall-{}", profile_id(tenant, title).uuid().simple())
}

/// A tree for everybody in a city.
pub(crate) fn in_city(city: &str) -> Value {
    json!({"combinator": "and", "rules": [{"field": "city", "operator": "=", "value": city}]})
}

/// A profile's line of a report.
pub(crate) fn line<'a>(report: &'a MaintenanceReport, title: &str) -> &'a ProfileReport {
    report
        .profiles
        .iter()
        .find(|line| line.title == title)
        .unwrap_or_else(|| panic!("{title} is not in the report"))
}

/// What a step of a run counted.
pub(crate) fn step_count(run: &Run, step: &str, name: &str) -> u64 {
    let found = run.steps.iter().find(|record| record.name == step);
    let counts = &found.expect("the step was made").counts;
    counts.get(name).copied().unwrap_or(0)
}

/// Counts per name, for assertions that read as tables.
pub(crate) fn counts(run: &Run, names: &[&str]) -> BTreeMap<String, u64> {
    names
        .iter()
        .map(|name| {
            (
                (*name).to_owned(),
                run.counts.get(*name).copied().unwrap_or(0),
            )
        })
        .collect()
}
