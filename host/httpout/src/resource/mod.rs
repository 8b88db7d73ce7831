//! What can be served, by name.

mod compressed;
mod directory;
mod disk;
mod entries;
mod files;
mod granted;
mod kept;
mod live;
mod memory;
mod mounts;
mod names;
mod open_file;
mod place;
mod retention;
mod store;
mod tail;
mod temporary;
mod version;
mod writer;

pub(crate) use compressed::Compressed;
pub(crate) use directory::{Directory, Identity};
pub(crate) use entries::{Entry, Kind};
pub(crate) use files::{Files, Found, Representation, Source};
pub(crate) use granted::Granted;
pub(crate) use live::{Availability, Facts, Live, LiveNext, LiveReader, Patience};
pub(crate) use memory::Memory;
pub(crate) use mounts::Mounts;
pub(crate) use names::{Begun, Names};
pub(crate) use open_file::OpenFile;
pub(crate) use retention::Retention;
pub(crate) use store::{Condition, Reading, Store, Stored, Target, Upload};
pub(crate) use temporary::TEMPORARY;
pub(crate) use version::{Next, Progress, Reader, State, Version};
pub(crate) use writer::Writer;
