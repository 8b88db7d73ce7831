//! Options of media that must be made: DASH and HLS of an input.

/// A flag, and an argument of an output, that is about segments.
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
        help: "`static`, all of it when it is made, or `dynamic`, live; `static` unless given",
    },
    MediaOption {
        name: "cdur",
        value: "SECONDS",
        help: "duration of a chunk, such as `0.1` or `1/10`; a segment is one chunk unless given",
    },
    MediaOption {
        name: "segdur",
        value: "SECONDS",
        help: "duration of a segment, such as `2` or `48/25`; unless given 1 s, or longer to copy the video",
    },
    MediaOption {
        name: "tsb",
        value: "SECONDS",
        help: "depth of the time-shift buffer of what is dynamic, `-1` for all; 30 s unless given",
    },
    MediaOption {
        name: "profile",
        value: "NAME",
        help: "DASH profile: `live`, `main`, `full`, `dashif.ll`, or `onDemand` for one file of each quality",
    },
    MediaOption {
        name: "template",
        value: "TEXT",
        help: "names of segments, such as `seg_$RepresentationID$_$Number$`",
    },
    MediaOption {
        name: "sigfrag",
        value: "",
        help: "make the manifest anew, keep the segments (not in this version yet)",
    },
];

pub(crate) fn find(name: &str) -> Option<&'static MediaOption> {
    MEDIA_OPTIONS.iter().find(|option| option.name == name)
}
