//! Mail messages that the emulator's SES accepted.

use serde::Deserialize;

use crate::error::Error;

/// An accepted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The recipients.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
}

#[derive(Deserialize)]
struct Answer {
    messages: std::collections::BTreeMap<String, Vec<serde_json::Value>>,
}

/// Returns all messages, oldest first.
///
/// # Errors
/// If the emulator does not respond.
pub async fn sent(endpoint: &str) -> Result<Vec<Mail>, Error> {
    let answer: Answer = reqwest::get(format!("{endpoint}/_ministack/ses/messages"))
        .await?
        .json()
        .await?;
    Ok(answer
        .messages
        .into_values()
        .flatten()
        .map(|message| mail(&message))
        .collect())
}

/// Parses a message. Its structure depends on the API version, so all known ones are tried.
fn mail(message: &serde_json::Value) -> Mail {
    let text = |paths: &[&str]| {
        let found = paths
            .iter()
            .find_map(|path| message.pointer(path)?.as_str());
        found.unwrap_or_default().to_owned()
    };
    let to = [
        "/Destination/ToAddresses",
        "/destination/ToAddresses",
        "/To",
        "/to",
    ]
    .iter()
    .find_map(|path| message.pointer(path)?.as_array());
    Mail {
        to: to
            .into_iter()
            .flatten()
            .filter_map(|to| Some(to.as_str()?.to_owned()))
            .collect(),
        subject: text(&[
            "/Subject",
            "/subject",
            "/Content/Simple/Subject/Data",
            "/Message/Subject/Data",
        ]),
        text: text(&[
            "/BodyText",
            "/body_text",
            "/Body/Text",
            "/Content/Simple/Body/Text/Data",
            "/Message/Body/Text/Data",
            "/text",
            "/body",
        ]),
    }
}
