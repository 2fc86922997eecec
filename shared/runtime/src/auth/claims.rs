//! The claims of an Entra v2.0 access token, and the check that they are consistent.

use rollcall_clients::entra::SigningKey;
use rollcall_domain::base::ids::{ObjectId, TenantId};
use serde::Deserialize;
use uuid::{Uuid, uuid};

use super::{AuthError, Caller, Role};

/// The tenant of all personal Microsoft accounts; it has no administrators.
const PERSONAL_ACCOUNTS: Uuid = uuid!("9188040d-6c67-4c5b-b112-36a304b66dad");

/// The claims that are read from a token with valid signature, audience and times. A claim of the
/// wrong type makes the token unreadable.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    tid: String,
    oid: String,
    ver: String,
    #[serde(default)]
    preferred_username: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    wids: Vec<String>,
}

impl Claims {
    /// Returns the caller, if the issuer is the tenant's own at this authority and the key may sign
    /// for it.
    pub(super) fn caller(self, authority: &str, key: &SigningKey) -> Result<Caller, AuthError> {
        let (tenant, object) = issued(&self.ver, &self.tid, &self.iss, &self.oid, authority, key)?;
        Ok(Caller {
            tenant,
            object,
            name: self
                .preferred_username
                .unwrap_or_else(|| object.to_string()),
            display_name: self.name.filter(|name| !name.trim().is_empty()),
            roles: Role::of_claims(&self.roles, &self.wids),
        })
    }
}

/// Returns tenant and user of a token, if the issuer is the tenant's own at this authority and the
/// key may sign for it.
pub(super) fn issued(
    version: &str,
    tid: &str,
    issuer: &str,
    oid: &str,
    authority: &str,
    key: &SigningKey,
) -> Result<(TenantId, ObjectId), AuthError> {
    if version != "2.0" {
        return Err(AuthError::Version);
    }
    let tenant = guid(tid).ok_or(AuthError::Tenant)?;
    if tenant.is_nil() || tenant == PERSONAL_ACCOUNTS {
        return Err(AuthError::Tenant);
    }
    let expected = format!("{authority}/{tenant}/v2.0");
    let may_sign = key
        .issuer
        .as_ref()
        .is_none_or(|bound| bound.replace("{tenantid}", tid) == expected);
    if issuer != expected || !may_sign {
        return Err(AuthError::Issuer);
    }
    let object = guid(oid).ok_or(AuthError::Object)?;
    Ok((TenantId::new(tenant), ObjectId::new(object)))
}

/// Parses a GUID in the form that Entra writes; any other spelling is rejected.
fn guid(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.to_string() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHORITY: &str = "https://login.example";
    const TENANT: &str = "11111111-2222-4333-8444-555555555555";
    const OBJECT: &str = "66666666-7777-4888-8999-000000000000";

    fn claims(tenant: &str, issuer: &str) -> Claims {
        Claims {
            iss: issuer.to_owned(),
            tid: tenant.to_owned(),
            oid: OBJECT.to_owned(),
            ver: "2.0".to_owned(),
            name: None,
            preferred_username: None,
            roles: vec!["Owner".to_owned()],
            wids: Vec::new(),
        }
    }

    fn key(issuer: Option<&str>) -> SigningKey {
        SigningKey {
            modulus: String::new(),
            exponent: String::new(),
            issuer: issuer.map(str::to_owned),
        }
    }

    fn issuer(tenant: &str) -> String {
        format!("{AUTHORITY}/{tenant}/v2.0")
    }

    #[test]
    fn a_caller_without_a_name_is_named_by_the_object() {
        let claims = claims(TENANT, &issuer(TENANT));
        let caller = claims
            .caller(AUTHORITY, &key(None))
            .expect("token rejected");
        assert_eq!(caller.tenant.to_string(), TENANT);
        assert_eq!(caller.name, OBJECT);
    }

    #[test]
    fn the_issuer_is_compared_whole() {
        for wrong in [
            issuer("common"),
            issuer(OBJECT),
            format!("{}/", issuer(TENANT)),
            format!("{AUTHORITY}.evil.example/{TENANT}/v2.0"),
            format!("{AUTHORITY}/{TENANT}/"),
        ] {
            let refused = claims(TENANT, &wrong).caller(AUTHORITY, &key(None));
            assert_eq!(refused, Err(AuthError::Issuer), "{wrong}");
        }
    }

    #[test]
    fn a_key_signs_for_its_issuer_only() {
        let claims = || claims(TENANT, &issuer(TENANT));
        for right in [issuer("{tenantid}"), issuer(TENANT)] {
            assert!(claims().caller(AUTHORITY, &key(Some(&right))).is_ok());
        }
        let wrong = issuer("9188040d-6c67-4c5b-b112-36a304b66dad");
        let refused = claims().caller(AUTHORITY, &key(Some(&wrong)));
        assert_eq!(refused, Err(AuthError::Issuer));
    }

    #[test]
    fn the_tenant_is_a_concrete_one() {
        for wrong in [
            "common",
            "organizations",
            "00000000-0000-0000-0000-000000000000",
            "9188040d-6c67-4c5b-b112-36a304b66dad",
            "{11111111-2222-4333-8444-555555555555}",
            "11111111222243338444555555555555",
        ] {
            let refused = claims(wrong, &issuer(wrong)).caller(AUTHORITY, &key(None));
            assert_eq!(refused, Err(AuthError::Tenant), "{wrong}");
        }
    }

    #[test]
    fn a_version_1_token_is_refused() {
        let old = Claims {
            ver: "1.0".to_owned(),
            ..claims(TENANT, &issuer(TENANT))
        };
        assert_eq!(old.caller(AUTHORITY, &key(None)), Err(AuthError::Version));
    }
}
