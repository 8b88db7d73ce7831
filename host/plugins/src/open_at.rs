//! What guests open below granted directories: files and directories, as long as the server has descriptors to spare.
//!
//! It stands before the `open-at` of wasi:filesystem, which opens anything: a FIFO would keep a thread until somebody
//! writes there.

use std::os::fd::AsRawFd as _;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource as Limit, getrlimit};
use wasmtime::Result;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::WasiFilesystemView as _;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, Host as _, HostDescriptor as _,
    OpenFlags, PathFlags,
};

use crate::log::Level;
use crate::store::StoreState;

/// As the linker knows the interface. Guests of compatible versions find it.
const INTERFACE: &str = "wasi:filesystem/types@0.2.12";

type Asked = (
    Resource<Descriptor>,
    PathFlags,
    String,
    OpenFlags,
    DescriptorFlags,
);

type Opened = Result<Resource<Descriptor>, ErrorCode>;

/// To be called after the rest of WASI was added.
pub(crate) fn add_to_linker(linker: &mut Linker<StoreState>) -> Result<()> {
    linker.allow_shadowing(true);
    linker.instance(INTERFACE)?.func_wrap_async(
        "[method]descriptor.open-at",
        |mut store, asked: Asked| {
            Box::new(async move { Ok((open_at(store.data_mut(), asked).await?,)) })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

async fn open_at(
    state: &mut StoreState,
    (directory, follow, path, how, access): Asked,
) -> Result<Opened> {
    if !has_descriptors_to_spare() {
        let request = state.current.as_ref().map(|current| current.exchange.id);
        let line = "opening a file refused: the server's descriptors run short (`ulimit -n`)";
        state.common.log.write(Level::WARN, request, line);
        return Ok(Err(ErrorCode::Quota));
    }
    let mut files = state.filesystem();
    let borrowed = Resource::new_borrow(directory.rep());
    let opened = match files.stat_at(borrowed, follow, path.clone()).await {
        Ok(found) if !is_openable(found.type_) => return Ok(Err(ErrorCode::Unsupported)),
        // What is not there may be made by opening it.
        _ => files.open_at(directory, follow, path, how, access).await,
    };
    match opened {
        Ok(descriptor) => Ok(Ok(descriptor)),
        Err(error) => Ok(Err(files.convert_error_code(error)?)),
    }
}

/// Whether opening it keeps nobody waiting, and gives what has an end.
fn is_openable(kind: DescriptorType) -> bool {
    use DescriptorType::{Directory, RegularFile, SymbolicLink};
    matches!(kind, RegularFile | Directory | SymbolicLink)
}

/// Whether guests may take another one: the last quarter of what the process may have is for connections.
fn has_descriptors_to_spare() -> bool {
    let Some(limit) = getrlimit(Limit::Nofile).current else {
        return true;
    };
    // The lowest free number tells how many there are at least.
    let free = fcntl_dupfd_cloexec(std::io::stderr(), 0);
    free.is_ok_and(|free| (free.as_raw_fd() as u64) < limit / 4 * 3)
}
