//! Pure HTTP: text to decision. Nothing here does I/O, waits, or knows an option.

pub(crate) mod accept;
pub(crate) mod authority;
pub(crate) mod conditional;
pub(crate) mod cors;
pub(crate) mod date;
pub(crate) mod media_type;
pub(crate) mod negotiate;
pub(crate) mod path;
pub(crate) mod range;
pub(crate) mod write_range;
