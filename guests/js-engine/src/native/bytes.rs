//! Bytes between scripts and the engine: ArrayBuffers and views of them in, ArrayBuffers out. Text as UTF-8.

use std::borrow::Cow;
use std::{slice, str};

use rquickjs::convert::List;
use rquickjs::{ArrayBuffer, Ctx, Exception, FromJs, Object, Result, Value};

use super::add_functions;

/// A copy of the bytes of an ArrayBuffer, or of a view.
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl<'js> FromJs<'js> for Bytes {
    fn from_js(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Bytes> {
        let object = value.into_object();
        let bytes = object.and_then(|object| match ArrayBuffer::from_object(object.clone()) {
            Some(buffer) => Some(copy(&buffer, usize::MAX)),
            None => copy_view(&object),
        });
        let bytes = bytes
            .ok_or_else(|| Exception::throw_type(ctx, "not an ArrayBuffer, nor a view of one"))?;
        Ok(Bytes(bytes))
    }
}

/// A text, in which U+FFFD stands for halves of surrogate pairs: UTF-8 has no bytes for them.
pub(crate) struct Text(pub(crate) String);

impl<'js> FromJs<'js> for Text {
    fn from_js(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Text> {
        let text = rquickjs::String::from_js(ctx, value)?.to_cstring()?;
        // SAFETY: QuickJS keeps so many bytes there until `text` is dropped.
        let bytes = unsafe { slice::from_raw_parts(text.as_ptr().cast::<u8>(), text.len()) };
        let whole = str::from_utf8(bytes).map(str::to_owned);
        Ok(Text(whole.unwrap_or_else(|_| without_halves(bytes))))
    }
}

/// QuickJS writes a half as if it were a character of three bytes, the first of which stands in no place but the first.
fn without_halves(bytes: &[u8]) -> String {
    let mut bytes = bytes.to_vec();
    for index in 0..bytes.len().saturating_sub(2) {
        if bytes[index] == 0xed && bytes[index + 1] >= 0xa0 {
            bytes[index..index + 3].copy_from_slice("\u{fffd}".as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// At most so many bytes of a buffer; none of one that was transferred.
pub(crate) fn copy(buffer: &ArrayBuffer<'_>, most: usize) -> Vec<u8> {
    // SAFETY: they are copied before any script can run.
    let bytes = unsafe { buffer.as_bytes() }.unwrap_or_default();
    bytes[..bytes.len().min(most)].to_vec()
}

fn copy_view(view: &Object<'_>) -> Option<Vec<u8>> {
    let buffer: ArrayBuffer<'_> = view.get("buffer").ok()?;
    let (start, length): (usize, usize) =
        (view.get("byteOffset").ok()?, view.get("byteLength").ok()?);
    // SAFETY: as above.
    let bytes = unsafe { buffer.as_bytes() }.unwrap_or_default();
    bytes
        .get(start..start.checked_add(length)?)
        .map(<[u8]>::to_vec)
}

pub(super) fn add_to(native: &Object<'_>) -> Result<()> {
    add_functions!(native, utf8_encode utf8_decode utf16_decode);
    Ok(())
}

fn utf8_encode(ctx: Ctx<'_>, text: String) -> Result<ArrayBuffer<'_>> {
    ArrayBuffer::new(ctx, text.into_bytes())
}

/// The text of UTF-8, and how many bytes at its end are the beginning of a character, where more may come.
fn utf8_decode(
    ctx: Ctx<'_>,
    bytes: Bytes,
    is_fatal: bool,
    is_end: bool,
) -> Result<List<(String, usize)>> {
    let Bytes(bytes) = bytes;
    let kept = if is_end { 0 } else { incomplete(&bytes) };
    let text = String::from_utf8_lossy(&bytes[..bytes.len() - kept]);
    match text {
        Cow::Owned(_) if is_fatal => Err(Exception::throw_type(&ctx, "this is not UTF-8")),
        text => Ok(List((text.into_owned(), kept))),
    }
}

/// The text of UTF-16, low bytes first, and what [`utf8_decode`] says of its end.
fn utf16_decode(
    ctx: Ctx<'_>,
    bytes: Bytes,
    is_fatal: bool,
    is_end: bool,
) -> Result<List<(String, usize)>> {
    let Bytes(bytes) = bytes;
    let mut units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let mut kept = bytes.len() % 2;
    let is_high = |unit: &u16| (0xd800..0xdc00).contains(unit);
    if is_end && kept > 0 {
        // Half of a unit is as wrong as half of a pair.
        units.push(0xd800);
        kept = 0;
    } else if !is_end && units.last().is_some_and(is_high) {
        units.pop();
        kept += 2;
    }
    match String::from_utf16(&units) {
        Ok(text) => Ok(List((text, kept))),
        Err(_) if is_fatal => Err(Exception::throw_type(&ctx, "this is not UTF-16")),
        Err(_) => Ok(List((String::from_utf16_lossy(&units), kept))),
    }
}

/// Bytes at the end that begin a character and do not end it.
fn incomplete(bytes: &[u8]) -> usize {
    let last = &bytes[bytes.len() - bytes.len().min(3)..];
    match std::str::from_utf8(last) {
        Ok(_) => 0,
        Err(_) => {
            let begins = last.iter().rposition(|byte| byte & 0xc0 != 0x80);
            let tail = begins.map_or(&[][..], |at| &last[at..]);
            match std::str::from_utf8(tail) {
                Err(error) if error.error_len().is_none() => tail.len(),
                _ => 0,
            }
        }
    }
}
