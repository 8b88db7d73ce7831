//! What the host gives a plugin: the interfaces `http` and `host` of the contract.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{StatusCode, Version};
use wasmtime::Result;
use wasmtime::component::Resource;

use crate::bindings::httpout::plugin::{host, http as contract};
use crate::decision::{Body, frames_message};
use crate::error::{Fault, error_string};
use crate::log::Level;
use crate::store::{Current, ExchangeHandle, StoreState, Written};

type Handle = Resource<ExchangeHandle>;

impl StoreState {
    /// The exchange of the running request. A guest has a handle only while there is one.
    fn current(&mut self) -> Result<&mut Current> {
        self.current
            .as_mut()
            .ok_or_else(|| wasmtime::Error::msg("the exchange is over"))
    }

    /// Applies a part of the reply, unless it comes after `send` or is refused with a reason.
    fn set(
        &mut self,
        what: &str,
        apply: impl FnOnce(&mut Current) -> Result<(), String>,
    ) -> Result<bool> {
        let current = self.current()?;
        let request = current.exchange.id;
        let applied = match current.is_open() {
            true => apply(current),
            false => Err("the reply was sent already".to_owned()),
        };
        if let Err(reason) = &applied {
            let line = format!("{what} refused: {reason}");
            self.common.log.write(Level::WARN, Some(request), &line);
        }
        Ok(applied.is_ok())
    }
}

impl StoreState {
    /// The file of a path: one that is exposed for read, else one below a directory that was granted to this plugin,
    /// where the path begins with its name. The path is given back where there is none.
    fn find(&self, path: String) -> Result<Body, String> {
        if self.server.is_file(&path) {
            return Ok(Body::File(path));
        }
        let granted = self.spec.grants.directories.iter();
        let mut found = granted.filter_map(|directory| {
            let below = directory.below(&path)?;
            let directory = directory.path.clone();
            let is_file = self.server.is_granted_file(&directory, &below);
            is_file.then_some(Body::Granted { directory, below })
        });
        let first = found.next();
        drop(found);
        first.ok_or(path)
    }
}

impl contract::Host for StoreState {}

impl contract::HostExchange for StoreState {
    fn id(&mut self, _: Handle) -> Result<u64> {
        let current = self.current()?;
        // Who knows the number may wake the request.
        current.alarm.set();
        Ok(current.exchange.id)
    }

    fn method(&mut self, _: Handle) -> Result<String> {
        Ok(self.current()?.exchange.head.method.as_str().to_owned())
    }

    fn url(&mut self, _: Handle) -> Result<String> {
        let uri = &self.current()?.exchange.head.uri;
        Ok(uri
            .path_and_query()
            .map_or_else(|| uri.to_string(), |target| target.as_str().to_owned()))
    }

