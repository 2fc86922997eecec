//! Checks the API against its `OpenAPI` document, with a third-party tool that sends valid and
//! invalid requests and validates the responses.

use std::path::Path;

use serde_json::json;

use super::{create, draft, with};
use crate::harness::{TestApp, TestTenant};

/// Requests per operation: enough to find errors, few enough for every test run.
const EXAMPLES: &str = "12";

/// The tool's checks of every response.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// Runs schemathesis with an owner's token: no 5xx, no response outside the document.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_gets_an_answer_outside_the_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().expect("the repository was not found");
    let program = installed(&root).await;
    let mut app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("Owner");
    let limit = json!({"throttle": {"maxChanges": 1}, "courses": [app.course("Fire Safety")]});
    create(&admin, with(draft("Denver", "Denver"), limit)).await;
    app.maintained().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("no port");
    let address = listener.local_addr().expect("no address");
    let router = app.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let folder = tempfile::tempdir().expect("no folder created");
    let output = tokio::process::Command::new(program)
        .current_dir(folder.path())
        .args(["run", &format!("http://{address}/v1/openapi.json")])
        .args([
            "--header",
            &format!("Authorization: Bearer {}", admin.bearer()),
        ])
        .args([
            "--checks",
            CHECKS,
            "--max-examples",
            EXAMPLES,
            "--seed",
            "7",
        ])
        .args(["--phases", "examples,coverage,fuzzing", "--workers", "1"])
        .args(["--suppress-health-check", "all", "--no-color"])
        .output()
        .await
        .expect("schemathesis could not be started");
    server.abort();
    let told = String::from_utf8_lossy(&output.stdout);
    let tail: Vec<&str> = told.lines().rev().take(25).collect();
    println!("{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
    assert!(
        output.status.success(),
        "{told}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Installs the tool into `.rollcall/` if it is missing.
async fn installed(root: &Path) -> std::path::PathBuf {
    let install = root.join("infra/local/install-tools");
    let mut install = tokio::process::Command::new(install);
    let done = install
        .arg("schemathesis")
        .status()
        .await
        .expect("installer not started");
    assert!(done.success(), "schemathesis could not be installed");
    root.join(".rollcall/schemathesis/bin/schemathesis")
}
