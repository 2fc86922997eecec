//! Tests of signing keys and users' tokens, with the validation of a real API.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use rollcall_simulators::{TokenFlaw, UserTokenSpec};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::site::{Site, TENANT, read};

fn spec() -> UserTokenSpec {
    UserTokenSpec::new(TENANT, Uuid::from_u128(7), "api://rollcall").roles(&["Owner"])
}

fn check(set: &Value, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let set: JwkSet = serde_json::from_value(set.clone()).expect("a key set");
    let kid = decode_header(token)?.kid.expect("a key id");
    let key = set
        .find(&kid)
        .ok_or(jsonwebtoken::errors::ErrorKind::InvalidSignature)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["api://rollcall"]);
    Ok(decode::<Value>(token, &DecodingKey::from_jwk(key)?, &validation)?.claims)
}

#[tokio::test]
async fn a_token_fits_the_published_key_and_a_flawed_one_does_not() {
    let site = Site::new().await;
    let entra = site.simulators.entra_url();
    for tenant in ["common", &TENANT.to_string()] {
        let at = format!("{entra}/{tenant}/v2.0/.well-known/openid-configuration");
        let (status, metadata) = read(site.client.get(at).send().await.expect("a response")).await;
        assert_eq!(status, 200);
        let at = metadata["jwks_uri"].as_str().expect("a URL").to_owned();
        let (status, set) = read(site.client.get(at).send().await.expect("a response")).await;
        assert_eq!(
            (status, &set["keys"][0]["issuer"]),
            (200, &metadata["issuer"])
        );
        let token = site.simulators.user_token(&spec()).expect("a token");
        let claims = check(&set, &token).expect("a valid token");
        assert_eq!(claims["iss"], json!(format!("{entra}/{TENANT}/v2.0")));
        assert_eq!(claims["roles"], json!(["Owner"]));
        for flaw in [
            TokenFlaw::WrongKey,
            TokenFlaw::UnknownKey,
            TokenFlaw::Unsigned,
            TokenFlaw::HmacWithPublicKey,
            TokenFlaw::OtherAlgorithm,
        ] {
            let token = site
                .simulators
                .user_token(&spec().flaw(flaw.clone()))
                .expect("a token");
            assert!(check(&set, &token).is_err(), "{flaw:?}");
        }
    }
    assert_eq!(site.simulators.key_fetches(), 2);
}

#[tokio::test]
async fn tokens_are_issued_over_http_too() {
    let site = Site::new().await;
    let at = format!("{}/control/user-tokens", site.simulators.origin());
    let spec = json!({"tenant": TENANT, "object": Uuid::nil(), "name": "kay", "audience": "x"});
    let (status, answer) = read(
        site.client
            .post(&at)
            .json(&spec)
            .send()
            .await
            .expect("a response"),
    )
    .await;
    assert_eq!(status, 200);
    let token = answer["token"].as_str().expect("a token");
    assert_eq!(
        decode_header(token).expect("a header").alg,
        Algorithm::RS256
    );
    let wrong = site.client.post(&at).json(&json!({"tenant": TENANT}));
    assert_eq!(read(wrong.send().await.expect("a response")).await.0, 400);
}
