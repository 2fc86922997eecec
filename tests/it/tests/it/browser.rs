//! Connecting in a real browser: Chromium, simulated sign-in pages, deployed functions.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rollcall_local::landing::Landing;
use rollcall_local::playground::{Playground, set_up_playground};
use rollcall_local::stack::{FRONTEND_URL, Stack, root};
use rollcall_local::tools;
use rollcall_simulators::SentMail;
use serde_json::{Value, json};
use url::Url;

use crate::deployed::{options, quiet};
use crate::node::Node;

const PATIENCE: Duration = Duration::from_mins(2);

/// A headless Chromium that takes a screenshot of every page.
struct Browser {
    node: Node,
    pictures: PathBuf,
    taken: usize,
}

impl Browser {
    async fn start() -> Self {
        let root = root().expect("the repository was not found");
        let program = tools::ensure_browser(&root, &quiet).await;
        let program = program.unwrap_or_else(|error| panic!("{error}"));
        let pictures = root.join(".rollcall/screenshots");
        // Afterwards the folder contains screenshots of this run only.
        let _none = std::fs::remove_dir_all(&pictures);
        std::fs::create_dir_all(&pictures).expect("no folder created");
        Self {
            node: Node::start(&program),
            pictures,
            taken: 0,
        }
    }

    /// Executes a command; returns the content of the page.
    async fn command(&mut self, command: Value) -> Value {
        let shown = self.node.ask(&command).await;
        assert!(shown["failed"].is_null(), "{command}: {shown:#}");
        assert_eq!(shown["errors"], json!([]), "the page has errors");
        shown
    }

    /// Executes a command and takes a screenshot of the page.
    async fn page(&mut self, command: Value, name: &str) -> Page {
        let shown = self.command(command).await;
        self.taken += 1;
        let file = self.pictures.join(format!("{:02}-{name}.png", self.taken));
        self.command(json!({"do": "shot", "file": file})).await;
        let text = |name: &str| shown[name].as_str().expect("not a string").to_owned();
        Page {
            url: Url::parse(&text("url")).expect("invalid address"),
            title: text("title"),
            text: text("text"),
        }
    }

    async fn open(&mut self, url: &str, name: &str) -> Page {
        self.page(json!({"do": "open", "url": url}), name).await
    }

    async fn press(&mut self, button: &str, name: &str) -> Page {
        self.page(json!({"do": "press", "name": button}), name)
            .await
    }

    /// Signs in with an account.
    async fn sign_in(&mut self, login: &str, name: &str) -> Page {
        self.command(json!({"do": "fill", "label": "Account", "text": login}))
            .await;
        self.press("Sign in", name).await
    }
}

/// The content of a page.
struct Page {
    url: Url,
    title: String,
    text: String,
}

impl Page {
    fn param(&self, name: &str) -> Option<String> {
        let mut pairs = self.url.query_pairs();
        let found = pairs.find(|(key, _)| key == name)?;
        Some(found.1.into_owned())
    }

    fn sign_in(&self) -> &str {
        let fragment = self.url.fragment().expect("no fragment");
        fragment.strip_prefix("signIn=").expect("no name")
    }
}

/// The deployed stack, its demo tenant, and a browser.
struct Play {
    stack: Stack,
    console: Landing,
    playground: Playground,
    browser: Browser,
    client: reqwest::Client,
    environment: String,
    _folder: tempfile::TempDir,
}

