//! Next-page links: followed as they are, but only to the configured host, once each, and not for ever.

use std::collections::HashSet;

use url::Url;

use super::ApiError;

/// Pages of one set before a server is taken to be looping: at the smallest
/// page seen (100 rows) this is 10 million rows, at Learn365's 10,000 a billion.
const MAX_PAGES: usize = 100_000;

/// The address of a service: its requests and its links must stay on this
/// scheme, host and port.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    url: Url,
}

impl Base {
    /// Takes the configured address; a trailing slash makes no difference.
    pub(crate) fn parse(address: &str) -> Result<Self, ApiError> {
        let url = Url::parse(address.trim_end_matches('/'))
            .map_err(|error| ApiError::Setup(format!("{address:?} is not an address: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(ApiError::Setup(format!(
                "{address:?} is not an http(s) address"
            )));
        }
        Ok(Self { url })
    }

    /// The address without a trailing slash.
    pub(crate) fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// The address with a path (and query) behind it; `tail` starts with `/`
    /// and is already percent-encoded.
    pub(crate) fn join(&self, tail: &str) -> String {
        format!("{}{tail}", self.as_str())
    }

    /// Checks a link before a credential is attached to it.
    pub(crate) fn check_link(&self, link: &str) -> Result<(), ApiError> {
        let foreign = |found_host: String| ApiError::ForeignLink {
            expected_host: self.url.origin().ascii_serialization(),
            found_host,
        };
        let parsed = Url::parse(link).map_err(|_| foreign("a text that is no address".into()))?;
        if parsed.origin() == self.url.origin() {
            return Ok(());
        }
        Err(foreign(parsed.origin().ascii_serialization()))
    }
}

/// The links of one set that were followed so far.
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

    /// Admits a link: on the base's host, not seen before, below the bound.
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
        Base::parse("https://graph.microsoft.com/").expect("an address")
    }

    #[test]
    fn a_link_on_the_configured_host_is_followed_once() {
        let mut links = Links::new("users");
        let link = "https://graph.microsoft.com/v1.0/users?$skiptoken=a";
        links.admit(&base(), link).expect("the same host");
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
