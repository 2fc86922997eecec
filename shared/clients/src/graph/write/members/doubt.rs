//! Settles changes that were refused because an object is unknown, by reading which one it is.
//!
//! Graph uses the same texts for an account that does not exist, a group that does not exist and an
//! object that is not replicated yet. Adding again would not tell them apart and may take a minute;
//! one read does.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::base::outcome::Outcome;
use serde::Deserialize;

use super::super::classify::MemberOperation;
use super::{Apply, PendingChange};
use crate::graph::batch_part::Part;
use crate::graph::users::absent_users;
use crate::http::ApiError;

/// The number of attempts for a group that is new or not visible: with pauses of 0.5, 1, 2, 4, 8,
/// 16 and 30 s about a minute, several times the usual delay.
const NEW_GROUP_TRIES: u32 = 8;

/// The number of attempts if group and members are visible: the second covers a directory server
/// that lags.
const VISIBLE_TRIES: u32 = 2;

/// The age of a group after which every directory server knows it (Microsoft documents up to
/// fifteen minutes for dependent services).
const REPLICATED_AFTER: TimeDelta = TimeDelta::minutes(15);

/// A change whose refusal has more than one possible cause.
pub(super) enum Doubt {
    /// The group or a member is unknown.
    Object(PendingChange),
    /// This member is unknown; the others of its PATCH were separated from it.
    Member { member: ObjectId, tries: u32 },
}

impl Doubt {
    fn members(&self) -> Vec<ObjectId> {
        match self {
            Self::Object(work) => work.change.members(),
            Self::Member { member, .. } => vec![*member],
        }
    }

    fn into_pending(self) -> PendingChange {
        match self {
            Self::Object(work) => work,
            Self::Member { member, tries } => PendingChange {
                tries,
                ..PendingChange::new(MemberOperation::AddOne(member))
            },
        }
    }
}

/// A group as a read returns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupVisibility {
    /// It exists, and has for so long that every directory server knows it.
    Established,
    /// It exists, but is so new that a directory server may not know it yet.
    New,
    /// There is no such group, or it is not visible yet.
    Absent,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundGroup {
    created_date_time: Option<DateTime<Utc>>,
}

impl Apply<'_> {
    /// Reads the objects of all doubtful changes, and records the changes or queues them again;
    /// returns the required pause.
    pub(super) async fn settle_doubts(&mut self) -> Duration {
        let doubts = std::mem::take(&mut self.doubts);
        if doubts.is_empty() {
            return Duration::ZERO;
        }
        let members: BTreeSet<ObjectId> = doubts.iter().flat_map(Doubt::members).collect();
        let absent = match self.absent(&members).await {
            Ok(absent) => absent,
            Err(reason) => {
                let again = doubts
                    .into_iter()
                    .map(|doubt| self.retry_later(doubt.into_pending(), None, &reason));
                return again.max().unwrap_or_default();
            }
        };
        let mut pause = Duration::ZERO;
        let mut unexplained = Vec::new();
        for doubt in doubts {
            let work = doubt.into_pending();
            match self.without_absent(work, &absent) {
                Settled::Queued => {}
                Settled::Unexplained(work) => unexplained.push(work),
            }
        }
        if unexplained.is_empty() {
            return pause;
        }
        let visibility = match self.group_visibility().await {
            Ok(visibility) => visibility,
            Err(reason) => {
                let again = unexplained
                    .into_iter()
                    .map(|work| self.retry_later(work, None, &reason));
                return again.max().unwrap_or_default();
            }
        };
        self.group_tries += 1;
        for work in unexplained {
            pause = pause.max(self.not_explained_by_members(work, visibility));
        }
        // The next round sends one change instead of all until the group is visible.
        self.probing = !self.seen && visibility != GroupVisibility::Established;
        pause
    }

    /// Removes absent accounts from a change. What remains is queued again, because its refusal is
    /// explained; a change without absent accounts is not.
    fn without_absent(&mut self, work: PendingChange, absent: &BTreeSet<ObjectId>) -> Settled {
        match &work.change {
            MemberOperation::AddMany(members) => {
                let (gone, rest): (Vec<_>, Vec<_>) =
                    members.iter().copied().partition(|id| absent.contains(id));
                if gone.is_empty() {
                    return Settled::Unexplained(work);
                }
                self.outcomes.missing.extend(gone);
                if !rest.is_empty() {
                    self.queue.push_back(PendingChange {
                        change: MemberOperation::AddMany(rest),
                        ..work
                    });
                }
            }
            MemberOperation::AddOne(member) if absent.contains(member) => {
                self.outcomes.missing.insert(*member);
            }
            // Entra ends the memberships of an account with the account.
            MemberOperation::Remove(member) if absent.contains(member) => {
                self.record(&work.change, &Outcome::AlreadySo);
            }
            MemberOperation::AddOne(_) | MemberOperation::Remove(_) => {
                return Settled::Unexplained(work);
            }
        }
        Settled::Queued
    }

    /// Handles a change whose members all exist; returns the required pause.
    fn not_explained_by_members(
        &mut self,
        mut work: PendingChange,
        visibility: GroupVisibility,
    ) -> Duration {
        let is_remove = matches!(work.change, MemberOperation::Remove(_));
        if is_remove && visibility != GroupVisibility::Absent {
            // The group exists, so the membership does not.
            self.record(&work.change, &Outcome::AlreadySo);
            return Duration::ZERO;
        }
        // A group that is not visible is waited for once, not once per change.
        let (tried, limit) = if self.seen || visibility == GroupVisibility::Established {
            work.tries += 1;
            (work.tries, VISIBLE_TRIES)
        } else {
            (self.group_tries, NEW_GROUP_TRIES)
        };
        if tried < limit {
            self.queue.push_back(work);
            return self.transport.http.retry().pause(tried);
        }
        if visibility == GroupVisibility::Absent {
            let reason = "the group does not exist in Microsoft Entra (any more)".into();
            self.record(&work.change, &Outcome::Failed(reason));
        } else {
            self.split(work.change);
        }
        Duration::ZERO
    }

    /// Returns those of these accounts that Graph does not return.
    async fn absent(&self, members: &BTreeSet<ObjectId>) -> Result<BTreeSet<ObjectId>, String> {
        let absent = absent_users(self.transport, members).await;
        absent.map_err(|error| error.to_string())
    }

    /// Reads the group. The answer is remembered once it is certain.
    async fn group_visibility(&mut self) -> Result<GroupVisibility, String> {
        if self.established {
            return Ok(GroupVisibility::Established);
        }
        let url = format!("/groups/{}?$select=id,createdDateTime", self.group);
        let answers = self.transport.read_parts(&[Part::get(url)]).await;
        let mut answers = answers.map_err(|error| error.to_string())?;
        let answer = answers.pop().unwrap_or(Ok(serde_json::Value::Null));
        let found = match answer {
            Ok(body) => FoundGroup::deserialize(&body).map_err(|error| error.to_string())?,
            Err(ApiError::Status { status: 404, .. }) => return Ok(GroupVisibility::Absent),
            Err(error) => return Err(error.to_string()),
        };
        let created = found.created_date_time;
        self.established = created.is_none_or(|at| Utc::now() - at > REPLICATED_AFTER);
        Ok(if self.established {
            GroupVisibility::Established
        } else {
            GroupVisibility::New
        })
    }
}

/// The result of comparing a change with the absent accounts.
enum Settled {
    /// It was recorded or queued again.
    Queued,
    /// No absent account explains its refusal.
    Unexplained(PendingChange),
}
