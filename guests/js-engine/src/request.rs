//! One request: the server's calls become those of the script.

use std::cell::RefCell;

use rquickjs::{ArrayBuffer, Ctx, Object, Persistent};

use crate::bindings::exports::httpout::plugin::handler::{GuestRequest, ReadResult};
use crate::bindings::httpout::plugin::http::Exchange;
use crate::bindings::wasi::io::poll::Pollable;
use crate::engine::{Engine, keep};
use crate::exchanges::{self, Number};
use crate::fault::Fault;
use crate::native::bytes;
use crate::{time, waits, with_engine};

/// One request, and the documented object that the script has of it.
pub struct Request {
    exchange: Number,
    object: RefCell<Option<Persistent<Object<'static>>>>,
}

impl GuestRequest for Request {
    fn new(exchange: Exchange) -> Request {
        Request {
            exchange: exchanges::add(exchange),
            object: RefCell::new(None),
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
        // What the script waits for has run where it has come.
        let called = self.call(|_| Ok(()));
        self.until_sent(called)
    }

    fn read(&self, max: u32) -> ReadResult {
        let read = |engine: &Engine| {
            engine.run(|ctx| {
                let buffer = ArrayBuffer::new(ctx.clone(), vec![0_u8; max as usize])?;
                let read = engine.callbacks.read.clone().restore(ctx)?;
                let count: f64 = read.call((self.object(ctx)?, buffer.clone()))?;
                Ok(Piece::of(count, &buffer))
            })
        };
        let piece = self.call(|engine| match read(engine)? {
            // It has been asked for, and may have come since.
            Piece::Asked => read(engine),
            piece => Ok(piece),
        });
        match piece {
            Some(Piece::Bytes(bytes)) => ReadResult::Data(bytes),
            Some(Piece::End) => ReadResult::Eof,
            Some(Piece::Asked) if !waits::is_any() => {
                self.fail(&Fault::new("the body waits for what never comes"));
                ReadResult::Pending(Vec::new())
            }
            Some(Piece::Asked | Piece::NotYet) | None => ReadResult::Pending(waits::pollables()),
        }
    }

    fn write(&self, data: Vec<u8>) -> Vec<Pollable> {
        let is_end = data.is_empty();
        if is_end {
            exchanges::end_body(self.exchange);
        }
        let called = self.call(|engine| {
            engine.run(|ctx| {
                // The documented end of the body is null.
                let buffer = (!is_end).then(|| ArrayBuffer::new(ctx.clone(), data));
                let write = engine.callbacks.write.clone().restore(ctx)?;
                write.call::<_, ()>((self.object(ctx)?, buffer.transpose()?))
            })
        });
        match is_end {
            true => self.until_sent(called),
            false => while_body_comes(),
        }
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
        let called = with_engine(|engine| engine.run_due().and_then(|()| callback(engine)));
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
        if is_waiting && exchanges::takes_body(self.exchange) {
            return while_body_comes();
        }
        if is_waiting && !waits::is_any() {
            self.fail(&Fault::new(
                "`send()` was not called, and nothing is left to wait for that could call it",
            ));
        }
        waits::pollables()
    }

    fn object<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
        let object = self.object.borrow().clone();
        object.ok_or(rquickjs::Error::Unknown)?.restore(ctx)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        waits::clear();
        exchanges::remove(self.exchange);
    }
}

/// What the next piece of the request's body waits for. A script that takes pieces as they come waits for nothing, also not
/// for its timers, of which one may be due in an hour.
fn while_body_comes() -> Vec<Pollable> {
    match waits::holds_body() {
        true => waits::pollables(),
        false => Vec::new(),
    }
}

/// What the documented `read` gave.
enum Piece {
    Bytes(Vec<u8>),
    End,
    /// There are none yet.
    NotYet,
    /// The same of a body that is an iterator: it has been asked, and what is ready has yet to run.
    Asked,
}

impl Piece {
    /// By what was returned: bytes that are in the buffer, 0 for the end, less where there are none yet.
    fn of(count: f64, buffer: &ArrayBuffer<'_>) -> Piece {
        if count == f64::NEG_INFINITY {
            return Piece::Asked;
        }
        if count < 0.0 {
            return Piece::NotYet;
        }
        let filled = bytes::copy(buffer, count as usize);
        match filled.is_empty() {
            true => Piece::End,
            false => Piece::Bytes(filled),
        }
    }
}
