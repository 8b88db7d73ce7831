//! The exchange of the contract, as `js/request.js` uses it.

use std::rc::Rc;

use percent_encoding::percent_decode_str;
use rquickjs::{Array, Ctx, Exception, Object, Result};

use super::add_functions;
use super::bytes::Bytes;
use crate::bindings::httpout::plugin::http::Exchange;
use crate::exchanges::{self, Number};
use crate::waits;

pub(super) fn add_to(native: &Object<'_>) -> Result<()> {
    add_functions!(native, method url target path user auth_code is_secure netid peer_address peer_port
        headers_in set_reply add_header set_body set_body_bytes set_body_file
        use_read use_write use_throttle use_close set_timeout send hold_body);
    Ok(())
}

fn find(ctx: &Ctx<'_>, number: Number) -> Result<Rc<Exchange>> {
    let found = exchanges::find(number);
    found.ok_or_else(|| Exception::throw_message(ctx, "the request is over"))
}

fn method(ctx: Ctx<'_>, exchange: Number) -> Result<String> {
    Ok(find(&ctx, exchange)?.method())
}

/// Path and query, decoded, as GPAC gives them.
fn url(ctx: Ctx<'_>, exchange: Number) -> Result<String> {
    let url = find(&ctx, exchange)?.url();
    Ok(percent_decode_str(&url).decode_utf8_lossy().into_owned())
}

/// Path and query as received.
fn target(ctx: Ctx<'_>, exchange: Number) -> Result<String> {
    Ok(find(&ctx, exchange)?.url())
}

fn path(ctx: Ctx<'_>, exchange: Number) -> Result<String> {
    Ok(find(&ctx, exchange)?.path())
}

fn user(ctx: Ctx<'_>, exchange: Number) -> Result<Option<String>> {
    Ok(find(&ctx, exchange)?.user())
}

fn auth_code(ctx: Ctx<'_>, exchange: Number) -> Result<u16> {
    Ok(find(&ctx, exchange)?.auth_code())
}

fn is_secure(ctx: Ctx<'_>, exchange: Number) -> Result<bool> {
    Ok(find(&ctx, exchange)?.scheme() == "https")
}

fn netid(ctx: Ctx<'_>, exchange: Number) -> Result<f64> {
    Ok(find(&ctx, exchange)?.connection_id() as f64)
}

fn peer_address(ctx: Ctx<'_>, exchange: Number) -> Result<String> {
    Ok(find(&ctx, exchange)?.peer().0)
}

fn peer_port(ctx: Ctx<'_>, exchange: Number) -> Result<u16> {
    Ok(find(&ctx, exchange)?.peer().1)
}

fn headers_in<'js>(ctx: Ctx<'js>, exchange: Number) -> Result<Array<'js>> {
    let fields = find(&ctx, exchange)?.headers();
    let headers = Array::new(ctx.clone())?;
    for (index, (name, value)) in fields.into_iter().enumerate() {
        let header = Object::new(ctx.clone())?;
        header.set("name", name)?;
        header.set("value", value)?;
        headers.set(index, header)?;
    }
    Ok(headers)
}

fn set_reply(ctx: Ctx<'_>, exchange: Number, code: u16) -> Result<bool> {
    Ok(find(&ctx, exchange)?.set_reply(code))
}

fn add_header(ctx: Ctx<'_>, exchange: Number, name: String, value: String) -> Result<bool> {
    Ok(find(&ctx, exchange)?.add_header(&name, &value))
}

fn set_body(ctx: Ctx<'_>, exchange: Number, text: String) -> Result<bool> {
    Ok(find(&ctx, exchange)?.set_body(&text))
}

fn set_body_bytes(ctx: Ctx<'_>, exchange: Number, bytes: Bytes) -> Result<bool> {
    Ok(find(&ctx, exchange)?.set_body_bytes(&bytes.0))
}

fn set_body_file(ctx: Ctx<'_>, exchange: Number, path: String) -> Result<bool> {
    Ok(find(&ctx, exchange)?.set_body_file(&path))
}

fn use_read(ctx: Ctx<'_>, exchange: Number, length: Option<f64>) -> Result<bool> {
    let length = length.map(|length| length as u64);
    Ok(find(&ctx, exchange)?.use_read(length))
}

fn use_write(ctx: Ctx<'_>, exchange: Number) -> Result<bool> {
    let is_taken = find(&ctx, exchange)?.use_write();
    if is_taken {
        exchanges::take_body(exchange);
    }
    Ok(is_taken)
}

/// The client is to wait with the next piece of the body, or no longer.
fn hold_body(holds: bool) {
    waits::hold_body(holds);
}

fn use_throttle(ctx: Ctx<'_>, exchange: Number) -> Result<bool> {
    Ok(find(&ctx, exchange)?.use_throttle())
}

fn use_close(ctx: Ctx<'_>, exchange: Number) -> Result<bool> {
    Ok(find(&ctx, exchange)?.use_close())
}

fn set_timeout(ctx: Ctx<'_>, exchange: Number, seconds: f64) -> Result<bool> {
    Ok(find(&ctx, exchange)?.set_timeout(seconds as u32))
}

fn send(exchange: Number) -> bool {
    exchanges::send(exchange)
}
