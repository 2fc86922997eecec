//! What people are told: kinds of notices, their words, their identity.
//!
//! A notice's id is derived from what it is about, so that the same thing found
//! twice (at refresh and again at maintenance) is told once.

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
