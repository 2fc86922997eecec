//! `GET /me`: the signed-in user and the purpose of their mailbox.

use serde_json::{Value, json};
use uuid::Uuid;

use super::error::GraphError;
use super::{Answer, RequestContext, calendar, mail, query, schedule, user_fields, users};
use crate::call::Reply;
use crate::world::{ExchangePlan, Mailbox, Person};

/// Scopes that may read the user's own profile.
const READ: &[&str] = &[
    "User.Read",
    "User.ReadWrite",
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const KIOSK: &str = "4a82b400-a79f-41a4-b4e2-e94f5787b113";
const PLAN_1: &str = "9aaf7827-d63c-4b61-89c3-182f06f82e5c";
const PLAN_2: &str = "efb87545-963c-4e0d-99df-69c6916d9eb0";
const TEAMS: &str = "57ff2da0-773e-42df-b2af-ffb7a2317929";

/// Handles `/me/…`, which requires a delegated token.
pub(super) fn route(context: &mut RequestContext<'_>, path: &[&str]) -> Answer {
    let Some(me) = context.app.person else {
        let text = "/me request is only valid with delegated authentication flow.";
        return Err(GraphError::new(400, "BadRequest", text));
    };
    match (context.call.method.as_str(), path) {
        ("GET", []) => get(context, me),
        ("GET", ["mailboxSettings"]) => settings(context, me),
        ("POST", ["sendMail"]) => mail::send(context, me),
        ("POST", ["calendar", "getSchedule"]) => schedule::get(context, me),
        (_, ["events", rest @ ..]) => calendar::route(context, me, rest),
        _ => Err(GraphError::no_route(path)),
    }
}

fn get(context: &RequestContext<'_>, me: Uuid) -> Answer {
    context.need(READ)?;
    let person = person(context, me)?;
    let mut row = user_fields::full(&context.tenant.state, person);
    row["assignedPlans"] = plans(context.tenant.state.world.mailboxes.get(&me));
    let mut row = query::select(context, row, users::DEFAULTS);
    row["@odata.context"] = json!(query::context_url(context, "users/$entity"));
    Ok(Reply::json(200, row))
}

fn plans(mailbox: Option<&Mailbox>) -> Value {
    let plan = |service: &str, id: &str| {
        json!({
            "service": service,
            "capabilityStatus": "Enabled",
            "servicePlanId": id,
            "assignedDateTime": "2024-01-02T03:04:05Z",
        })
    };
    let Some(mailbox) = mailbox else {
        return json!([]);
    };
    let exchange = match mailbox.exchange {
        ExchangePlan::None => None,
        ExchangePlan::Kiosk => Some(KIOSK),
        ExchangePlan::Plan1 => Some(PLAN_1),
        ExchangePlan::Plan2 => Some(PLAN_2),
    };
    let teams = mailbox.teams.then(|| plan("TeamspaceAPI", TEAMS));
    exchange
        .map(|id| plan("exchange", id))
        .into_iter()
        .chain(teams)
        .collect()
}

fn settings(context: &RequestContext<'_>, me: Uuid) -> Answer {
    context.need_in_mailbox(&["MailboxSettings.Read", "MailboxSettings.ReadWrite"])?;
    let purpose = if mailbox(context, me)?.shared {
        "shared"
    } else {
        "user"
    };
    let all = json!({
        "@odata.context": query::context_url(context, "users('me')/mailboxSettings"),
        "userPurpose": purpose,
    });
    Ok(Reply::json(200, all))
}

/// Returns the user of the token.
pub(super) fn person<'a>(
    context: &'a RequestContext<'_>,
    me: Uuid,
) -> Result<&'a Person, GraphError> {
    let person = context.tenant.person(me);
    person.ok_or_else(|| GraphError::missing(me))
}

/// Returns the user's mailbox, if Graph can access it.
pub(super) fn mailbox<'a>(
    context: &'a RequestContext<'_>,
    me: Uuid,
) -> Result<&'a Mailbox, GraphError> {
    let mailbox = context.tenant.state.world.mailboxes.get(&me);
    mailbox.filter(|it| it.is_reachable()).ok_or_else(|| {
        let text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise.";
        GraphError::new(404, "MailboxNotEnabledForRESTAPI", text)
    })
}

/// Returns the user's sender address.
pub(super) fn address(person: &Person) -> &str {
    person.mail.as_deref().unwrap_or(&person.upn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_follow_the_mailbox() {
        let ids = |mailbox: Option<&Mailbox>| -> Vec<String> {
            let plans = plans(mailbox);
            let rows = plans.as_array().expect("a list").iter();
            rows.filter_map(|it| it["servicePlanId"].as_str().map(str::to_owned))
                .collect()
        };
        assert!(ids(None).is_empty());
        let mut mailbox = Mailbox::default();
        assert_eq!(ids(Some(&mailbox)), [PLAN_1, TEAMS]);
        mailbox.exchange = ExchangePlan::Kiosk;
        mailbox.teams = false;
        assert_eq!(ids(Some(&mailbox)), [KIOSK]);
        mailbox.exchange = ExchangePlan::None;
        assert!(ids(Some(&mailbox)).is_empty());
    }
}
