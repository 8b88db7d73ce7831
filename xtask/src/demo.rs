//! `cargo xtask demo`: a small site, two plugins, and the requests that show them at work.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::httpout::Httpout;
use crate::{build, child, paths, process, tools, usage};

const SITE: &str = "target/demo/www";

const FILES: [(&str, &str); 3] = [
    ("index.html", INDEX),
    ("public/hello.txt", "Hello, everyone.\n"),
    ("private/secret.txt", "Hello, Alice.\n"),
];

const INDEX: &str = "<!doctype html>
<title>httpout</title>
<p><a href=\"public/hello.txt\">open to all</a>
<p><a href=\"private/secret.txt\">for alice, whose password is wonderland</a>
";

/// Asks for a password below `/private/`.
const AUTH: &str = "auth.wasm?path=/private/&user=alice&password=wonderland&realm=demo";

/// Adds a field to every response.
const HEADERS: &str = "headers.wasm?x-served-by=httpout";

const SERVED_BY: &str = "x-served-by: httpout";

const PORT: u16 = 8080;

/// A request to show, and what it must give.
struct Request {
    arguments: &'static [&'static str],
    path: &'static str,
    about: &'static str,
    status: u16,
}

const REQUESTS: [Request; 4] = [
    Request {
        arguments: &["-i"],
        path: "public/hello.txt",
        about: "open to all",
        status: 200,
    },
    Request {
        arguments: &["-i"],
        path: "private/secret.txt",
        about: "no password",
        status: 401,
    },
    Request {
        arguments: &["-i", "-u", "alice:wrong"],
        path: "private/secret.txt",
        about: "not her password",
        status: 401,
    },
    Request {
        arguments: &["-i", "-u", "alice:wonderland"],
        path: "private/secret.txt",
        about: "her password",
        status: 200,
    },
];

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let checking = usage::only_flag("--check", arguments)?;
    let binary = build::build()?;
    write_site()?;

    let port = free_port(PORT);
    if port == 0 {
        println!("port {PORT} is taken: using a free one");
    }
    println!(
        "$ {}",
        process::shown(serve(&mut Command::new(&binary), port))
    );
    let server = Httpout::start(serve(&mut child::tied(&binary), port))?;
    let address = server.address();
    println!("listening on http://{address}/\n");

    if checking {
        return REQUESTS
            .iter()
            .try_for_each(|request| request.check(address));
    }
    println!("  in a browser: http://{address}/index.html\n");
    for request in &REQUESTS {
        println!("  # {}: {}", request.about, request.status);
        println!(
            "  {}\n",
            process::shown(&request.curl(Path::new("curl"), address))
        );
    }
    println!("Ctrl-C ends it.");
    // Ctrl-C reaches the server too, which says how it ended.
    let status = server.wait()?;
    ensure!(status.success(), "the server ended: {status}");
    Ok(())
}

fn write_site() -> Result<()> {
    let site = paths::root().join(SITE);
    for (name, content) in FILES {
        let path = site.join(name);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, content))
            .with_context(|| format!("cannot write `{SITE}/{name}`"))?;
    }
    Ok(())
}

/// The wanted port, or 0 (any free one) where it is taken.
fn free_port(wanted: u16) -> u16 {
    TcpListener::bind(("127.0.0.1", wanted)).map_or(0, |_| wanted)
}

fn serve(command: &mut Command, port: u16) -> &mut Command {
    command
        .args([&format!("--rdirs={SITE}"), &format!("--port={port}")])
        .arg("--ifce=127.0.0.1")
        // A plugin that replies ends the chain: what is to be on every response comes first.
        .args(["--plugin", &paths::plugin(HEADERS)])
        .args(["--plugin", &paths::plugin(AUTH)])
        .current_dir(paths::root())
}

impl Request {
    fn curl(&self, program: &Path, address: SocketAddr) -> Command {
        let mut command = Command::new(program);
        command
            .args(self.arguments)
            .arg(format!("http://{address}/{}", self.path));
        command
    }

    fn check(&self, address: SocketAddr) -> Result<()> {
        let mut curl = self.curl(&tools::require("curl", "curl")?, address);
        println!("$ {}", process::shown(&curl));
        let output = process::output(curl.args(["-sS", "--max-time", "20"]))?;
        let response = String::from_utf8_lossy(&output.stdout);
        println!("{response}");

        let status = response.split(' ').nth(1);
        if status != Some(&self.status.to_string()) {
            bail!(
                "`{}` ({}) must give {}, not {}",
                process::shown(&curl),
                self.about,
                self.status,
                status.unwrap_or("nothing")
            );
        }
        ensure!(
            response
                .lines()
                .any(|line| line.eq_ignore_ascii_case(SERVED_BY)),
            "`{}` gave no field `{SERVED_BY}`",
            process::shown(&curl)
        );
        Ok(())
    }
}
