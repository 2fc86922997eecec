//! One emulator and one simulated world for the whole binary; for each test a tenant with three
//! queues, and one method per action.

mod client;
mod connect;
pub(crate) mod logs;
mod outside;
mod people;
mod platform;
mod profiles;
mod runs;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_clients::http::Secret;
use rollcall_clients::store::tenants::Tenant;
use rollcall_clients::vault::AppRegistration;
use rollcall_domain::audience::settings::Settings as TenantSettings;
use rollcall_domain::base::ids::{ProfileId, TenantId};
use rollcall_domain::base::run::{Run, RunStatus};
use rollcall_domain::base::throttle::DefaultLimit;
use rollcall_domain::membership::report::{MaintenanceReport, ProfileReport};
use rollcall_domain::notices::{Notice, NoticeKind};
use rollcall_simulators::Simulators;
use rollcall_simulators::world::World;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use client::{AUDIENCE, Admin, Answer, CLIENT_ID, FRONTEND, PUBLIC, call};
pub(crate) use connect::Return;
pub(crate) use people::TestTenant;
pub(crate) use platform::{config as aws_config, create_table, drain};

/// The contact address of all tenants.
pub(crate) const CONTACT: &str = "lms@contoso.example";

/// A test's tenant and its environment.
pub(crate) struct TestApp {
    pub(crate) services: Services,
    pub(crate) id: TenantId,
    pub(crate) tenant: TestTenant,
    pub(crate) simulators: &'static Simulators,
    sqs: aws_sdk_sqs::Client,
    slot: DateTime<Utc>,
}

impl TestApp {
    /// Starts a tenant with the users of the tenant, connected, with saved settings, not refreshed
    /// yet.
    pub(crate) async fn of(tenant: TestTenant) -> Self {
        let (app, world) = Box::pin(Self::blank(tenant)).await;
        Box::pin(app.connect(&world)).await;
        app
    }

    /// Starts a tenant without saved settings; everything outside the service is set up.
    pub(crate) async fn blank(tenant: TestTenant) -> (Self, World) {
        let platform = platform::shared().await;
        let id = TenantId::new(Uuid::new_v4());
        let world = tenant.world(id.uuid());
        platform.simulators.load(world.clone());
        let (services, sqs) = platform::services(platform, id).await;
        let app = Self {
            services,
            id,
            tenant,
            simulators: &platform.simulators,
            sqs,
            slot: Utc::now(),
        };
        // Most tests do not concern the connection of the directory.
        Box::pin(app.installed("3.73")).await;
        (app, world)
    }

    /// Starts a tenant after its first refresh, ready; its first notices are removed.
    pub(crate) async fn ready(tenant: TestTenant) -> Self {
        let mut app = Self::of(tenant).await;
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
            .expect("key not stored");
        let app = &world.apps[0];
        let registration =
            AppRegistration::new(app.client_id.to_string(), app.client_secret.clone());
        vault
            .put_app_registration(self.id, &registration)
            .await
            .expect("app not stored");
        let settings = TenantSettings {
            contact: CONTACT.to_owned(),
            also_notify: BTreeSet::new(),
            group_prefix: "LMS - ".to_owned(),
            display_name: "Contoso".to_owned(),
            lms_url: String::new(),
            entra_properties: BTreeSet::new(),
            default_limit: Some(DefaultLimit::default()),
            catalog_admins: BTreeMap::new(),
        };
        self.services
            .store
            .save_settings(self.id, &settings, None)
            .await
            .expect("settings not saved");
    }

    /// Returns the tenant's record.
    pub(crate) async fn tenant(&self) -> Tenant {
        self.services
            .store
            .tenant(self.id)
            .await
            .expect("store failed")
            .expect("no tenant is stored")
    }

    /// Returns the notices queued since the last call, in any order.
    pub(crate) async fn notices(&self) -> Vec<Notice> {
        self.messages(&self.services.settings.notice_queue_url)
            .await
            .iter()
            .map(|body| serde_json::from_value(body.clone()).expect("not a notice"))
            .collect()
    }

    /// Returns the kinds of the notices queued since the last call.
    pub(crate) async fn told(&self) -> Vec<NoticeKind> {
        self.notices()
            .await
            .into_iter()
            .map(|notice| notice.about)
            .collect()
    }

    /// Makes this tenant part of a deployment whose plans `operators` manages.
    pub(crate) async fn operated_by(mut self, operators: Uuid) -> Self {
        let mut settings = self.services.settings.clone();
        settings.operator_tenant = Some(TenantId::new(operators));
        self.services = self.with_settings(settings).await;
        self
    }

    /// Returns services of the same tenant with other settings.
    pub(crate) async fn with_settings(&self, settings: rollcall_runtime::Settings) -> Services {
        let config = platform::config().await;
        Services::new(settings, &config).expect("clients not created")
    }
}

/// Returns the id of a test profile.
pub(crate) fn profile_id(tenant: TenantId, title: &str) -> ProfileId {
    ProfileId::new(people::id(tenant.uuid(), "profile", title))
}

fn unique_name(tenant: TenantId, title: &str) -> String {
    format!("rollcall-{}", profile_id(tenant, title).uuid().simple())
}

/// Returns a rule tree for all users in a city.
pub(crate) fn in_city(city: &str) -> Value {
    json!({"combinator": "and", "rules": [{"field": "city", "operator": "=", "value": city}]})
}

/// Returns a profile's entry in a report.
pub(crate) fn line<'a>(report: &'a MaintenanceReport, title: &str) -> &'a ProfileReport {
    report
        .profiles
        .iter()
        .find(|line| line.title == title)
        .unwrap_or_else(|| panic!("{title} is not in the report"))
}

/// Returns a count of a step of a run.
pub(crate) fn step_count(run: &Run, step: &str, name: &str) -> u64 {
    let found = run.steps.iter().find(|record| record.name == step);
    let counts = &found.expect("no such step").counts;
    counts.get(name).copied().unwrap_or(0)
}

/// Returns counts by name, for assertions in table form.
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
