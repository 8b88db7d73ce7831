//! The `httpout` command.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use httpout::{Servers, Settings, StartupError, log};
use httpout_options::{HelpLevel, Invocation, UsageError, explain, help, parse};

// Many small, short-lived allocations from several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long the end of the process waits for work on files: a disk may be slow, or hang.
const LAST_WORK: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    match parse(std::env::args_os().skip(1)) {
        Ok(Invocation::Run(line)) => match Settings::check(line).and_then(serve) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
        Ok(Invocation::Help(level)) => print(&help(level)),
        Ok(Invocation::Explain(row)) => print(&explain(row)),
        Ok(Invocation::Version) => print(concat!("httpout ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(UsageError::NoArguments) => {
            eprint!("{}", help(HelpLevel::Common));
            ExitCode::from(2)
        }
        Err(error) => fail(&StartupError::from(error)),
    }
}

/// Serves until a signal ends it.
fn serve(settings: Settings) -> Result<(), StartupError> {
    let _last_lines = log::start(settings.log);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(StartupError::Runtime)?;
    let served = runtime.block_on(async { Servers::bind(settings).await?.run().await });
    runtime.shutdown_timeout(LAST_WORK);
    served
}

fn print(text: &str) -> ExitCode {
    // A reader that has seen enough (`httpout --help | head`) is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn fail(error: &StartupError) -> ExitCode {
    eprintln!("httpout: {error}");
    ExitCode::from(error.exit_code())
}
