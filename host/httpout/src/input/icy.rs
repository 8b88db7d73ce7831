//! Titles between the bytes of a radio stream that is pulled (`Icy-MetaData: 1`, `icy-metaint`).

use bytes::{Buf as _, Bytes, BytesMut};

/// Takes the metadata out of a stream.
pub(super) struct Metadata {
    /// Bytes of media between two pieces of it.
    interval: usize,
    /// Bytes of media up to the next one.
    left: usize,
    /// Bytes that are still to come of the one that has begun.
    wanted: usize,
    text: BytesMut,
}

impl Metadata {
    /// `interval` is what the server says: more than 0.
    pub(super) fn new(interval: usize) -> Metadata {
        Metadata {
            interval,
            left: interval,
            wanted: 0,
            text: BytesMut::new(),
        }
    }

    /// The media of a block, and the title, where the block ends what tells it.
    pub(super) fn take(&mut self, mut block: Bytes) -> (Bytes, Option<String>) {
        // Most blocks hold none: they pass as they are.
        if self.wanted == 0 && block.len() <= self.left {
            self.left -= block.len();
            return (block, None);
        }
        let (mut media, mut title) = (BytesMut::new(), None);
        while !block.is_empty() {
            if self.wanted > 0 {
                let part = block.split_to(self.wanted.min(block.len()));
                self.wanted -= part.len();
                self.text.extend_from_slice(&part);
                if self.wanted == 0 {
                    title = parse(&self.text.split()).or(title);
                }
            } else if self.left == 0 {
                self.wanted = usize::from(block.get_u8()) * 16;
                self.left = self.interval;
            } else {
                let part = block.split_to(self.left.min(block.len()));
                self.left -= part.len();
                media.extend_from_slice(&part);
            }
        }
        (media.freeze(), title)
    }
}

/// `StreamTitle='…';`, in UTF-8 or, as old servers have it, in Latin-1.
fn parse(text: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text.to_owned(),
        Err(_) => text.iter().map(|byte| char::from(*byte)).collect(),
    };
    let (_, title) = text.split_once("StreamTitle='")?;
    let (title, _) = title.split_once("';")?;
    Some(title.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes the stream in blocks of that size.
    fn take(stream: &[u8], size: usize) -> (Vec<u8>, Vec<String>) {
        let mut metadata = Metadata::new(10);
        let (mut media, mut titles) = (Vec::new(), Vec::new());
        for block in stream.chunks(size) {
            let (part, title) = metadata.take(Bytes::copy_from_slice(block));
            media.extend_from_slice(&part);
            titles.extend(title);
        }
        (media, titles)
    }

    #[test]
    fn media_and_titles_are_told_apart_wherever_blocks_end() {
        let stream =
            b"0123456789\x02StreamTitle='It's A - B';\0\0\0\0\0\0\0abcdefghij\0klmnopqrst\x01StreamUrl='';\0\0\0uv";
        for size in 1..=stream.len() {
            let (media, titles) = take(stream, size);
            assert_eq!(media, b"0123456789abcdefghijklmnopqrstuv", "{size}");
            assert_eq!(titles, ["It's A - B"], "{size}");
        }
    }

    #[test]
    fn titles_may_be_latin_1_or_empty() {
        assert_eq!(
            parse(b"StreamTitle='Caf\xe9';\0").as_deref(),
            Some("Caf\u{e9}")
        );
        assert_eq!(parse(b"StreamTitle='';\0\0").as_deref(), Some(""));
        assert_eq!(parse(b"StreamTitle='without an end"), None);
    }
}