    fn path(&mut self, _: Handle) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.current()?.exchange.path).into_owned())
    }

    fn connection_id(&mut self, _: Handle) -> Result<u64> {
        Ok(self.current()?.exchange.connection.id)
    }

    fn auth_code(&mut self, _: Handle) -> Result<u16> {
        Ok(self.current()?.exchange.auth.code)
    }

    fn user(&mut self, _: Handle) -> Result<Option<String>> {
        Ok(self.current()?.exchange.auth.user.clone())
    }

    fn headers(&mut self, _: Handle) -> Result<Vec<contract::Header>> {
        let fields = &self.current()?.exchange.head.headers;
        Ok(fields
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value_to_text(value)))
            .collect())
    }

    fn header(&mut self, _: Handle, name: String) -> Result<Option<String>> {
        let fields = &self.current()?.exchange.head.headers;
        Ok(fields.get(name).map(value_to_text))
    }

    fn scheme(&mut self, _: Handle) -> Result<String> {
        let secure = self.current()?.exchange.connection.secure;
        Ok(if secure { "https" } else { "http" }.to_owned())
    }

    fn authority(&mut self, _: Handle) -> Result<Option<String>> {
        let head = &self.current()?.exchange.head;
        let from_target = head.uri.authority().map(|authority| authority.to_string());
        Ok(from_target.or_else(|| head.headers.get(header::HOST).map(value_to_text)))
    }

    fn protocol(&mut self, _: Handle) -> Result<String> {
        let text = match self.current()?.exchange.head.version {
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2",
            _ => "HTTP/1.1",
        };
        Ok(text.to_owned())
    }

    fn peer(&mut self, _: Handle) -> Result<(String, u16)> {
        let peer = self.current()?.exchange.connection.peer;
        Ok((peer.ip().to_canonical().to_string(), peer.port()))
    }

    fn local(&mut self, _: Handle) -> Result<(String, u16)> {
        let local = self.current()?.exchange.connection.local;
        Ok((local.ip().to_canonical().to_string(), local.port()))
    }

    fn body_length(&mut self, _: Handle) -> Result<Option<u64>> {
        Ok(self.current()?.exchange.body_length)
    }

    fn set_reply(&mut self, _: Handle, code: u16) -> Result<bool> {
        self.set("set-reply", |current| {
            current.decision.reply = match code {
                0 if current.written != Written::Nothing => {
                    return Err("0 comes too late: the body has come to `write`".to_owned());
                }
                0 => None,
                200..=599 => StatusCode::from_u16(code).ok(),
                _ => return Err(format!("{code} is neither 0 nor a status of 200 to 599")),
            };
            Ok(())
        })
    }

    fn add_header(&mut self, _: Handle, name: String, value: String) -> Result<bool> {
        let limits = &self.spec.limits;
        let (most, largest) = (limits.fields, limits.fields_size);
        self.set("add-header", |current| {
            let added = name.len() + value.len();
            let headers = &mut current.decision.headers;
            let size: usize = headers
                .iter()
                .map(|(name, value)| name.as_str().len() + value.len())
                .sum();
            if headers.len() >= most {
                return Err(format!("more than {most} fields (option `plugin_fields`)"));
            }
            if size + added > largest {
                return Err(format!(
                    "more than {largest} bytes of fields (option `plugin_fields_size`)"
                ));
            }
            headers.push(parse_field(&name, &value)?);
            Ok(())
        })
    }

    fn set_body_file(&mut self, _: Handle, path: String) -> Result<bool> {
        let found = self.find(path);
        self.set("set-body-file", |current| {
            let no_file = |path| format!("no file {path:?} below the directories for read");
            current.decision.body = found.map_err(no_file)?;
            Ok(())
        })
    }

    fn set_body(&mut self, handle: Handle, text: String) -> Result<bool> {
        self.set_body_bytes(handle, text.into_bytes())
    }

    fn set_body_bytes(&mut self, _: Handle, bytes: Vec<u8>) -> Result<bool> {
        let largest = self.spec.limits.body;
        self.set("set-body", |current| {
            if bytes.len() > largest {
                let length = bytes.len();
                return Err(format!(
                    "{length} bytes are more than {largest} (option `plugin_body`)"
                ));
            }
            current.decision.body = Body::Bytes(Bytes::from(bytes));
            Ok(())
        })
    }

    fn use_read(&mut self, _: Handle, length: Option<u64>) -> Result<bool> {
        self.set("use-read", |current| {
            current.decision.body = Body::Read(length);
            Ok(())
        })
    }

    fn use_write(&mut self, _: Handle) -> Result<bool> {
        self.set("use-write", |current| {
            current.wants_write = true;
            Ok(())
        })
    }

    fn use_throttle(&mut self, _: Handle) -> Result<bool> {
        self.set("use-throttle", |current| {
            current.wants_throttle = true;
            Ok(())
        })
    }

    fn use_close(&mut self, _: Handle) -> Result<bool> {
        self.set("use-close", |current| {
            current.wants_close = true;
            current.exchange.is_closed_by_plugins.store(true, Relaxed);
            Ok(())
        })
    }

    fn set_timeout(&mut self, _: Handle, seconds: u32) -> Result<bool> {
        let most = self.spec.limits.patience;
        let current = self.current()?;
        let asked = Duration::from_secs(seconds.into());
        let is_allowed = !asked.is_zero() && asked <= most;
        if !asked.is_zero() {
            current.timeout = Some(asked.min(most));
        }
        if !is_allowed {
            let request = current.exchange.id;
            let most = most.as_secs();
            let line = format!(
                "set-timeout refused: {seconds} s are not 1 to {most} (option `plugin_patience`)"
            );
            self.common.log.write(Level::WARN, Some(request), &line);
        }
        Ok(is_allowed)
    }

    fn send(&mut self, _: Handle) -> Result<bool> {
        self.set("send", |current| {
            if current.sent {
                return Err("it was called already".to_owned());
            }
            current.sent = true;
            Ok(())
        })
    }

    fn fail(&mut self, _: Handle, reason: String) -> Result<()> {
        // The first reason led to the others.
        self.current()?
            .failed
            .get_or_insert_with(|| Fault::failed(&reason));
        Ok(())
    }

    fn set_attribute(&mut self, _: Handle, name: String, value: String) -> Result<()> {
        let exchange = self.current()?.exchange.clone();
        let mut attributes = exchange.attributes.lock().expect("never poisoned");
        let others = attributes.iter().filter(|(known, _)| *known != name);
        let (count, size) = others.fold((0, 0), |(count, size), (name, value)| {
            (count + 1, size + name.len() + value.len())
        });
        if count >= MOST_ATTRIBUTES || size + name.len() + value.len() > ATTRIBUTES_SIZE {
            drop(attributes);
            let line = format!(
                "set-attribute refused: more than {MOST_ATTRIBUTES} attributes or {ATTRIBUTES_SIZE} bytes of them"
            );
            self.common.log.write(Level::WARN, Some(exchange.id), &line);
            return Ok(());
        }
        match attributes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => attributes.push((name, value)),
        }
        Ok(())
    }

    fn attribute(&mut self, _: Handle, name: String) -> Result<Option<String>> {
        Ok(self.current()?.exchange.attribute(&name))
    }

    fn status(&mut self, _: Handle) -> Result<u16> {
        Ok(self.current()?.exchange.status.load(Relaxed))
    }

    fn bytes_sent(&mut self, _: Handle) -> Result<u64> {
        Ok(self.current()?.exchange.bytes_sent.load(Relaxed))
    }

    fn bytes_received(&mut self, _: Handle) -> Result<u64> {
        Ok(self.current()?.exchange.bytes_received.load(Relaxed))
    }

    fn elapsed_us(&mut self, _: Handle) -> Result<u64> {
        let elapsed = self.current()?.exchange.received.elapsed();
        Ok(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
    }

    fn drop(&mut self, _: Handle) -> Result<()> {
        if let Some(current) = &mut self.current {
            current.dropped = true;
        }
        Ok(())
    }
}

