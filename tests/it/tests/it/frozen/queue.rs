//! All messages of the queues, in their stored format.

use std::time::Duration;

use rollcall_clients::queue::Queue;
use rollcall_domain::base::run::{RunRequest, Trigger};
use rollcall_domain::base::schedule::Job;
use rollcall_domain::notices::delivery::MailboxWakeup;
use rollcall_domain::notices::testing::{every_kind, other_faces};
use rollcall_domain::notices::{Channel, Language, NoticeKind, Urgency};
use serde::Serialize;
use serde_json::{Value, json};

use super::samples::{TENANT, catalog, manual, notice, request};
use super::values::{known, written};
use crate::harness::{aws_config, drain};

/// Returns the queued messages, which must be equal whether sent one by one or in a batch.
async fn queued<T: Serialize>(name: &str, messages: &[T]) -> Vec<Value> {
    let config = aws_config().await;
    let sqs = aws_sdk_sqs::Client::new(&config);
    let created = sqs.create_queue().queue_name(format!("frozen-{name}"));
    let url = created.send().await.expect("queue not created").queue_url;
    let queue = Queue::new(&config, url.expect("no queue URL"));
    let mut told = Vec::new();
    for message in messages {
        let sent = queue.send(message, Duration::ZERO).await;
        sent.expect("not sent");
        told.extend(drain(&sqs, queue.url()).await);
    }
    let sent = queue.send_all(messages).await;
    sent.expect("not sent");
    let mut together = drain(&sqs, queue.url()).await;
    let mut alone = told.clone();
    // Queues are not ordered.
    together.sort_by_key(Value::to_string);
    alone.sort_by_key(Value::to_string);
    assert_eq!(alone, together);
    told
}

fn requests() -> Vec<RunRequest> {
    let mut all: Vec<_> = Job::ALL.map(|job| request(job, 0)).into();
    for trigger in [
        Trigger::FirstSave,
        Trigger::by_hand("ada@contoso.example"),
        manual(),
    ] {
        all.push(RunRequest {
            trigger,
            continuation: 1,
            waits: 2,
            ..request(Job::Refresh, 0)
        });
    }
    all
}

#[tokio::test]
async fn requests_for_runs() {
    insta::assert_json_snapshot!(queued("requests", &requests()).await);
}

#[tokio::test]
async fn calls_that_wake_a_mailbox() {
    let call = MailboxWakeup {
        tenant: TENANT,
        catalog: catalog(1),
    };
    insta::assert_json_snapshot!(queued("drains", &[call]).await);
}

/// Snapshots the same notice for every channel, in every language and every urgency.
#[tokio::test]
async fn ways_of_a_notice() {
    let about = || NoticeKind::Ready {
        people: 1,
        courses: 2,
    };
    let channels = [
        Channel::System,
        Channel::InProduct,
        Channel::Catalog {
            catalog: catalog(1),
        },
    ];
    let mut all: Vec<_> = channels.map(|way| notice(about()).over(way)).into();
    let languages = Language::ALL.map(|language| notice(about()).in_language(language));
    all.extend(languages);
    let urgencies = [Urgency::Urgent, Urgency::Normal, Urgency::Bulk];
    all.extend(urgencies.map(|urgency| notice(about()).urgency(urgency)));
    let told = queued("ways", &all).await;
    insta::assert_json_snapshot!(json!({
        "channels": known!(channels, Channel: System, InProduct, Catalog),
        "notices": told,
    }));
}

/// Snapshots every kind of notice, with the id by which it is delivered once.
#[tokio::test]
async fn notices_of_every_kind() {
    let kinds: Vec<_> = every_kind().into_iter().chain(other_faces()).collect();
    let tags = known!(
        kinds, NoticeKind: Ready, Failure, Held, NeedsReview, ConnectionLost, AccountConnected,
        SecretExpiring, SyncFailed, SyncComplete, SessionScheduled, SessionChanged,
        SessionCancelled, RoomDeclined
    );
    let mut tags: Vec<_> = tags.iter().map(|tag| tag["kind"].to_string()).collect();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), 13, "{tags:?}");
    let notices: Vec<_> = kinds.into_iter().map(notice).collect();
    for notice in &notices {
        written(notice);
    }
    insta::assert_json_snapshot!(queued("notices", &notices).await);
}
