//! Sign-ins on the simulated pages, with redirects as in browsers.

use axum::body::Body;
use axum::http::Request;
use rollcall_domain::base::audit::{Action, Actor, AuditEvent};
use rollcall_domain::base::ids::{CatalogId, ObjectId};
use rollcall_domain::connection::installation::Installation;
use rollcall_domain::notices::Notice;
use rollcall_simulators::{ConsentChoice, TenantState, UserTokenSpec};
use serde_json::json;
use uuid::{Uuid, uuid};

use super::{AUDIENCE, Admin, Answer, TestApp, call, people};

/// Only one tick runs at a time.
static TICKS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const GLOBAL_ADMINISTRATOR: Uuid = uuid!("62e90394-69f5-4237-9190-012177145e10");

/// The redirect after the callback.
#[derive(Debug)]
pub(crate) struct Return {
    /// The complete URL.
    pub(crate) url: url::Url,
}

impl Return {
    /// Returns a parameter of the query; empty if it does not exist.
    pub(crate) fn param(&self, name: &str) -> String {
        let mut pairs = self.url.query_pairs();
        let found = pairs.find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    }

    /// Returns the id of a sign-in, which is required to save its account.
    pub(crate) fn sign_in(&self) -> String {
        let fragment = self.url.fragment().unwrap_or_default();
        fragment.trim_start_matches("signIn=").to_owned()
    }
}

impl TestApp {
    /// Records the version of the tenant's installation.
    pub(crate) async fn installed(&self, version: &str) {
        let installation = Installation {
            version: Some(version.to_owned()),
            ..Installation::default()
        };
        let event = AuditEvent::new(
            chrono::Utc::now(),
            Actor::named("operator"),
            Action::InstallationChanged,
        );
        let put = self
            .services
            .store
            .put_installation(self.id, &installation, &event);
        put.await.expect("not stored");
    }

    /// Returns a user's object id.
    pub(crate) fn object(&self, name: &str) -> Uuid {
        people::id(self.id.uuid(), "person", name)
    }

    /// Returns a user's address, which is also the login.
    pub(crate) fn address(name: &str) -> String {
        format!("{}@contoso.example", name.to_lowercase())
    }

    /// Returns a catalog's id.
    pub(crate) fn catalog(&self, title: &str) -> CatalogId {
        CatalogId::new(people::id(self.id.uuid(), "catalog", title))
    }

    /// Returns a user with these app roles; a Global Administrator by the directory's claim.
    pub(crate) fn person(&self, name: &str, roles: &[&str], global: bool) -> Admin {
        let mut spec = UserTokenSpec::new(self.id.uuid(), self.object(name), AUDIENCE).roles(roles);
        spec.name = Self::address(name);
        if global {
            spec.wids = vec![GLOBAL_ADMINISTRATOR];
        }
        self.admin_with(&spec)
    }

    /// Returns a catalog administrator of these catalogs.
    pub(crate) async fn catalog_admin(&self, name: &str, catalogs: &[&str]) -> Admin {
        for catalog in catalogs {
            self.give_catalog(self.object(name), catalog).await;
        }
        self.person(name, &["CatalogAdmin"], false)
    }

    /// Makes a user an administrator of a catalog.
    pub(crate) async fn give_catalog(&self, object: Uuid, catalog: &str) {
        let tenant = self.tenant().await;
        let mut settings = tenant.settings;
        let own = settings
            .catalog_admins
            .entry(ObjectId::new(object))
            .or_default();
        own.insert(self.catalog(catalog));
        let saved = self
            .services
            .store
            .save_settings(self.id, &settings, Some(tenant.version));
        saved.await.expect("settings rejected");
    }

    /// Signs in on Microsoft's pages; returns the URL to which they redirect.
    pub(crate) fn sign_in(&self, url: &str, login: &str, choice: ConsentChoice) -> String {
        let back = self.simulators.sign_in(url, login, choice);
        back.unwrap_or_else(|page| panic!("an error page: {page}"))
    }

