//! Lines in the server's log, marked with the plugin's name and the request's number.

use crate::bindings::httpout::plugin::host::{self, LogLevel};

/// Steps that help to find a fault.
pub fn debug(message: &str) {
    host::log(LogLevel::Debug, message);
}

/// What an operator may like to know.
pub fn info(message: &str) {
    host::log(LogLevel::Info, message);
}

/// What an operator should look at.
pub fn warn(message: &str) {
    host::log(LogLevel::Warn, message);
}

/// What does not work.
pub fn error(message: &str) {
    host::log(LogLevel::Error, message);
}
