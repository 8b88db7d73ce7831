//! nginx at its best for files: one process, the files' descriptors kept open, no log.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::site;
use crate::child::Running;

const START: Duration = Duration::from_secs(10);

/// Writes the configuration for the folder. `command` runs nginx, pinned or not.
pub(super) fn start(mut command: Command, folder: &Path) -> Result<(Running, SocketAddr)> {
    let address = free_address()?;
    let work = site::work_folder()?;
    let file = work.join("nginx.conf");
    fs::write(&file, configuration(&work, folder, address))
        .with_context(|| format!("cannot write `{}`", file.display()))?;
    command
        .arg("-p")
        .arg(&work)
        .arg("-c")
        .arg(&file)
        .arg("-e")
        .arg(work.join("nginx.log"));
    let mut running = Running::start(&mut command)?;
    wait(&mut running, address)?;
    Ok((running, address))
}

/// An address that is free now: nginx cannot choose one by itself.
fn free_address() -> Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .context("no free port on the loopback interface")
}

fn configuration(work: &Path, folder: &Path, address: SocketAddr) -> String {
    let (work, folder) = (work.display(), folder.display());
    format!(
        r#"daemon off;
master_process off;
worker_processes 1;
pid "{work}/nginx.pid";
error_log "{work}/nginx.log" warn;
events {{
    worker_connections 4096;
}}
http {{
    access_log off;
    sendfile on;
    # On, it holds back ranges for 40 ms.
    tcp_nopush off;
    tcp_nodelay on;
    open_file_cache max=1000;
    keepalive_requests 1000000000;
    client_body_temp_path "{work}/client_body";
    proxy_temp_path "{work}/proxy";
    fastcgi_temp_path "{work}/fastcgi";
    uwsgi_temp_path "{work}/uwsgi";
    scgi_temp_path "{work}/scgi";
    server {{
        listen {address};
        root "{folder}";
    }}
}}
"#
    )
}

/// Waits until it accepts a connection. It has no line that says so.
fn wait(running: &mut Running, address: SocketAddr) -> Result<()> {
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        if let Some(status) = running.ended()? {
            bail!("`{}` ended: {status}", running.shown());
        }
        if start.elapsed() > START {
            bail!("`{}` does not listen on {address}", running.shown());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
