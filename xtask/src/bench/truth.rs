//! Whether a server answers with the right thing.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::load::{put, relay};
use super::site::{self, Site};
use super::tls::{self, Certificate};
use super::workloads::{Protocol, Work, Workload};
use super::{bytes, fan_out};
use crate::child::{self, Running};
use crate::tools;

/// How a workload's answers are checked.
pub(super) struct Truth<'a> {
    pub(super) workload: &'a Workload,
    pub(super) site: &'a Site,
    pub(super) address: SocketAddr,
    /// What each response must have.
    pub(super) field: Option<(&'a str, &'a str)>,
}

/// A status line with its fields, and a body yet to be read.
struct Response<B> {
    head: String,
    body: B,
}

impl Truth<'_> {
    /// Asks as the workload does and compares status, fields and every byte of the body; gives what else is to know.
    pub(super) fn check(&self) -> Result<Option<String>> {
        let protocol = self.workload.protocol;
        if protocol.is_encrypted() {
            tls::check(self.address, protocol)?;
        }
        match self.workload.work {
            Work::Get { .. }
            | Work::Multiplexed { .. }
            | Work::Idle { .. }
            | Work::Start { .. } => self.check_whole().map(|()| None),
            Work::Ranges { length, .. } => {
                let last = self.site.length() - length;
                [0, last / 3, last / 2 + 1, last]
                    .into_iter()
                    .try_for_each(|first| {
                        self.check_range(first, length)
                            .with_context(|| format!("the range from {first} on"))
                    })
                    .map(|()| None)
            }
            Work::Compressed { .. } => {
                self.check_compressed(self.site.count() - 1)?;
                let length = self.check_compressed(0)?;
                Ok(Some(format!(
                    "{} bytes compressed to {length}",
                    self.site.length()
                )))
            }
            Work::Relay { readers } => {
                relay::run(self.address, readers, 1).map(|(_, remark)| Some(remark))
            }
            Work::FanOut { .. } => fan_out::check(self.address).map(|()| None),
            Work::Put => put::run(self.address, self.site, 0).map(|_| None),
        }
    }

    fn check_whole(&self) -> Result<()> {
        self.ask(0, None, |response| {
            let length = self.site.length().to_string();
            response.expect("200", &[Some(("content-length", &length)), self.field])?;
            bytes::compare(&mut response.body, self.site.bytes(0))
        })
    }

    fn check_range(&self, first: u64, length: u64) -> Result<()> {
        let last = first + length - 1;
        let range = format!("Range: bytes={first}-{last}");
        self.ask(0, Some(&range), |response| {
            let (size, length_text) = (self.site.length(), length.to_string());
            let range = format!("bytes {first}-{last}/{size}");
            response.expect(
                "206",
                &[
                    Some(("content-length", &length_text)),
                    Some(("content-range", &range)),
                    self.field,
                ],
            )?;
            bytes::compare(&mut response.body, self.site.part(first, length))
        })
    }

    /// Gives the length of the compressed body.
    fn check_compressed(&self, number: usize) -> Result<u64> {
        let file = site::work_folder()?.join("body.gz");
        self.ask(number, Some("Accept-Encoding: gzip"), |response| {
            response.expect("200", &[Some(("content-encoding", "gzip")), self.field])?;
            std::io::copy(&mut response.body, &mut File::create(&file)?)?;
            Ok(())
        })?;
        let mut command = child::tied(&tools::require("gzip", "gzip")?);
        command.arg("-dc").arg(&file).stdout(Stdio::piped());
        read_all(&mut command, |text| {
            bytes::compare(text, self.site.bytes(number))
        })?;
        Ok(fs::metadata(&file)?.len())
    }

    /// Asks with curl, which knows every protocol.
    fn ask(
        &self,
        number: usize,
        field: Option<&str>,
        check: impl FnOnce(&mut Response<&mut dyn Read>) -> Result<()>,
    ) -> Result<()> {
        let mut command = child::tied(&tools::require("curl", "curl")?);
        // First: no configuration of the user's.
        command
            .args(["-q", "-sS", "--include", "--noproxy", "*"])
            .args(["--max-time", "120"])
            .arg(match self.workload.protocol {
                Protocol::Http1 | Protocol::Https1 => "--http1.1",
                Protocol::Https2 => "--http2",
            });
        if self.workload.protocol.is_encrypted() {
            command.arg("--cacert").arg(Certificate::obtain()?.chain);
        }
        if let Some(field) = field {
            command.args(["--header", field]);
        }
        command.arg(format!(
            "{}://{}{}",
            self.workload.protocol.scheme(),
            self.address,
            self.site.target(number)
        ));
        read_all(&mut command, |output| {
            let mut reader = BufReader::with_capacity(64 << 10, output);
            let head = read_head(&mut reader)?;
            check(&mut Response {
                head,
                body: &mut reader,
            })
        })
    }
}

/// Runs a program for what it prints; it must succeed.
fn read_all(command: &mut Command, read: impl FnOnce(&mut dyn Read) -> Result<()>) -> Result<()> {
    let mut running = Running::start(command.stdout(Stdio::piped()))?;
    let mut output = running
        .take_stdout()
        .context("the program's output is not ours")?;
    let shown = running.shown().to_owned();
    read(&mut output).with_context(|| format!("`{shown}`"))?;
    let status = running.wait()?;
    ensure!(status.success(), "`{shown}` failed: {status}");
    Ok(())
}

/// The lines before the first empty one.
fn read_head(reader: &mut impl BufRead) -> Result<String> {
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    Ok(head)
}

impl<B> Response<B> {
    /// Fails unless it has the status and the fields.
    fn expect(&self, status: &str, expected: &[Option<(&str, &str)>]) -> Result<()> {
        let mut lines = self.head.lines();
        let line = lines.next().unwrap_or_default();
        ensure!(
            line.split(' ').nth(1) == Some(status),
            "the status is `{line}`, not {status}"
        );
        let fields: Vec<(&str, &str)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name, value.trim()))
            .collect();
        for &(name, value) in expected.iter().flatten() {
            let found = fields
                .iter()
                .any(|(present, given)| present.eq_ignore_ascii_case(name) && *given == value);
            ensure!(found, "no field `{name}: {value}` in: {}", self.head.trim());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Gpac: foo\r\n\r\na\r\nb";

    #[test]
    fn a_head_ends_where_the_body_begins() {
        let mut reader = RESPONSE.as_bytes();
        let head = read_head(&mut reader).unwrap();
        assert!(head.ends_with("foo\r\n\r\n"));
        assert_eq!(reader, b"a\r\nb");
    }

    #[test]
    fn only_the_right_head_is_true() {
        let response = |head: &str| Response {
            head: head.to_owned(),
            body: (),
        };
        let length = Some(("content-length", "2"));
        let right = response(RESPONSE);
        assert!(right.expect("200", &[length, None]).is_ok());
        assert!(
            right
                .expect("200", &[length, Some(("x-gpac", "foo"))])
                .is_ok()
        );
        assert!(
            right
                .expect("200", &[length, Some(("x-gpac", "bar"))])
                .is_err()
        );
        assert!(right.expect("206", &[length]).is_err());
        assert!(
            response("HTTP/2 200 \r\n\r\n")
                .expect("200", &[None])
                .is_ok()
        );
        assert!(response("").expect("200", &[]).is_err());
    }
}
