//! What a client is told that gets no connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::server::connections::Full;

/// It comes on top of the limits.
pub(super) fn full(full: &Full) -> String {
    let text = format!("503: too many connections, try again soon: {full}\n");
    format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Retry-After: 1\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}

/// It speaks HTTP where TLS is spoken.
pub(super) const PLAIN_ON_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 76\r\nConnection: close\r\n\r\n400 Bad Request: this port speaks TLS, ask for https:// in place of http://\n";

/// Clients that are told at a time. Further ones are closed without a word.
static PLACES: Semaphore = Semaphore::const_new(64);

/// Says it, and waits until the client has read it: a close with unread bytes would take the answer back.
pub(super) async fn tell(socket: &mut TcpStream, answer: &[u8]) {
    let Ok(_place) = PLACES.try_acquire() else {
        return;
    };
    let answer = async {
        socket.write_all(answer).await?;
        socket.shutdown().await?;
        let mut unread = [0; 1024];
        for _ in 0..64 {
            if socket.read(&mut unread).await? == 0 {
                break;
            }
        }
        io::Result::Ok(())
    };
    // A client that left, or does not read, is no concern of ours.
    let _ = tokio::time::timeout(Duration::from_secs(1), answer).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_right() {
        let text = std::str::from_utf8(PLAIN_ON_TLS).expect("is ASCII");
        let (head, body) = text.split_once("\r\n\r\n").expect("has a head");
        let length = format!("Content-Length: {}\r\n", body.len());
        assert!(head.contains(&length), "{text}: {length}");
    }
}
