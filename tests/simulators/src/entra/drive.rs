//! Completes the pages without a browser.

use super::flow::{self, Decision, Flow, SignInLink, Step};
use crate::hub::Hub;

/// The user's choice on the consent page, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentChoice {
    /// Consents for the user; on the page of administrators, for the organisation.
    Accept,
    /// Consents for the whole organisation.
    AcceptForOrganisation,
    /// Cancels.
    Decline,
}

/// Follows the link as the user with this login; returns the final URL, or the text of an error
/// page.
pub(crate) fn sign_in(
    hub: &Hub,
    url: &str,
    login: &str,
    choice: ConsentChoice,
) -> Result<String, String> {
    let (_, rest) = url
        .split_once("/entra/")
        .ok_or_else(|| format!("{url} does not lead to Entra"))?;
    let (path, raw) = rest.split_once('?').unwrap_or((rest, ""));
    let (segment, flow) = match path.split('/').collect::<Vec<_>>()[..] {
        [segment, "oauth2", "v2.0", "authorize"] => (segment, Flow::Authorize),
        [segment, "v2.0", "adminconsent"] => (segment, Flow::AdminConsent),
        _ => return Err(format!("there is no page at {path}")),
    };
    let link = SignInLink {
        hub,
        segment,
        flow,
        raw,
    };
    let mut step = flow::start(&link);
    if matches!(step, Step::SignIn(_)) {
        step = flow::sign_in(&link, login);
    }
    if matches!(step, Step::Consent(_)) {
        let decision = Decision {
            accept: choice != ConsentChoice::Decline,
            organisation: choice == ConsentChoice::AcceptForOrganisation,
        };
        step = flow::decide(&link, login, decision);
    }
    match step {
        Step::Back(back) | Step::Refused(_, back) => Ok(back.location()),
        Step::Broken(text) => Err(text),
        Step::SignIn(page) => Err(page.notice.unwrap_or_default()),
        Step::Consent(_) => Err("the consent page came again".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_lead_to_no_page_are_reported() {
        let hub = Hub::new(String::new());
        for url in [
            "https://x.example/oauth2/v2.0/authorize",
            "https://x.example/entra/common/oauth2/v2.0/token",
            "https://x.example/entra/common/oauth2/v2.0/authorize?client_id=0",
        ] {
            let stuck = sign_in(&hub, url, "ada@x.example", ConsentChoice::Accept);
            assert!(stuck.is_err(), "{url}");
        }
    }
}
