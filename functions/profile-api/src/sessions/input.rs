//! A session as people send it: every field read, every problem noted.

use chrono::{DateTime, Utc};
use rollcall_domain::base::ids::CourseId;
use rollcall_domain::course_session::{CourseSession, Learner, RoomRef};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::JsonBody;

/// A session to schedule.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SessionInput)]
#[expect(
    dead_code,
    reason = "its fields are read one by one, to tell every problem; this documents them"
)]
pub(crate) struct New {
    /// What it is called: 1 to 200 characters.
    title: String,
    /// What learners should know, as plain text.
    description: Option<String>,
    /// The course it belongs to.
    course: Option<CourseId>,
    start: DateTime<Utc>,
    /// At most 24 hours later.
    end: DateTime<Utc>,
    /// The IANA zone in which its time is shown, such as `Europe/Berlin`.
    time_zone: String,
    /// The room to book.
    room: Option<RoomRef>,
    /// Whether it gets a Teams meeting.
    online: Option<bool>,
    /// Whether it is shared with the organisation's calendar.
    share: Option<bool>,
    /// Who is invited: 2,000 at most.
    learners: Option<Vec<Learner>>,
    /// Whether learners get a mail beside the invitation.
    notify: Option<bool>,
}

/// What to change of a session: what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SessionChange)]
#[expect(
    dead_code,
    reason = "its fields are read one by one, to tell every problem; this documents them"
)]
pub(crate) struct Change {
    title: Option<String>,
    description: Option<String>,
    /// `null` takes it away.
    course: Option<CourseId>,
    start: Option<DateTime<Utc>>,
    end: Option<DateTime<Utc>>,
    time_zone: Option<String>,
    /// `null` takes it away.
    room: Option<RoomRef>,
    online: Option<bool>,
    share: Option<bool>,
    /// All learners, those who are invited already included.
    learners: Option<Vec<Learner>>,
    /// Whether learners get a mail beside the changed invitation.
    notify: Option<bool>,
}

/// Reads what is there into a session; `new` says that some of it has to be.
/// Whether learners are to be mailed.
pub(crate) fn read(body: &mut JsonBody, session: &mut CourseSession, new: bool) -> bool {
    // What an answer adds may be sent back.
    body.ignore(&[
        "id",
        "catalog",
        "roomAnswer",
        "joinUrl",
        "status",
        "version",
        "settled",
        "leftOut",
    ]);
    let put = |name: &str, body: &mut JsonBody, to: &mut String| {
        if new || body.has(name) {
            *to = body.required(name).unwrap_or_default();
        }
    };
    put("title", body, &mut session.title);
    put("timeZone", body, &mut session.time_zone);
    for (name, to) in [("start", &mut session.start), ("end", &mut session.end)] {
        if (new || body.has(name))
            && let Some(at) = body.required(name)
        {
            *to = at;
        }
    }
    if body.has("description") {
        session.description = body.or_default("description");
    }
    if body.has("course") {
        session.course = body.optional("course");
    }
    if body.has("room") {
        session.room = body.optional("room");
    }
    for (name, to) in [
        ("online", &mut session.online),
        ("share", &mut session.share),
    ] {
        if body.has(name) {
            *to = body.optional(name).unwrap_or_default();
        }
    }
    if body.has("learners") {
        session.learners = body.optional("learners").unwrap_or_default();
    }
    body.optional("notify").unwrap_or_default()
}