    /// Sends the redirect to the callback.
    pub(crate) async fn callback(&self, back: &str) -> Answer {
        let url = url::Url::parse(back).expect("invalid address");
        let target = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let router =
            rollcall_oauth_callback::router(self.services.clone()).expect("router not created");
        let request = Request::get(target)
            .body(Body::empty())
            .expect("invalid request");
        call(&router, request).await
    }

    /// The same; returns the callback's redirect.
    pub(crate) async fn come_back(&self, back: &str) -> Return {
        let answer = self.callback(back).await.expect(303);
        let url = url::Url::parse(answer.header("location")).expect("invalid URL");
        Return { url }
    }

    /// Signs in an account for a catalog, including the callback.
    pub(crate) async fn sign_account_in(
        &self,
        admin: &Admin,
        catalog: &str,
        login: &str,
        choice: ConsentChoice,
    ) -> Return {
        let path = self.mail_path(catalog);
        let path = format!("{path}/connect");
        let begun = admin.post(&path, json!({"returnTo": "/notifications"}));
        let begun = begun.await.expect(201);
        let url = begun.body["url"].as_str().expect("not a string").to_owned();
        let back = self.sign_in(&url, &Self::address(login), choice);
        self.come_back(&back).await
    }

    /// Returns the path of a catalog's mail connection.
    pub(crate) fn mail_path(&self, catalog: &str) -> String {
        format!("/v1/catalogs/{}/mail-connection", self.catalog(catalog))
    }

    /// Enables a catalog and connects an account, whose welcome mail is queued.
    pub(crate) async fn connect_account(
        &self,
        admin: &Admin,
        catalog: &str,
        login: &str,
    ) -> Answer {
        let path = self.mail_path(catalog);
        let before = admin.get(&path).await.expect(200);
        let on = admin.put(&path, before.header("etag"), json!({"enabled": true}));
        let on = on.await.expect(200);
        let back = self
            .sign_account_in(admin, catalog, login, ConsentChoice::Accept)
            .await;
        assert_eq!(back.param("result"), "signed_in", "{:?}", back.url);
        let body = json!({"enabled": true, "signIn": back.sign_in()});
        admin.put(&path, on.header("etag"), body).await.expect(200)
    }

    /// Returns how many messages are in the notice queue, including delayed ones.
    pub(crate) async fn queued_errands(&self) -> usize {
        super::platform::queued(&self.sqs, &self.services.settings.notice_queue_url).await
    }

    /// Removes the messages from the notice queue and returns them.
    pub(crate) async fn errands(&self) -> Vec<serde_json::Value> {
        self.messages(&self.services.settings.notice_queue_url)
            .await
    }

    /// Processes all queued messages once as one batch of the notifier.
    pub(crate) async fn notify(&self) -> Vec<Notice> {
        let bodies = self.errands().await;
        let records: Vec<_> = bodies
            .iter()
            .enumerate()
            .map(|(at, body)| json!({"messageId": at.to_string(), "body": body.to_string()}))
            .collect();
        let deadline = rollcall_runtime::Deadline::after(std::time::Duration::from_mins(2));
        let answer =
            rollcall_notifier::handle(&self.services, json!({"Records": records}), deadline);
        let answer = Box::pin(answer).await.expect("not handled");
        assert_eq!(answer["batchItemFailures"], json!([]), "{answer}");
        let notices = bodies.into_iter().map(serde_json::from_value);
        notices.filter_map(Result::ok).collect()
    }
}

impl TestApp {
    /// Connects an account to a catalog that is already enabled.
    pub(crate) async fn connect_account_again(
        &self,
        admin: &Admin,
        catalog: &str,
        login: &str,
    ) -> Answer {
        let path = self.mail_path(catalog);
        let before = admin.get(&path).await.expect(200);
        let back = self
            .sign_account_in(admin, catalog, login, ConsentChoice::Accept)
            .await;
        assert_eq!(back.param("result"), "signed_in", "{:?}", back.url);
        let body = json!({"enabled": true, "signIn": back.sign_in()});
        admin
            .put(&path, before.header("etag"), body)
            .await
            .expect(200)
    }

