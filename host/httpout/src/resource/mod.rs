//! What can be served, by name.

mod compressed;
mod directory;
mod files;
mod kept;
mod mounts;

pub(crate) use compressed::Compressed;
pub(crate) use directory::Directory;
pub(crate) use files::{Files, Representation, Source};
pub(crate) use mounts::Mounts;
