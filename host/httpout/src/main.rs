//! The `httpout` command.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use httpout::{Servers, Settings, StartupError, log};
use httpout_options::{
    CommandLine, HelpLevel, Invocation, Log, UsageError, completions, explain, help, man_page,
    parse,
};

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
        Ok(Invocation::Check(line, request)) => match check(line, request) {
            Ok(report) => print(&report),
            Err(error) => fail(&error),
        },
        Ok(Invocation::Completions(shell)) => print(&completions(shell)),
        Ok(Invocation::Man) => print(&man_page()),
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
    run(async { Servers::bind(settings).await?.run().await })
}

/// Tells what would be served.
fn check(line: CommandLine, request: Option<String>) -> Result<String, StartupError> {
    let settings = Settings::check(line)?;
    // What plugins and settings got wrong is news; that they are loaded is in the report.
    let level = match settings.log {
        Log::Info => Log::Warn,
        given => given,
    };
    let _last_lines = log::start(level);
    run(httpout::check(settings, request))
}

fn run<T>(work: impl Future<Output = Result<T, StartupError>>) -> Result<T, StartupError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(StartupError::Runtime)?;
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(LAST_WORK);
    result
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
