//! Calls to the emulator that a deployment makes without `sam`.

use std::{collections::BTreeMap, time::Duration};

use crate::{emulator::Emulator, error::LocalError};

/// A client for three calls. It needs no SDK because the emulator reads only region and service of
/// a request's signature and does not verify it.
pub(crate) struct Api<'a> {
    http: reqwest::Client,
    emulator: &'a Emulator,
}

impl<'a> Api<'a> {
    pub(crate) fn of(emulator: &'a Emulator) -> Result<Self, LocalError> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(|source| LocalError::Emulator {
                what: "be called",
                source,
            })?;
        Ok(Self { http, emulator })
    }

    fn request(
        &self,
        method: reqwest::Method,
        service: &str,
        path: &str,
    ) -> reqwest::RequestBuilder {
        let scope = format!(
            "test/20260101/{}/{service}/aws4_request",
            self.emulator.region()
        );
        self.http
            .request(method, format!("{}{path}", self.emulator.endpoint()))
            .header(
                "Authorization",
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
            )
    }

    pub(crate) async fn create_bucket(&self, name: &str) -> Result<(), LocalError> {
        let what = "create the bucket for artifacts";
        let path = format!("/{name}");
        let region = self.emulator.region();
        let request = self.request(reqwest::Method::PUT, "s3", &path).body(format!(
            "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        ));
        accepted(request, what).await
    }

    pub(crate) async fn verify_sender(&self, address: &str) -> Result<(), LocalError> {
        let request = self
            .request(reqwest::Method::POST, "ses", "/v2/email/identities")
            .json(&BTreeMap::from([("EmailIdentity", address)]));
        accepted(request, "verify the sender of system mail").await
    }

    pub(crate) async fn stack_outputs(
        &self,
        stack: &str,
    ) -> Result<BTreeMap<String, String>, LocalError> {
        let failed = |source| LocalError::Emulator {
            what: "describe the stack",
            source,
        };
        let form = [
            ("Action", "DescribeStacks"),
            ("Version", "2010-05-15"),
            ("StackName", stack),
        ];
        let request = self.request(reqwest::Method::POST, "cloudformation", "/");
        let response = request.form(&form).send().await.map_err(failed)?;
        let response = response.error_for_status().map_err(failed)?;
        Ok(outputs(&response.text().await.map_err(failed)?))
    }
}

/// Sends a request; an error because the resource already exists counts as success.
async fn accepted(request: reqwest::RequestBuilder, what: &'static str) -> Result<(), LocalError> {
    let failed = |source| LocalError::Emulator { what, source };
    let response = request.send().await.map_err(failed)?;
    let Err(refusal) = response.error_for_status_ref() else {
        return Ok(());
    };
    let body = response.text().await.map_err(failed)?;
    if body.contains("AlreadyExists") || body.contains("AlreadyOwnedByYou") {
        return Ok(());
    }
    Err(failed(refusal))
}

/// Returns the outputs in a `DescribeStacks` response. They are pairs of flat elements, so that no
/// XML parser is needed.
fn outputs(xml: &str) -> BTreeMap<String, String> {
    let element = |text: &str, name: &str| -> Option<String> {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        Some(unescaped(value))
    };
    xml.split("<OutputKey>")
        .skip(1)
        .filter_map(|pair| {
            let (key, _) = pair.split_once("</OutputKey>")?;
            Some((unescaped(key), element(pair, "OutputValue")?))
        })
        .collect()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_from_the_description_of_a_stack() {
        let xml = "<Outputs><member><OutputKey>A</OutputKey><OutputValue>x&amp;amp;y</OutputValue></member>\
                   <member><OutputKey>B</OutputKey><OutputValue></OutputValue></member></Outputs>";
        let expected = [("A", "x&amp;y"), ("B", "")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(outputs(xml), expected.into());
        assert_eq!(outputs("<Stacks/>"), BTreeMap::new());
    }
}
