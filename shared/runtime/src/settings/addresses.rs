//! The addresses to which requests may be sent: operators choose freely, tenants are restricted.

use url::{Host, Url};

use super::{LEARN365_DOMAINS, Settings};

/// Returns true if credentials may be sent to this address: https, or plain http to this machine.
pub(super) fn is_safe_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| match url.scheme() {
        "https" => url.has_host(),
        "http" => matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")),
        _ => false,
    })
}

impl Settings {
    /// Returns true if a tenant may use this address of the LMS: one of the vendor's regions, or
    /// the address that the deployment uses. Any other address would receive the tenant's key and
    /// requests from inside this deployment.
    pub fn is_lms_address(&self, text: &str) -> bool {
        let text = text.trim_end_matches('/');
        text == self.learn365_url
            || Url::parse(text).is_ok_and(|url| {
                let host = url.host_str().unwrap_or_default();
                url.scheme() == "https"
                    && LEARN365_DOMAINS.iter().any(|domain| host.ends_with(domain))
            })
    }

    /// Returns true if a tenant may use this address of a SCIM service. Requests carry the tenant's
    /// token and come from inside this deployment, so only https to a public name is allowed; if
    /// operators listed hosts, only to these. A service on this machine, for tests, must be listed.
    pub fn is_scim_address(&self, text: &str) -> bool {
        let Ok(url) = Url::parse(text) else {
            return false;
        };
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let is_named = |allowed: &String| {
            host == *allowed
                || host
                    .strip_suffix(allowed)
                    .is_some_and(|rest| rest.ends_with('.'))
        };
        let named = self.scim_hosts.iter().any(is_named);
        let is_public = matches!(url.host(), Some(Host::Domain(name)) if name.contains('.') && !is_internal(name));
        plain
            && match (url.scheme(), self.scim_hosts.is_empty()) {
                ("https", true) => is_public && url.port().is_none(),
                ("https", false) => named,
                ("http", false) => named && is_safe_address(text),
                _ => false,
            }
    }
}

/// Returns true for names that are not public (RFC 6761, RFC 6762).
fn is_internal(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    [
        "localhost",
        "local",
        "internal",
        "home.arpa",
        "test",
        "invalid",
    ]
    .iter()
    .any(|top| name == *top || name.ends_with(&format!(".{top}")))
}
