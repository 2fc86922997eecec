//! The tenant's settings and credentials: saving, reading and testing them.

pub(crate) mod input;
pub(crate) mod model;
pub(crate) mod save;
pub(crate) mod show;
pub(crate) mod test;
