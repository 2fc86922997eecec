//! The channel of a catalog's mail: its connected account, or Azure Communication Services.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_app::mail_account::{AccountError, ConnectedAccount};
use rollcall_clients::acs::AcsMail;
use rollcall_clients::http::ApiError;
use rollcall_clients::mail::{Importance, OutgoingMail, SendError};
use rollcall_clients::vault::VaultError;
use rollcall_domain::base::ids::{CatalogId, ObjectId, TenantId};
use rollcall_domain::connection::{Capability, MailConnection};
use rollcall_domain::notices::{Notice, NoticeKind, RenderedNotice, Urgency};

/// The mailbox name of Azure Communication Services.
const COMMUNICATION_SERVICES: &str = "communication-services";
/// The timeout for sending one e-mail; the function's own timeout is longer.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// A channel, shared by all catalogs that use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailChannel {
    /// The account of this object id.
    Account(ObjectId),
    /// Azure Communication Services, for the catalogs that chose it (S1-26).
    CommunicationServices,
}

/// A channel that is ready to send: everything that can fail before sending has succeeded.
pub(crate) enum ReadyChannel {
    Account(Box<ConnectedAccount>),
    CommunicationServices(Box<AcsMail>),
}

impl MailChannel {
    /// Returns the channel of a catalog's mail if its connection works (S1-32). `activated`: the
    /// tenant may use Communication Services (S1-28).
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

    /// Returns the name under which its lease and its rate limit are stored.
    pub(crate) fn mailbox_name(self) -> String {
        match self {
            Self::Account(object) => format!("account-{object}"),
            Self::CommunicationServices => COMMUNICATION_SERVICES.to_owned(),
        }
    }

    /// Returns true if Exchange's limits on a mailbox apply.
    pub(crate) const fn has_rate_limit(self) -> bool {
        matches!(self, Self::Account(_))
    }

    /// Returns true if an e-mail that was marked by a mailbox may be sent again without causing a
    /// duplicate: this channel detects duplicates, and the mark is from this channel.
    pub(crate) fn detects_duplicates(self, mailbox_name: &str) -> bool {
        self == Self::CommunicationServices && mailbox_name == COMMUNICATION_SERVICES
    }

    /// Prepares everything that is needed to send a catalog's mail.
    pub(crate) async fn prepare(
        self,
        services: &Services,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<ReadyChannel, ChannelError> {
        match self {
            Self::Account(object) => {
                let account = services.account(tenant, catalog).await?;
                let connected = account.connection.account.as_ref();
                // Another account has been connected in the meantime; it has a different mailbox.
                if connected.map(|it| it.object) != Some(object) {
                    return Err(AccountError::NotConnected.into());
                }
                Ok(ReadyChannel::Account(Box::new(account)))
            }
            Self::CommunicationServices => {
                let channel = communication_services(services).await;
                let channel = channel.map_err(ChannelError::CommunicationServices)?;
                Ok(ReadyChannel::CommunicationServices(Box::new(channel)))
            }
        }
    }
}

impl ReadyChannel {
    /// Returns when the account that sends the e-mail was connected.
    pub(crate) fn connected_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Account(account) => account.connection.connected_at,
            Self::CommunicationServices(_) => None,
        }
    }

    /// Returns why an e-mail is obsolete: it announces an account that has since been replaced, or
    /// a session that is over.
    pub(crate) fn reason_to_drop(
        &self,
        about: &NoticeKind,
        now: DateTime<Utc>,
    ) -> Option<&'static str> {
        match about {
            NoticeKind::AccountConnected { at, .. } => {
                let greeted = self.connected_at();
                let other = greeted.is_some_and(|connected| connected != *at);
                other.then_some("Another account has been connected since.")
            }
            NoticeKind::SessionScheduled { end, .. } | NoticeKind::SessionChanged { end, .. } => {
                (*end < now).then_some("The session was over before this could be sent.")
            }
            _ => None,
        }
    }

    /// Sends an e-mail, with a timeout.
    pub(crate) async fn send(&self, mail: &OutgoingMail) -> Result<(), SendError> {
        let sent = async {
            match self {
                Self::Account(account) => account.mailbox.send(mail).await,
                Self::CommunicationServices(channel) => channel.send(mail).await,
            }
        };
        let slow = || SendError::Unknown("no response arrived in time".to_owned());
        let in_time = tokio::time::timeout(SEND_TIMEOUT, sent).await;
        in_time.unwrap_or_else(|_| Err(slow()))
    }
}

/// The reason why nothing can be sent now. No mail was changed.
#[derive(Debug)]
pub(crate) enum ChannelError {
    /// The catalog's account.
    Account(AccountError),
    /// The deployment's Azure Communication Services.
    CommunicationServices(CommunicationServicesError),
}

impl From<AccountError> for ChannelError {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

/// Azure Communication Services cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommunicationServicesError {
    /// The deployment lacks a setting.
    #[error("this deployment has no Azure Communication Services")]
    NotConfigured,
    /// The key cannot be read.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The client rejected its settings.
    #[error(transparent)]
    Client(#[from] ApiError),
}

/// Converts a rendered notice to an e-mail.
pub(crate) fn outgoing(notice: &Notice, rendered: RenderedNotice) -> OutgoingMail {
    let importance = match notice.urgency {
        Urgency::Urgent => Importance::High,
        Urgency::Normal | Urgency::Bulk => Importance::Normal,
    };
    OutgoingMail {
        to: notice.recipients.clone(),
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        id: notice.id,
        importance,
    }
}

async fn communication_services(
    services: &Services,
) -> Result<AcsMail, CommunicationServicesError> {
    let settings = &services.settings;
    let (Some(url), Some(sender)) = (&settings.acs_url, &settings.acs_sender) else {
        return Err(CommunicationServicesError::NotConfigured);
    };
    let key = services.vault.acs_key().await?;
    Ok(AcsMail::new(services.http(), url, &key, sender)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: the state of a mailbox is stored under the name of the mailbox.
    #[test]
    fn mailboxes_keep_their_names() {
        let object: ObjectId = "00000000-0000-0000-0000-000000000007"
            .parse()
            .expect("invalid id");
        let account = MailChannel::Account(object);
        assert_eq!(
            account.mailbox_name(),
            "account-00000000-0000-0000-0000-000000000007"
        );
        assert_eq!(
            MailChannel::CommunicationServices.mailbox_name(),
            "communication-services"
        );
    }
}
