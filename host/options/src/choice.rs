//! The options that take one of a few words.

/// One value of an enumeration.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// The word.
    pub name: &'static str,
    /// What it does.
    pub help: &'static str,
}

pub(crate) trait Choices: Copy + 'static {
    const CHOICES: &'static [Choice];
    /// The values in the order of `CHOICES`.
    const VALUES: &'static [Self];

    fn name(self) -> &'static str;
}

macro_rules! choices {
    ($(#[$doc:meta])* $type:ident { $($variant:ident $name:literal $help:literal)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type {
            $(#[doc = concat!("`", $name, "`: ", $help, ".")] $variant,)*
        }

        impl Choices for $type {
            const CHOICES: &'static [Choice] = &[$(Choice { name: $name, help: $help },)*];
            const VALUES: &'static [Self] = &[$($type::$variant,)*];

            fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)*
                }
            }
        }
    };
}

choices! {
    /// Option `cors`: what pages of other origins may do.
    Cors {
        Off  "off"  "send no CORS fields, and refuse what would write"
        On   "on"   "send them with each response; all pages may write too"
        Auto "auto" "send them when the request has `Origin`, and refuse what would write"
    }
}

choices! {
    /// Option `hmode`: which side of HTTP to take.
    Hmode {
        Default "default" "serve"
        Push    "push"    "be a client that uploads with PUT or POST"
        Source  "source"  "serve, and take what clients upload as input"
    }
}

choices! {
    /// Option `plugin_fail`: what becomes of requests while a plugin fails again and again.
    PluginFail {
        Closed "closed" "answer 503"
        Open   "open"   "go on without the plugin"
    }
}

choices! {
    /// Option `log`: how much the server says.
    Log {
        Error "error" "only what keeps the server from its work"
        Warn  "warn"  "also what a plugin or a setting got wrong"
        Info  "info"  "also start and stop"
        Debug "debug" "also what clients got wrong"
        Trace "trace" "everything"
    }
}
