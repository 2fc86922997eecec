//! What a refusal of Microsoft Entra means: its cause, what it does to a connection, who has to act.
//!
//! The OAuth error decides (RFC 6749); Entra's number and sub-error refine it
//! where one error stands for many causes. Microsoft does not promise that the
//! numbers stay
//! (<https://learn.microsoft.com/entra/identity-platform/reference-error-codes>),
//! so an unknown one falls back to what its error means.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::state::Event;

/// Why Entra refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = FaultCause))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The grant was taken back: by the user, an administrator, or a reset password.
    GrantRevoked,
    /// Nobody used the grant for 90 days.
    GrantExpired,
    /// A Conditional Access policy asks for a fresh sign-in every so often.
    SignInFrequency,
    /// The account is disabled.
    AccountDisabled,
    /// The account does not exist any more.
    AccountGone,
    /// The policy now asks for a second factor.
    SecondFactor,
    /// Conditional Access blocks the sign-in.
    ConditionalAccess,
    /// Consent is missing or was withdrawn.
    ConsentMissing,
    /// The person declined.
    Declined,
    /// Only an administrator may consent.
    AdminApproval,
    /// This service's app is not known in the directory.
    AppUnknown,
    /// It is disabled there.
    AppDisabled,
    /// The account may not use it: assignment is required.
    NotAssigned,
    /// The account is of another directory.
    WrongAccount,
    /// Somebody else signed in than the one who began.
    OtherPerson,
    /// There is no such directory in this cloud.
    TenantUnknown,
    /// This service's own secret or certificate is wrong or over: every tenant suffers.
    OurCredential,
    /// This service asked wrongly.
    OurRequest,
    /// The sign-in has to be started again: its code is used or over.
    StartAgain,
    /// The credential was made a moment ago and is not known everywhere yet.
    NotYetKnown,
    /// Entra cannot answer now.
    Transient,
    /// The account is a shared mailbox (S1-12).
    SharedMailbox,
    /// The account has no mailbox in the cloud (S1-09).
    NoCloudMailbox,
    /// The service's mail was refused although the sign-in is good.
    MailRefused,
    /// Anything else.
    Other,
}

/// Who has to do what.
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
    /// Operators of this service have to act; customers cannot.
    Operators,
    /// Nothing: it is tried again.
    Wait,
}

/// Who is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The customer's administrators.
    Customer,
    /// The operators, by an alarm on the log.
    Operators,
    /// Nobody yet.
    Nobody,
}

