//! Why Microsoft Entra or a mail service refused.

use serde::{Deserialize, Serialize};

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
}