impl host::Host for StoreState {
    fn log(&mut self, level: host::LogLevel, message: String) -> Result<()> {
        let request = self.current.as_ref().map(|current| current.exchange.id);
        let level = match level {
            host::LogLevel::Trace => Level::TRACE,
            host::LogLevel::Debug => Level::DEBUG,
            host::LogLevel::Info => Level::INFO,
            host::LogLevel::Warn => Level::WARN,
            host::LogLevel::Error => Level::ERROR,
        };
        self.common.log.write(level, request, &message);
        Ok(())
    }

    fn config(&mut self) -> Result<Vec<(String, String)>> {
        Ok(self.spec.config.clone())
    }

    fn option_value(&mut self, name: String) -> Result<Option<String>> {
        Ok(self.server.option_value(&name))
    }

    fn wake(&mut self, id: u64) -> Result<bool> {
        Ok(self.common.sleepers.wake(id))
    }

    fn error_string(&mut self, error: i32) -> Result<String> {
        Ok(error_string(error).to_owned())
    }
}

/// Attributes of one exchange.
const MOST_ATTRIBUTES: usize = 1000;

/// Names and values of the attributes of one exchange, in bytes.
const ATTRIBUTES_SIZE: usize = 64 << 10;

/// A field that a plugin may add, or why it may not.
fn parse_field(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let field = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("{name:?} is not a field name"))?;
    if frames_message(&field) {
        return Err(format!("{name:?} is set by the server alone"));
    }
    let bytes: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(c).ok()).collect();
    let value = bytes
        .and_then(|bytes| HeaderValue::from_maybe_shared(Bytes::from(bytes)).ok())
        .ok_or_else(|| format!("{value:?} is not a field value"))?;
    Ok((field, value))
}

/// A field value as the contract shows it: its bytes as code points (ISO-8859-1).
fn value_to_text(value: &HeaderValue) -> String {
    match value.to_str() {
        Ok(text) => text.to_owned(),
        Err(_) => value
            .as_bytes()
            .iter()
            .map(|&byte| char::from(byte))
            .collect(),
    }
}