/// The numbers that stand for one cause whatever the OAuth error says.
const NUMBERS: [(u32, Cause); 52] = [
    (50_173, Cause::GrantRevoked),
    (700_082, Cause::GrantExpired),
    (70_008, Cause::GrantExpired),
    (70_043, Cause::SignInFrequency),
    (50_057, Cause::AccountDisabled),
    (50_034, Cause::AccountGone),
    (50_072, Cause::SecondFactor),
    (50_074, Cause::SecondFactor),
    (50_076, Cause::SecondFactor),
    (50_079, Cause::SecondFactor),
    (53_000, Cause::ConditionalAccess),
    (53_001, Cause::ConditionalAccess),
    (53_002, Cause::ConditionalAccess),
    (53_003, Cause::ConditionalAccess),
    (530_032, Cause::ConditionalAccess),
    (65_001, Cause::ConsentMissing),
    (65_004, Cause::Declined),
    (90_094, Cause::AdminApproval),
    (90_095, Cause::AdminApproval),
    (700_016, Cause::AppUnknown),
    (7_000_229, Cause::AppUnknown),
    (7_000_112, Cause::AppDisabled),
    (70_001, Cause::AppDisabled),
    (7_000_215, Cause::OurCredential),
    (7_000_222, Cause::OurCredential),
    (700_027, Cause::OurCredential),
    (50_012, Cause::OurCredential),
    (700_030, Cause::OurCredential),
    (7_000_218, Cause::OurRequest),
    (50_011, Cause::OurRequest),
    (50_194, Cause::OurRequest),
    (50_196, Cause::OurRequest),
    (70_021, Cause::NotYetKnown),
    (90_002, Cause::TenantUnknown),
    (90_038, Cause::TenantUnknown),
    (900_382, Cause::TenantUnknown),
    (900_432, Cause::TenantUnknown),
    (900_439, Cause::TenantUnknown),
    (50_020, Cause::WrongAccount),
    (16_000, Cause::WrongAccount),
    (50_105, Cause::NotAssigned),
    (54_005, Cause::StartAgain),
    (501_481, Cause::StartAgain),
    (70_000, Cause::StartAgain),
    (700_005, Cause::StartAgain),
    (90_033, Cause::Transient),
    (90_006, Cause::Transient),
    (90_024, Cause::Transient),
    (50_033, Cause::Transient),
    (50_087, Cause::Transient),
    (90_090, Cause::Transient),
    (90_055, Cause::Transient),
];

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 25] = [
        Self::GrantRevoked,
        Self::GrantExpired,
        Self::SignInFrequency,
        Self::AccountDisabled,
        Self::AccountGone,
        Self::SecondFactor,
        Self::ConditionalAccess,
        Self::ConsentMissing,
        Self::Declined,
        Self::AdminApproval,
        Self::AppUnknown,
        Self::AppDisabled,
        Self::NotAssigned,
        Self::WrongAccount,
        Self::OtherPerson,
        Self::TenantUnknown,
        Self::OurCredential,
        Self::OurRequest,
        Self::StartAgain,
        Self::NotYetKnown,
        Self::Transient,
        Self::SharedMailbox,
        Self::NoCloudMailbox,
        Self::MailRefused,
        Self::Other,
    ];

    /// The cause of an OAuth error with Entra's sub-error and number, if it sent them.
    pub fn of(error: &str, suberror: Option<&str>, number: Option<u32>) -> Self {
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

    /// What it does to a connection that worked; nothing where the fault is
    /// ours or passes.
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

    /// Who has to do what.
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

    /// Who is told of it.
    pub const fn told(self) -> Told {
        match self.remedy() {
            Remedy::Operators => Told::Operators,
            Remedy::Wait => Told::Nobody,
            _ => Told::Customer,
        }
    }

    /// The state's name in the address the browser is sent back to.
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

    /// What people read, with the way out.
    pub const fn words(self) -> &'static str {
        match self {
            Self::GrantRevoked => {
                "The permission to act for the account was taken back, or its password was reset by an administrator. Connect the account again."
            }
            Self::GrantExpired => {
                "The sign-in of the account has expired because it was not used for 90 days. Connect the account again."
            }
            Self::SignInFrequency => {
                "A Conditional Access policy of your directory makes the account sign in again and again. Connect it again, and ask an administrator to exempt it from the sign-in frequency."
            }
            Self::AccountDisabled => {
                "The account is disabled in your directory. Enable it, or connect another one."
            }
            Self::AccountGone => {
                "The account no longer exists in your directory. Connect another one."
            }
            Self::SecondFactor => {
                "Your directory now asks the account for another sign-in step. Connect it again and complete that step."
            }
            Self::Declined => "The permissions were declined, so nothing was connected.",
            Self::WrongAccount => {
                "The account belongs to another directory. Sign in with an account of your own organisation."
            }
            Self::StartAgain => "This sign-in has expired or was used before. Start it again.",
            Self::OtherPerson => {
                "Another account signed in than the one that began. Start again and sign in with the account you use here."
            }
            Self::SharedMailbox => {
                "This is a shared mailbox, which cannot be connected. Connect the account of a person or a service account with a licence of its own."
            }
            Self::NoCloudMailbox => {
                "The account has no mailbox in Exchange Online; a mailbox on your own servers cannot be used. Connect an account with a cloud mailbox."
            }
            Self::MailRefused => {
                "Microsoft 365 refused to send mail from the account. Ask your Exchange administrator, with the code shown, and read Microsoft's guidance on delivery problems in Exchange Online."
            }
            _ => self.words_of_the_directory(),
        }
    }

    /// The same where the directory or this service is the trouble, not the account.
    const fn words_of_the_directory(self) -> &'static str {
        match self {
            Self::ConditionalAccess => {
                "A Conditional Access policy of your directory blocks the sign-in. Ask an administrator to exempt the account."
            }
            Self::ConsentMissing => {
                "The consent is missing, outdated or was withdrawn. Connect again and select Consent to continue."
            }
            Self::AdminApproval => {
                "In your directory only administrators may consent. Ask one to approve the permissions, then connect again."
            }
            Self::AppUnknown => {
                "Your directory does not know this service yet, or no longer. A Global Administrator has to connect Microsoft Entra ID."
            }
            Self::AppDisabled => {
                "This service is disabled in your directory. Ask an administrator to enable it under Enterprise applications."
            }
            Self::NotAssigned => {
                "Your directory lets only assigned accounts use this service. Ask an administrator to assign the account under Enterprise applications."
            }
            Self::TenantUnknown => {
                "Microsoft does not know your directory in the cloud this service is deployed for. GCC High and DoD have deployments of their own."
            }
            Self::OurCredential => {
                "Microsoft does not accept this service's own credential. Its operators have been alerted; nothing has to be done on your side."
            }
            Self::OurRequest => {
                "This service asked Microsoft for something wrongly. Its operators have been alerted; nothing has to be done on your side."
            }
            Self::NotYetKnown => {
                "Microsoft has not spread the change everywhere yet. It is tried again."
            }
            Self::Transient => "Microsoft cannot answer at the moment. It is tried again.",
            _ => {
                "Microsoft refused for a reason this service does not know. Connect again; if it happens again, the code tells more."
            }
        }
    }
}

/// A fault as it is kept and shown: why, with what code, since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectionFault))]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// Why.
    pub cause: Cause,
    /// Who has to do what.
    pub remedy: Remedy,
    /// What people read.
    pub text: String,
    /// Entra's number (`AADSTS…`) or another code to tell support (S0-21).
    pub code: Option<String>,
    /// Since when.
    pub at: DateTime<Utc>,
}

impl Fault {
    /// The fault of this cause.
    pub fn new(cause: Cause, code: Option<String>, at: DateTime<Utc>) -> Self {
        Self {
            cause,
            remedy: cause.remedy(),
            text: cause.words().to_owned(),
            code,
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of Microsoft's numbers: what each means for a connection and
    /// who has to act.
    #[test]
    fn every_number_has_a_cause_a_state_and_an_action() {
        let lines = NUMBERS.map(|(number, cause)| {
            assert_eq!(Cause::of("anything", None, Some(number)), cause);
            format!(
                "AADSTS{number} | {cause:?} | {:?} | {:?} | {:?}",
                cause.event(),
                cause.remedy(),
                cause.told()
            )
        });
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn an_unknown_number_means_what_its_error_means() {
        let of = |error, sub| Cause::of(error, sub, Some(999_999));
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

    /// Proves S1-14 and S0-22: results that the console tells apart.
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
            assert_eq!((cause.event(), cause.told()), (None, Told::Operators));
        }
        for cause in Cause::ALL {
            assert!(cause.words().ends_with('.'), "{cause:?}");
            assert_eq!(cause.told() == Told::Nobody, cause.remedy() == Remedy::Wait);
        }
    }
}
