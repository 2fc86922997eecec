//! Caches and renews Microsoft Entra's signing keys, with a bounded number of requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use tokio::time::Instant;

use crate::http::{ApiError, Base, Http};

/// Path of the keys of all tenants.
const PATH: &str = "/common/discovery/v2.0/keys";
/// Keys older than this are not trusted, because one of them may have been withdrawn (Microsoft's
/// guidance on signing key rollover).
const TRUSTED_FOR: Duration = Duration::from_hours(24);
/// Keys older than this are renewed on the next request (same guidance).
const RENEWED_AFTER: Duration = Duration::from_hours(1);
/// Minimum interval between requests for unknown key ids, which anyone can cause with an invented
/// id (same guidance).
const ASKED_AT_MOST_EVERY: Duration = Duration::from_mins(5);
/// The pause after a failure if no keys are cached.
const PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(5);
/// Request timeout: the caller is behind a gateway with a timeout of 30 s.
const KEY_SET_TIMEOUT: Duration = Duration::from_secs(5);

/// A public key that signs tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// RSA modulus, base64url without padding (RFC 7518, section 6.3.1).
    pub modulus: String,
    /// RSA public exponent, with the same encoding.
    pub exponent: String,
    /// The only issuer the key may sign for, if it is bound to one; may contain `{tenantid}` as a
    /// placeholder for the token's tenant.
    pub issuer: Option<String>,
}

/// The signing keys of one cloud. Clones share the cache.
#[derive(Debug, Clone)]
pub struct SigningKeys {
    http: Http,
    endpoint: String,
    cache: Arc<Mutex<Cache>>,
    fetching: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct Cache {
    keys: HashMap<String, SigningKey>,
    fetched_at: Option<Instant>,
    not_before: Option<Instant>,
}

/// The cached state of a key id.
enum Known {
    /// The cached result; `None` means that the key does not exist.
    Answer(Option<SigningKey>),
    /// A valid result that should be renewed.
    Aged(SigningKey),
    /// Not cached; the keys have to be requested.
    Fetch,
    /// Not cached, and the last request failed recently.
    Wait,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    issuer: Option<String>,
}

impl SigningKeys {
    /// Creates a client for the keys of an authority, such as `https://login.microsoftonline.com`.
    pub fn new(http: Http, authority_url: &str) -> Result<Self, ApiError> {
        let base = Base::parse(authority_url)?;
        Ok(Self {
            http,
            endpoint: base.join(PATH),
            cache: Arc::default(),
            fetching: Arc::default(),
        })
    }

    /// Returns the key of this id, or `None` if Entra has no such key.
    ///
    /// Concurrent callers cause only one request.
    ///
    /// # Errors
    /// If Entra does not respond and the cached keys are not sufficient.
    pub async fn key(&self, id: &str) -> Result<Option<SigningKey>, ApiError> {
        let known = self.lock().find(id);
        match known {
            Known::Answer(key) => Ok(key),
            Known::Aged(key) => {
                // If another caller is already renewing, the cached key is used.
                let Ok(_alone) = self.fetching.try_lock() else {
                    return Ok(Some(key));
                };
                self.renew(id).await
            }
            Known::Fetch => {
                let _alone = self.fetching.lock().await;
                self.renew(id).await
            }
            Known::Wait => Err(silent()),
        }
    }

    /// Requests the keys, unless another caller did so while this one waited for the lock.
    async fn renew(&self, id: &str) -> Result<Option<SigningKey>, ApiError> {
        let known = self.lock().find(id);
        let before = match known {
            Known::Answer(key) => return Ok(key),
            Known::Wait => return Err(silent()),
            Known::Aged(key) => Some(key),
            Known::Fetch => None,
        };
        let fetched = self.fetch().await;
        let mut cache = self.lock();
        match fetched {
            Ok(keys) => {
                cache.replace(keys);
                Ok(cache.keys.get(id).cloned())
            }
            Err(error) => {
                cache.failed();
                tracing::warn!(%error, "the signing keys could not be renewed");
                before.map_or(Err(error), |key| Ok(Some(key)))
            }
        }
    }

    async fn fetch(&self) -> Result<HashMap<String, SigningKey>, ApiError> {
        let request = self.http.request(Method::GET, &self.endpoint);
        let answer = self
            .http
            .send(request.timeout(KEY_SET_TIMEOUT))
            .await?
            .success()?;
        let set: KeySet = answer.json("a JSON Web Key Set")?;
        let keys: HashMap<_, _> = set.keys.into_iter().filter_map(Key::for_signing).collect();
        if keys.is_empty() {
            return Err(answer.not("a JSON Web Key Set", "it has no RSA signing key".to_owned()));
        }
        Ok(keys)
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        // No code panics while holding the lock, and the cache is replaced as a whole.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn silent() -> ApiError {
    ApiError::Timeout {
        method: "GET",
        path: PATH.to_owned(),
    }
}

impl Cache {
    fn find(&self, id: &str) -> Known {
        let age = self.fetched_at.map(|at| at.elapsed());
        let may_fetch = self.not_before.is_none_or(|at| Instant::now() >= at);
        match (age.filter(|age| *age < TRUSTED_FOR), self.keys.get(id)) {
            (Some(age), Some(key)) if age >= RENEWED_AFTER && may_fetch => Known::Aged(key.clone()),
            (Some(_), Some(key)) => Known::Answer(Some(key.clone())),
            (_, _) if may_fetch => Known::Fetch,
            (Some(_), None) => Known::Answer(None),
            (None, _) => Known::Wait,
        }
    }

    fn replace(&mut self, keys: HashMap<String, SigningKey>) {
        let now = Instant::now();
        *self = Self {
            keys,
            fetched_at: Some(now),
            not_before: Some(now + ASKED_AT_MOST_EVERY),
        };
    }

