//! Texts for users about a refusal, with the remedy.

use super::cause::Cause;

impl Cause {
    /// Returns the text for users: the cause and the remedy.
    pub const fn message(self) -> &'static str {
        match self {
            Self::GrantRevoked => {
                "The permission to act for the account was revoked, or its password was reset by an administrator. Connect the account again."
            }
            Self::GrantExpired => {
                "The sign-in of the account has expired because it was not used for 90 days. Connect the account again."
            }
            Self::SignInFrequency => {
                "A Conditional Access policy of your directory requires the account to sign in again regularly. Connect it again, and ask an administrator to exempt it from the sign-in frequency."
            }
            Self::AccountDisabled => {
                "The account is disabled in your directory. Enable it, or connect another one."
            }
            Self::AccountGone => {
                "The account no longer exists in your directory. Connect another one."
            }
            Self::SecondFactor => {
                "Your directory now requires an additional sign-in step for the account. Connect it again and complete that step."
            }
            Self::Declined => "The permissions were declined, so nothing was connected.",
            Self::WrongAccount => {
                "The account belongs to another directory. Sign in with an account of your own organisation."
            }
            Self::StartAgain => "This sign-in has expired or was used before. Start it again.",
            Self::OtherPerson => {
                "A different account signed in than the one that started the sign-in. Start again and sign in with the account that you use here."
            }
            Self::SharedMailbox => {
                "This is a shared mailbox, which cannot be connected. Connect a user account or a service account with its own licence."
            }
            Self::NoCloudMailbox => {
                "The account has no mailbox in Exchange Online; a mailbox on your own servers cannot be used. Connect an account with a cloud mailbox."
            }
            Self::MailRefused => {
                "Microsoft 365 refused to send mail from the account. Ask your Exchange administrator, with the code shown, and read Microsoft's guidance on delivery problems in Exchange Online."
            }
            _ => self.directory_message(),
        }
    }

    /// Returns the text if the directory or this service causes the refusal, not the account.
    const fn directory_message(self) -> &'static str {
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
                "This service is not registered in your directory, or no longer. A Global Administrator has to connect Microsoft Entra ID."
            }
            Self::AppDisabled => {
                "This service is disabled in your directory. Ask an administrator to enable it under Enterprise applications."
            }
            Self::NotAssigned => {
                "Your directory lets only assigned accounts use this service. Ask an administrator to assign the account under Enterprise applications."
            }
            Self::TenantUnknown => {
                "Your directory does not exist in the cloud for which this service is deployed. GCC High and DoD have separate deployments."
            }
            Self::OurCredential => {
                "Microsoft does not accept this service's own credential. Its operators have been alerted; nothing has to be done on your side."
            }
            Self::OurRequest => {
                "This service sent an invalid request to Microsoft. Its operators have been alerted; nothing has to be done on your side."
            }
            Self::NotYetKnown => {
                "Microsoft has not applied the change everywhere yet. The request is retried automatically."
            }
            Self::Transient => {
                "Microsoft is temporarily unavailable. The request is retried automatically."
            }
            _ => {
                "Microsoft refused the request for an unknown reason. Connect again; if the error occurs again, give the code to support."
            }
        }
    }
}
