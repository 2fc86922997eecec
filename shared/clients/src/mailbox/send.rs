//! Sends mail as the connected account, without retries.

use reqwest::Method;
use serde_json::{Value, json};

use super::Mailbox;
use crate::mail::{ID_HEADER, Importance, OutgoingMail, SendError};

impl Mailbox {
    /// Sends one e-mail as the account and stores a copy in its Sent Items. Needs `Mail.Send`:
    /// <https://learn.microsoft.com/graph/api/user-sendmail>.
    ///
    /// Success is Graph's 202: accepted, not delivered. Exchange Online delivers later, delays
    /// messages above the mailbox's limits (30 messages a minute, 10,000 recipients a day) and
    /// reports failures by mail to the account.
    ///
    /// Failures are not retried: Graph has no idempotency key, so a retry after
    /// [`SendError::Unknown`] may send a second e-mail. The header `x-rollcall-notice` with the
    /// mail's id shows in Sent Items whether it was sent.
    pub async fn send(&self, mail: &OutgoingMail) -> Result<(), SendError> {
        let url = self.base.join("/v1.0/me/sendMail");
        let answer = self.once(Method::POST, &url, Some(&body(mail))).await?;
        answer.success()?;
        Ok(())
    }
}

fn body(mail: &OutgoingMail) -> Value {
    let to = mail.to.iter();
    let to: Vec<_> = to
        .map(|to| json!({ "emailAddress": { "address": to } }))
        .collect();
    let importance = match mail.importance {
        Importance::High => "high",
        Importance::Normal => "normal",
    };
    json!({
        "message": {
            "subject": mail.subject,
            "body": { "contentType": "HTML", "content": mail.html },
            "toRecipients": to,
            "importance": importance,
            "internetMessageHeaders": [{ "name": ID_HEADER, "value": mail.id }],
        },
        "saveToSentItems": true,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{connected, error, parts};
    use super::*;
    use crate::http::Secret;
    use crate::http::testing::{Act, quick, reply};
    use crate::mail::tests::mail;

    /// Proves S1-15: a notification is sent as the connected account, with its id in a header.
    #[tokio::test]
    async fn a_mail_is_sent_once_and_kept() {
        let (stub, mailbox) = connected(|_| reply(202, "", "")).await;
        let urgent = OutgoingMail {
            importance: Importance::High,
            ..mail()
        };
        mailbox.send(&urgent).await.expect("not accepted");
        let (line, body) = parts(&stub.requests()[0]);
        assert_eq!(line, "POST /v1.0/me/sendMail");
        let expected = json!({
            "message": {
                "subject": "A new course",
                "body": { "contentType": "HTML", "content": "<p>You are enrolled.</p>" },
                "toRecipients": [
                    { "emailAddress": { "address": "kay@contoso.com" } },
                    { "emailAddress": { "address": "lee@contoso.com" } },
                ],
                "importance": "high",
                "internetMessageHeaders": [
                    { "name": "x-rollcall-notice", "value": "00000000-0000-0000-0000-000000000007" },
                ],
            },
            "saveToSentItems": true,
        });
        assert_eq!(body, expected);
    }

    async fn failed(act: impl Fn(&str) -> Act + Send + Sync + 'static) -> SendError {
        let (stub, mailbox) = connected(act).await;
        let error = mailbox.send(&mail()).await.expect_err("no failure");
        assert_eq!(stub.requests().len(), 1, "the e-mail was retried");
        error
    }

    #[tokio::test]
    async fn no_failure_is_repeated() {
        let throttled = failed(|_| reply(429, "Retry-After: 2\r\n", "")).await;
        let retry_after = Some(Duration::from_secs(2));
        assert_eq!(throttled, SendError::Throttled { retry_after });
        let refused = failed(|_| reply(400, "", &error("ErrorInvalidRecipients"))).await;
        assert!(
            matches!(&refused, SendError::Refused { status: 400, code: Some(code), .. } if code == "ErrorInvalidRecipients"),
            "{refused:?}"
        );
        let signed_out = failed(|_| reply(401, "", &error("InvalidAuthenticationToken"))).await;
        assert!(
            matches!(signed_out, SendError::SignIn { status: 401, .. }),
            "{signed_out:?}"
        );
        for lost in [
            failed(|_| reply(503, "", "")).await,
            failed(|_| Act::Answer(String::new())).await,
            failed(|_| Act::Silence).await,
        ] {
            assert!(matches!(lost, SendError::Unknown(_)), "{lost:?}");
        }
    }

    #[tokio::test]
    async fn what_reaches_no_one_was_not_sent() {
        let nobody = Mailbox::new(quick(), "http://127.0.0.1:1", Secret::new("a-token"));
        let error = nobody.expect("no mailbox").send(&mail()).await;
        assert!(matches!(error, Err(SendError::NotSent(_))), "{error:?}");
    }
}
