//! A posted form, with the client's credentials from the form or the `Authorization` header.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;

use super::refusal::Refusal;
use crate::call::Call;
use crate::hub::Hub;
use crate::service_app::ServiceApp;

/// Fields of an `application/x-www-form-urlencoded` body.
pub(super) struct Form {
    fields: Vec<(String, String)>,
    basic: Option<(String, String)>,
}

impl Form {
    /// Parses body and header.
    pub(super) fn read(call: &Call) -> Self {
        Self {
            fields: url::form_urlencoded::parse(call.body.as_bytes())
                .into_owned()
                .collect(),
            basic: call.header("authorization").and_then(basic),
        }
    }

    /// Returns a field's value; empty if it is missing.
    pub(super) fn get(&self, name: &str) -> &str {
        let mut fields = self.fields.iter();
        fields
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// Returns the client id from body or header.
    pub(super) fn client_id(&self) -> &str {
        match &self.basic {
            Some((id, _)) if self.get("client_id").is_empty() => id,
            _ => self.get("client_id"),
        }
    }

    /// Returns the client secret from body or header.
    pub(super) fn client_secret(&self) -> &str {
        match &self.basic {
            Some((_, secret)) if self.get("client_secret").is_empty() => secret,
            _ => self.get("client_secret"),
        }
    }

    /// Returns the registered application after validating its secret.
    pub(super) fn client(&self, hub: &Hub) -> Result<ServiceApp, Refusal> {
        let id = self.client_id();
        let app = id.parse().ok().and_then(|id| hub.app(id));
        let app = app.ok_or_else(|| Refusal::unknown_app(id))?;
        check_secret(self.client_secret(), &app.client_secret, app.secret_expired)?;
        Ok(app)
    }
}

fn basic(header: &str) -> Option<(String, String)> {
    let bytes = BASE64_STANDARD
        .decode(header.strip_prefix("Basic ")?)
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((plain(id), plain(secret)))
}

/// Returns an error unless the secret is correct and not expired.
pub(super) fn check_secret(sent: &str, secret: &str, expired: bool) -> Result<(), Refusal> {
    if sent.is_empty() {
        let text = "The request body must contain a client secret or assertion.";
        return Err(Refusal::client(7_000_218, text));
    }
    if sent != secret {
        let text = "Invalid client secret provided.";
        return Err(Refusal::client(7_000_215, text));
    }
    if expired {
        let text = "The provided client secret keys are expired.";
        return Err(Refusal::client(7_000_222, text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn credentials_come_from_the_body_or_the_header() {
        let header = format!("Basic {}", BASE64_STANDARD.encode("an%20id:a%3Asecret"));
        let headers = BTreeMap::from([("authorization".to_owned(), header)]);
        let read = |body: &str| {
            Form::read(&Call::new(
                "POST",
                "/entra/x",
                headers.clone(),
                body.to_owned(),
            ))
        };
        let form = read("grant_type=refresh_token");
        assert_eq!(
            (form.client_id(), form.client_secret()),
            ("an id", "a:secret")
        );
        let form = read("client_id=b&client_secret=c");
        assert_eq!((form.client_id(), form.client_secret()), ("b", "c"));
    }

    #[test]
    fn wrong_missing_and_old_secrets_have_their_numbers() {
        let number = |sent, expired| {
            check_secret(sent, "right", expired)
                .err()
                .map(|it| it.number())
        };
        assert_eq!(number("right", false), None);
        assert_eq!(number("", false), Some(7_000_218));
        assert_eq!(number("wrong", true), Some(7_000_215));
        assert_eq!(number("right", true), Some(7_000_222));
    }
}
