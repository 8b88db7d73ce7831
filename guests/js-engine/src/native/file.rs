//! Files, as far as they lie in directories that were granted.

use rquickjs::class::{JsClass, Trace, Tracer, Writable};
use rquickjs::function::Constructor;
use rquickjs::{Array, ArrayBuffer, Class, Ctx, Exception, JsLifetime, Object, Result};

use super::add_functions;
use super::bytes::Bytes;
use crate::bindings::httpout::plugin::script;
use crate::bindings::wasi::filesystem::preopens::get_directories;
use crate::bindings::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

/// Bytes that are read at once at most.
const MOST: u64 = 1 << 20;

/// An open file.
struct Open(Descriptor);

impl<'js> Trace<'js> for Open {
    fn trace<'a>(&self, _: Tracer<'a, 'js>) {}
}

#[expect(
    unsafe_code,
    reason = "QuickJS wants to know that it holds no value of a script"
)]
// SAFETY: it holds none.
unsafe impl JsLifetime<'_> for Open {
    type Changed<'to> = Open;
}

impl<'js> JsClass<'js> for Open {
    const NAME: &'static str = "Open";
    type Mutable = Writable;

    fn constructor(_: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

pub(super) fn add_to(native: &Object<'_>) -> Result<()> {
    add_functions!(native, file_open file_read file_write file_size file_truncate
        find_file stat directory make_directory remove_directory remove_file rename);
    Ok(())
}

/// A granted directory and a path below it.
type Place = (Descriptor, String);

/// How C opens files: `r`, `w`, `a`, each with `+` or without.
fn file_open<'js>(ctx: Ctx<'js>, path: String, mode: String) -> Result<Class<'js, Open>> {
    let (open, is_written) = match mode.as_bytes().first() {
        Some(b'w') => (OpenFlags::CREATE | OpenFlags::TRUNCATE, true),
        Some(b'a') => (OpenFlags::CREATE, true),
        _ => (OpenFlags::empty(), mode.contains('+')),
    };
    let flags = match is_written {
        true => DescriptorFlags::READ | DescriptorFlags::WRITE,
        false => DescriptorFlags::READ,
    };
    let opened = at(&ctx, &path, |(directory, below)| {
        let opened = directory.open_at(PathFlags::SYMLINK_FOLLOW, below, open, flags)?;
        match opened.get_type()? {
            DescriptorType::Directory => Err(ErrorCode::IsDirectory),
            _ => Ok(opened),
        }
    })?;
    Class::instance(ctx, Open(opened))
}

fn file_read<'js>(
    ctx: Ctx<'js>,
    file: Class<'js, Open>,
    at: f64,
    count: f64,
) -> Result<ArrayBuffer<'js>> {
    let read = file
        .try_borrow()?
        .0
        .read((count as u64).min(MOST), at as u64);
    let (bytes, _) = read.map_err(|error| failed(&ctx, error))?;
    ArrayBuffer::new(ctx, bytes)
}

fn file_write<'js>(ctx: Ctx<'js>, file: Class<'js, Open>, at: f64, bytes: Bytes) -> Result<f64> {
    let file = file.try_borrow()?;
    let mut written = 0;
    while written < bytes.0.len() {
        let rest = &bytes.0[written..];
        let count = file.0.write(
            &rest[..rest.len().min(MOST as usize)],
            at as u64 + written as u64,
        );
        match count.map_err(|error| failed(&ctx, error))? {
            0 => break,
            count => written += count as usize,
        }
    }
    Ok(written as f64)
}

fn file_size<'js>(ctx: Ctx<'js>, file: Class<'js, Open>) -> Result<f64> {
    let stat = file.try_borrow()?.0.stat();
    stat.map(|stat| stat.size as f64)
        .map_err(|error| failed(&ctx, error))
}

fn file_truncate<'js>(ctx: Ctx<'js>, file: Class<'js, Open>, size: f64) -> Result<()> {
    let set = file.try_borrow()?.0.set_size(size as u64);
    set.map_err(|error| failed(&ctx, error))
}

/// The absolute path of a file that there is; none where there is none in reach.
fn find_file(path: String) -> Option<String> {
    candidates(&path).into_iter().find(|path| {
        let stat = place(path)
            .map(|(directory, below)| directory.stat_at(PathFlags::SYMLINK_FOLLOW, &below));
        matches!(stat, Some(Ok(stat)) if stat.type_ == DescriptorType::RegularFile)
    })
}

/// Whether it is a directory, its size, and when it was changed, in seconds since 1970; none where there is none in reach.
fn stat(path: String) -> Option<Vec<f64>> {
    let stats = candidates(&path).into_iter().filter_map(|path| {
        let (directory, below) = place(&path)?;
        directory.stat_at(PathFlags::SYMLINK_FOLLOW, &below).ok()
    });
    { stats }.next().map(|stat| facts(&stat))
}

