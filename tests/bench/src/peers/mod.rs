//! How one would do it with something else: each a fair reading of its documentation.

pub mod cel;
pub mod datalogic;
pub mod strings;
