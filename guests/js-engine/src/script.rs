//! The user's script: evaluated once, when the engine starts.

use std::ffi::CString;

use rquickjs::context::EvalOptions;
use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Module, Promise, Value, qjs};

use crate::engine::{Engine, keep};
use crate::fault::Fault;
use crate::{modules, time};

/// Evaluates the script, and waits for what it awaits.
///
/// # Errors
/// File, line, column and message of what is wrong with it.
pub(crate) fn evaluate(engine: &Engine, name: &str, text: String) -> Result<(), String> {
    let evaluated = match is_classic(engine, name, &text) {
        true => evaluate_classic(engine, name, text),
        false => evaluate_module(engine, name, text),
    };
    evaluated.map_err(|fault| fault.located(name))
}

fn evaluate_classic(engine: &Engine, name: &str, text: String) -> Result<(), Fault> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(name.to_owned());
    engine.run(|ctx| {
        ctx.eval_with_options::<Value<'_>, _>(text, options)
            .map(drop)
    })
}

fn evaluate_module(engine: &Engine, name: &str, text: String) -> Result<(), Fault> {
    modules::remember(name, &text);
    let evaluated = engine.run(|ctx| {
        let evaluated = Module::evaluate(ctx.clone(), name, text)?;
        Ok(keep(ctx, evaluated))
    })?;
    let state = |ctx: &Ctx<'_>| {
        let evaluated: Promise<'_> = evaluated.clone().restore(ctx)?;
        Ok(evaluated.state())
    };
    while engine.run(state)? == PromiseState::Pending {
        let Some(alarm) = time::alarm() else {
            return Err(Fault::new("it awaits what never comes"));
        };
        alarm.block();
        engine.run_due()?;
    }
    Ok(())
}

/// Whether the text is a script, in which names need no declaration, and not a module: GPAC has both.
fn is_classic(engine: &Engine, name: &str, text: &str) -> bool {
    let compiled = engine.run(|ctx| {
        let (name, source) = (CString::new(name)?, CString::new(text)?);
        let flags = qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY;
        // SAFETY: the context lives, both strings end with NUL, and the value that comes back is owned from here on.
        let compiled = unsafe {
            let context = ctx.as_raw().as_ptr();
            let length = text.len() as qjs::size_t;
            let value = qjs::JS_Eval(
                context,
                source.as_ptr(),
                length,
                name.as_ptr(),
                flags as i32,
            );
            Value::from_raw(ctx.clone(), value)
        };
        match compiled.is_exception() {
            true => Err(rquickjs::Error::Exception),
            false => Ok(()),
        }
    });
    compiled.is_ok()
}
