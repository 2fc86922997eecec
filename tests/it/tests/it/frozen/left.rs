//! The data that jobs store: objects with their media types, names of steps, and counts in run
//! records.

use std::collections::BTreeMap;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use rollcall_domain::base::run::Run;
use serde_json::{Value, json};

use crate::directory_sync::SyncFixture;
use crate::harness::{TestApp, TestTenant, aws_config, in_city};

/// Returns the objects of a tenant: keys without random parts, and media types.
async fn objects(app: &TestApp) -> BTreeMap<String, String> {
    let config = aws_sdk_s3::config::Builder::from(&aws_config().await)
        .force_path_style(true)
        .build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let bucket = &app.services.settings.bucket;
    let list = client.list_objects_v2().bucket(bucket);
    let list = list.into_paginator().send();
    let pages = list
        .collect::<Result<Vec<_>, _>>()
        .await
        .expect("pages not read");
    let keys = pages.iter().flat_map(ListObjectsV2Output::contents);
    let tenant = app.id.to_string();
    let mut found = BTreeMap::new();
    for key in keys.filter_map(|object| object.key()) {
        if key.contains(&tenant) {
            let head = client.head_object().bucket(bucket).key(key).send().await;
            let media_type = head.expect("object not read").content_type;
            found.insert(without_chance(key), media_type.unwrap_or_default());
        }
    }
    found
}

fn without_chance(text: &str) -> String {
    let patterns = [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[id]"),
        (r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}", "[snapshot]"),
        (
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z",
            "[slot]",
        ),
    ];
    patterns
        .iter()
        .fold(text.to_owned(), |text, (pattern, name)| {
            let pattern = regex::Regex::new(pattern).expect("invalid pattern");
            pattern.replace_all(&text, *name).into_owned()
        })
}

/// Returns the names of steps and counts in a run record.
fn names(run: &Run) -> Value {
    let steps = run.steps.iter().map(|step| {
        let counts: Vec<_> = step.counts.keys().collect();
        json!({ &step.name: counts })
    });
    json!({
        "steps": steps.collect::<Vec<_>>(),
        "counts": run.counts.keys().collect::<Vec<_>>(),
    })
}

#[tokio::test]
async fn by_refresh_and_maintenance() {
    let mut app = Box::pin(TestApp::of(TestTenant::small())).await;
    let refresh = Box::pin(app.refresh()).await;
    let filter = in_city("Denver");
    let put = app.put("Denver", |profile| profile.filter.properties = Some(filter));
    put.await;
    let (maintenance, _) = Box::pin(app.maintain()).await;
    let pointer = app.services.store.snapshot_pointer(app.id).await;
    let pointer = pointer.expect("pointer not read").expect("not refreshed");
    let sources = pointer.filled.keys();
    let sources: Vec<_> = sources.map(|source| without_chance(source)).collect();
    insta::assert_json_snapshot!(json!({
        "objects": objects(&app).await,
        "record of the refresh": names(&refresh),
        "record of maintenance": names(&maintenance),
        "sources of which values are counted": sources,
    }));
}

#[tokio::test]
async fn by_the_directory_sync() {
    let fixture = Box::pin(SyncFixture::small()).await;
    let run = Box::pin(fixture.active(|_| ())).await;
    insta::assert_json_snapshot!(json!({
        "objects": objects(&fixture.app).await,
        "record of the run": names(&run),
    }));
}
