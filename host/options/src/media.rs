//! Options of the media work behind the server, passed on as they are.

/// A flag that belongs to segmenting, which is another program's work.
#[derive(Debug, PartialEq, Eq)]
pub struct MediaOption {
    /// The name.
    pub name: &'static str,
    /// What stands for a value in the help; empty when it needs none.
    pub value: &'static str,
    /// What it does.
    pub help: &'static str,
}

impl MediaOption {
    pub(crate) fn flag(&self) -> String {
        match self.value {
            "" => format!("--{}", self.name),
            value => format!("--{}={value}", self.name),
        }
    }
}

/// The media options that are known.
pub static MEDIA_OPTIONS: &[MediaOption] = &[
    MediaOption {
        name: "dmode",
        value: "MODE",
        help: "DASH mode, `static` or `dynamic`",
    },
    MediaOption {
        name: "cdur",
        value: "SECONDS",
        help: "duration of a chunk",
    },
    MediaOption {
        name: "segdur",
        value: "SECONDS",
        help: "duration of a segment",
    },
    MediaOption {
        name: "tsb",
        value: "SECONDS",
        help: "depth of the time-shift buffer",
    },
    MediaOption {
        name: "profile",
        value: "NAME",
        help: "DASH profile",
    },
    MediaOption {
        name: "template",
        value: "TEXT",
        help: "template for the names of segments",
    },
    MediaOption {
        name: "sigfrag",
        value: "",
        help: "make the manifest anew, keep the segments",
    },
];

pub(crate) fn find(name: &str) -> Option<&'static MediaOption> {
    MEDIA_OPTIONS.iter().find(|option| option.name == name)
}
