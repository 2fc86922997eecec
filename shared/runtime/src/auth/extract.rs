//! The caller as an extractor: a handler that takes it as an argument requires authentication.

use std::collections::BTreeSet;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use rollcall_domain::base::audit::Actor;
use rollcall_domain::base::ids::{ObjectId, TenantId};

use super::{AuthError, Role, Verifier};

/// A verified caller. Tenant and object together are the identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The tenant whose data the caller may see; no other.
    pub tenant: TenantId,
    /// The caller within the tenant.
    pub object: ObjectId,
    /// The caller's `preferred_username`, or else the object id. It can be reassigned to another
    /// user, so it serves display and audit only, never a decision.
    pub name: String,
    /// The caller's full name, if the token contains it. For display only.
    pub display_name: Option<String>,
    /// The roles that the token grants.
    pub roles: BTreeSet<Role>,
}

impl Caller {
    /// Checks that the caller has one of these roles.
    ///
    /// # Errors
    /// Returns [`AuthError::Forbidden`] if the caller has other roles only.
    ///
    /// Returns [`AuthError::NoRole`] if the caller has no role at all: the account was never set
    /// up.
    pub fn require(&self, any_of: &[Role]) -> Result<(), AuthError> {
        if any_of.iter().any(|role| self.roles.contains(role)) {
            Ok(())
        } else if self.roles.is_empty() {
            Err(AuthError::NoRole)
        } else {
            Err(AuthError::Forbidden)
        }
    }

    /// Returns the actor for audit events and for "last changed by".
    pub fn actor(&self) -> Actor {
        Actor {
            object: Some(self.object),
            name: self.name.clone(),
        }
    }
}

impl<S> FromRequestParts<S> for Caller
where
    Verifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = AuthError;

    /// Returns the caller that an earlier layer verified, or else verifies the token.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let token = bearer(&parts.headers)?;
        Verifier::from_ref(state).verify(token).await
    }
}

/// Returns the token of the only `Authorization` header. A proxy could interpret two headers
/// differently from this service, so they are treated as none.
fn bearer(headers: &HeaderMap) -> Result<&str, AuthError> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return Err(AuthError::Missing);
    };
    let value = value.to_str().map_err(|_| AuthError::Unreadable)?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(AuthError::Missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&'static str]) -> Result<String, AuthError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, axum::http::HeaderValue::from_static(value));
        }
        bearer(&headers).map(str::to_owned)
    }

    #[test]
    fn exactly_one_bearer_token_counts() {
        assert_eq!(read(&["Bearer abc"]), Ok("abc".to_owned()));
        assert_eq!(read(&["bearer  abc"]), Ok("abc".to_owned()));
        for none in [
            &[][..],
            &["Basic abc"],
            &["Bearer"],
            &["abc"],
            &["Bearer a", "Bearer a"],
        ] {
            assert_eq!(read(none), Err(AuthError::Missing), "{none:?}");
        }
    }
}
