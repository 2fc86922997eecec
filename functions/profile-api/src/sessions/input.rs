//! Reads a session from a body and records all its problems.

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
    reason = "its fields are read one by one, to report all problems; this documents them"
)]
pub(crate) struct New {
    /// The title, 1 to 200 characters.
    title: String,
    /// The description for learners, as plain text.
    description: Option<String>,
    /// The course to which it belongs.
    course: Option<CourseId>,
    start: DateTime<Utc>,
    /// At most 24 hours after `start`.
    end: DateTime<Utc>,
    /// The IANA time zone in which its time is displayed, such as `Europe/Berlin`.
    time_zone: String,
    /// The room to book.
    room: Option<RoomRef>,
    /// True to create a Teams meeting. Default: `false`.
    online: Option<bool>,
    /// True to share it with the organisation's calendar. Default: `false`.
    share: Option<bool>,
    /// The learners to invite; at most 2,000.
    learners: Option<Vec<Learner>>,
    /// True to send learners an e-mail in addition to the invitation. Default: `false`.
    notify: Option<bool>,
}

/// A change to a session. Omitted fields remain unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SessionChange)]
#[expect(
    dead_code,
    reason = "its fields are read one by one, to report all problems; this documents them"
)]
pub(crate) struct Change {
    title: Option<String>,
    description: Option<String>,
    /// `null` removes it.
    course: Option<CourseId>,
    start: Option<DateTime<Utc>>,
    end: Option<DateTime<Utc>>,
    time_zone: Option<String>,
    /// `null` removes it.
    room: Option<RoomRef>,
    online: Option<bool>,
    share: Option<bool>,
    /// All learners, including those who are already invited.
    learners: Option<Vec<Learner>>,
    /// True to send learners an e-mail in addition to the changed invitation. Default: `false`.
    notify: Option<bool>,
}

/// Reads the given fields into a session; for a `new` one some are required. Returns true
/// if learners receive an e-mail.
pub(crate) fn read(body: &mut JsonBody, session: &mut CourseSession, new: bool) -> bool {
    // Fields that responses add may be sent back.
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
