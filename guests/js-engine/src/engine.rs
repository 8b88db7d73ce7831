//! One QuickJS runtime: started with a script, then called for requests.

use rquickjs::function::IntoArgs;
use rquickjs::{Context, Ctx, FromJs, Function, JsLifetime, Object, Persistent, Runtime};

use crate::fault::Fault;
use crate::{globals, modules, native, rejections, script, time, waits};

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
    put_aside: Callback,
    begin_background: Callback,
    end_request: Callback,
    watch_globals: Callback,
    written_globals: Callback,
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
            put_aside: function("put_aside")?,
            begin_background: function("begin_background")?,
            end_request: function("end_request")?,
            watch_globals: function("watch_globals")?,
            written_globals: function("written_globals")?,
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
        globals::watch(&engine);
        let found = engine.call(&engine.callbacks.find_handler, ());
        if !found.map_err(|fault| fault.located(name))? {
            let reason = "it sets no `httpout.on_request`, and binds no object with an `on_request` to `httpout`";
            return Err(format!("{name}: {reason}"));
        }
        let put_aside: Result<(), Fault> = engine.call(&engine.callbacks.put_aside, ());
        put_aside.map_err(|fault| fault.located(name))?;
        time::end_loading();
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
            let main = modules::declare_own(&ctx, modules::MAIN, modules::MAIN_TEXT)?;
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

    /// In an instance that serves no request: what the script posted while it was loaded runs here.
    pub(crate) fn begin_background(&self) -> Result<(), Fault> {
        self.call(&self.callbacks.begin_background, ())
    }

    /// A request is over: what it has left behind must not run in the next one of this instance.
    pub(crate) fn end_request(&self) -> Result<(), Fault> {
        self.call(&self.callbacks.end_request, ())
    }

    /// Remembers the globals as the script has left them.
    pub(crate) fn watch_globals(&self) -> Result<(), Fault> {
        self.call(&self.callbacks.watch_globals, ())
    }

    /// The globals that differ from what they were when the script was loaded.
    pub(crate) fn written_globals(&self) -> Result<Vec<String>, Fault> {
        self.call(&self.callbacks.written_globals, ())
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
