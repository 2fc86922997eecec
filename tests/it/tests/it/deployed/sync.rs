//! The deployed directory sync: HTTP API, queue, objects and schedule.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use rollcall_local::playground::set_up_playground;
use rollcall_local::stack::Stack;
use serde_json::{Value, json};

use super::{PATIENCE, options, quiet};

/// A client of the API with an owner's token, and of the platform with its own token.
struct Away {
    client: reqwest::Client,
    api: String,
    token: String,
    scim: String,
    scim_token: String,
}

impl Away {
    fn of(environment: &str) -> Self {
        let value = |name: &str| {
            let line = environment.lines().find_map(|line| line.strip_prefix(name));
            line.expect(name).trim_matches('\'').to_owned()
        };
        Self {
            client: reqwest::Client::new(),
            api: value("API="),
            token: value("TOKEN="),
            scim: value("SCIM="),
            scim_token: value("SCIM_TOKEN="),
        }
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("invalid method");
        let url = format!("{}{path}", self.api);
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("API request failed");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    async fn expect(&self, status: u16, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (found, answer) = self.send(method, path, body).await;
        assert_eq!(found, status, "{method} {path}: {answer:#}");
        answer
    }

    /// Replaces the current version of a document.
    async fn put_again(&self, path: &str, body: &Value) {
        let url = format!("{}{path}", self.api);
        let read = self.client.get(&url).bearer_auth(&self.token).send().await;
        let read = read.expect("API request failed");
        let version = read.headers().get("etag").expect("no ETag");
        let put = self.client.put(url).bearer_auth(&self.token);
        let put = put.header("if-match", version).json(body).send().await;
        let answer = put.expect("API request failed");
        let status = answer.status();
        assert_eq!(status, 200, "{path}: {:?}", answer.text().await);
    }

    /// Waits until a run is over.
    async fn over(&self, run: &str) -> Value {
        let begun = Instant::now();
        let path = format!("/v1/sync/runs/{run}");
        loop {
            // There is no record until the function has begun the run.
            let (status, run) = self.send("GET", &path, None).await;
            if status == 200 && run["finishedAt"].is_string() {
                return run;
            }
            assert!(begun.elapsed() < PATIENCE, "the run did not end: {run:#}");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Returns how many resources of a kind the platform has.
    async fn on_the_platform(&self, kind: &str) -> u64 {
        let url = format!("{}/{kind}?count=1", self.scim);
        let asked = self.client.get(url).bearer_auth(&self.scim_token);
        let answer = asked.send().await.expect("SCIM request failed");
        let found: Value = answer.json().await.expect("invalid JSON");
        found["totalResults"].as_u64().expect("no count")
    }
}

/// Proves S2-27, S2-30, S3-20 and S3-21 through the deployed functions: configured, tested,
/// activated; proposed changes are applied after approval; then the schedule, by the index of due
/// syncs, starts a run at the chosen minute.
#[tokio::test(flavor = "multi_thread")]
async fn the_directory_sync_works_as_deployed() {
    let folder = tempfile::tempdir().expect("no folder created");
    let stack = Stack::up(&options(&folder, true).await, &quiet)
        .await
        .expect("the stack did not start");
    let playground = set_up_playground(&stack, folder.path(), 60, false)
        .await
        .expect("files not written");
    let away = Away::of(&std::fs::read_to_string(&playground.environment).expect("file not read"));
    let config = std::fs::read(&playground.sync).expect("file not read");
    let mut config: Value = serde_json::from_slice(&config).expect("invalid JSON");
    let nothing = json!({});
    away.expect(200, "PUT", "/v1/sync", Some(&config)).await;
    let tested = away
        .expect(200, "POST", "/v1/sync/test", Some(&nothing))
        .await;
    assert_eq!(tested["test"]["ok"], true, "{tested:#}");
    let confirm = json!({"confirm": true});
    let first = away
        .expect(202, "POST", "/v1/sync/activate", Some(&confirm))
        .await;
    let first = first["id"].as_str().expect("not a string");
    let proposed = away.over(first).await;
    assert_eq!(proposed["status"], "success", "{proposed:#}");
    assert_eq!(
        away.on_the_platform("Users").await,
        0,
        "a user was created before the approval"
    );
    let waiting = format!("/v1/sync/runs/{first}/changes?state=waiting&limit=1");
    let waiting = away.expect(200, "GET", &waiting, None).await;
    assert!(waiting["total"].as_u64() > Some(40), "{waiting:#}");

    let decide = format!("/v1/sync/runs/{first}/decisions");
    let decision = json!({"all": "accept", "apply": true});
    let applied = away.expect(202, "POST", &decide, Some(&decision)).await;
    let applied = away
        .over(applied["run"].as_str().expect("not a string"))
        .await;
    assert_eq!(applied["status"], "success", "{applied:#}");
    assert!(away.on_the_platform("Users").await > 40, "{applied:#}");
    assert!(away.on_the_platform("Groups").await > 0, "{applied:#}");

    // Late enough that the minute has not passed when it is saved.
    let minute = (Utc::now() + TimeDelta::seconds(75)).format("%H:%M");
    let minute = minute.to_string();
    config["strategy"] = json!({"kind": "daily", "time": minute});
    away.put_again("/v1/sync", &config).await;
    away.expect(200, "POST", "/v1/sync/test", Some(&nothing))
        .await;
    let begun = Instant::now();
    let by_itself = loop {
        let runs = away.expect(200, "GET", "/v1/sync/runs", None).await;
        let newest = runs["items"][0].clone();
        if newest["triggeredBy"]["kind"] == "automatic" && newest["finishedAt"].is_string() {
            break newest;
        }
        assert!(begun.elapsed() < Duration::from_mins(5), "{runs:#}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    assert_eq!(by_itself["status"], "success", "{by_itself:#}");
    let id = by_itself["id"].as_str().expect("not a string");
    assert_eq!(&id[11..16], minute, "not at the configured minute");
    stack.down().await.expect("stack did not stop");
}
