//! The parameters with which Microsoft sends the browser back.

use rollcall_domain::connection::Cause;
use serde::Deserialize;

use crate::response::Refusal;

/// The parameters that are read (OAuth 2.0, section 4.1.2; admin consent).
#[derive(Deserialize)]
pub(crate) struct CallbackParams {
    state: Option<String>,
    pub(crate) code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    /// Present on errors as well, so it is checked last.
    pub(crate) admin_consent: Option<String>,
    /// Must be the tenant of the sign-in attempt. It proves nothing, because it can be forged.
    pub(crate) tenant: Option<String>,
}

impl CallbackParams {
    /// Returns the parameters and their state, if they have one.
    pub(crate) fn with_state(self) -> Option<(String, Self)> {
        let state = self.state.clone().filter(|state| !state.is_empty())?;
        Some((state, self))
    }

    /// Returns the error that Microsoft reports. It is checked before anything else, because an
    /// error response contains `admin_consent=True` as well.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let error = self.error.as_deref()?;
        let number = self.error_description.as_deref().and_then(aadsts_number);
        let code = number.map_or_else(|| error_name(error), |number| format!("AADSTS{number}"));
        Some(Refusal::Refused {
            cause: Cause::from_oauth_error(error, None, number),
            code: Some(code),
        })
    }
}

/// Parses Entra's error number, which a redirect contains in its description only.
fn aadsts_number(description: &str) -> Option<u32> {
    let digits = description.strip_prefix("AADSTS")?;
    let end = digits.find(|c: char| !c.is_ascii_digit());
    digits[..end.unwrap_or(digits.len())].parse().ok()
}

/// Returns an error's name without characters that are invalid in error names, at most 40
/// characters.
fn error_name(error: &str) -> String {
    let known = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    error.chars().filter(known).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returned(error: &str, description: &str) -> CallbackParams {
        CallbackParams {
            state: None,
            code: None,
            error: Some(error.to_owned()),
            error_description: Some(description.to_owned()),
            admin_consent: Some("True".to_owned()),
            tenant: None,
        }
    }

    /// Proves S0-22 and S1-14: a declined consent and a required approval have different causes.
    #[test]
    fn an_error_counts_before_everything_else() {
        let read = |error, text| returned(error, text).refusal().expect("no refusal");
        let refused = |cause, code: &str| Refusal::Refused {
            cause,
            code: Some(code.to_owned()),
        };
        let declined = read("access_denied", "AADSTS65004: User declined.");
        assert_eq!(declined, refused(Cause::Declined, "AADSTS65004"));
        let approval = read("access_denied", "AADSTS90094: The grant requires admin.");
        assert_eq!(approval, refused(Cause::AdminApproval, "AADSTS90094"));
        let odd = read("<script>alert(1)</script>", "no number");
        assert_eq!(odd, refused(Cause::Other, "scriptalert1script"));
    }
}
