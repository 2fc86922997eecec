//! Who carries a catalog's mail: its connected account, or Azure Communication Services.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_app::mail_account::{AccountError, ConnectedAccount};
use rollcall_clients::acs::AcsMail;
use rollcall_clients::http::ApiError;
use rollcall_clients::mail::{OutgoingMail, SendError, Urgency as Mark};
use rollcall_domain::base::ids::{CatalogId, ObjectId, TenantId};
use rollcall_domain::connection::{Capability, MailConnection};
use rollcall_domain::notices::{Notice, Urgency, render};

/// The name of the lane of Communication Services.
const COMMUNICATION_SERVICES: &str = "communication-services";
/// Handing over one mail may take no longer than this; its function lives longer.
const HAND_OVER: Duration = Duration::from_secs(30);

/// A way out, shared by all catalogs that use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailChannel {
    /// The account of this object id.
    Account(ObjectId),
    /// Azure Communication Services, for the catalogs that chose it (S1-26).
    CommunicationServices,
}

/// A carrier that is ready: whatever can fail before a mail is handed over has not.
pub(crate) enum Ready {
    Account(Box<ConnectedAccount>),
    CommunicationServices(Box<AcsMail>),
}

impl MailChannel {
    /// What carries a catalog's mail, while its connection works (S1-32). `activated`
    /// is whether the tenant may use Communication Services (S1-28).
    pub(crate) fn of(connection: &MailConnection, activated: bool) -> Option<Self> {
        let usable = connection.options.enabled && connection.status.is_usable();
        let account = connection.account.as_ref().filter(|_| usable)?;
        if activated && connection.options.use_azure_communication_services {
            return Some(Self::CommunicationServices);
        }
        // An account without a licence for mail sends none (S1-10).
        let can = connection.allows(Capability::Mail);
        can.then_some(Self::Account(account.object))
    }

    /// The name under which its lease and its pace are kept.
    pub(crate) fn lane(self) -> String {
        match self {
            Self::Account(object) => format!("account-{object}"),
            Self::CommunicationServices => COMMUNICATION_SERVICES.to_owned(),
        }
    }

    /// Whether Exchange's limits on a mailbox count.
    pub(crate) const fn has_pace(self) -> bool {
        matches!(self, Self::Account(_))
    }

    /// Whether a mail that was marked on a lane may be handed over again: only
    /// where the carrier knows a repeated one, and it was that carrier's.
    pub(crate) fn knows_repeat_of(self, lane: &str) -> bool {
        self == Self::CommunicationServices && lane == COMMUNICATION_SERVICES
    }

    /// Gets everything that is needed to hand a catalog's mails over.
    pub(crate) async fn ready(
        self,
        services: &Services,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<Ready, Unready> {
        match self {
            Self::Account(object) => {
                let account = services.account(tenant, catalog).await?;
                let connected = account.connection.account.as_ref();
                // Another one was connected meanwhile: its lane is another.
                if connected.map(|it| it.object) != Some(object) {
                    return Err(AccountError::NotConnected.into());
                }
                Ok(Ready::Account(Box::new(account)))
            }
            Self::CommunicationServices => {
                let channel = communication_services(services).await?;
                Ok(Ready::CommunicationServices(Box::new(channel)))
            }
        }
    }
}

impl Ready {
    /// Since when the account is connected that carries the mail.
    pub(crate) fn connected_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Account(account) => account.connection.connected_at,
            Self::CommunicationServices(_) => None,
        }
    }

    /// Hands a mail over.
    pub(crate) async fn send(&self, mail: &OutgoingMail) -> Result<(), SendError> {
        let sent = async {
            match self {
                Self::Account(account) => account.mailbox.send(mail).await,
                Self::CommunicationServices(channel) => channel.send(mail).await,
            }
        };
        let slow = || SendError::Unknown("no answer came in time".to_owned());
        let in_time = tokio::time::timeout(HAND_OVER, sent).await;
        in_time.unwrap_or_else(|_| Err(slow()))
    }
}

/// Why nothing can be handed over now. No mail was touched.
#[derive(Debug)]
pub(crate) enum Unready {
    /// The catalog's account.
    Account(AccountError),
    /// The deployment lacks something.
    Ours(String),
}

impl From<AccountError> for Unready {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

/// A notice as a mail.
pub(crate) fn outgoing(notice: &Notice) -> Result<OutgoingMail, String> {
    let words = render(notice)?;
    let urgency = match notice.urgency {
        Urgency::Urgent => Mark::High,
        Urgency::Normal | Urgency::Bulk => Mark::Normal,
    };
    Ok(OutgoingMail {
        to: notice.recipients.clone(),
        subject: words.subject,
        text: words.text,
        html: words.html,
        id: notice.id,
        urgency,
    })
}

async fn communication_services(services: &Services) -> Result<AcsMail, Unready> {
    let settings = &services.settings;
    let missing =
        || Unready::Ours("this deployment has no Azure Communication Services".to_owned());
    let url = settings.acs_url.as_deref().ok_or_else(missing)?;
    let sender = settings.acs_sender.as_deref().ok_or_else(missing)?;
    let key = services.vault.acs_key().await;
    let key = key.map_err(|error| Unready::Ours(error.to_string()))?;
    AcsMail::new(services.http(), url, &key, sender)
        .map_err(|error: ApiError| Unready::Ours(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: what is remembered of a mailbox is stored under the name of its lane.
    #[test]
    fn lanes_keep_their_names() {
        let object: ObjectId = "00000000-0000-0000-0000-000000000007"
            .parse()
            .expect("an id");
        let account = MailChannel::Account(object);
        assert_eq!(
            account.lane(),
            "account-00000000-0000-0000-0000-000000000007"
        );
        assert_eq!(
            MailChannel::CommunicationServices.lane(),
            "communication-services"
        );
    }
}
