//! Who carries a catalog's mail: its connected account, or Azure Communication Services.

use rollcall_clients::acs::AcsMail;
use rollcall_clients::http::ApiError;
use rollcall_clients::outgoing::{OutgoingMail, SendError, Urgency as Mark};
use rollcall_domain::connection::MailConnection;
use rollcall_domain::ids::{CatalogId, TenantId};
use rollcall_domain::notices::{Notice, Urgency, words};
use rollcall_runtime::Services;
use rollcall_runtime::services::AccountError;

/// A way out, shared by all catalogs that use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// The account of this object id.
    Account(rollcall_domain::ids::ObjectId),
    /// Azure Communication Services, for the catalogs that chose it (S1-26).
    CommunicationServices,
}

impl Carrier {
    /// What carries a catalog's mail, while its connection works (S1-32).
    pub(crate) fn of(connection: &MailConnection) -> Option<Self> {
        let usable = connection.options.enabled && connection.status.is_usable();
        let account = connection.account.as_ref().filter(|_| usable)?;
        Some(if connection.options.use_azure_communication_services {
            Self::CommunicationServices
        } else {
            Self::Account(account.object)
        })
    }

    /// The name under which its lease and its pace are kept.
    pub(crate) fn lane(self) -> String {
        match self {
            Self::Account(object) => format!("account-{object}"),
            Self::CommunicationServices => "communication-services".to_owned(),
        }
    }

    /// Whether a mail whose end is unknown may be handed over again: only where
    /// the carrier knows a repeated one.
    pub(crate) const fn knows_repeats(self) -> bool {
        matches!(self, Self::CommunicationServices)
    }

    /// Whether Exchange's limits on a mailbox count.
    pub(crate) const fn has_pace(self) -> bool {
        matches!(self, Self::Account(_))
    }

    /// Hands a mail over.
    pub(crate) async fn send(
        self,
        services: &Services,
        tenant: TenantId,
        catalog: CatalogId,
        notice: &Notice,
    ) -> Result<(), Trouble> {
        let mail = outgoing(notice)?;
        match self {
            Self::Account(_) => {
                let account = services.account(tenant, catalog).await?;
                Ok(account.mailbox.send(&mail).await?)
            }
            Self::CommunicationServices => {
                let channel = communication_services(services).await?;
                Ok(channel.send(&mail).await?)
            }
        }
    }
}

/// Why a mail was not handed over.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The mail's own.
    Mail(SendError),
    /// The account's.
    Account(AccountError),
    /// The deployment lacks something, or something of ours is broken.
    Ours(String),
}

impl From<SendError> for Trouble {
    fn from(error: SendError) -> Self {
        Self::Mail(error)
    }
}

impl From<AccountError> for Trouble {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

fn outgoing(notice: &Notice) -> Result<OutgoingMail, Trouble> {
    let words = words(notice).map_err(Trouble::Ours)?;
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

async fn communication_services(services: &Services) -> Result<AcsMail, Trouble> {
    let settings = &services.settings;
    let missing =
        || Trouble::Ours("this deployment has no Azure Communication Services".to_owned());
    let url = settings.acs_url.as_deref().ok_or_else(missing)?;
    let sender = settings.acs_sender.as_deref().ok_or_else(missing)?;
    let key = services.vault.acs_key().await;
    let key = key.map_err(|error| Trouble::Ours(error.to_string()))?;
    AcsMail::new(services.http(), url, &key, sender)
        .map_err(|error: ApiError| Trouble::Ours(error.to_string()))
}
