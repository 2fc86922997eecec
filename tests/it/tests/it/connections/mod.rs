//! Connections to Microsoft: the directory, catalogs' accounts, and what they make possible.

mod attacks;
mod entra;
mod mail;
mod sessions;