    /// Runs a tick of refresh-job.
    pub(crate) async fn tick(&self, name: &str) {
        self.tick_after(name, |_| ()).await;
    }

    /// Changes the simulated world and runs a tick. A tick processes every tenant of the table, so
    /// another test's tick could detect the change first.
    pub(crate) async fn tick_after(&self, name: &str, change: impl FnOnce(&mut TenantState)) {
        let _alone = TICKS.lock().await;
        self.edit(change);
        let tick = rollcall_runtime::events::Tick {
            tick: name.to_owned(),
            time: chrono::Utc::now(),
        };
        let deadline = rollcall_runtime::Deadline::after(std::time::Duration::from_mins(2));
        let done = Box::pin(rollcall_refresh_job::tick(&self.services, &tick, deadline));
        done.await.expect("tick not handled");
    }

    /// Queues a mail in a catalog's outbox, as the notifier does; returns its subject.
    pub(crate) async fn put_mail(&self, catalog: &str, title: &str) -> String {
        let catalog = self.catalog(catalog);
        let notice = self.mail_for(catalog, title, &format!("{title}@learners.example"));
        let subject = rollcall_domain::notices::render(&notice)
            .expect("not rendered")
            .subject;
        let taken = rollcall_notifier::accept(&self.services, &notice).await;
        if let Some(drain) = taken.expect("not accepted") {
            let queue = &self.services.notice_queue;
            queue
                .send(&drain, std::time::Duration::ZERO)
                .await
                .expect("not sent");
        }
        subject
    }

    /// Returns a mail to a learner about a session with this title.
    pub(crate) fn mail_for(&self, catalog: CatalogId, title: &str, to: &str) -> Notice {
        use rollcall_domain::notices::{Channel, NoticeKind};
        let start = chrono::Utc::now() + chrono::TimeDelta::days(1);
        let about = NoticeKind::SessionScheduled {
            session: people::id(self.id.uuid(), "session", title),
            version: 1,
            title: title.to_owned(),
            catalog_title: "Academy".to_owned(),
            start,
            end: start + chrono::TimeDelta::hours(1),
            time_zone: "Europe/Berlin".to_owned(),
            room: None,
            join_url: None,
        };
        Notice::new(self.id, "Contoso", vec![to.to_owned()], about)
            .over(Channel::Catalog { catalog })
    }

    /// Activates Azure Communication Services for the tenant.
    pub(crate) async fn activate_acs(&self) {
        use rollcall_domain::connection::entitlement::{Entitlement, Plan};
        let plan = Entitlement {
            plan: Plan::SuccessPlus,
            until: None,
            azure_communication_services: true,
            directory_sync: false,
        };
        let event = AuditEvent::new(
            chrono::Utc::now(),
            Actor::named("operator"),
            Action::EntitlementChanged,
        );
        let put = self.services.store.put_entitlement(self.id, &plan, &event);
        put.await.expect("not stored");
    }
}

impl TestApp {
    /// Starts a tenant in another Microsoft cloud, whose services have other hosts.
    pub(crate) async fn in_cloud(
        tenant: super::TestTenant,
        cloud: rollcall_runtime::Cloud,
    ) -> Self {
        let elsewhere = super::platform::another_cloud().await;
        let (mut app, world) = Box::pin(Self::blank(tenant)).await;
        elsewhere.load(world.clone());
        let mut settings = app.services.settings.clone();
        settings.cloud = cloud;
        settings.entra_url = elsewhere.entra_url();
        settings.graph_url = elsewhere.graph_url();
        settings.learn365_url = elsewhere.learn365_url();
        app.services = app.with_settings(settings).await;
        app.simulators = elsewhere;
        Box::pin(app.connect(&world)).await;
        app
    }

    /// Returns how many requests about this tenant reached the services of the worldwide cloud.
    pub(crate) async fn asked_worldwide(&self) -> usize {
        let platform = super::platform::shared().await;
        platform.simulators.requests(self.id.uuid()).len()
    }
}
