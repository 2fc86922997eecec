//! `GET /users/delta` and `GET /groups/delta`: all objects first, then changes since a token.

mod book;
mod diff;
mod options;
mod rows;
mod scan;
mod token;

use std::sync::Arc;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::GraphError;
use super::{Answer, RequestContext, deleted, deleted_users, query, users};
use crate::call::Reply;
use book::{Entry, Live, Round, Snapshot};
use options::{Options, Which};
use token::Token;

pub(crate) use book::DeltaBook;

/// Roles that may track groups.
const READ_GROUPS: &[&str] = &[
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Roles that may also track their members.
const READ_MEMBERS: &[&str] = &[
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];
/// Default page size, unless the client prefers another one.
const PAGE: usize = 200;
const MAX_PAGE: usize = 999;

/// `GET /users/delta`.
pub(super) fn users(context: &mut RequestContext<'_>) -> Answer {
    context.need(users::READ_FULL)?;
    answer(context, Which::Users)
}

/// `GET /groups/delta`.
pub(super) fn groups(context: &mut RequestContext<'_>) -> Answer {
    context.need(READ_GROUPS)?;
    answer(context, Which::Groups)
}

fn answer(context: &mut RequestContext<'_>, which: Which) -> Answer {
    let call = context.call;
    if let Some(token) = call.param("$skiptoken") {
        let token = Token::parse(token)?;
        let options = Options::of_token(&token, which)?;
        may_follow(context, &options)?;
        return page(context, &options, token.round, token.at);
    }
    match call.param("$deltatoken") {
        None | Some("") => {
            let options = Options::of_request(context, which)?;
            may_follow(context, &options)?;
            let (order, snapshot) = scan::all(context, &options);
            let entries = diff::everything(&order, &snapshot);
            start(context, &options, entries, snapshot)
        }
        Some("latest") => {
            let options = Options::of_request(context, which)?;
            may_follow(context, &options)?;
            let (_, snapshot) = scan::all(context, &options);
            start(context, &options, Vec::new(), snapshot)
        }
        Some(token) => {
            let token = Token::parse(token)?;
            let options = Options::of_token(&token, which)?;
            may_follow(context, &options)?;
            follow(context, &options, token.round)
        }
    }
}

fn may_follow(context: &RequestContext<'_>, options: &Options) -> Result<(), GraphError> {
    match options.which {
        Which::Groups if options.links => context.need(READ_MEMBERS),
        _ => Ok(()),
    }
}

/// Returns the changes since the round.
fn follow(context: &mut RequestContext<'_>, options: &Options, round: Uuid) -> Answer {
    let behaviour = &context.tenant.state.world.behaviour;
    let (replays, hides) = (behaviour.delta_replays, behaviour.delta_hides_deletions);
    let known = context.tenant.deltas.get(round);
    let known = known.filter(|_| !behaviour.delta_tokens_expired);
    let Some(before) = known.map(|it| Arc::clone(&it.snapshot)) else {
        return Err(gone(context, options));
    };
    deleted::expire(context);
    deleted_users::expire(context);
    let (order, mut snapshot) = scan::all(context, options);
    let mut entries = diff::changes(&order, &before, &mut snapshot);
    if hides {
        entries.retain_mut(|entry| is_told(context, options.which, entry));
    }
    if replays && let Some(last) = entries.last() {
        entries.push(last.again());
    }
    start(context, options, entries, snapshot)
}

/// Removes deletions from an entry for a service that omits them; returns false if nothing is left.
fn is_told(context: &RequestContext<'_>, which: Which, entry: &mut Entry) -> bool {
    match (which, entry) {
        (Which::Users, Entry::Removed(..)) => false,
        (Which::Groups, Entry::Live(live)) => {
            let index = &context.tenant.index;
            live.links
                .retain(|link| !link.removed || index.is_principal(link.id));
            live.changed || !live.links.is_empty()
        }
        _ => true,
    }
}

fn gone(context: &RequestContext<'_>, options: &Options) -> GraphError {
    let text = "The sync state generation is not found; continuing is impossible. Start with a \
                full synchronization.";
    let link = link(
        context,
        options,
        &format!("{}$deltatoken=", options.query()),
    );
    GraphError::new(410, "syncStateNotFound", text).header("location", link)
}

/// Stores the round and returns its first page.
fn start(
    context: &mut RequestContext<'_>,
    options: &Options,
    entries: Vec<Entry>,
    snapshot: Snapshot,
) -> Answer {
    let slice = context.tenant.state.world.behaviour.delta_members_per_slice;
    let id = context.tenant.deltas.add(Round {
        which: options.which,
        entries: diff::sliced(entries, slice.max(1)),
        snapshot: Arc::new(snapshot),
    });
    page(context, options, id, 0)
}

/// Returns the entries of a round starting at a position, with the directory's current values.
fn page(context: &RequestContext<'_>, options: &Options, id: Uuid, from: usize) -> Answer {
    let Some(round) = context.tenant.deltas.get(id) else {
        return Err(gone(context, options));
    };
    if round.which != options.which {
        return Err(token::badly_formed());
    }
    let size = preferred_size(context).unwrap_or(PAGE);
    let mut shown: Vec<&Entry> = Vec::new();
    for entry in round.entries.iter().skip(from) {
        // Another slice of the same group is left to the next page.
        let continues = matches!(
            entry,
            Entry::Live(Live {
                continues: true,
                ..
            })
        );
        if shown.len() >= size || (continues && !shown.is_empty()) {
            break;
        }
        shown.push(entry);
    }
    let rows = shown
        .iter()
        .filter_map(|it| rows::row(context, options, it));
    let rows: Vec<Value> = rows.collect();
    let end = from + shown.len();
    let is_last = end >= round.entries.len();
    let token = Token::of(id, if is_last { 0 } else { end }, options).text();
    let (name, option) = if is_last {
        ("@odata.deltaLink", "$deltatoken=")
    } else {
        ("@odata.nextLink", "$skiptoken=")
    };
    let mut body = Map::new();
    let url = query::context_url(context, options.which.name());
    body.insert("@odata.context".to_owned(), json!(url));
    let link = link(context, options, &[option, &token].concat());
    body.insert(name.to_owned(), json!(link));
    body.insert("value".to_owned(), Value::Array(rows));
    let reply = Reply::json(200, Value::Object(body));
    Ok(match preferred_size(context) {
        Some(size) => reply.header("preference-applied", format!("odata.maxpagesize={size}")),
        None => reply,
    })
}

/// Returns `Prefer: odata.maxpagesize=N`, which is not part of links.
fn preferred_size(context: &RequestContext<'_>) -> Option<usize> {
    let preferred = context.call.header("prefer").unwrap_or_default();
    let mut preferences = preferred.split([',', ';']).map(str::trim);
    let size = preferences.find_map(|it| it.strip_prefix("odata.maxpagesize="));
    let size: usize = size?.trim().parse().ok()?;
    Some(size.clamp(1, MAX_PAGE))
}

fn link(context: &RequestContext<'_>, options: &Options, query: &str) -> String {
    let origin = context
        .tenant
        .state
        .world
        .behaviour
        .link_origin(context.origin);
    format!("{origin}/graph/v1.0/{}/delta?{query}", options.which.name())
}
