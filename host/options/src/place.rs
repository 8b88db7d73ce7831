//! Where an option was given.

/// Where an option was given, so that what is wrong with it can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the command line.
    CommandLine,
    /// In this line of the configuration file.
    Line(usize),
}