    fn failed(&mut self) {
        let usable = self.fetched_at.is_some_and(|at| at.elapsed() < TRUSTED_FOR);
        let pause = if usable {
            ASKED_AT_MOST_EVERY
        } else {
            PAUSE_WITHOUT_KEYS
        };
        self.not_before = Some(Instant::now() + pause);
    }
}

impl Key {
    fn for_signing(self) -> Option<(String, SigningKey)> {
        if self.kty != "RSA" || self.usage.is_some_and(|usage| usage != "sig") {
            return None;
        }
        let key = SigningKey {
            modulus: self.n?,
            exponent: self.e?,
            issuer: self.issuer,
        };
        Some((self.kid?, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::{Act, Stub, quick, reply};
    use std::sync::atomic::{AtomicBool, Ordering};

    fn set(ids: &[&str]) -> Act {
        let keys: Vec<String> = ids
            .iter()
            .map(|id| {
                format!(r#"{{"kty":"RSA","use":"sig","kid":"{id}","n":"AQAB","e":"AQAB","x5c":["x"],"issuer":"https://sts/{{tenantid}}/v2.0"}}"#)
            })
            .collect();
        reply(200, "", &format!(r#"{{"keys":[{}]}}"#, keys.join(",")))
    }

    fn keys(stub: &Stub) -> SigningKeys {
        SigningKeys::new(quick(), &stub.url).expect("invalid URL")
    }

    /// Advances time without affecting connections.
    async fn later(by: Duration) {
        tokio::time::pause();
        tokio::time::advance(by).await;
        tokio::time::resume();
    }

    /// Returns a server with one key, which fails as soon as the flag is set.
    async fn failing() -> (Stub, Arc<AtomicBool>) {
        let down = Arc::new(AtomicBool::new(false));
        let is_down = Arc::clone(&down);
        let stub = Stub::start(move |_| {
            if is_down.load(Ordering::SeqCst) {
                reply(503, "", "")
            } else {
                set(&["a"])
            }
        })
        .await;
        (stub, down)
    }

    #[tokio::test]
    async fn many_at_once_cause_one_request_for_the_keys_of_all_tenants() {
        let stub = Stub::start(|_| set(&["a", "b"])).await;
        let keys = keys(&stub);
        let asked = futures::future::join_all((0..20).map(|_| keys.key("b"))).await;
        for key in asked {
            let key = key.expect("no result").expect("no key");
            assert_eq!(key.issuer.as_deref(), Some("https://sts/{tenantid}/v2.0"));
        }
        let requests = stub.requests();
        assert_eq!(requests.len(), 1);
        assert!(requests[0].starts_with("GET /common/discovery/v2.0/keys "));
    }

    #[tokio::test]
    async fn an_unknown_id_asks_again_but_only_every_five_minutes() {
        let stub = Stub::start(|_| set(&["a"])).await;
        let keys = keys(&stub);
        for n in 0..50 {
            let unknown = keys.key(&format!("invented-{n}")).await;
            assert_eq!(unknown.expect("no result"), None);
        }
        assert_eq!(stub.requests().len(), 1);
        later(Duration::from_secs(299)).await;
        assert_eq!(keys.key("invented").await.expect("no result"), None);
        assert_eq!(stub.requests().len(), 1);
        later(Duration::from_secs(2)).await;
        assert_eq!(keys.key("invented").await.expect("no result"), None);
        assert!(keys.key("a").await.expect("no result").is_some());
        assert_eq!(stub.requests().len(), 2);
    }

    #[tokio::test]
    async fn known_keys_outlive_a_failure_for_a_day_and_no_longer() {
        let (stub, down) = failing().await;
        let keys = keys(&stub);
        assert!(keys.key("a").await.expect("no result").is_some());
        down.store(true, Ordering::SeqCst);
        later(Duration::from_hours(23)).await;
        assert!(keys.key("a").await.expect("no cached key").is_some());
        assert!(keys.key("a").await.expect("no cached key").is_some());
        assert_eq!(stub.requests().len(), 2, "the failed renewal was repeated");
        later(Duration::from_hours(1)).await;
        assert!(keys.key("a").await.is_err());
        down.store(false, Ordering::SeqCst);
        later(PAUSE_WITHOUT_KEYS).await;
        assert!(keys.key("a").await.expect("no result").is_some());
    }

    #[tokio::test]
    async fn an_hour_later_the_keys_are_renewed() {
        let stub = Stub::start(|_| set(&["a"])).await;
        let keys = keys(&stub);
        for hours in [0, 1, 1] {
            later(Duration::from_hours(hours)).await;
            assert!(keys.key("a").await.expect("no result").is_some());
        }
        assert_eq!(stub.requests().len(), 3);
    }

    #[tokio::test]
    async fn without_any_key_a_failure_is_reported_and_not_repeated_at_once() {
        let (stub, down) = failing().await;
        down.store(true, Ordering::SeqCst);
        let keys = keys(&stub);
        for _ in 0..10 {
            assert!(keys.key("a").await.is_err());
        }
        assert_eq!(stub.requests().len(), 1);
    }

    #[tokio::test]
    async fn keys_of_other_kinds_are_left_out_and_none_at_all_is_an_error() {
        let body = r#"{"keys":[{"kty":"EC","kid":"a","crv":"P-256"},{"kty":"RSA","use":"enc","kid":"b","n":"AQAB","e":"AQAB"}]}"#;
        let stub = Stub::start(move |_| reply(200, "", body)).await;
        let error = keys(&stub)
            .key("a")
            .await
            .expect_err("a set without keys was accepted");
        assert!(error.to_string().contains("no RSA signing key"), "{error}");
    }
}
