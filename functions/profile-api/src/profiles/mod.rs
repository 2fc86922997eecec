//! Profiles: editing, previews, audiences, explanations, holds and versions.

pub(crate) mod courses;
pub(crate) mod delete;
mod evaluation;
pub(crate) mod explain;
pub(crate) mod hold;
mod input;
pub(crate) mod list;
mod lock;
pub(crate) mod members;
mod model;
mod people;
pub(crate) mod preview;
pub(crate) mod restore;
pub(crate) mod save;
pub(crate) mod show;
mod validation;
pub(crate) mod versions;
mod view;
