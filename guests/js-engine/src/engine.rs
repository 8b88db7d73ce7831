//! One QuickJS runtime: started with a script, then called for requests.

use rquickjs::function::IntoArgs;
use rquickjs::{Context, Ctx, FromJs, Function, JsLifetime, Object, Persistent, Runtime};

use crate::fault::{self, Fault};
use crate::{modules, native, rejections, script, time, waits};

/// Stack of scripts in bytes. Their calls take a multiple of it from the stack of the instance, which is larger: an
/// endless recursion ends in a RangeError that a script can catch.
const STACK: usize = 256 << 10;

/// Bytes that may be taken before cycles of garbage are looked for. Few requests come so far: their memory is thrown
/// away as a whole.
const GARBAGE: usize = 16 << 20;

/// The runtime of this instance, and the functions of `js/main.js` that the server's calls become.
pub(crate) struct Engine {
    runtime: Runtime,
    context: Context,
    pub(crate) callbacks: Callbacks,
}

/// A function of `js/main.js`.
pub(crate) type Callback = Persistent<Function<'static>>;

/// In the order of a request's life.
pub(crate) struct Callbacks {
    pub(crate) new_request: Callback,
    pub(crate) on_request: Callback,
    pub(crate) read: Callback,
    pub(crate) write: Callback,
    pub(crate) throttle: Callback,
    pub(crate) close: Callback,
    find_handler: Callback,
    run_timers: Callback,
    run_waits: Callback,
}

impl Callbacks {
    fn find<'js>(main: &Object<'js>) -> rquickjs::Result<Callbacks> {
        let function = |name: &str| -> rquickjs::Result<Callback> {
            let function: Function<'js> = main.get(name)?;
            Ok(keep(main.ctx(), function))
        };
        Ok(Callbacks {
            new_request: function("new_request")?,
            on_request: function("on_request")?,
            read: function("read")?,
            write: function("write")?,
            throttle: function("throttle")?,
            close: function("close")?,
            find_handler: function("find_handler")?,
            run_timers: function("run_timers")?,
            run_waits: function("run_waits")?,
        })
    }
}

impl Engine {
    /// Starts the engine with a script.
    ///
    /// # Errors
    /// What is wrong with the script: file, line, column and message.
    pub(crate) fn start(name: &str, text: String) -> Result<Engine, String> {
        let engine = Engine::without_script().map_err(|error| error.to_string())?;
        time::begin_call();
        script::evaluate(&engine, name, text)?;
        let found = engine.call(&engine.callbacks.find_handler, ());
        if !found.map_err(|fault| fault.located(name))? {
            let reason = "it sets no `httpout.on_request`, and binds no object with an `on_request` to `httpout`";
            return Err(format!("{name}: {reason}"));
        }
        if time::cancel_alarm() {
            fault::warn(
                "timers that a script sets while it is loaded do not run: a request has an instance of its own",
            );
        }
        engine.runtime.run_gc();
        engine.runtime.set_gc_threshold(GARBAGE);
        modules::close();
        native::forget_seed();
        waits::loaded();
        time::begin_call();
        Ok(engine)
    }

    fn without_script() -> rquickjs::Result<Engine> {
        let runtime = Runtime::new()?;
        // It ends with the instance: QuickJS insists that no value is left when it is freed.
        std::mem::forget(runtime.clone());
        runtime.set_max_stack_size(STACK);
        runtime.set_interrupt_handler(Some(Box::new(time::is_over)));
        runtime.set_host_promise_rejection_tracker(Some(Box::new(rejections::track)));
        runtime.set_loader(modules::Resolver, modules::Loader);
        let context = Context::full(&runtime)?;
        let callbacks = context.with(|ctx| {
            let main = modules::declare(&ctx, modules::MAIN, modules::MAIN_TEXT)?;
            let (main, evaluated) = main.eval()?;
            evaluated.finish::<()>()?;
            Callbacks::find(&main.namespace()?)
        })?;
        Ok(Engine {
            runtime,
            context,
            callbacks,
        })
    }

    /// Runs a part of the script, then all that it made ready.
    pub(crate) fn run<R>(
        &self,
        run: impl FnOnce(&Ctx<'_>) -> rquickjs::Result<R>,
    ) -> Result<R, Fault> {
        let value = self
            .context
            .with(|ctx| run(&ctx).map_err(|error| Fault::of(&ctx, error)));
        let jobs = self.run_jobs();
        value.and_then(|value| jobs.map(|()| value))
    }

    /// Runs the timers that are due, and what was waited for and has come.
    pub(crate) fn run_due(&self) -> Result<(), Fault> {
        if time::is_alarm_due() {
            self.call::<_, ()>(&self.callbacks.run_timers, ())?;
        }
        if waits::is_any_but_timers() {
            self.call::<_, ()>(&self.callbacks.run_waits, ())?;
        }
        Ok(())
    }

    fn call<A, R>(&self, callback: &Callback, arguments: A) -> Result<R, Fault>
    where
        A: for<'js> IntoArgs<'js>,
        R: for<'js> FromJs<'js>,
    {
        self.run(|ctx| callback.clone().restore(ctx)?.call(arguments))
    }

    /// Runs what promises wait for.
    fn run_jobs(&self) -> Result<(), Fault> {
        loop {
            match self.runtime.execute_pending_job() {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => return Err(self.context.with(|ctx| Fault::caught(&ctx))),
            }
        }
        rejections::first().map_or(Ok(()), Err)
    }
}

/// Keeps a value of the script beyond a call.
pub(crate) fn keep<'js, T: JsLifetime<'js>>(
    ctx: &Ctx<'js>,
    value: T,
) -> Persistent<T::Changed<'static>> {
    Persistent::save(ctx, value)
}
