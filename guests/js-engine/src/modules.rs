//! What scripts may import: the modules of the engine, and files beside the script while it is loaded.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rquickjs::loader::ImportAttributes;
use rquickjs::module::Declared;
use rquickjs::{Ctx, Error, Exception, Module, Result};

use crate::bindings::httpout::plugin::script;
use crate::globals;
use crate::native::Native;

/// How the names of the engine's own modules begin, which no script can import by them.
pub(crate) const INTERNAL: &str = "httpout:";

pub(crate) const MAIN: &str = "httpout:main";
pub(crate) const MAIN_TEXT: &str = include_str!("js/main.js");
const NATIVE: &str = "httpout:native";

/// What the engine's own modules begin with, on their first line: a script may replace the objects of the language, and
/// must not break the engine.
const PRIMORDIALS: &str = "import { Array, ArrayBuffer, BigInt, Boolean, DOMException, DataView, Date, Error, JSON, Map, \
    Math, Number, Object, Promise, RangeError, Reflect, RegExp, Set, String, Symbol, TypeError, Uint8Array, own, \
    is_integer, is_safe_integer, to_lower_case, well_formed } from 'httpout:primordials'; ";

const PRIMORDIAL: &str = "primordials";

/// Names that scripts import.
const PUBLIC: [&str; 3] = ["gpaccore", "os", "std"];

const MODULES: &[(&str, &str)] = &[
    ("abort", include_str!("js/abort.js")),
    ("bitstream", include_str!("js/bitstream.js")),
    ("bodies", include_str!("js/bodies.js")),
    ("clone", include_str!("js/clone.js")),
    ("console", include_str!("js/console.js")),
    ("constants", include_str!("js/constants.js")),
    ("encoding", include_str!("js/encoding.js")),
    ("fetch", include_str!("js/fetch.js")),
    ("file", include_str!("js/file.js")),
    ("globals", include_str!("js/globals.js")),
    ("gpaccore", include_str!("js/gpaccore.js")),
    ("headers", include_str!("js/headers.js")),
    ("incoming", include_str!("js/incoming.js")),
    ("metrics", include_str!("js/metrics.js")),
    ("os", include_str!("js/os.js")),
    ("outgoing", include_str!("js/outgoing.js")),
    (PRIMORDIAL, include_str!("js/primordials.js")),
    ("request", include_str!("js/request.js")),
    ("response", include_str!("js/response.js")),
    ("session", include_str!("js/session.js")),
    ("state", include_str!("js/state.js")),
    ("std", include_str!("js/std.js")),
    ("sys", include_str!("js/sys.js")),
    ("timers", include_str!("js/timers.js")),
    ("url", include_str!("js/url.js")),
    ("waits", include_str!("js/waits.js")),
    ("warm", include_str!("js/warm.js")),
    ("web", include_str!("js/web.js")),
];

thread_local! {
    /// The texts of the script's files, to tell where an import stands that cannot be.
    static TEXTS: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// Keeps the text of a file that is about to be loaded.
pub(crate) fn remember(name: &str, text: &str) {
    TEXTS.with_borrow_mut(|texts| texts.insert(name.to_owned(), text.to_owned()));
}

/// The script has been loaded.
pub(crate) fn close() {
    TEXTS.take();
}

/// From the name in an import to that of a module.
pub(crate) struct Resolver;

impl rquickjs::loader::Resolver for Resolver {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        if PUBLIC.contains(&name) {
            return Ok(format!("{INTERNAL}{name}"));
        }
        if name.starts_with(INTERNAL) && base.starts_with(INTERNAL) {
            return Ok(name.to_owned());
        }
        let is_file = name.starts_with("./") || name.starts_with("../");
        let below = is_file.then(|| join(base, name)).flatten();
        let Some(file) = below else {
            let known = PUBLIC.join("`, `");
            let reason = format!(
                "cannot import `{name}`: there are `{known}`, and files below the script's directory, such as `./lib.js`"
            );
            return Err(refuse(ctx, base, name, &reason));
        };
        let is_loaded = TEXTS.with_borrow(|texts| texts.contains_key(&file));
        if !is_loaded {
            match script::file(&file) {
                Ok(text) => remember(&file, &text),
                Err(reason) => {
                    let reason = format!("cannot import `{name}`: {reason}");
                    return Err(refuse(ctx, base, name, &reason));
                }
            }
        }
        Ok(file)
    }
}

/// From the name of a module to the module.
pub(crate) struct Loader;

impl rquickjs::loader::Loader for Loader {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        if name == NATIVE {
            return Module::declare_def::<Native, _>(ctx.clone(), name);
        }
        if let Some(own) = name.strip_prefix(INTERNAL) {
            let found = MODULES.iter().find(|(known, _)| *known == own);
            let (_, text) = found.ok_or_else(|| Error::new_loading(name))?;
            return match own == PRIMORDIAL {
                true => Module::declare(ctx.clone(), name, *text),
                false => declare_own(ctx, name, text),
            };
        }
        let text = TEXTS.with_borrow(|texts| texts.get(name).cloned());
        declare(ctx, name, text.ok_or_else(|| Error::new_loading(name))?)
    }
}

/// A file of the script, whose variables can be read.
pub(crate) fn declare<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    text: String,
) -> Result<Module<'js, Declared>> {
    let readable = globals::readable(&text);
    let declared = readable.map(|text| Module::declare(ctx.clone(), name, text));
    match declared {
        Some(Ok(module)) => Ok(module),
        Some(Err(_)) => {
            ctx.catch();
            Module::declare(ctx.clone(), name, text)
        }
        None => Module::declare(ctx.clone(), name, text),
    }
}

/// Declares a module of the engine.
pub(crate) fn declare_own<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    text: &str,
) -> Result<Module<'js, Declared>> {
    Module::declare(ctx.clone(), name, format!("{PRIMORDIALS}{text}"))
}

/// A path relative to the directory of a file, as one relative to that of the script; none where it leaves that.
fn join(base: &str, name: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// An error that says where the import stands.
fn refuse(ctx: &Ctx<'_>, base: &str, name: &str, reason: &str) -> Error {
    let place = TEXTS.with_borrow(|texts| {
        let text = texts.get(base)?;
        let quoted = |quote: char| text.find(&format!("{quote}{name}{quote}"));
        let before = &text[..quoted('\'').or_else(|| quoted('"'))?];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Some(format!("at import ({base}:{line}:{column})"))
    });
    let error = Exception::from_message(ctx.clone(), reason).and_then(|error| {
        if let Some(place) = place {
            error.set("stack", place)?;
        }
        Ok(error.throw())
    });
    error.unwrap_or_else(|error| error)
}
