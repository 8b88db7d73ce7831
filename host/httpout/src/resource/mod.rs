//! What can be served, by name.

mod directory;
mod entries;
mod files;
mod mounts;

pub(crate) use directory::Directory;
pub(crate) use entries::{Entry, Kind};
pub(crate) use files::{Files, Representation, Source};
pub(crate) use mounts::{Mounts, TEMPORARY};