impl Play {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("no folder created");
        let console = Landing::start(0).await.expect("page not served");
        let mut options = options(&folder, false).await;
        let origin = console.origin().to_owned();
        options.parameters.insert(FRONTEND_URL.to_owned(), origin);
        let browser = Browser::start().await;
        let stack = Stack::up(&options, &quiet)
            .await
            .expect("the stack did not start");
        let playground = set_up_playground(&stack, folder.path(), 120, true).await;
        let playground = playground.expect("files not written");
        let environment = std::fs::read_to_string(&playground.environment).expect("file not read");
        Self {
            stack,
            console,
            playground,
            browser,
            client: reqwest::Client::new(),
            environment,
            _folder: folder,
        }
    }

    fn value(&self, name: &str) -> String {
        let mut lines = self.environment.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.expect(name).trim_matches('\'').to_owned()
    }

    /// Calls the API as the console does; returns the body and the version.
    async fn call(
        &self,
        who: &str,
        (method, path): (&str, &str),
        (tag, body): (Option<&str>, Option<Value>),
        expected: u16,
    ) -> (Value, String) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("invalid method");
        let url = format!("{}{path}", self.value("API"));
        let mut request = self
            .client
            .request(method, url)
            .bearer_auth(self.value(who));
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("API request failed");
        let status = answer.status();
        let tag = answer.headers().get("etag").map(|tag| tag.to_str());
        let tag = tag.and_then(Result::ok).unwrap_or_default().to_owned();
        let body: Value = answer.json().await.expect("invalid JSON");
        assert_eq!(status, expected, "{path}: {body:#}");
        (body, tag)
    }

    async fn get(&self, who: &str, path: &str) -> (Value, String) {
        self.call(who, ("GET", path), (None, None), 200).await
    }

    /// Begins to connect and opens the sign-in page.
    async fn begin(&mut self, who: &str, path: &str, name: &str) -> Page {
        let body = json!({"returnTo": "/settings/connections?tab=2"});
        let asked = (None, Some(body));
        let (begun, _) = self.call(who, ("POST", path), asked, 201).await;
        let url = begun["url"].as_str().expect("not a string");
        self.browser.open(url, name).await
    }

    fn assert_back(&self, page: &Page, connection: &str, result: &str) {
        let seen = page.url.as_str();
        let origin = self.console.origin();
        assert!(
            seen.starts_with(&format!("{origin}/settings/connections?tab=2&")),
            "{seen}"
        );
        assert_eq!(page.param("connection").as_deref(), Some(connection));
        assert_eq!(page.param("result").as_deref(), Some(result), "{seen}");
    }

    fn mails(&self) -> Vec<SentMail> {
        let outside = self.stack.simulators.dump(self.playground.tenant.uuid());
        outside.expect("tenant not loaded").mails
    }

    /// Proves S0-16, S0-17 and S0-19: the Global Administrator signs in and consents.
    async fn connect_the_directory(&mut self) {
        let admin = self.playground.cast.global_admin.clone();
        let page = self
            .begin("ADMIN_TOKEN", "/v1/connections/entra/connect", "sign-in")
            .await;
        assert_eq!(page.title, "Sign in");
        let page = self.browser.press("Sign in", "permissions").await;
        assert!(page.text.contains("Sign you in"), "{}", page.text);
        assert!(
            page.text.contains(&admin.login),
            "the login is not suggested: {}",
            page.text
        );
        let page = self.browser.press("Accept", "admin-sign-in").await;
        assert!(page.url.path().ends_with("/v2.0/adminconsent"));
        let page = self.browser.sign_in(&admin.login, "admin-consent").await;
        assert!(page.text.contains("(User.Invite.All)"), "{}", page.text);
        let page = self.browser.press("Accept", "connected").await;
        self.assert_back(&page, "entra", "connected");
        assert!(page.text.contains("Connected"));
        let (seen, _) = self.get("TOKEN", "/v1/connections").await;
        assert_eq!(seen["items"][0]["status"], "connected");
        assert_eq!(seen["items"][0]["connectedBy"], admin.login);
    }

    /// Saves the settings and waits for the first snapshot.
    async fn get_ready(&self) {
        let settings = std::fs::read(&self.playground.settings).expect("file not read");
        let settings = serde_json::from_slice(&settings).expect("invalid JSON");
        let asked = (None, Some(settings));
        self.call("TOKEN", ("PUT", "/v1/settings"), asked, 201)
            .await;
        let begun = Instant::now();
        while self.get("TOKEN", "/v1/tenant").await.0["onboarding"] != "ready" {
            assert!(begun.elapsed() < PATIENCE, "the first refresh did not end");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    fn mail_path(&self) -> String {
        let catalog = self.value("CATALOG");
        format!("/v1/catalogs/{catalog}/mail-connection")
    }

    /// Proves S1-14 and S1-30: declining changes nothing, and the console shows it.
    async fn decline_an_account(&mut self) {
        let path = self.mail_path();
        let on = (Some("\"0\""), Some(json!({"enabled": true})));
        self.call("CATALOG_TOKEN", ("PUT", &path), on, 200).await;
        let (before, _) = self.get("CATALOG_TOKEN", &path).await;
        let page = self
            .begin("CATALOG_TOKEN", &format!("{path}/connect"), "account")
            .await;
        assert_eq!(page.title, "Sign in");
        let login = self.playground.cast.with_teams[0].login.clone();
        self.browser
            .sign_in("nobody@contoso.example", "unknown")
            .await;
        self.browser.sign_in(&login, "account-permissions").await;
        let page = self.browser.press("Cancel", "declined").await;
        self.assert_back(&page, "mail", "declined");
        assert_eq!(page.param("code").as_deref(), Some("AADSTS65004"));
        assert!(page.url.fragment().is_none());
        assert_eq!(self.get("CATALOG_TOKEN", &path).await.0, before);
    }

    /// Proves S1-09 and S1-30: an account signs in, is checked, and is connected once it is
    /// saved.
    async fn connect_an_account(&mut self) {
        let path = self.mail_path();
        self.begin("CATALOG_TOKEN", &format!("{path}/connect"), "account")
            .await;
        let player = self.playground.cast.with_teams[0].clone();
        let page = self
            .browser
            .sign_in(&player.login, "account-permissions")
            .await;
        assert!(page.text.contains("(Mail.Send)"), "{}", page.text);
        let page = self.browser.press("Accept", "signed-in").await;
        self.assert_back(&page, "mail", "signed_in");
        assert!(page.text.contains(page.sign_in()), "{}", page.text);
        let (before, tag) = self.get("CATALOG_TOKEN", &path).await;
        assert_eq!(before["status"], "not_configured");
        let body = json!({"enabled": true, "signIn": page.sign_in()});
        let asked = (Some(tag.as_str()), Some(body));
        let (saved, _) = self.call("CATALOG_TOKEN", ("PUT", &path), asked, 200).await;
        assert_eq!(saved["status"], "connected");
        assert_eq!(saved["account"]["name"], player.name);
        assert_eq!(saved["capabilities"], json!(["mail", "rooms", "meetings"]));
    }

    /// Proves S1-31: the deployed notifier, started by its queue, sends from the account.
    async fn wait_for_the_welcome(&self) {
        let account = &self.playground.cast.with_teams[0];
        let begun = Instant::now();
        while self.mails().is_empty() {
            assert!(begun.elapsed() < PATIENCE, "no mail was sent");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let mails = self.mails();
        assert_eq!(mails.len(), 1, "{mails:#?}");
        assert_eq!(mails[0].from, account.object);
        assert!(mails[0].html.contains(&self.playground.catalog));
    }

    /// A shared mailbox is refused, and the working account remains connected.
    async fn refuse_a_shared_mailbox(&mut self) {
        let path = self.mail_path();
        self.begin("CATALOG_TOKEN", &format!("{path}/connect"), "account")
            .await;
        let login = self.playground.cast.shared.login.clone();
        self.browser.sign_in(&login, "shared-permissions").await;
        let page = self.browser.press("Accept", "shared-refused").await;
        self.assert_back(&page, "mail", "shared_mailbox");
        let (seen, _) = self.get("CATALOG_TOKEN", &path).await;
        assert_eq!(seen["status"], "connected");
    }

    /// A callback URL that is used twice shows a page with a link to the console.
    async fn come_back_twice(&mut self) {
        let url = format!("{}/oauth/callback?state=used&code=x", self.value("API"));
        let page = self.browser.open(&url, "start-again").await;
        assert!(page.text.contains("Please start again"), "{}", page.text);
        assert!(page.text.contains("Back to Rollcall"));
    }
}

/// Covers all pages between pressing *Connect* and being connected.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_connects_everything_in_a_browser() {
    let mut play = Play::start().await;
    play.connect_the_directory().await;
    play.get_ready().await;
    play.decline_an_account().await;
    play.connect_an_account().await;
    play.wait_for_the_welcome().await;
    play.refuse_a_shared_mailbox().await;
    play.come_back_twice().await;
    play.stack.down().await.expect("stack did not stop");
}
