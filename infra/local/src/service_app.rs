//! The service's own app in the simulated Entra, its Communication Services, and their secrets.

use rollcall_clients::http::Secret;
use rollcall_clients::vault::Vault;
use rollcall_simulators::{AcsResource, ServiceApp, Simulators};
use uuid::Uuid;

use crate::error::Error;

/// Application (client) id of the service, unless the stack's parameters name another.
pub const CLIENT_ID: &str = "00000000-0000-4000-8000-00000000c11d";
/// The fixed sender address of Communication Services.
pub const ACS_SENDER: &str = "donotreply@mail.rollcall.example";

const SECRET: &str = "simulated-service-secret";
/// A key of the simulated Communication Services, in base64.
const ACS_KEY: &str = "c2ltdWxhdGVkLWFjcy1rZXk=";
/// The app's roles; a consent grants all of them.
const APP_ROLES: [&str; 4] = [
    "User.Read.All",
    "Group.Read.All",
    "Organization.Read.All",
    "User.Invite.All",
];

/// Registers both with the simulators and stores their secrets as operators would. Browsers return
/// to the API at `api_url`.
///
/// # Errors
/// If the client id is invalid, or a secret cannot be stored.
pub async fn register(
    simulators: &Simulators,
    vault: &Vault,
    client_id: &str,
    api_url: &str,
) -> Result<(), Error> {
    let client_id: Uuid = client_id
        .parse()
        .map_err(|error| format!("the parameter ClientId is not a valid id: {error}"))?;
    simulators.register_app(ServiceApp {
        client_id,
        client_secret: SECRET.to_owned(),
        secret_expired: false,
        name: "Rollcall".to_owned(),
        redirect_uris: vec![format!("{api_url}/oauth/callback")],
        app_roles: APP_ROLES.map(str::to_owned).into(),
    });
    simulators.register_acs(AcsResource::new(ACS_KEY, ACS_SENDER));
    vault.put_client_secret(&Secret::new(SECRET)).await?;
    vault.put_acs_key(&Secret::new(ACS_KEY)).await?;
    Ok(())
}
