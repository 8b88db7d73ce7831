//! SHA-1 of bytes that come in pieces.

use rquickjs::class::{JsClass, Trace, Tracer, Writable};
use rquickjs::function::Constructor;
use rquickjs::{ArrayBuffer, Class, Ctx, JsLifetime, Object, Result};
use sha1::{Digest as _, Sha1};

use super::add_functions;
use super::bytes::Bytes;

/// A hash that is being made.
struct Hash(Sha1);

impl<'js> Trace<'js> for Hash {
    fn trace<'a>(&self, _: Tracer<'a, 'js>) {}
}

#[expect(
    unsafe_code,
    reason = "QuickJS wants to know that it holds no value of a script"
)]
// SAFETY: it holds none.
unsafe impl JsLifetime<'_> for Hash {
    type Changed<'to> = Hash;
}

impl<'js> JsClass<'js> for Hash {
    const NAME: &'static str = "Hash";
    type Mutable = Writable;

    fn constructor(_: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

pub(super) fn add_to(native: &Object<'_>) -> Result<()> {
    add_functions!(native, sha1_begin sha1_add sha1_end);
    Ok(())
}

fn sha1_begin(ctx: Ctx<'_>) -> Result<Class<'_, Hash>> {
    Class::instance(ctx, Hash(Sha1::new()))
}

fn sha1_add(hash: Class<'_, Hash>, bytes: Bytes) -> Result<()> {
    hash.try_borrow_mut()?.0.update(bytes.0);
    Ok(())
}

/// Of what was added until now; more may be.
fn sha1_end<'js>(ctx: Ctx<'js>, hash: Class<'js, Hash>) -> Result<ArrayBuffer<'js>> {
    let digest = hash.try_borrow()?.0.clone().finalize();
    ArrayBuffer::new(ctx, digest.to_vec())
}
