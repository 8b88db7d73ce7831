//! nginx at its best for the work: one process, the files' descriptors kept open, no log.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::site::{self, Site};
use super::tls::{self, Certificate};
use super::workloads::{Protocol, Work, Workload};
use crate::child::Running;
use crate::tools;

const START: Duration = Duration::from_secs(10);

/// njs, as nginx loads it.
const NJS: &str = "ngx_http_js_module.so";

/// Where systems have nginx's modules.
const MODULES: [&str; 3] = [
    "/usr/lib/nginx/modules",
    "/usr/lib64/nginx/modules",
    "/usr/local/nginx/modules",
];

/// Writes the configuration for the workload. `command` runs nginx, pinned or not. `njs` says what becomes of the
/// script for njs, where it is to run.
pub(super) fn start(
    mut command: Command,
    workload: &Workload,
    site: &Site,
    njs: Option<&str>,
) -> Result<(Running, SocketAddr)> {
    let address = free_address()?;
    let work = site::work_folder()?;
    let file = work.join("nginx.conf");
    let mut server = server(workload, site, address)?;
    let mut modules = String::new();
    if let Some(line) = njs {
        let module = tools::require_file(NJS, &MODULES, "libnginx-mod-http-js")?;
        modules = format!("load_module \"{}\";", module.display());
        let script = site::script("njs.js");
        let import = format!("js_import scripts from \"{}\";", script.display());
        server = format!("{server}\n        {import}\n        location / {{ {line} }}");
    }
    fs::write(&file, configuration(&work, &modules, &server))
        .with_context(|| format!("cannot write `{}`", file.display()))?;
    let log = work.join("nginx.log");
    // It appends.
    let _ = fs::remove_file(&log);
    command
        .arg("-p")
        .arg(&work)
        .arg("-c")
        .arg(&file)
        .arg("-e")
        .arg(&log)
        // What it says there, also stands in the log.
        .stderr(std::process::Stdio::null());
    let mut running = Running::start(&mut command)?;
    wait(&mut running, address).with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
    Ok((running, address))
}

/// An address that is free now, for a server that does not say which one it has chosen.
pub(super) fn free_address() -> Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .context("no free port on the loopback interface")
}

/// The lines of the server block.
fn server(workload: &Workload, site: &Site, address: SocketAddr) -> Result<String> {
    let folder = match workload.work {
        Work::Put => site.uploads(),
        _ => site.folder(),
    };
    let listen = match workload.protocol {
        Protocol::Http1 => format!("listen {address};"),
        Protocol::Https1 => format!("listen {address} ssl;"),
        Protocol::Https2 => format!("listen {address} ssl http2;"),
    };
    let mut lines = vec![listen, format!("root \"{}\";", folder.display())];
    if workload.protocol.is_encrypted() {
        let certificate = Certificate::obtain()?;
        lines.extend([
            format!("ssl_certificate \"{}\";", certificate.chain.display()),
            format!("ssl_certificate_key \"{}\";", certificate.key.display()),
            "ssl_protocols TLSv1.3;".to_owned(),
            format!("ssl_conf_command Ciphersuites {};", tls::CIPHER),
        ]);
    }
    lines.extend(workload.nginx.iter().map(|&line| line.to_owned()));
    Ok(lines.join("\n        "))
}

fn configuration(work: &Path, modules: &str, server: &str) -> String {
    let work = work.display();
    format!(
        r#"{modules}
daemon off;
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
    tcp_nodelay on;
    open_file_cache max=1000;
    keepalive_requests 1000000000;
    client_body_temp_path "{work}/client_body";
    proxy_temp_path "{work}/proxy";
    fastcgi_temp_path "{work}/fastcgi";
    uwsgi_temp_path "{work}/uwsgi";
    scgi_temp_path "{work}/scgi";
    server {{
        {server}
    }}
}}
"#
    )
}

/// Waits until a server that has no line to say so accepts a connection.
pub(super) fn wait(running: &mut Running, address: SocketAddr) -> Result<()> {
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
