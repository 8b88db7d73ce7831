//! What the modules in `js/` cannot do by themselves: the default export of `httpout:native`, an object of functions.

pub(crate) mod bytes;
mod codecs;
mod exchange;
pub(crate) mod fetch;
mod file;
mod metrics;
mod random;
mod sha1;
pub(crate) mod state;
mod system;
mod url;

use rquickjs::module::{Declarations, Exports, ModuleDef};
use rquickjs::{Ctx, Object, Result};

pub(crate) use random::forget_seed;

pub(crate) struct Native;

impl ModuleDef for Native {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        declarations.declare("default")?;
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        let native = Object::new(ctx.clone())?;
        exchange::add_to(&native)?;
        system::add_to(&native)?;
        random::add_to(&native)?;
        bytes::add_to(&native)?;
        codecs::add_to(&native)?;
        file::add_to(&native)?;
        sha1::add_to(&native)?;
        fetch::add_to(&native)?;
        state::add_to(&native)?;
        metrics::add_to(&native)?;
        url::add_to(&native)?;
        exports.export("default", native)?;
        Ok(())
    }
}

/// Adds functions to an object, under their names.
macro_rules! add_functions {
    ($object:ident, $($function:ident)*) => {
        $($object.set(
            stringify!($function),
            rquickjs::Function::new($object.ctx().clone(), $function)?,
        )?;)*
    };
}
pub(crate) use add_functions;
