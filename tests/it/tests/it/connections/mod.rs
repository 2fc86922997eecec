//! Connections to Microsoft: the directory, catalogs' accounts, and what they make possible.

mod attacks;
mod cloud;
mod cut_off;
mod entra;
mod mail;
mod sending;
mod sessions;
