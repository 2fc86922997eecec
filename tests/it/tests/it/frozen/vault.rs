//! All secrets in the vault: names and contents.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::list_secrets::ListSecretsOutput;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use rollcall_clients::http::Secret;
use rollcall_clients::vault::{AppRegistration, Draft, StoredGrant, SyncCredentials, Vault};
use serde_json::{Map, Value, json};

use super::samples::{OTHER_TENANT, TENANT, able, account, ada, at, catalog};
use crate::harness::aws_config;

/// Returns all secrets whose names have this prefix.
async fn secrets(prefix: &str) -> Value {
    let client = Client::new(&aws_config().await);
    let filter = Filter::builder()
        .key(FilterNameStringType::Name)
        .values(format!("{prefix}/"));
    let list = client.list_secrets().filters(filter.build());
    let list = list.into_paginator().send();
    let pages = list
        .collect::<Result<Vec<_>, _>>()
        .await
        .expect("pages not read");
    let mut all = Map::new();
    for entry in pages.iter().flat_map(ListSecretsOutput::secret_list) {
        let name = entry.name().expect("no name");
        let read = client.get_secret_value().secret_id(name).send().await;
        let text = read.expect("not read").secret_string.expect("not a string");
        let shown = match serde_json::from_str::<Value>(&text) {
            Ok(document @ Value::Object(_)) => json!({"JSON": document}),
            _ => json!({"text": text}),
        };
        all.insert(name.to_owned(), shown);
    }
    all.into()
}

fn app() -> AppRegistration {
    AppRegistration::new("the-app", "abc~8Q-client-secret")
}

#[tokio::test]
async fn of_the_service_and_the_settings() {
    let vault = Vault::new(&aws_config().await, "frozen-settings");
    let secret = Secret::new("abc~8Q-our-own-secret");
    let stored = vault.put_client_secret(&secret).await;
    stored.expect("not stored");
    let stored = vault.put_acs_key(&Secret::new("YWNzLWtleQ==")).await;
    stored.expect("not stored");
    let stored = vault.put_app_registration(TENANT, &app()).await;
    stored.expect("not stored");
    let stored = vault.put_lms_key(TENANT, &Secret::new("the-api-key")).await;
    stored.expect("not stored");
    insta::assert_json_snapshot!(secrets("frozen-settings").await);
}

#[tokio::test]
async fn of_the_directory_sync() {
    let vault = Vault::new(&aws_config().await, "frozen-sync");
    let mut full = SyncCredentials::default().with_token(
        &Secret::new("the-platforms-token"),
        "https://lms.example:8443/scim/v2",
    );
    full.app = Some(app());
    let bare = SyncCredentials::default();
    for (tenant, credentials) in [(TENANT, full), (OTHER_TENANT, bare)] {
        let stored = vault.put_sync_credentials(tenant, &credentials).await;
        stored.expect("not stored");
    }
    insta::assert_json_snapshot!(secrets("frozen-sync").await);
}

fn draft() -> Draft {
    let token = Secret::new("refresh-token-of-a-draft");
    let name = "name-that-the-browser-knows";
    Draft::new(name, &token, account(), able(), ada(), at(600))
}

/// Snapshots a grant, a draft, and a draft that replaced an older grant.
#[tokio::test]
async fn of_accounts() {
    let vault = Vault::new(&aws_config().await, "frozen-accounts");
    let mut alone = StoredGrant::default();
    alone.renew("older", &Secret::new("refresh-token-of-a-grant"));
    let mut waiting = StoredGrant::default();
    waiting.draft = Some(draft());
    let mut both = alone.clone();
    both.draft = Some(draft());
    both.promote().expect("no draft");
    for (number, grant) in [(1, alone), (2, waiting), (3, both)] {
        let stored = vault.put_grant(TENANT, catalog(number), &grant).await;
        stored.expect("not stored");
    }
    insta::assert_json_snapshot!(secrets("frozen-accounts").await);
}
