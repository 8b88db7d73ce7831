//! The exchange of the contract, as `js/request.js` uses it.

use std::rc::Rc;

use percent_encoding::percent_decode_str;
use rquickjs::object::Property;
use rquickjs::{Array, Ctx, Exception, Object, Result, Value};

use super::add_functions;
use super::bytes::{Bytes, Text};
use crate::bindings::httpout::plugin::http::Exchange;
use crate::exchanges::{self, Number};
use crate::waits;

pub(super) fn add_to(native: &Object<'_>) -> Result<()> {
    add_functions!(native, attribute set_attribute id protocol authority local_address body_length status bytes_sent bytes_received
        method url target path user auth_code is_secure netid peer_address peer_port
        headers_in set_reply add_header set_body set_body_bytes set_body_file
        use_read use_write use_throttle use_close set_timeout send hold_body keep);
    Ok(())
}

fn find(ctx: &Ctx<'_>, number: Number) -> Result<Rc<Exchange>> {
    let found = exchanges::find(number);
    found.ok_or_else(|| Exception::throw_message(ctx, "the request is over"))
}

fn attribute(ctx: Ctx<'_>, exchange: Number, name: String) -> Result<Option<String>> {
    Ok(find(&ctx, exchange)?.attribute(&name))
}

fn set_attribute(ctx: Ctx<'_>, exchange: Number, name: String, value: String) -> Result<()> {
    find(&ctx, exchange)?.set_attribute(&name, &value);
    Ok(())
}

fn id(ctx: Ctx<'_>, exchange: Number) -> Result<f64> {
    Ok(find(&ctx, exchange)?.id() as f64)
}

fn protocol(ctx: Ctx<'_>, exchange: Number) -> Result<String> {
    Ok(find(&ctx, exchange)?.protocol())
}

fn authority(ctx: Ctx<'_>, exchange: Number) -> Result<Option<String>> {
    Ok(find(&ctx, exchange)?.authority())
}

fn local_address(ctx: Ctx<'_>, exchange: Number) -> Result<String> {
    Ok(find(&ctx, exchange)?.local().0)
}

/// None where it is not known beforehand.
fn body_length(ctx: Ctx<'_>, exchange: Number) -> Result<Option<f64>> {
    let length = find(&ctx, exchange)?.body_length();
    Ok(length.map(|length| length as f64))
}

fn status(ctx: Ctx<'_>, exchange: Number) -> Result<u16> {
    Ok(find(&ctx, exchange)?.status())
}

fn bytes_sent(ctx: Ctx<'_>, exchange: Number) -> Result<f64> {
    Ok(find(&ctx, exchange)?.bytes_sent() as f64)
}

fn bytes_received(ctx: Ctx<'_>, exchange: Number) -> Result<f64> {
    Ok(find(&ctx, exchange)?.bytes_received() as f64)
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
        header.prop("name", ordinary(name))?;
        header.prop("value", ordinary(value))?;
        headers.prop(index as u32, ordinary(header))?;
    }
    Ok(headers)
}

/// A property as one that a script sets, but for what a script has set on the prototypes.
fn ordinary<T>(value: T) -> Property<T> {
    Property::from(value).writable().enumerable().configurable()
}

/// Makes it the object's own property, as `Object.defineProperty` would, without an object that describes it.
fn keep<'js>(object: Object<'js>, name: String, value: Value<'js>) -> Result<()> {
    object.prop(name, ordinary(value))
}

fn set_reply(ctx: Ctx<'_>, exchange: Number, code: u16) -> Result<bool> {
    Ok(find(&ctx, exchange)?.set_reply(code))
}

fn add_header(ctx: Ctx<'_>, exchange: Number, name: Text, value: Text) -> Result<bool> {
    Ok(find(&ctx, exchange)?.add_header(&name.0, &value.0))
}

fn set_body(ctx: Ctx<'_>, exchange: Number, text: Text) -> Result<bool> {
    Ok(find(&ctx, exchange)?.set_body(&text.0))
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
