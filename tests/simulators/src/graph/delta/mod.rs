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
use super::{Answer, Desk, deleted, deleted_users, query, users};
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
pub(super) fn users(desk: &mut Desk<'_>) -> Answer {
    desk.need(users::READ_FULL)?;
    answer(desk, Which::Users)
}

/// `GET /groups/delta`.
pub(super) fn groups(desk: &mut Desk<'_>) -> Answer {
    desk.need(READ_GROUPS)?;
    answer(desk, Which::Groups)
}

fn answer(desk: &mut Desk<'_>, which: Which) -> Answer {
    let call = desk.call;
    if let Some(token) = call.param("$skiptoken") {
        let token = Token::parse(token)?;
        let options = Options::of_token(&token, which)?;
        may_follow(desk, &options)?;
        return page(desk, &options, token.round, token.at);
    }
    match call.param("$deltatoken") {
        None | Some("") => {
            let options = Options::of_request(desk, which)?;
            may_follow(desk, &options)?;
            let (order, snapshot) = scan::all(desk, &options);
            let entries = diff::everything(&order, &snapshot);
            start(desk, &options, entries, snapshot)
        }
        Some("latest") => {
            let options = Options::of_request(desk, which)?;
            may_follow(desk, &options)?;
            let (_, snapshot) = scan::all(desk, &options);
            start(desk, &options, Vec::new(), snapshot)
        }
        Some(token) => {
            let token = Token::parse(token)?;
            let options = Options::of_token(&token, which)?;
            may_follow(desk, &options)?;
            follow(desk, &options, token.round)
        }
    }
}

fn may_follow(desk: &Desk<'_>, options: &Options) -> Result<(), GraphError> {
    match options.which {
        Which::Groups if options.links => desk.need(READ_MEMBERS),
        _ => Ok(()),
    }
}

/// Returns the changes since the round.
fn follow(desk: &mut Desk<'_>, options: &Options, round: Uuid) -> Answer {
    let behaviour = &desk.tenant.state.world.behaviour;
    let (replays, hides) = (behaviour.delta_replays, behaviour.delta_hides_deletions);
    let known = desk.tenant.deltas.get(round);
    let known = known.filter(|_| !behaviour.delta_tokens_expired);
    let Some(before) = known.map(|it| Arc::clone(&it.snapshot)) else {
        return Err(gone(desk, options));
    };
    deleted::expire(desk);
    deleted_users::expire(desk);
    let (order, mut snapshot) = scan::all(desk, options);
    let mut entries = diff::changes(&order, &before, &mut snapshot);
    if hides {
        entries.retain_mut(|entry| is_told(desk, options.which, entry));
    }
    if replays && let Some(last) = entries.last() {
        entries.push(last.again());
    }
    start(desk, options, entries, snapshot)
}

/// Removes deletions from an entry for a service that omits them; returns false if nothing is left.
fn is_told(desk: &Desk<'_>, which: Which, entry: &mut Entry) -> bool {
    match (which, entry) {
        (Which::Users, Entry::Removed(..)) => false,
        (Which::Groups, Entry::Live(live)) => {
            let index = &desk.tenant.index;
            live.links
                .retain(|link| !link.removed || index.is_principal(link.id));
            live.changed || !live.links.is_empty()
        }
        _ => true,
    }
}

fn gone(desk: &Desk<'_>, options: &Options) -> GraphError {
    let text = "The sync state generation is not found; continuing is impossible. Start with a \
                full synchronization.";
    let link = link(desk, options, &format!("{}$deltatoken=", options.query()));
    GraphError::new(410, "syncStateNotFound", text).header("location", link)
}

/// Stores the round and returns its first page.
fn start(
    desk: &mut Desk<'_>,
    options: &Options,
    entries: Vec<Entry>,
    snapshot: Snapshot,
) -> Answer {
    let slice = desk.tenant.state.world.behaviour.delta_members_per_slice;
    let id = desk.tenant.deltas.add(Round {
        which: options.which,
        entries: diff::sliced(entries, slice.max(1)),
        snapshot: Arc::new(snapshot),
    });
    page(desk, options, id, 0)
}

/// Returns the entries of a round starting at a position, with the directory's current values.
fn page(desk: &Desk<'_>, options: &Options, id: Uuid, from: usize) -> Answer {
    let Some(round) = desk.tenant.deltas.get(id) else {
        return Err(gone(desk, options));
    };
    if round.which != options.which {
        return Err(token::badly_formed());
    }
    let size = preferred_size(desk).unwrap_or(PAGE);
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
    let rows = shown.iter().filter_map(|it| rows::row(desk, options, it));
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
    let context = query::context(desk, options.which.name());
    body.insert("@odata.context".to_owned(), json!(context));
    let link = link(desk, options, &[option, &token].concat());
    body.insert(name.to_owned(), json!(link));
    body.insert("value".to_owned(), Value::Array(rows));
    let reply = Reply::json(200, Value::Object(body));
    Ok(match preferred_size(desk) {
        Some(size) => reply.header("preference-applied", format!("odata.maxpagesize={size}")),
        None => reply,
    })
}

/// Returns `Prefer: odata.maxpagesize=N`, which is not part of links.
fn preferred_size(desk: &Desk<'_>) -> Option<usize> {
    let preferred = desk.call.header("prefer").unwrap_or_default();
    let mut preferences = preferred.split([',', ';']).map(str::trim);
    let size = preferences.find_map(|it| it.strip_prefix("odata.maxpagesize="));
    let size: usize = size?.trim().parse().ok()?;
    Some(size.clamp(1, MAX_PAGE))
}

fn link(desk: &Desk<'_>, options: &Options, query: &str) -> String {
    let origin = desk.tenant.state.world.behaviour.link_origin(desk.origin);
    format!("{origin}/graph/v1.0/{}/delta?{query}", options.which.name())
}
