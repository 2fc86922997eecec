//! Connected accounts: their newest grant, access to their mailbox, and the handling of a loss.

mod cleanup;
mod lost;
mod tokens;
mod welcome;

use rollcall_clients::entra::AccessToken;
use rollcall_clients::http::ApiError;
use rollcall_clients::mailbox::Mailbox;
use rollcall_clients::queue::QueueError;
use rollcall_clients::store::{Attempts, StoreError};
use rollcall_clients::vault::VaultError;
use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::{Cause, MailConnection};

use crate::Services;
use crate::notify::NotifyError;
use crate::service_app::AppError;
pub(crate) use tokens::AccountTokens;

/// The reason why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The catalog has no usable account: it is disabled, was never connected, or was lost.
    #[error("the catalog has no connected account that works")]
    NotConnected,
    /// The account was lost during this call; the loss is stored and the notice queued.
    #[error("the connected account was lost: {0:?}")]
    Lost(Cause),
    /// The account may be usable later.
    #[error("the connected account cannot be used at the moment: {0}")]
    Later(String),
    /// This service's own app cannot be used.
    #[error(transparent)]
    App(#[from] AppError),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret store failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The client could not be created, or Graph rejected the request.
    #[error(transparent)]
    Client(#[from] ApiError),
    /// The notice could not be queued.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl From<NotifyError> for AccountError {
    fn from(error: NotifyError) -> Self {
        match error {
            NotifyError::Store(error) => Self::Store(error),
            NotifyError::Queue(error) => Self::Queue(error),
        }
    }
}

/// A catalog's account, ready for use.
#[derive(Debug)]
pub struct ConnectedAccount {
    /// Its mailbox and calendar.
    pub mailbox: Mailbox,
    /// Its connection.
    pub connection: MailConnection,
}

impl Services {
    /// Returns the catalog's account, if it is usable.
    ///
    /// # Errors
    /// Returns the reason why there is none. If the grant is rejected, the connection's state is
    /// changed and the administrators are notified before this returns.
    pub async fn account(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<ConnectedAccount, AccountError> {
        let connection = self.usable(tenant, catalog).await?;
        let key = (tenant, catalog, connection.connected_at);
        let known = self.account_tokens().get(&key).cloned();
        let token = match known.filter(AccessToken::is_fresh) {
            Some(token) => token,
            None => self.renew_grant(tenant, catalog).await?,
        };
        let mailbox = Mailbox::new(
            self.http.clone(),
            &self.settings.graph_url,
            token.secret().clone(),
        )?;
        Ok(ConnectedAccount {
            mailbox,
            connection,
        })
    }

    pub(crate) async fn usable(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<MailConnection, AccountError> {
        let stored = self.store.mail_connection(tenant, catalog).await?;
        let connection = stored.map(|stored| stored.value);
        connection
            .filter(|it| it.options.enabled && it.status.is_usable())
            .ok_or(AccountError::NotConnected)
    }

    /// Changes a catalog's connection, with retries if it is changed concurrently; `change` returns
    /// true if it changed anything. Returns the connection after the change, or `None` if there is
    /// none.
    ///
    /// # Errors
    /// Returns an error if the table does not respond, or if too many attempts met concurrent
    /// changes.
    pub async fn change_mail_connection(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        events: &[AuditEvent],
        change: impl Fn(&mut MailConnection) -> bool,
    ) -> Result<Option<MailConnection>, StoreError> {
        let store = &self.store;
        let mut attempts = Attempts::default();
        loop {
            let Some(stored) = store.mail_connection(tenant, catalog).await? else {
                return Ok(None);
            };
            let (mut after, version) = (stored.value, Some(stored.version));
            if !change(&mut after) {
                return Ok(Some(after));
            }
            let put = store.put_mail_connection(tenant, catalog, &after, version, events);
            match put.await {
                Ok(_) => return Ok(Some(after)),
                Err(error) => attempts.retry(error)?,
            }
        }
    }
}
