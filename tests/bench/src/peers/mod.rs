//! Alternative engines, each used according to its documentation.

pub mod cel;
pub mod datalogic;
pub mod strings;
