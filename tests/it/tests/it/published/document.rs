//! The `OpenAPI` document, byte for byte as served except for line breaks.

use super::lines;
use crate::harness::{Admin, TestApp, TestTenant};

#[tokio::test]
async fn the_openapi_document() {
    let (app, _) = Box::pin(TestApp::blank(TestTenant::new())).await;
    let nobody = Admin::without_token(&app);
    let (status, media_type, bytes) = nobody.raw("GET", "/v1/openapi.json").await;
    assert_eq!((status, media_type.as_str()), (200, "application/json"));
    let served = String::from_utf8(bytes).expect("not UTF-8");
    insta::assert_snapshot!(lines(&served));
}
