//! Tests of reading the settings from the environment.

use super::*;

fn complete() -> BTreeMap<String, String> {
    [
        "TABLE",
        "BUCKET",
        "REFRESH_QUEUE_URL",
        "MAINTENANCE_QUEUE_URL",
        "NOTICE_QUEUE_URL",
        "SECRET_PREFIX",
        "SYSTEM_SENDER",
    ]
    .into_iter()
    .map(|name| (format!("ROLLCALL_{name}"), "x".to_owned()))
    .collect()
}

/// Proves S4-004: each cloud has its own hosts.
#[test]
fn clouds_have_their_own_hosts() {
    let mut variables = complete();
    assert_eq!(
        Settings::read(&variables).expect("incomplete").graph_url,
        "https://graph.microsoft.com"
    );
    variables.insert("ROLLCALL_CLOUD".to_owned(), "usgov".to_owned());
    let usgov = Settings::read(&variables).expect("incomplete");
    assert_eq!(usgov.graph_url, "https://graph.microsoft.us");
    assert_eq!(usgov.entra_url, "https://login.microsoftonline.us");
    assert_eq!(usgov.learn365_url, "https://api.usgcc365.systems");
}

#[test]
fn everything_missing_or_wrong_is_reported_at_once() {
    let mut variables = complete();
    variables.remove("ROLLCALL_TABLE");
    variables.insert("ROLLCALL_CLOUD".to_owned(), "mars".to_owned());
    variables.insert(
        "ROLLCALL_GRAPH_URL".to_owned(),
        "http://graph.example".to_owned(),
    );
    variables.insert("ROLLCALL_LEASE_SECONDS".to_owned(), "0".to_owned());
    let SettingsError(problems) = Settings::read(&variables).expect_err("accepted");
    assert_eq!(
        problems,
        [
            "ROLLCALL_CLOUD must be global, usgov or dod, not \"mars\"",
            "ROLLCALL_TABLE is missing",
            "ROLLCALL_GRAPH_URL must be an https address, not \"http://graph.example\"",
            "ROLLCALL_LEASE_SECONDS must be a number from 2 to 900, not \"0\"",
        ]
    );
}

#[test]
fn the_audience_is_optional_and_a_blank_one_is_none() {
    let mut variables = complete();
    let audience = |variables: &_| Settings::read(variables).expect("incomplete").api_audience;
    assert_eq!(audience(&variables), None);
    variables.insert("ROLLCALL_API_AUDIENCE".to_owned(), " ".to_owned());
    assert_eq!(audience(&variables), None);
    variables.insert("ROLLCALL_API_AUDIENCE".to_owned(), "api://x".to_owned());
    assert_eq!(audience(&variables).as_deref(), Some("api://x"));
}

#[test]
fn a_tenant_may_name_the_vendors_regions_only() {
    let settings = Settings::read(&complete()).expect("incomplete");
    assert!(settings.is_lms_address("https://us-api.365.systems/"));
    for other in [
        "http://us-api.365.systems",
        "https://365.systems.evil.example",
        "http://127.0.0.1:9001",
        "https://169.254.169.254",
    ] {
        assert!(!settings.is_lms_address(other), "{other}");
    }
}

/// A tenant's target cannot be an internal address that only this deployment reaches.
#[test]
fn a_tenant_may_name_public_hosts_of_scim_services_only() {
    let settings = Settings::read(&complete()).expect("incomplete");
    assert!(settings.is_scim_address("https://lms.example.com/scim/v2"));
    for other in [
        "http://lms.example.com/scim/v2",
        "https://127.0.0.1/scim",
        "https://[::1]/scim",
        "https://169.254.169.254/latest",
        "https://2130706433/",
        "https://localhost/scim",
        "https://metadata.google.internal/",
        "https://printer.local/",
        "https://lms/scim",
        "https://kay:secret@lms.example.com/",
        "https://lms.example.com/?x=1",
        "ftp://lms.example.com/",
        "lms.example.com",
    ] {
        assert!(!settings.is_scim_address(other), "{other}");
    }
    let mut variables = complete();
    let hosts = "lms.example.com, 127.0.0.1".to_owned();
    variables.insert("ROLLCALL_SCIM_HOSTS".to_owned(), hosts);
    let named = Settings::read(&variables).expect("incomplete");
    assert!(named.is_scim_address("https://eu.lms.example.com/scim"));
    assert!(named.is_scim_address("http://127.0.0.1:4000/scim"));
    for other in [
        "https://evil.example",
        "https://notlms.example.com",
        "http://lms.example.com/scim",
        "http://localhost:4000/scim",
    ] {
        assert!(!named.is_scim_address(other), "{other}");
    }
}

#[test]
fn plain_http_works_on_this_machine_only() {
    let mut variables = complete();
    variables.insert(
        "ROLLCALL_GRAPH_URL".to_owned(),
        "http://127.0.0.1:4000/graph".to_owned(),
    );
    assert_eq!(
        Settings::read(&variables).expect("rejected").graph_url,
        "http://127.0.0.1:4000/graph"
    );
}
