//! Notifications, the mail ledger, queued and failed mail messages, and the state of mailboxes.

use rollcall_clients::store::outbox::Waiting;
use rollcall_domain::notices::delivery::{MailboxState, MessageStatus};
use rollcall_domain::notices::{Channel, NoticeKind, Urgency};

use super::Table;
use crate::frozen::samples::{TENANT, at, catalog, catalog_notice, notice, object};

const LANE: &str = "account-of-a-test";

#[tokio::test]
async fn notifications() {
    let table = Table::new("notifications").await;
    for people in [1, 2] {
        let about = NoticeKind::Ready { people, courses: 3 };
        let mut shown = notice(about).over(Channel::InProduct);
        // All samples of a kind have the same id; here two are required.
        shown.id = uuid::Uuid::from_u128(u128::from(people));
        let add = table.store.add_notification(&shown);
        add.await.expect("not added");
    }
    let second = uuid::Uuid::from_u128(2);
    for reader in [object(1), object(2)] {
        let read = table.store.read_notification(TENANT, second, reader);
        read.await.expect("not read");
    }
    insta::assert_json_snapshot!(table.items().await);
}

/// Snapshots each status of system mail in the ledger.
#[tokio::test]
async fn the_ledger() {
    let table = Table::new("ledger").await;
    for (number, status) in (1..).zip(["", "sent", "failed", "doubtful"]) {
        let id = uuid::Uuid::from_u128(number);
        let claim = table.store.claim_mail(TENANT, id);
        claim.await.expect("not claimed");
        if !status.is_empty() {
            let settle = table.store.record_mail_outcome(TENANT, id, status);
            settle.await.expect("not recorded");
        }
    }
    insta::assert_json_snapshot!(table.items().await);
}

/// Queues the mail with this number.
async fn queued(table: &Table, urgency: Urgency, number: u64) -> Waiting {
    let mut notice = catalog_notice(urgency, number);
    notice.id = uuid::Uuid::from_u128(u128::from(number));
    let seconds = i64::try_from(number).expect("too large");
    let enqueue = table.store.enqueue_mail(catalog(1), &notice, at(seconds));
    assert!(enqueue.await.expect("not queued"));
    let waiting = table.store.first_mails(TENANT, catalog(1), 100).await;
    let mut waiting = waiting.expect("not read").into_iter();
    let found = waiting.find(|one| one.mail.notice.id == notice.id);
    found.expect("no queued mail")
}

fn state() -> MailboxState {
    let mut state = MailboxState::default();
    state.rate.sent(2, at(0));
    state.rate.sent(3, at(1));
    state.breaker.failed(at(2), None);
    state
        .breaker
        .failed(at(3), Some(chrono::TimeDelta::minutes(7)));
    state.wakes_at = Some(at(4));
    state
}

/// Snapshots queued mail of each urgency, and messages that are in progress, failed, sent or given
/// up.
#[tokio::test]
async fn mails_of_catalogs() {
    let table = Table::new("outbox").await;
    let store = &table.store;
    for (number, urgency) in (1..).zip([Urgency::Urgent, Urgency::Normal, Urgency::Bulk]) {
        queued(&table, urgency, number).await;
    }
    let lease = table.lease(TENANT, "mailbox#a-test").await;
    let mut marked = queued(&table, Urgency::Normal, 4).await;
    let state = state();
    let begin = store.begin_mail(lease.fence(), &mut marked, LANE, &state);
    begin.await.expect("not marked");
    let mut failed = queued(&table, Urgency::Normal, 5).await;
    let back = store.requeue_mail(&mut failed, "the mailbox is full", at(60), true);
    back.await.expect("not put back");
    let sent = queued(&table, Urgency::Normal, 6).await;
    store.mail_sent(&sent).await.expect("not removed");
    for (number, how) in [(7, MessageStatus::Doubtful), (8, MessageStatus::Failed)] {
        let ended = queued(&table, Urgency::Bulk, number).await;
        let end = store.mail_ended(catalog(1), &ended, how, "no such address", at(90));
        end.await.expect("not ended");
    }
    insta::assert_json_snapshot!(table.items().await);
}

#[tokio::test]
async fn mailboxes() {
    let table = Table::new("mailboxes").await;
    let lease = table.lease(TENANT, "mailbox#a-test").await;
    for (mailbox_name, state) in [(LANE, state()), ("another", MailboxState::default())] {
        let put = table
            .store
            .put_mailbox_state(lease.fence(), mailbox_name, &state);
        put.await.expect("not stored");
    }
    insta::assert_json_snapshot!(table.items().await);
}
