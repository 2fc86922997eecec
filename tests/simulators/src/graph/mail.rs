//! `POST /me/sendMail` with Exchange Online's limits.

use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::error::GraphError;
use super::{Answer, RequestContext, me};
use crate::call::Reply;
use crate::outlook::SentMail;

/// Maximum recipients of one message.
const MAX_RECIPIENTS: usize = 500;
/// Maximum recipients of one mailbox in any 24 hours.
const MAX_PER_DAY: usize = 10_000;
/// Maximum headers of one message.
const MAX_HEADERS: usize = 5;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Outgoing {
    message: Message,
    #[serde(default = "yes")]
    save_to_sent_items: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Message {
    #[serde(default)]
    subject: String,
    body: Option<Body>,
    #[serde(default)]
    to_recipients: Vec<Recipient>,
    #[serde(default)]
    cc_recipients: Vec<Recipient>,
    #[serde(default)]
    bcc_recipients: Vec<Recipient>,
    #[serde(default)]
    internet_message_headers: Vec<Header>,
    #[serde(default)]
    attachments: Vec<Value>,
    from: Option<Recipient>,
    #[serde(default, rename = "replyTo")]
    _reply_to: Vec<Recipient>,
    #[serde(default, rename = "importance")]
    _importance: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    content_type: String,
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Recipient {
    email_address: Address,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Address {
    address: String,
    #[serde(default, rename = "name")]
    _name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    name: String,
    value: String,
}

/// Accepts one message.
pub(super) fn send(context: &mut RequestContext<'_>, me: Uuid) -> Answer {
    context.need_in_mailbox(&["Mail.Send"])?;
    let per_minute = me::mailbox(context, me)?.per_minute;
    let outgoing: Outgoing = serde_json::from_str(&context.call.body)
        .map_err(|error| GraphError::new(400, "RequestBodyRead", error.to_string()))?;
    let message = outgoing.message;
    check_sender(context, me, message.from.as_ref())?;
    check_headers(&message.internet_message_headers)?;
    let (html, text) = body(message.body)?;
    let mail = SentMail {
        from: me,
        at: context.now,
        subject: message.subject,
        html,
        text,
        to: addresses(message.to_recipients)?,
        cc: addresses(message.cc_recipients)?,
        bcc: addresses(message.bcc_recipients)?,
        headers: message
            .internet_message_headers
            .into_iter()
            .map(|it| (it.name, it.value))
            .collect(),
        attachments: message.attachments,
        saved: outgoing.save_to_sent_items,
    };
    check_limits(&context.tenant.state.mails, &mail, per_minute)?;
    context.tenant.state.mails.push(mail);
    Ok(Reply::empty(202))
}

fn check_sender(
    context: &RequestContext<'_>,
    me: Uuid,
    from: Option<&Recipient>,
) -> Result<(), GraphError> {
    let Some(from) = from else { return Ok(()) };
    let person = me::person(context, me)?;
    let address = &from.email_address.address;
    if address.eq_ignore_ascii_case(me::address(person))
        || address.eq_ignore_ascii_case(&person.upn)
    {
        return Ok(());
    }
    let text = "The person may not send from this address.";
    Err(GraphError::new(403, "ErrorSendAsDenied", text))
}

fn check_headers(headers: &[Header]) -> Result<(), GraphError> {
    let own = |it: &Header| {
        let name = it.name.to_ascii_lowercase();
        name.len() > 2 && name.starts_with("x-")
    };
    if let Some(wrong) = headers.iter().find(|it| !own(it)) {
        let text = format!("The header '{}' must begin with 'x-' or 'X-'.", wrong.name);
        return Err(GraphError::new(400, "InvalidInternetMessageHeader", text));
    }
    if headers.len() > MAX_HEADERS {
        let text = format!("A message takes at most {MAX_HEADERS} headers.");
        let code = "InvalidInternetMessageHeaderCollection";
        return Err(GraphError::new(400, code, text));
    }
    Ok(())
}

/// Returns HTML and plain text; at most one of them is set.
fn body(body: Option<Body>) -> Result<(String, Option<String>), GraphError> {
    let Some(body) = body else {
        return Ok((String::new(), None));
    };
    match body.content_type.to_ascii_lowercase().as_str() {
        "html" => Ok((body.content, None)),
        "text" => Ok((String::new(), Some(body.content))),
        other => {
            let text = format!("'{other}' is not a content type of a message.");
            Err(GraphError::new(400, "RequestBodyRead", text))
        }
    }
}

fn addresses(recipients: Vec<Recipient>) -> Result<Vec<String>, GraphError> {
    let all: Vec<String> = recipients
        .into_iter()
        .map(|it| it.email_address.address)
        .collect();
    match all.iter().find(|it| !it.contains('@')) {
        None => Ok(all),
        Some(wrong) => {
            let text = format!("The recipient '{wrong}' is not valid.");
            Err(GraphError::new(400, "ErrorInvalidRecipients", text))
        }
    }
}

fn check_limits(sent: &[SentMail], mail: &SentMail, per_minute: u32) -> Result<(), GraphError> {
    let recipients = mail.recipients();
    if recipients == 0 {
        let text = "At least one recipient is needed.";
        return Err(GraphError::new(400, "ErrorInvalidRecipients", text));
    }
    if recipients > MAX_RECIPIENTS {
        let text = format!("A message takes at most {MAX_RECIPIENTS} recipients.");
        let code = "ErrorExceededMaxRecipientLimit";
        return Err(GraphError::new(400, code, text));
    }
    let since = |window: Duration| {
        let mine = sent.iter().rev().filter(|it| it.from == mail.from);
        mine.take_while(move |it| mail.at - it.at < window)
    };
    let minute: Vec<DateTime<Utc>> = since(Duration::minutes(1)).map(|it| it.at).collect();
    let limit = usize::try_from(per_minute).unwrap_or(usize::MAX);
    if minute.len() >= limit {
        // The message that must leave the window before the next one is allowed.
        let blocking = limit.checked_sub(1).and_then(|at| minute.get(at));
        let free = blocking.map_or(mail.at, |at| *at) + Duration::minutes(1);
        let text = "Application is over its limit of messages per minute.";
        return Err(wait("ApplicationThrottled", text, free - mail.at));
    }
    let day: usize = since(Duration::hours(24)).map(SentMail::recipients).sum();
    if day + recipients > MAX_PER_DAY {
        let oldest = since(Duration::hours(24))
            .last()
            .map_or(mail.at, |it| it.at);
        let text = "The mailbox has reached its limit of recipients in 24 hours.";
        let free = oldest + Duration::hours(24) - mail.at;
        return Err(wait("ErrorMessageSubmissionBlocked", text, free));
    }
    Ok(())
}

fn wait(code: &'static str, text: &str, left: Duration) -> GraphError {
    // Rounded up: a client that waits exactly this long must not be too early.
    let seconds = (left.num_milliseconds().max(1) + 999) / 1_000;
    GraphError::new(429, code, text).header("retry-after", seconds.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(at_s: i64, recipients: usize) -> SentMail {
        SentMail {
            from: Uuid::nil(),
            at: DateTime::default() + Duration::seconds(at_s),
            subject: String::new(),
            html: String::new(),
            text: None,
            to: vec!["a@x.example".to_owned(); recipients],
            cc: Vec::new(),
            bcc: Vec::new(),
            headers: std::collections::BTreeMap::new(),
            attachments: Vec::new(),
            saved: true,
        }
    }

    fn refusal(sent: &[SentMail], mail: &SentMail, per_minute: u32) -> Option<(u16, String)> {
        let error = check_limits(sent, mail, per_minute).err()?;
        let reply = error.into_reply();
        let header = reply.headers.iter().find(|(name, _)| name == "retry-after");
        let seconds = header.map(|(_, value)| value.clone());
        Some((reply.status, seconds.unwrap_or_default()))
    }

    #[test]
    fn the_minute_slides() {
        let sent = [mail(0, 1), mail(10, 1), mail(20, 1)];
        assert_eq!(refusal(&sent, &mail(30, 1), 4), None);
        let refused = Some((429, "30".to_owned()));
        assert_eq!(refusal(&sent, &mail(30, 1), 3), refused);
        assert_eq!(refusal(&sent, &mail(60, 1), 3), None);
        assert_eq!(
            refusal(&sent, &mail(60, 1), 2),
            Some((429, "10".to_owned()))
        );
    }

    #[test]
    fn recipients_are_limited_per_message_and_per_day() {
        let none = Some((400, String::new()));
        assert_eq!(refusal(&[], &mail(0, 0), 30), none);
        assert_eq!(refusal(&[], &mail(0, 501), 30), none);
        let sent: Vec<SentMail> = (0..20).map(|at| mail(at * 100, 500)).collect();
        let late = mail(20 * 100, 1);
        let left = 24 * 3_600 - 2_000;
        assert_eq!(refusal(&sent, &late, 30), Some((429, left.to_string())));
        assert_eq!(refusal(&sent, &mail(24 * 3_600, 500), 30), None);
    }

    #[test]
    fn headers_begin_with_x() {
        let header = |name: &str| Header {
            name: name.to_owned(),
            value: String::new(),
        };
        assert!(check_headers(&[header("x-run"), header("X-Run")]).is_ok());
        assert!(check_headers(&[header("In-Reply-To")]).is_err());
        let six: Vec<Header> = (0..6).map(|_| header("x-a")).collect();
        assert!(check_headers(&six).is_err());
    }
}
