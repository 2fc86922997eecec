//! One emulator and one simulated world for the whole binary; a tenant, three
//! queues and a verb per action for each test.

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
use rollcall_domain::membership::report::{MaintenanceReport, ProfileReport};
use rollcall_domain::notices::{Notice, NoticeKind};
use rollcall_simulators::Simulators;
use rollcall_simulators::world::World;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use client::{AUDIENCE, Admin, Answer, CLIENT_ID, FRONTEND, PUBLIC, call};
pub(crate) use connect::Return;
pub(crate) use people::Town;
pub(crate) use platform::{config as aws_config, create_table, drain};

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
            .expect("store failed")
            .expect("it exists")
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

    /// The same tenant in a deployment whose plans this tenant operates.
    pub(crate) async fn operated_by(mut self, operators: Uuid) -> Self {
        let mut settings = self.services.settings.clone();
        settings.operator_tenant = Some(TenantId::new(operators));
        self.services = self.with_settings(settings).await;
        self
    }

    /// Services of the same tenant with other settings.
    pub(crate) async fn with_settings(&self, settings: rollcall_runtime::Settings) -> Services {
        let config = platform::config().await;
        Services::new(settings, &config).expect("clients")
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
