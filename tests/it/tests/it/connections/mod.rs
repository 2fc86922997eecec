//! Connections to Microsoft: the directory, accounts of catalogs, and the features that use them.

mod attacks;
mod cloud;
mod cut_off;
mod entra;
mod mail;
mod sending;
mod sessions;
