//! Caches access tokens in memory, bounded in number and never past their expiry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rollcall_domain::base::ids::TenantId;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::EntraError;
use crate::http::Secret;

/// Tokens this close to expiry are not used: requests that start with them may take minutes
/// (retries, paging).
const MARGIN: Duration = Duration::from_mins(5);

/// Maximum number of cached tokens: a Lambda process serves far fewer tenants during its lifetime,
/// and a token takes about 2 KB.
const MAX_TOKENS: usize = 256;

/// A bearer token and its expiry.
#[derive(Debug, Clone)]
pub struct AccessToken {
    token: Secret,
    expires_at: Instant,
}

impl AccessToken {
    pub(super) fn new(token: Secret, lifetime: Duration) -> Self {
        Self {
            token,
            expires_at: Instant::now() + lifetime,
        }
    }

    /// Returns the token, for the `Authorization: Bearer` header.
    pub fn secret(&self) -> &Secret {
        &self.token
    }

    /// Returns whether it is valid for at least five more minutes.
    pub fn is_fresh(&self) -> bool {
        Instant::now() + MARGIN < self.expires_at
    }
}

/// The cache key of a token. It includes a hash of the credential, so that a token is not used
/// after its secret was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    tenant: TenantId,
    client_id: String,
    scope: String,
    secret: [u8; 32],
}

impl Key {
    pub(super) fn new(tenant: TenantId, client_id: &str, secret: &Secret, scope: &str) -> Self {
        Self {
            tenant,
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
            secret: Sha256::digest(secret.expose().as_bytes()).into(),
        }
    }
}

/// A token request that several callers wait for.
pub(super) type Flight = Arc<OnceCell<Result<AccessToken, EntraError>>>;

#[derive(Debug, Clone, Default)]
pub(super) struct Cache {
    tokens: Arc<Mutex<HashMap<Key, AccessToken>>>,
    flights: Arc<Mutex<HashMap<Key, Flight>>>,
}

impl Cache {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, AccessToken>> {
        // No code panics while holding the lock, so a poisoned map is still consistent.
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, key: &Key) -> Option<AccessToken> {
        self.lock()
            .get(key)
            .filter(|token| token.is_fresh())
            .cloned()
    }

    pub(super) fn put(&self, key: Key, token: AccessToken) {
        let mut tokens = self.lock();
        if tokens.len() >= MAX_TOKENS {
            tokens.retain(|_, token| token.is_fresh());
        }
        if tokens.len() >= MAX_TOKENS {
            let soonest = tokens.iter().min_by_key(|(_, token)| token.expires_at);
            if let Some(key) = soonest.map(|(key, _)| key.clone()) {
                tokens.remove(&key);
            }
        }
        tokens.insert(key, token);
    }

    /// Returns the request for this token that is under way, or begins one.
    pub(super) fn flight(&self, key: &Key) -> Flight {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(flights.entry(key.clone()).or_default())
    }

    /// Ends a request, so that the next caller begins another one.
    pub(super) fn land(&self, key: &Key, flight: &Flight) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if flights
            .get(key)
            .is_some_and(|other| Arc::ptr_eq(other, flight))
        {
            flights.remove(key);
        }
    }

    pub(super) fn forget(&self, key: &Key, refused: &AccessToken) {
        let mut tokens = self.lock();
        if tokens
            .get(key)
            .is_some_and(|held| held.token.expose() == refused.token.expose())
        {
            tokens.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn key(n: u128) -> Key {
        Key::new(
            TenantId::new(Uuid::from_u128(n)),
            "app",
            &Secret::new("s"),
            "scope",
        )
    }

    fn token(seconds: u64) -> AccessToken {
        AccessToken::new(
            Secret::new(format!("token of {seconds}")),
            Duration::from_secs(seconds),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_good_until_five_minutes_before_its_end() {
        let cache = Cache::default();
        cache.put(key(1), token(3_599));
        tokio::time::advance(Duration::from_secs(3_298)).await;
        assert!(cache.get(&key(1)).is_some());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(cache.get(&key(1)).is_none());
    }

    #[tokio::test]
    async fn another_secret_is_another_token() {
        let cache = Cache::default();
        cache.put(key(1), token(3_599));
        let tenant = TenantId::new(Uuid::from_u128(1));
        assert!(
            cache
                .get(&Key::new(tenant, "app", &Secret::new("new"), "scope"))
                .is_none()
        );
    }

    #[tokio::test]
    async fn the_cache_is_bounded_and_drops_what_ends_first() {
        let cache = Cache::default();
        for n in 0..=MAX_TOKENS {
            cache.put(key(n as u128), token(1_000 + n as u64));
        }
        assert_eq!(cache.lock().len(), MAX_TOKENS);
        assert!(cache.get(&key(0)).is_none());
        assert!(cache.get(&key(MAX_TOKENS as u128)).is_some());
    }

    #[tokio::test]
    async fn only_the_refused_token_is_forgotten() {
        let cache = Cache::default();
        cache.put(key(1), token(2_000));
        cache.forget(&key(1), &token(1_000));
        assert!(cache.get(&key(1)).is_some());
        cache.forget(&key(1), &token(2_000));
        assert!(cache.get(&key(1)).is_none());
    }
}
