//! Random numbers. Those of `Math.random` are seeded in each instance: the snapshot that requests begin with would give
//! all of them the same.

use std::cell::RefCell;

use fastrand::Rng;
use rquickjs::{ArrayBuffer, Ctx, Object, Result};

use super::add_functions;
use crate::bindings::wasi::random::random::{get_random_bytes, get_random_u64};

thread_local! {
    static GENERATOR: RefCell<Option<Rng>> = const { RefCell::new(None) };
}

/// The next number begins with a new seed.
pub(crate) fn forget_seed() {
    GENERATOR.take();
}

pub(super) fn add_to(native: &Object<'_>) -> Result<()> {
    add_functions!(native, random random_bytes seed);
    Ok(())
}

/// From 0 to less than 1.
fn random() -> f64 {
    GENERATOR.with_borrow_mut(|generator| {
        generator
            .get_or_insert_with(|| Rng::with_seed(get_random_u64()))
            .f64()
    })
}

/// The same numbers again for the same seed, for scripts that want that.
fn seed(seed: f64) {
    GENERATOR.set(Some(Rng::with_seed(seed.to_bits())));
}

/// Numbers that nobody can guess.
fn random_bytes(ctx: Ctx<'_>, count: u32) -> Result<ArrayBuffer<'_>> {
    ArrayBuffer::new(ctx, get_random_bytes(u64::from(count)))
}
