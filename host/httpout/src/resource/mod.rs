//! What can be served, by name.

mod directory;
mod files;
mod kept;
mod mounts;

pub(crate) use directory::Directory;
pub(crate) use files::{Files, Representation, Source};
pub(crate) use mounts::Mounts;