fn facts(stat: &DescriptorStat) -> Vec<f64> {
    let is_directory = stat.type_ == DescriptorType::Directory;
    let modified = stat.data_modification_timestamp;
    let modified = modified.map_or(0, |modified| modified.seconds);
    vec![
        f64::from(u8::from(is_directory)),
        stat.size as f64,
        modified as f64,
    ]
}

/// The names in a directory.
fn directory(ctx: Ctx<'_>, path: String) -> Result<Array<'_>> {
    let names = at(&ctx, &path, |(directory, below)| {
        let flags = (OpenFlags::DIRECTORY, DescriptorFlags::READ);
        let directory = directory.open_at(PathFlags::SYMLINK_FOLLOW, below, flags.0, flags.1)?;
        let entries = directory.read_directory()?;
        let mut names = Vec::new();
        loop {
            match entries.read_directory_entry() {
                Ok(Some(entry)) => names.push(entry.name),
                Ok(None) => return Ok(names),
                // A script has no name for it.
                Err(ErrorCode::IllegalByteSequence) => {}
                Err(error) => return Err(error),
            }
        }
    })?;
    let array = Array::new(ctx)?;
    for (index, name) in names.into_iter().enumerate() {
        array.set(index, name)?;
    }
    Ok(array)
}

fn make_directory(ctx: Ctx<'_>, path: String) -> Result<()> {
    at(&ctx, &path, |(directory, below)| {
        directory.create_directory_at(below)
    })
}

fn remove_directory(ctx: Ctx<'_>, path: String) -> Result<()> {
    at(&ctx, &path, |(directory, below)| {
        directory.remove_directory_at(below)
    })
}

fn remove_file(ctx: Ctx<'_>, path: String) -> Result<()> {
    at(&ctx, &path, |(directory, below)| {
        directory.unlink_file_at(below)
    })
}

fn rename(ctx: Ctx<'_>, from: String, to: String) -> Result<()> {
    at(&ctx, &from, |(directory, below)| {
        at_first(&to, |(into, name)| directory.rename_at(below, into, name))
    })
}

/// Does something with a path, in the first place where that succeeds.
fn at<R>(
    ctx: &Ctx<'_>,
    path: &str,
    act: impl Fn(&Place) -> std::result::Result<R, ErrorCode>,
) -> Result<R> {
    at_first(path, act).map_err(|error| {
        let reason = format!("`{path}`: {}", reason(error));
        Exception::throw_message(ctx, &reason)
    })
}

fn at_first<R>(
    path: &str,
    act: impl Fn(&Place) -> std::result::Result<R, ErrorCode>,
) -> std::result::Result<R, ErrorCode> {
    let mut first_error = None;
    for place in candidates(path).iter().filter_map(|path| place(path)) {
        match act(&place) {
            Ok(value) => return Ok(value),
            Err(error) => first_error.get_or_insert(error),
        };
    }
    // Nothing is granted that the path could lie in.
    Err(first_error.unwrap_or(ErrorCode::Access))
}

/// The absolute paths that a path may mean.
fn candidates(path: &str) -> Vec<String> {
    match path.starts_with('/') {
        true => vec![normalized(path)],
        false => {
            let places = script::places().into_iter();
            places
                .map(|place| normalized(&format!("{place}/{path}")))
                .collect()
        }
    }
}

/// Without `.` and `..`, which the server would follow no farther than to a granted directory.
fn normalized(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The innermost granted directory that an absolute path lies in, and the rest of the path.
fn place(path: &str) -> Option<Place> {
    let granted = get_directories()
        .into_iter()
        .filter_map(|(directory, name)| {
            let name = normalized(&name);
            let below = path.strip_prefix(name.trim_end_matches('/'))?;
            let is_below = below.is_empty() || below.starts_with('/');
            is_below.then(|| {
                (
                    name.len(),
                    directory,
                    below.trim_start_matches('/').to_owned(),
                )
            })
        });
    // Of two that are the same, the first one: it may be written to.
    let innermost = granted.reduce(|best, other| if other.0 > best.0 { other } else { best });
    let (_, directory, below) = innermost?;
    let below = if below.is_empty() {
        ".".to_owned()
    } else {
        below
    };
    Some((directory, below))
}

fn failed(ctx: &Ctx<'_>, error: ErrorCode) -> rquickjs::Error {
    Exception::throw_message(ctx, reason(error))
}

/// Without the name that it has in C.
fn reason(error: ErrorCode) -> &'static str {
    let message = error.message();
    message.split(", similar to").next().unwrap_or(message)
}
