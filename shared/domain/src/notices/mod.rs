//! Notices: their kinds, texts and identity.
//!
//! A notice's id is derived from its event, so that an event that is detected twice (by refresh and
//! by maintenance) is sent once.

mod channel;
pub mod delivery;
mod identity;
mod kind;
mod language;
mod notice;
mod recurrence;
mod render;
mod template_blocks;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use channel::{Channel, Urgency};
pub use kind::NoticeKind;
pub use language::Language;
pub use notice::Notice;
pub use render::{RenderedNotice, render};
