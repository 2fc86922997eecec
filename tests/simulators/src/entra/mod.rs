//! Entra: pages to sign in and consent, and tokens for applications and users.

mod app_only;
mod claims;
mod codes;
mod drive;
mod flow;
mod form;
mod pages;
mod people;
mod refresh;
mod refusal;
mod request;
mod scopes;
mod token;

use serde_json::json;

use crate::call::{Call, Reply};
use crate::hub::{Gate, Hub, gate, settle};
use crate::identity;
use flow::{Decision, Flow, SignInLink};
use people::Lookup;

pub(crate) use claims::Claims;
pub(crate) use codes::Codes;
pub use drive::ConsentChoice;
pub(crate) use drive::sign_in;

/// Handles the token endpoint, the pages, and the public documents of [`identity`].
pub(crate) async fn handle(hub: &Hub, call: &Call) -> Reply {
    if let Some(reply) = identity::handle(hub, call).await {
        return reply;
    }
    let path = call.path();
    match (call.method.as_str(), path.as_slice()) {
        ("POST", [segment, "oauth2", "v2.0", "token"]) => token::answer(hub, call, segment).await,
        ("GET", [segment, "oauth2", "v2.0", "authorize"]) => {
            opened(hub, call, segment, Flow::Authorize).await
        }
        ("POST", [segment, "oauth2", "v2.0", "authorize", stage]) => {
            posted(hub, call, segment, Flow::Authorize, stage).await
        }
        ("GET", [segment, "v2.0", "adminconsent"]) => {
            opened(hub, call, segment, Flow::AdminConsent).await
        }
        ("POST", [segment, "v2.0", "adminconsent", stage]) => {
            posted(hub, call, segment, Flow::AdminConsent, stage).await
        }
        _ => not_found(),
    }
}

fn not_found() -> Reply {
    Reply::json(404, json!({"error": "not_found"}))
}

/// Returns the first page of a link.
async fn opened(hub: &Hub, call: &Call, segment: &str, flow: Flow) -> Reply {
    let raw = call.target.split_once('?').map_or("", |(_, query)| query);
    let link = SignInLink {
        hub,
        segment,
        flow,
        raw,
    };
    let shared = segment.parse().ok().and_then(|id| hub.tenant(id));
    let work = || pages::render(&link, flow::start(&link));
    let Some(shared) = shared else { return work() };
    match gate(&shared, call).await {
        Gate::Shut(reply) => settle(&shared, call, reply, None, false),
        Gate::Open(fault) => settle(&shared, call, work(), fault, false),
    }
}

/// Handles a page's form; hidden fields contain the query of the link.
async fn posted(hub: &Hub, call: &Call, segment: &str, flow: Flow, stage: &str) -> Reply {
    let form = form::Form::read(call);
    let link = SignInLink {
        hub,
        segment,
        flow,
        raw: form.get("request"),
    };
    let login = form.get("login");
    let work = || match stage {
        "signin" => pages::render(&link, flow::sign_in(&link, login)),
        "consent" => {
            let decision = Decision {
                accept: form.get("decision") == "accept",
                organisation: !form.get("organisation").is_empty(),
            };
            pages::render(&link, flow::decide(&link, login, decision))
        }
        _ => not_found(),
    };
    // Faults and log are those of the user's tenant, which may differ from the one in the path.
    let Lookup::Here(user) = people::find(&link, login) else {
        return work();
    };
    match gate(&user.tenant, call).await {
        Gate::Shut(reply) => settle(&user.tenant, call, reply, None, false),
        Gate::Open(fault) => settle(&user.tenant, call, work(), fault, false),
    }
}
