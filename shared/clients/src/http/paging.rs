//! Validates next-page links: only to the configured host, each once, bounded in number.

use std::collections::HashSet;

use url::Url;

use super::ApiError;

/// Maximum number of pages of one set; beyond that the server is considered to be looping. At the
/// smallest known page size (100 rows) this is 10 million rows, at Learn365's 10,000 a billion.
const MAX_PAGES: usize = 100_000;

/// The base URL of a service: its requests and links must have this scheme, host and port.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    url: Url,
}

impl Base {
    /// Parses a base URL; a trailing slash is ignored.
    pub(crate) fn parse(address: &str) -> Result<Self, ApiError> {
        let url = Url::parse(address.trim_end_matches('/'))
            .map_err(|error| ApiError::Setup(format!("{address:?} is not a valid URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(ApiError::Setup(format!(
                "{address:?} is not an http(s) URL"
            )));
        }
        Ok(Self { url })
    }

    /// Returns the base URL without a trailing slash.
    pub(crate) fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Appends a path (and query) to the base URL; `tail` starts with `/` and is already
    /// percent-encoded.
    pub(crate) fn join(&self, tail: &str) -> String {
        format!("{}{tail}", self.as_str())
    }

    /// Validates a link before a credential is attached to it.
    pub(crate) fn check_link(&self, link: &str) -> Result<(), ApiError> {
        let foreign = |found_host: String| ApiError::ForeignLink {
            expected_host: self.url.origin().ascii_serialization(),
            found_host,
        };
        let parsed = Url::parse(link).map_err(|_| foreign("an invalid URL".into()))?;
        if parsed.origin() == self.url.origin() {
            return Ok(());
        }
        Err(foreign(parsed.origin().ascii_serialization()))
    }
}

/// The links of one set that were already followed.
pub(crate) struct Links {
    set: &'static str,
    seen: HashSet<String>,
}

impl Links {
    pub(crate) fn new(set: &'static str) -> Self {
        Self {
            set,
            seen: HashSet::new(),
        }
    }

    /// Accepts a link if it is on the base's host, was not followed before, and the maximum is not
    /// reached.
    pub(crate) fn admit(&mut self, base: &Base, link: &str) -> Result<(), ApiError> {
        base.check_link(link)?;
        let page = self.seen.len() as u64 + 2;
        if self.seen.len() >= MAX_PAGES || !self.seen.insert(link.to_owned()) {
            return Err(ApiError::EndlessPages {
                set: self.set,
                page,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Base {
        Base::parse("https://graph.microsoft.com/").expect("invalid URL")
    }

    #[test]
    fn a_link_on_the_configured_host_is_followed_once() {
        let mut links = Links::new("users");
        let link = "https://graph.microsoft.com/v1.0/users?$skiptoken=a";
        links.admit(&base(), link).expect("link rejected");
        let again = links.admit(&base(), link);
        assert!(
            matches!(again, Err(ApiError::EndlessPages { page: 3, .. })),
            "{again:?}"
        );
    }

    #[test]
    fn a_link_to_another_host_port_or_scheme_is_refused() {
        for link in [
            "https://evil.example/v1.0/users",
            "https://graph.microsoft.com:8443/v1.0/users",
            "http://graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com.evil.example/",
            "https://graph.microsoft.com@evil.example/",
            "//graph.microsoft.com/users",
            "/v1.0/users",
        ] {
            let refused = Links::new("users").admit(&base(), link);
            assert!(
                matches!(refused, Err(ApiError::ForeignLink { .. })),
                "{link}"
            );
        }
    }

    #[test]
    fn an_address_without_a_host_is_refused() {
        for address in ["", "graph", "mailto:kay@contoso.com", "ftp://host"] {
            assert!(
                matches!(Base::parse(address), Err(ApiError::Setup(_))),
                "{address}"
            );
        }
    }
}
