//! A playlist that has been written down, for all who ask for it.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::http::negotiate::Coding;
use crate::resource::encode;

/// A text, compressed once where somebody wants it so.
#[derive(Debug, Default)]
pub(crate) struct Text {
    pub(crate) plain: Bytes,
    gzip: OnceLock<Bytes>,
    deflate: OnceLock<Bytes>,
}

impl Text {
    pub(super) fn new(plain: String) -> Text {
        Text {
            plain: plain.into(),
            ..Text::default()
        }
    }

    /// The text in a coding; as it is where that fails.
    pub(crate) async fn coded(&self, coding: Coding) -> Option<Bytes> {
        let place = match coding {
            Coding::Gzip => &self.gzip,
            Coding::Deflate => &self.deflate,
        };
        if place.get().is_none() {
            // Of several at the same time the first is kept: they are equal.
            let _ = place.set(encode(coding, &self.plain).await.ok()?);
        }
        place.get().cloned()
    }
}
