//! What went wrong in a script, as one line.

use rquickjs::{CaughtError, Ctx, Error, Value};

use crate::modules::INTERNAL;
use crate::time;

/// An exception that no script caught, or why a script was stopped.
#[derive(Debug)]
pub(crate) struct Fault {
    /// `TypeError: not a function`
    message: String,
    /// `on_request (myserver.js:3:5)`, innermost first, without the functions of the engine.
    frames: Vec<String>,
}

/// Frames that are shown; the innermost of an endless recursion say enough.
const MOST_FRAMES: usize = 10;

impl Fault {
    pub(crate) fn new(message: impl Into<String>) -> Fault {
        Fault {
            message: message.into(),
            frames: Vec::new(),
        }
    }

    /// What came back from the engine.
    pub(crate) fn of(ctx: &Ctx<'_>, error: Error) -> Fault {
        match CaughtError::from_error(ctx, error) {
            CaughtError::Error(error) => Fault::new(error.to_string()),
            CaughtError::Exception(exception) => Fault::of_value(&exception.into_value()),
            CaughtError::Value(value) => Fault::of_value(&value),
        }
    }

    /// The exception that is under way.
    pub(crate) fn caught(ctx: &Ctx<'_>) -> Fault {
        Fault::of(ctx, Error::Exception)
    }

    /// A value that was thrown, most often an Error.
    pub(crate) fn of_value(thrown: &Value<'_>) -> Fault {
        let object = thrown.as_object();
        let text = |name: &str| {
            let found = object.and_then(|object| object.get::<_, Option<String>>(name).ok());
            found.flatten().filter(|text| !text.is_empty())
        };
        let message = match (text("name"), text("message")) {
            _ if time::was_stopped() => "it took too long (option `plugin_timeout`)".to_owned(),
            (Some(name), Some(message)) => format!("{name}: {message}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) if thrown.is_null() => {
                // So QuickJS says that there is not even memory for an Error.
                "null was thrown, or memory has run out (option `plugin_memory`)".to_owned()
            }
            (None, None) => format!("{} was thrown", shown(thrown)),
        };
        let stack = text("stack").unwrap_or_default();
        let frames = stack
            .lines()
            .filter_map(|line| line.trim().strip_prefix("at "));
        let is_of_script = |frame: &&str| !frame.contains(INTERNAL) && !frame.contains("(native)");
        let mut frames: Vec<String> = frames.filter(is_of_script).map(str::to_owned).collect();
        frames.dedup();
        frames.truncate(MOST_FRAMES);
        Fault { message, frames }
    }

    /// `TypeError: not a function in f (myserver.js:3:5) < on_request (myserver.js:9:3)`
    pub(crate) fn traced(&self) -> String {
        match self.frames.is_empty() {
            true => self.message.clone(),
            false => format!("{} in {}", self.message, self.frames.join(" < ")),
        }
    }

    /// `myserver.js:3:5: TypeError: not a function`; or without the numbers where nothing tells them.
    pub(crate) fn located(&self, file: &str) -> String {
        match self.frames.first() {
            None => format!("{file}: {}", self.message.replace(INTERNAL, "")),
            Some(frame) => {
                let place = frame.rsplit_once('(').map_or(&**frame, |(_, place)| place);
                format!("{}: {}", place.trim_end_matches(')'), self.message)
            }
        }
    }
}

/// A value that is no Error, and was thrown though.
fn shown(value: &Value<'_>) -> String {
    if let Some(text) = value.as_string() {
        return text.to_string().unwrap_or_else(|_| "a string".to_owned());
    }
    let json = value.ctx().json_stringify(value.clone()).ok().flatten();
    let json = json.and_then(|json| json.to_string().ok());
    json.unwrap_or_else(|| value.type_name().to_owned())
}
