//! Course sessions: data model, validation and the effect of licences.
//!
//! `event_split` plans their calendar events.

mod event_split;
mod invitation;
mod session;
mod short_hash;
mod validation;

pub use event_split::{
    EventStep, MOST_ATTENDEES, arrange, cancel, forget_event, plan, planned_events, record_step,
    transaction_id,
};
pub use invitation::invitation;
pub use session::{
    CalendarOwner, Capabilities, CourseSession, Learner, RoomAnswer, RoomRef, SessionEvent,
    SessionStatus, degrade,
};
pub use validation::{
    MAX_DESCRIPTION, MAX_HOURS, MAX_LEARNER_BYTES, MAX_LEARNERS, MAX_PERSON_NAME, MAX_TITLE,
};

#[cfg(test)]
mod tests;
