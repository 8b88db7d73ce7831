//! A live stream as a body, with the metadata that ICE clients ask for between its bytes.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use httpout_plugins::Exchange;

use crate::resource::{LiveNext, LiveReader};
use crate::server::{Handling, Link};

/// Bytes between two pieces of metadata, as most servers have it (`icy-metaint`).
pub(crate) const METADATA_INTERVAL: usize = 16_000;

/// The attribute of a request by which a plugin sets the title that its client is told.
const TITLE: &str = "StreamTitle";

/// The longest metadata that its one length byte can tell.
const LONGEST: usize = 255 * 16;

/// What comes while the client is there.
pub(crate) struct LiveContent {
    reader: LiveReader,
    metadata: Option<Metadata>,
    link: Arc<Link>,
    /// Held while the source is silent: the client is not idle. The source itself may be so for a time only.
    waiting: Option<Handling>,
}

/// Metadata between the bytes (`Icy-MetaData: 1`).
struct Metadata {
    /// Bytes up to the next piece of it.
    left: usize,
    /// What does not fit before it.
    rest: Bytes,
    /// Of which the client knows.
    title: Option<Arc<str>>,
    exchange: Arc<Exchange>,
}

impl LiveContent {
    /// With an exchange, its client has asked for metadata.
    pub(crate) fn new(
        reader: LiveReader,
        link: Arc<Link>,
        exchange: Option<Arc<Exchange>>,
    ) -> LiveContent {
        LiveContent {
            reader,
            link,
            waiting: None,
            metadata: exchange.map(|exchange| Metadata {
                left: METADATA_INTERVAL,
                rest: Bytes::new(),
                title: None,
                exchange,
            }),
        }
    }

    /// The next bytes, as soon as there are any.
    pub(super) fn poll_block(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        let Some(metadata) = &mut self.metadata else {
            return self.poll_reader(context);
        };
        if metadata.left == 0 {
            metadata.left = METADATA_INTERVAL;
            let of_plugin = metadata.exchange.attribute(TITLE).map(Arc::from);
            let title = of_plugin.or_else(|| self.reader.title());
            let is_news = title != metadata.title;
            let block = encode(title.as_deref().filter(|_| is_news));
            metadata.title = title;
            return Poll::Ready(Some(Ok(block)));
        }
        if metadata.rest.is_empty() {
            let rest = match ready!(self.poll_reader(context)) {
                Some(Ok(block)) => block,
                end_or_error => return Poll::Ready(end_or_error),
            };
            return Poll::Ready(self.metadata.as_mut().map(|metadata| {
                metadata.rest = rest;
                Ok(metadata.next())
            }));
        }
        Poll::Ready(Some(Ok(metadata.next())))
    }

    fn poll_reader(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let Poll::Ready(next) = self.reader.poll_next(context) else {
            if self.reader.has_begun() {
                let link = &self.link;
                self.waiting.get_or_insert_with(|| link.start_handling());
            }
            return Poll::Pending;
        };
        self.waiting = None;
        Poll::Ready(match next {
            LiveNext::Bytes(bytes) => Some(Ok(bytes)),
            LiveNext::End => None,
            LiveNext::Cut => Some(Err(io::Error::other("the client is too far behind"))),
        })
    }
}

impl Metadata {
    /// What fits before the next piece of metadata.
    fn next(&mut self) -> Bytes {
        let block = self.rest.split_to(self.left.min(self.rest.len()));
        self.left -= block.len();
        block
    }
}

/// A byte with the length in 16 bytes, then text, filled up with zeros; only a zero where there is no news.
fn encode(title: Option<&str>) -> Bytes {
    let Some(title) = title else {
        return Bytes::from_static(&[0]);
    };
    // Players look for the end in `';`, and none knows of an escape.
    let title = title.replace("';", "’;");
    let mut text = format!("StreamTitle='{title}';").into_bytes();
    if text.len() > LONGEST {
        let longest = LONGEST - "StreamTitle='';".len();
        let mut end = longest.min(title.len());
        while !title.is_char_boundary(end) {
            end -= 1;
        }
        text = format!("StreamTitle='{}';", &title[..end]).into_bytes();
    }
    let blocks = text.len().div_ceil(16);
    text.resize(blocks * 16, 0);
    text.insert(0, u8::try_from(blocks).unwrap_or(u8::MAX));
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_filled_up_to_whole_blocks() {
        let block = encode(Some("A - B"));
        assert_eq!(block.len(), 1 + 2 * 16);
        assert!(block.starts_with(b"\x02StreamTitle='A - B';\0"));
        assert_eq!(&encode(None)[..], [0]);
    }

    #[test]
    fn a_title_that_is_too_long_is_cut_between_two_characters() {
        let block = encode(Some(&"é".repeat(5000)));
        assert_eq!((block.len(), block[0]), (1 + LONGEST, 255));
        let text = std::str::from_utf8(&block[1..]).expect("is whole");
        assert!(text.trim_end_matches('\0').ends_with("é';"), "{text}");
    }
}
