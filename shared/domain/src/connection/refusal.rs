//! Interprets a refusal by Microsoft Entra: its cause, its effect on a connection, and who has to
//! act.
//!
//! The OAuth error decides (RFC 6749). Entra's number and sub-error refine it if one error has
//! several causes. Microsoft may change the numbers
//! (<https://learn.microsoft.com/entra/identity-platform/reference-error-codes>), so an unknown
//! number falls back to the meaning of its error.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::aadsts_codes::NUMBERS;
use super::cause::Cause;
use super::state::Event;

/// The required action and who has to take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = FaultRemedy))]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Connect again with the same account.
    Reconnect,
    /// Connect with another account.
    OtherAccount,
    /// Connect again and consent.
    Consent,
    /// Ask an administrator of the directory.
    AskAdministrator,
    /// Operators of this service have to act; customers cannot resolve it.
    Operators,
    /// Nothing: the request is retried automatically.
    Wait,
}

/// The recipient of reports about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportTo {
    /// The customer's administrators.
    Customer,
    /// The operators, by an alarm on the log.
    Operators,
    /// No report.
    Nobody,
}

impl Cause {
    /// Returns the cause of an OAuth error with Entra's sub-error and number, if present.
    pub fn from_oauth_error(error: &str, suberror: Option<&str>, number: Option<u32>) -> Self {
        let known = NUMBERS.iter().find(|(one, _)| Some(*one) == number);
        if let Some((_, cause)) = known {
            return *cause;
        }
        match (error, suberror) {
            ("invalid_grant", Some("bad_token")) => Self::GrantExpired,
            ("invalid_grant" | "interaction_required", Some("token_expired")) => {
                Self::SignInFrequency
            }
            (_, Some("consent_required")) | ("consent_required", _) => Self::ConsentMissing,
            ("access_denied", _) => Self::Declined,
            ("interaction_required" | "login_required", _) => Self::SecondFactor,
            ("invalid_grant", _) => Self::GrantRevoked,
            ("unauthorized_client", _) => Self::AppUnknown,
            ("invalid_client", _) => Self::OurCredential,
            ("temporarily_unavailable" | "server_error" | "no_answer", _) => Self::Transient,
            (
                "invalid_request"
                | "invalid_scope"
                | "invalid_resource"
                | "unsupported_grant_type"
                | "unsupported_response_type",
                _,
            ) => Self::OurRequest,
            _ => Self::Other,
        }
    }

    /// Returns the event for a working connection; `None` if this service is at fault or the fault
    /// is temporary.
    pub const fn event(self) -> Option<Event> {
        match self {
            Self::Transient
            | Self::NotYetKnown
            | Self::OurCredential
            | Self::OurRequest
            | Self::StartAgain => None,
            Self::ConsentMissing => Some(Event::Outdated),
            _ => Some(Event::Lost),
        }
    }

    /// Returns the required action.
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::GrantRevoked
            | Self::GrantExpired
            | Self::SecondFactor
            | Self::StartAgain
            | Self::OtherPerson
            | Self::Declined
            | Self::Other => Remedy::Reconnect,
            Self::AccountDisabled
            | Self::AccountGone
            | Self::WrongAccount
            | Self::SharedMailbox
            | Self::NoCloudMailbox => Remedy::OtherAccount,
            Self::ConsentMissing => Remedy::Consent,
            Self::SignInFrequency
            | Self::ConditionalAccess
            | Self::AdminApproval
            | Self::AppUnknown
            | Self::AppDisabled
            | Self::NotAssigned
            | Self::MailRefused
            | Self::TenantUnknown => Remedy::AskAdministrator,
            Self::OurCredential | Self::OurRequest => Remedy::Operators,
            Self::NotYetKnown | Self::Transient => Remedy::Wait,
        }
    }

    /// Returns who gets a report.
    pub const fn report_to(self) -> ReportTo {
        match self.remedy() {
            Remedy::Operators => ReportTo::Operators,
            Remedy::Wait => ReportTo::Nobody,
            _ => ReportTo::Customer,
        }
    }

    /// Returns the result name in the URL to which the browser is redirected.
    pub const fn result(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::AdminApproval => "admin_approval_required",
            Self::WrongAccount => "wrong_tenant",
            Self::OtherPerson => "wrong_account",
            Self::StartAgain => "expired",
            Self::SharedMailbox => "shared_mailbox",
            Self::NoCloudMailbox => "no_cloud_mailbox",
            _ => "error",
        }
    }
}

/// A fault as stored and displayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectionFault))]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// The cause.
    pub cause: Cause,
    /// The required action.
    pub remedy: Remedy,
    /// Text for users.
    pub text: String,
    /// Entra's number (`AADSTS…`) or another code for support (S0-21).
    pub code: Option<String>,
    /// Time of the fault.
    pub at: DateTime<Utc>,
}

impl Fault {
    /// Creates a fault with the remedy and text of its cause.
    pub fn new(cause: Cause, code: Option<String>, at: DateTime<Utc>) -> Self {
        Self {
            cause,
            remedy: cause.remedy(),
            text: cause.message().to_owned(),
            code,
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of Microsoft's numbers: cause, event and required action.
    #[test]
    fn every_number_has_a_cause_a_state_and_an_action() {
        let lines = NUMBERS.map(|(number, cause)| {
            assert_eq!(
                Cause::from_oauth_error("anything", None, Some(number)),
                cause
            );
            format!(
                "AADSTS{number} | {cause:?} | {:?} | {:?} | {:?}",
                cause.event(),
                cause.remedy(),
                cause.report_to()
            )
        });
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn an_unknown_number_means_what_its_error_means() {
        let of = |error, sub| Cause::from_oauth_error(error, sub, Some(999_999));
        assert_eq!(of("invalid_grant", None), Cause::GrantRevoked);
        assert_eq!(of("invalid_grant", Some("bad_token")), Cause::GrantExpired);
        assert_eq!(
            of("invalid_grant", Some("consent_required")),
            Cause::ConsentMissing
        );
        assert_eq!(
            of("interaction_required", Some("token_expired")),
            Cause::SignInFrequency
        );
        assert_eq!(of("interaction_required", None), Cause::SecondFactor);
        assert_eq!(of("access_denied", None), Cause::Declined);
        assert_eq!(of("invalid_client", None), Cause::OurCredential);
        assert_eq!(of("temporarily_unavailable", None), Cause::Transient);
        assert_eq!(of("invalid_scope", None), Cause::OurRequest);
        assert_eq!(of("something new", None), Cause::Other);
    }

    /// Proves S1-14 and S0-22: results that the console distinguishes.
    #[test]
    fn causes_that_people_must_tell_apart_have_names_of_their_own() {
        let results = [
            Cause::Declined,
            Cause::AdminApproval,
            Cause::WrongAccount,
            Cause::OtherPerson,
            Cause::StartAgain,
            Cause::SharedMailbox,
            Cause::NoCloudMailbox,
        ]
        .map(Cause::result);
        let mut different = results.to_vec();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), results.len());
        assert!(!different.contains(&"error"));
    }

    #[test]
    fn what_is_ours_is_not_the_customers_to_mend() {
        for cause in [Cause::OurCredential, Cause::OurRequest] {
            assert_eq!(
                (cause.event(), cause.report_to()),
                (None, ReportTo::Operators)
            );
        }
        for cause in Cause::ALL {
            assert!(cause.message().ends_with('.'), "{cause:?}");
            assert_eq!(
                cause.report_to() == ReportTo::Nobody,
                cause.remedy() == Remedy::Wait
            );
        }
    }
}
