//! Notices about a tenant's affairs, queued for the notifier.

use std::time::Duration;

use rollcall_clients::queue::QueueError;
use rollcall_clients::store::tenants::Tenant;
use rollcall_domain::notices::{Notice, NoticeKind};

use crate::Services;

impl Services {
    /// Tells the tenant's people.
    pub async fn notify(&self, tenant: &Tenant, about: NoticeKind) -> Result<(), QueueError> {
        let settings = &tenant.settings;
        let notice = Notice::new(
            tenant.id,
            &settings.display_name,
            settings.recipients(),
            about,
        );
        self.notice_queue.send(&notice, Duration::ZERO).await
    }
}
