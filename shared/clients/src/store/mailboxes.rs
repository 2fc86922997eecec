//! The state of a mailbox between invocations: rate limit, failures and next wake-up.

use aws_sdk_dynamodb::types::TransactWriteItem;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::notices::delivery::MailboxState;

use super::items::{document, read};
use super::{Fence, Store, StoreError};

const MAILBOX: &str = "mailbox#";

impl Store {
    /// Returns the state of a mailbox by the name of its channel.
    pub async fn mailbox_state(
        &self,
        tenant: TenantId,
        mailbox_name: &str,
    ) -> Result<MailboxState, StoreError> {
        let item = self
            .get(tenant, &format!("{MAILBOX}{mailbox_name}"))
            .await?;
        Ok(item.as_ref().map(read).transpose()?.unwrap_or_default())
    }

    /// Stores the state of a mailbox under the mailbox's lease.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if the lease is lost.
    pub async fn put_mailbox_state(
        &self,
        fence: &Fence,
        mailbox_name: &str,
        state: &MailboxState,
    ) -> Result<(), StoreError> {
        let items = vec![self.mailbox_line(fence.tenant, mailbox_name, state)?];
        self.write(Some(fence), items).await
    }

    pub(super) fn mailbox_line(
        &self,
        tenant: TenantId,
        mailbox_name: &str,
        state: &MailboxState,
    ) -> Result<TransactWriteItem, StoreError> {
        let item = document(tenant, &format!("{MAILBOX}{mailbox_name}"), state, 1)?;
        self.put(item, None)
    }
}
