//! One request: the server's calls become those of the script.

use std::cell::RefCell;

use rquickjs::{ArrayBuffer, Ctx, Object, Persistent};

use crate::bindings::exports::httpout::plugin::handler::{GuestRequest, ReadResult};
use crate::bindings::httpout::plugin::http::Exchange;
use crate::bindings::httpout::plugin::script;
use crate::bindings::wasi::io::poll::Pollable;
use crate::engine::{Engine, keep};
use crate::exchanges::{self, Number};
use crate::fault::Fault;
use crate::native::bytes;
use crate::{globals, time, with_engine};

/// One request, and the documented object that the script has of it.
pub struct Request {
    exchange: Number,
    object: RefCell<Option<Persistent<Object<'static>>>>,
    /// Whether to look for globals that it writes.
    is_watched: bool,
}

impl GuestRequest for Request {
    fn new(exchange: Exchange) -> Request {
        Request {
            exchange: exchanges::add(exchange),
            object: RefCell::new(None),
            is_watched: script::watch_globals(),
        }
    }

    fn on_request(&self) -> Vec<Pollable> {
        let callbacks = |engine: &Engine, ctx: &Ctx<'_>| {
            let new_request = engine.callbacks.new_request.clone().restore(ctx)?;
            let object: Object<'_> = new_request.call((self.exchange,))?;
            self.object.replace(Some(keep(ctx, object.clone())));
            let on_request = engine.callbacks.on_request.clone().restore(ctx)?;
            on_request.call((object,))
        };
        let called = self.call(|engine| engine.run(|ctx| callbacks(engine, ctx)));
        self.until_sent(called)
    }

    fn resume(&self) -> Vec<Pollable> {
        // What the script waits for are timers, and these have run.
        let called = self.call(|_| Ok(()));
        self.until_sent(called)
    }

    fn read(&self, max: u32) -> ReadResult {
        let read = self.call(|engine| {
            engine.run(|ctx| {
                let buffer = ArrayBuffer::new(ctx.clone(), vec![0_u8; max as usize])?;
                let read = engine.callbacks.read.clone().restore(ctx)?;
                let count: f64 = read.call((self.object(ctx)?, buffer.clone()))?;
                Ok(read_result(count, &buffer))
            })
        });
        read.unwrap_or_else(|| ReadResult::Pending(wait()))
    }

    fn write(&self, data: Vec<u8>) -> Vec<Pollable> {
        self.call(|engine| {
            engine.run(|ctx| {
                // The documented end of the body is null.
                let buffer = (!data.is_empty()).then(|| ArrayBuffer::new(ctx.clone(), data));
                let write = engine.callbacks.write.clone().restore(ctx)?;
                write.call::<_, ()>((self.object(ctx)?, buffer.transpose()?))
            })
        });
        // The body does not wait for the script's timers, of which one may be due in an hour.
        Vec::new()
    }

    fn throttle(&self, done: u64, total: u64) -> u64 {
        let delay = self.call(|engine| {
            engine.run(|ctx| {
                let throttle = engine.callbacks.throttle.clone().restore(ctx)?;
                throttle.call::<_, f64>((self.object(ctx)?, done as f64, total as f64))
            })
        });
        // What is no number, or less than 0, is no delay.
        delay.unwrap_or_default() as u64
    }

    fn close(&self, error: i32) {
        self.call(|engine| {
            engine.run(|ctx| {
                let close = engine.callbacks.close.clone().restore(ctx)?;
                close.call::<_, ()>((self.object(ctx)?, error))
            })
        });
    }
}

impl Request {
    /// Runs what is due, then a callback. Where that fails the request is given up.
    fn call<R>(&self, callback: impl FnOnce(&Engine) -> Result<R, Fault>) -> Option<R> {
        time::begin_call();
        let called = with_engine(|engine| engine.run_timers().and_then(|()| callback(engine)));
        if self.is_watched {
            with_engine(globals::look);
        }
        called.inspect_err(|fault| self.fail(fault)).ok()
    }

    fn fail(&self, fault: &Fault) {
        if let Some(exchange) = exchanges::find(self.exchange) {
            exchange.fail(&fault.traced());
        }
    }

    /// What is to be waited for until the script calls `send()`, if it has not failed.
    fn until_sent(&self, called: Option<()>) -> Vec<Pollable> {
        let is_waiting = called.is_some() && !exchanges::is_sent(self.exchange);
        if is_waiting && !time::has_alarm() {
            self.fail(&Fault::new(
                "`send()` was not called, and there is no timer left that could call it",
            ));
        }
        wait()
    }

    fn object<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
        let object = self.object.borrow().clone();
        object.ok_or(rquickjs::Error::Unknown)?.restore(ctx)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        exchanges::remove(self.exchange);
        time::begin_call();
        // Nobody is left who could hear of a fault.
        let _ = with_engine(Engine::end_request);
    }
}

/// What the next call of the script waits for: its timers.
pub(crate) fn wait() -> Vec<Pollable> {
    time::alarm().into_iter().collect()
}

/// What the documented `read` returned: bytes that are in the buffer, 0 for the end, less where there are none yet.
fn read_result(count: f64, buffer: &ArrayBuffer<'_>) -> ReadResult {
    if count < 0.0 {
        return ReadResult::Pending(wait());
    }
    let filled = bytes::copy(buffer, count as usize);
    match filled.is_empty() {
        true => ReadResult::Eof,
        false => ReadResult::Data(filled),
    }
}
