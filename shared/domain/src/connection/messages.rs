//! What people read about a refusal, with the way out.

use super::cause::Cause;

impl Cause {
    /// What people read, with the way out.
    pub const fn message(self) -> &'static str {
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
            _ => self.directory_message(),
        }
    }

    /// The same where the directory or this service is the trouble, not the account.
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
