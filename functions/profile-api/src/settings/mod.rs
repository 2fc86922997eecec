//! The tenant's settings and credentials: what is saved, what is shown, what a test says.

pub(crate) mod input;
pub(crate) mod model;
pub(crate) mod save;
pub(crate) mod show;
pub(crate) mod test;
