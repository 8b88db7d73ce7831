//! The variables of a script's files, made readable: `js/globals.js` compares them.
//!
//! Properties of the global object can be read by anybody, but variables of a module or of `let` only by code that stands
//! beside them: a line of it is put behind each file.

use crate::bindings::httpout::plugin::script;
use crate::engine::Engine;

/// What the line calls, while the script is loaded.
const READER: &str = "__httpout_read_with";

/// Names that are told.
const MOST_NAMES: usize = 10;

/// The text of a file with a line behind it that lets its variables be read. It may fail to compile where the text did not.
pub(crate) fn readable(text: &str) -> Option<String> {
    let mut names: Vec<&str> = text.lines().filter_map(declared).collect();
    names.sort_unstable();
    names.dedup();
    // One that is no variable of the file, but stands in a comment or a text, is not defined.
    let members = names
        .iter()
        .map(|name| format!("{name}:typeof {name}==='undefined'?undefined:{name}"));
    let members: Vec<String> = members.collect();
    let line = format!("\n;globalThis.{READER}?.(()=>({{{}}}));", members.join(","));
    (!members.is_empty()).then(|| format!("{text}{line}"))
}

/// The variable that a line declares which begins so, with nothing before.
fn declared(line: &str) -> Option<&str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let mut kinds = ["let ", "const ", "var "].into_iter();
    let rest = kinds.find_map(|kind| line.strip_prefix(kind))?.trim_start();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let name = &rest[..end];
    let begins = name.starts_with(|c: char| !c.is_ascii_digit());
    let goes_on = rest[end..].trim_start();
    // What is destructured, or not of ASCII, is left alone.
    let is_whole = goes_on.is_empty() || goes_on.starts_with(['=', ';', ',']);
    (begins && is_whole).then_some(name)
}

/// The script has been loaded: it is remembered what its variables are.
pub(crate) fn watch(engine: &Engine) {
    let removed = engine.run(|ctx| ctx.globals().remove(READER));
    // What cannot be looked at is no fault of the script.
    let _ = removed.and_then(|()| engine.watch_globals());
}

/// Tells the server which of them a request has written.
pub(crate) fn look(engine: &Engine) {
    let written = engine.written_globals().unwrap_or_default();
    if !written.is_empty() {
        let shown = &written[..written.len().min(MOST_NAMES)];
        script::globals_written(shown);
    }
}
