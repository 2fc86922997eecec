//! Tests of Azure Communication Services Email over HTTP, signed like the vendor's clients.

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Method, Response};
use rollcall_simulators::AcsResource;
use serde_json::json;
use url::Url;

use crate::site::{Site, read};

const KEY: &str = "YW4gYWNjZXNzIGtleQ==";

async fn send(site: &Site, method: Method, url: &str, body: String, operation: &str) -> Response {
    let url = Url::parse(url).expect("a URL");
    let host = format!(
        "{}:{}",
        url.host_str().expect("a host"),
        url.port().expect("a port")
    );
    let target = format!("{}?{}", url.path(), url.query().expect("a query"));
    let date = chrono::Utc::now()
        .format("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let hash = BASE64_STANDARD.encode(digest::digest(&digest::SHA256, body.as_bytes()));
    let key = BASE64_STANDARD.decode(KEY).expect("a key");
    let text = format!("{method}\n{target}\n{date};{host};{hash}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes());
    let signature = BASE64_STANDARD.encode(tag);
    let proof = format!(
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
    );
    let request = site.client.request(method, url).header("x-ms-date", date);
    let request = request.header("x-ms-content-sha256", hash);
    let request = request.header("authorization", proof);
    let request = request.header("operation-id", operation);
    request.body(body).send().await.expect("a response")
}

#[tokio::test]
async fn a_signed_message_is_accepted_once_and_its_operation_can_be_followed() {
    let site = Site::new().await;
    let control = format!("{}/control/acs", site.simulators.origin());
    let resource = serde_json::to_string(&AcsResource::new(KEY, "noreply@mail.example"));
    let put = site
        .client
        .put(control)
        .body(resource.expect("serialisable"));
    assert_eq!(put.send().await.expect("a response").status(), 204);
    let url = format!(
        "{}/emails:send?api-version=2023-03-31",
        site.simulators.acs_url()
    );
    let body = json!({
        "senderAddress": "noreply@mail.example",
        "recipients": {"to": [{"address": "ada@x.example"}]},
        "content": {"subject": "Hello", "html": "<p>Hi</p>"},
    });
    let operation = "00000000-0000-4000-8000-00000000000a";
    let answer = send(&site, Method::POST, &url, body.to_string(), operation).await;
    assert_eq!(answer.status(), 202);
    let location = answer.headers()["operation-location"]
        .to_str()
        .expect("text")
        .to_owned();
    let (_, accepted) = read(answer).await;
    assert_eq!(accepted, json!({"id": operation, "status": "Running"}));
    let again = send(&site, Method::POST, &url, body.to_string(), operation).await;
    assert_eq!(again.status(), 202);
    let mails = site.simulators.acs_mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (mails[0].subject.as_str(), &mails[0].text),
        ("Hello", &None)
    );
    let (status, done) =
        read(send(&site, Method::GET, &location, String::new(), operation).await).await;
    assert_eq!((status, &done["status"]), (200, &json!("Succeeded")));
    let unsigned = site.client.post(&url).body(body.to_string()).send().await;
    let (status, refused) = read(unsigned.expect("a response")).await;
    assert_eq!((status, &refused["error"]["code"]), (401, &json!("Denied")));
}
