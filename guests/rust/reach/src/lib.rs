//! Reaches for files and for other servers, as the path and the query say: `/reach/read?data/a.txt`. The tests of what
//! is granted ask it.

use std::fs;
use std::io::{self, Write as _};

use httpout_sdk::fetch::{Error, Fetch, Request, Response};
use httpout_sdk::{Exchange, Next, Plugin, config_value};

#[derive(Default)]
struct Reach {
    fetch: Option<Fetch>,
    /// Further fetches that are kept open.
    others: Vec<Fetch>,
    /// Files that are kept open.
    files: Vec<fs::File>,
}

impl Plugin for Reach {
    fn init() -> Result<(), String> {
        match config_value("init") {
            Some(path) => fs::read_to_string(path).map_or_else(|e| Err(e.to_string()), |_| Ok(())),
            None => Ok(()),
        }
    }

    fn on_request(&mut self, exchange: &Exchange) -> Next {
        let path = exchange.path();
        let url = exchange.url();
        let (_, query) = url.split_once('?').unwrap_or((&url, ""));
        match path.strip_prefix("/reach/").unwrap_or_default() {
            "read" => show(exchange, fs::read_to_string(query)),
            "list" => show(exchange, list(query)),
            "write" => show(
                exchange,
                fs::write(query, "written").map(|()| "ok".to_owned()),
            ),
            "append" => show(exchange, append(query)),
            "remove" => show(exchange, fs::remove_file(query).map(|()| "ok".to_owned())),
            "mkdir" => show(exchange, fs::create_dir(query).map(|()| "ok".to_owned())),
            "link" => show(exchange, link(query)),
            "open" => show(exchange, open_many(query)),
            "hold" => {
                self.files = (0..100_000)
                    .map_while(|_| fs::File::open(query).ok())
                    .collect();
                return Next::Wait(Vec::new());
            }
            "file" => {
                exchange.set_body_file(query);
            }
            "fetch" => return self.fetch.insert(Request::get(query).send()).wait_next(),
            "block" => answer(exchange, Request::get(query).send().wait()),
            "post" => {
                let request = Request::new("POST", query).body(vec![b'x'; 300_000]);
                return self.fetch.insert(request.send()).wait_next();
            }
            "method" => {
                let (method, url) = query.split_once(',').unwrap_or(("", query));
                answer(exchange, Request::new(method, url).send().wait());
            }
            "field" => {
                let (name, url) = query.split_once(',').unwrap_or(("", query));
                answer(exchange, Request::get(url).field(name, "1").send().wait());
            }
            "break" => {
                let request = Request::get(query).field("x-a", "1\r\nx-b: 2");
                answer(exchange, request.send().wait());
            }
            "several" => {
                self.others = (0..2).map(|_| Request::get(query).send()).collect();
                return self.fetch.insert(Request::get(query).send()).wait_next();
            }
            _ => {}
        }
        Next::Send
    }

    fn resume(&mut self, exchange: &Exchange) -> Next {
        let Some(fetch) = &mut self.fetch else {
            return Next::Wait(Vec::new());
        };
        match fetch.poll() {
            None => return fetch.wait_next(),
            Some(outcome) => answer(exchange, outcome),
        }
        Next::Send
    }
}

/// What came of a file operation.
fn show(exchange: &Exchange, outcome: io::Result<String>) {
    exchange.set_reply(200);
    exchange.set_body(&outcome.unwrap_or_else(|error| format!("error: {:?}", error.kind())));
}

/// What came of a request.
fn answer(exchange: &Exchange, outcome: Result<Response, Error>) {
    exchange.set_reply(200);
    match outcome {
        Ok(response) => exchange.set_body(&format!("{} {}", response.status, response.text())),
        Err(error) => exchange.set_body(&format!("error: {error}")),
    };
}

fn list(path: &str) -> io::Result<String> {
    let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name()));
    let mut names = names.collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(format!("{names:?}"))
}

fn append(path: &str) -> io::Result<String> {
    let mut file = fs::OpenOptions::new().append(true).open(path)?;
    file.write_all(b"more")?;
    Ok("ok".to_owned())
}

/// Makes `B` another name of `A` of a query `A,B`.
fn link(query: &str) -> io::Result<String> {
    let (target, name) = query.split_once(',').unwrap_or((query, ""));
    fs::hard_link(target, name)?;
    Ok("ok".to_owned())
}

/// Opens a file again and again, and keeps it open.
fn open_many(path: &str) -> io::Result<String> {
    let files: io::Result<Vec<fs::File>> = (0..100_000).map(|_| fs::File::open(path)).collect();
    Ok(format!("{} files", files?.len()))
}

httpout_sdk::export!(Reach);
