//! Explains a failed sign-in of a tenant's app to the administrator who entered it.

use rollcall_domain::connection::{CLIENT_ID, CLIENT_SECRET, Check, CheckId, ENTRA_APP};
use uuid::Uuid;

use super::{EntraError, EntraErrorKind};
use crate::http::Secret;

const NO_ANSWER: &str = "Microsoft Entra returned no usable response. Try again in some minutes.";

/// Returns a problem that can be detected without a request to Entra.
pub(crate) fn misshapen(client_id: &str, secret: &Secret) -> Option<Check> {
    let failed = |detail, pointer| Some(Check::failed(CheckId::EntraSignIn, detail).at(pointer));
    if Uuid::try_parse(client_id).is_err() {
        return failed(
            "The client id is not a GUID. Copy the Application (client) ID from the overview of \
             the app registration in Microsoft Entra.",
            CLIENT_ID,
        );
    }
    if secret.expose().is_empty() {
        let detail = "The client secret is empty. Enter the secret's Value.";
        return failed(detail, CLIENT_SECRET);
    }
    if Uuid::try_parse(secret.expose()).is_ok() {
        return failed(
            "This looks like the Secret ID. Enter the secret's Value, which contains letters, \
             numbers and characters; if it is no longer shown, create a new secret.",
            CLIENT_SECRET,
        );
    }
    None
}

/// Converts a rejected or failed token request into a check. A known error number selects the text,
/// otherwise the kind, because Microsoft does not guarantee that the numbers are stable.
pub(crate) fn refused(error: &EntraError) -> Check {
    if error.kind() == EntraErrorKind::Transient || !error.is_refusal() {
        let detail = format!("{NO_ANSWER} ({})", error.codes());
        return Check::not_checked(CheckId::EntraSignIn, detail);
    }
    let (way_out, pointer) = by_number(error.aadsts).unwrap_or_else(|| by_kind(error.kind()));
    let detail = format!("{way_out} ({})", error.codes());
    let check = Check::failed(CheckId::EntraSignIn, detail);
    match pointer {
        Some(pointer) => check.at(pointer),
        None => check,
    }
}

/// Returns the text for an error number if its kind has several causes.
fn by_number(number: Option<u32>) -> Option<(&'static str, Option<&'static str>)> {
    let (way_out, pointer) = match number? {
        700_016 => (
            "Your directory has no app with this client id. Copy the Application (client) ID from \
             the app registration, and make sure that the app was registered in this directory.",
            CLIENT_ID,
        ),
        7_000_229 => (
            "The app has no enterprise application in your directory. Open API permissions of \
             the app registration and grant admin consent.",
            CLIENT_ID,
        ),
        7_000_112 | 70_001 => (
            "The app is disabled in your directory. Enable it in Microsoft Entra under Enterprise \
             applications, Properties.",
            CLIENT_ID,
        ),
        53_000..=53_003 | 530_032 => (
            "A Conditional Access policy of your directory blocks the app. Exempt it, or allow \
             the addresses this service calls from.",
            ENTRA_APP,
        ),
        _ => return None,
    };
    Some((way_out, Some(pointer)))
}

fn by_kind(kind: EntraErrorKind) -> (&'static str, Option<&'static str>) {
    use EntraErrorKind as Kind;
    match kind {
        Kind::SecretExpired => (
            "The client secret has expired. Create a new one under Certificates & secrets of the \
             app registration, with a long expiry, and enter its Value.",
            Some(CLIENT_SECRET),
        ),
        Kind::SecretWrong => (
            "Microsoft Entra does not accept the client secret for this app. Enter the secret's \
             Value, not its Secret ID; if it is no longer shown, create a new secret.",
            Some(CLIENT_SECRET),
        ),
        Kind::AppUnknown => (
            "The app is not known or not enabled in your directory. Check the client id, and \
             grant admin consent.",
            Some(CLIENT_ID),
        ),
        Kind::TenantUnknown => (
            "Microsoft Entra does not know your directory in the cloud this service is deployed \
             for. Worldwide (with GCC), GCC High and DoD each have a deployment of their own.",
            None,
        ),
        Kind::ConsentMissing => (
            "Admin consent is missing or was withdrawn. Grant it under API permissions of the \
             app registration.",
            Some(ENTRA_APP),
        ),
        Kind::Transient => (NO_ANSWER, None),
        Kind::Other => (
            "Microsoft Entra refused to sign the app in for a reason this service does not know. \
             Search for the codes to find the reason.",
            Some(ENTRA_APP),
        ),
    }
}
