//! Authorization codes: valid once, for ten minutes.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::refusal::Refusal;
use super::request::Challenge;
use crate::hub::lock;

/// The content of a code.
#[derive(Clone)]
pub(super) struct Code {
    pub(super) client_id: Uuid,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<Challenge>,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: Option<String>,
    pub(super) tenant: Uuid,
    pub(super) person: Uuid,
    pub(super) issued_at: DateTime<Utc>,
    pub(super) used: bool,
}

/// The data sent to redeem a code.
pub(super) struct Redeemer<'a> {
    pub(super) client_id: Uuid,
    pub(super) redirect_uri: &'a str,
    pub(super) verifier: &'a str,
    pub(super) now: DateTime<Utc>,
}

/// The codes of one process.
#[derive(Default)]
pub(crate) struct Codes(Mutex<HashMap<String, Code>>);

impl Codes {
    /// Issues a new code.
    pub(super) fn issue(&self, code: Code) -> String {
        let text = format!("sim-code-{}", Uuid::new_v4().simple());
        lock(&self.0).insert(text.clone(), code);
        text
    }

    /// Returns the tenant that issued a code.
    pub(super) fn tenant(&self, text: &str) -> Option<Uuid> {
        lock(&self.0).get(text).map(|code| code.tenant)
    }

    /// Redeems a code; after an error it is unchanged.
    pub(super) fn redeem(&self, text: &str, by: &Redeemer<'_>) -> Result<Code, Refusal> {
        let mut codes = lock(&self.0);
        let code = codes
            .get_mut(text)
            .ok_or_else(|| Refusal::grant(70000, "The authorization code is not valid."))?;
        code.check(by)?;
        code.used = true;
        Ok(code.clone())
    }
}

impl Code {
    fn check(&self, by: &Redeemer<'_>) -> Result<(), Refusal> {
        if self.client_id != by.client_id {
            let text = "The authorization code was issued to another application.";
            return Err(Refusal::grant(70000, text));
        }
        if self.used {
            let text = "The authorization code was already redeemed.";
            return Err(Refusal::grant(54005, text));
        }
        if by.now - self.issued_at > Duration::minutes(10) {
            let text = "The authorization code has expired.";
            return Err(Refusal::grant(70008, text));
        }
        if self.redirect_uri != by.redirect_uri {
            let text = "The redirect URI is not the one the authorization code was asked with.";
            return Err(Refusal::grant(500_112, text));
        }
        let fits = self.challenge.as_ref().is_none_or(|challenge| {
            let sent = if challenge.hashed {
                let hash = digest::digest(&digest::SHA256, by.verifier.as_bytes());
                BASE64_URL_SAFE_NO_PAD.encode(hash)
            } else {
                by.verifier.to_owned()
            };
            sent == challenge.value
        });
        if !fits {
            let text = "The code verifier does not match the code challenge.";
            return Err(Refusal::grant(501_481, text));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: Uuid = Uuid::from_u128(1);

    fn codes(challenge: Option<(&str, bool)>) -> (Codes, String) {
        let codes = Codes::default();
        let text = codes.issue(Code {
            client_id: APP,
            redirect_uri: "https://app.example/back".to_owned(),
            challenge: challenge.map(|(value, hashed)| Challenge {
                value: value.to_owned(),
                hashed,
            }),
            scopes: Vec::new(),
            nonce: None,
            tenant: Uuid::nil(),
            person: Uuid::nil(),
            issued_at: DateTime::default(),
            used: false,
        });
        (codes, text)
    }

    fn by<'a>(uri: &'a str, verifier: &'a str, minutes: i64) -> Redeemer<'a> {
        Redeemer {
            client_id: APP,
            redirect_uri: uri,
            verifier,
            now: DateTime::default() + Duration::minutes(minutes),
        }
    }

    #[test]
    fn a_code_works_once_in_time_and_for_its_own_address() {
        let (codes, text) = codes(None);
        let back = "https://app.example/back";
        let number = |by: &Redeemer<'_>| codes.redeem(&text, by).err().map(|it| it.number());
        assert_eq!(number(&by(back, "", 11)), Some(70008));
        assert_eq!(number(&by("https://app.example/", "", 1)), Some(500_112));
        let other = Redeemer {
            client_id: Uuid::nil(),
            ..by(back, "", 1)
        };
        assert_eq!(number(&other), Some(70000));
        assert_eq!(number(&by(back, "", 10)), None);
        assert_eq!(number(&by(back, "", 1)), Some(54005));
    }

    #[test]
    fn a_challenge_wants_its_verifier() {
        let back = "https://app.example/back";
        // The pair of RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let hashed = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        for (challenge, sent, number) in [
            ((hashed, true), verifier, None),
            ((hashed, true), "", Some(501_481)),
            ((hashed, true), hashed, Some(501_481)),
            ((verifier, false), verifier, None),
        ] {
            let (codes, text) = codes(Some(challenge));
            let refused = codes.redeem(&text, &by(back, sent, 1)).err();
            assert_eq!(refused.map(|it| it.number()), number);
        }
    }
}
