//! Causes of refusals by Microsoft Entra or a mail service.

use serde::{Deserialize, Serialize};

/// Why Entra or a mail service refused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = FaultCause))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The grant was revoked: by the user, an administrator, or a password reset.
    GrantRevoked,
    /// The grant was not used for 90 days.
    GrantExpired,
    /// A Conditional Access policy requires a new sign-in at regular intervals.
    SignInFrequency,
    /// The account is disabled.
    AccountDisabled,
    /// The account no longer exists.
    AccountGone,
    /// The policy now requires a second factor.
    SecondFactor,
    /// Conditional Access blocks the sign-in.
    ConditionalAccess,
    /// Consent is missing or was withdrawn.
    ConsentMissing,
    /// The user declined the consent.
    Declined,
    /// Only an administrator may give the consent.
    AdminApproval,
    /// This service's app is unknown in the directory.
    AppUnknown,
    /// This service's app is disabled in the directory.
    AppDisabled,
    /// The account may not use the app, because the app requires assignment.
    NotAssigned,
    /// The account belongs to another directory.
    WrongAccount,
    /// A different account signed in than the one that started the sign-in.
    OtherPerson,
    /// The directory does not exist in this cloud.
    TenantUnknown,
    /// This service's own secret or certificate is invalid or expired; all tenants are affected.
    OurCredential,
    /// This service sent an invalid request.
    OurRequest,
    /// The authorisation code was used or has expired; the sign-in has to be restarted.
    StartAgain,
    /// The credential is new and not known everywhere yet.
    NotYetKnown,
    /// Entra is temporarily unavailable.
    Transient,
    /// The account is a shared mailbox (S1-12).
    SharedMailbox,
    /// The account has no mailbox in the cloud (S1-09).
    NoCloudMailbox,
    /// Microsoft 365 refused to send mail from the account although the sign-in is valid.
    MailRefused,
    /// Any other cause.
    Other,
}

impl Cause {
    /// All causes.
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
