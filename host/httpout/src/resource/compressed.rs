//! Files in a content coding, each compressed once and kept in bounded memory (documents: option `zmax`).

use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::thread::available_parallelism;

use ::http::HeaderValue;
use async_compression::Level;
use async_compression::tokio::bufread::{GzipEncoder, ZlibEncoder};
use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::io::AsyncReadExt as _;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::http::media_type;
use crate::http::negotiate::Coding;
use crate::resource::directory::Identity;
use crate::resource::files::{Representation, Source};

/// Everything kept together, in bytes.
const CACHE: u64 = 32 << 20;

/// What an entry costs beside its content, roughly, in bytes.
const ENTRY: u64 = 256;

/// Of 1 to 9: smaller than level 1 of zlib for about its time; each further one costs far more than it gains.
const LEVEL: i32 = 2;

/// Compresses what can be, and remembers the result by the file's identity.
pub(crate) struct Compressed {
    cache: Cache<(Identity, Coding), Arc<Made>, ByBytes>,
    /// As many files are compressed at a time; further ones wait.
    permits: Arc<Semaphore>,
}

/// What came of a file.
struct Made {
    /// The content it was made from, to be compared; none where the times of the file tell as much.
    from: Option<Bytes>,
    /// None where the file is no text, or does not get smaller.
    content: Option<(Bytes, HeaderValue)>,
}

impl Compressed {
    pub(crate) fn new() -> Compressed {
        let items = usize::try_from(CACHE / ENTRY / 16).unwrap_or(usize::MAX);
        let at_a_time = available_parallelism().map_or(1, usize::from);
        Compressed {
            cache: Cache::with_weighter(items, CACHE, ByBytes),
            permits: Arc::new(Semaphore::new(at_a_time)),
        }
    }

    /// A file in a coding, or as it is where that makes it no smaller.
    pub(crate) async fn apply(
        &self,
        coding: Coding,
        file: Arc<Representation>,
    ) -> Arc<Representation> {
        let made = match self.get(coding, &file) {
            Some(made) => Ok(made),
            // Boxed: every request would move the large state of it.
            None => Box::pin(self.make(coding, &file)).await,
        };
        let Ok(Some((content, etag))) = made.as_ref().map(|made| &made.content) else {
            return file;
        };
        Arc::new(Representation {
            length: content.len() as u64,
            source: Source::Memory(content.clone()),
            etag: etag.clone(),
            coding: Some(coding),
            ..(*file).clone()
        })
    }

    fn get(&self, coding: Coding, file: &Representation) -> Option<Arc<Made>> {
        let kept = self.cache.get(&(file.identity, coding));
        kept.filter(|made| made.is_from(&file.source))
    }

    async fn make(&self, coding: Coding, file: &Arc<Representation>) -> io::Result<Arc<Made>> {
        let key = (file.identity, coding);
        // One makes it, while others wait.
        match self.cache.get_value_or_guard_async(&key).await {
            Ok(made) if made.is_from(&file.source) => Ok(made),
            Ok(last) => {
                let made = self.make_anew(coding, file, Some(last)).await?;
                self.cache.insert(key, made.clone());
                Ok(made)
            }
            Err(guard) => {
                let made = self.make_anew(coding, file, None).await?;
                // Where it cannot be kept, it is made again for the next.
                let _ = guard.insert(made.clone());
                Ok(made)
            }
        }
    }

    /// What was made last is taken where it is from the same content.
    async fn make_anew(
        &self,
        coding: Coding,
        file: &Arc<Representation>,
        last: Option<Arc<Made>>,
    ) -> io::Result<Arc<Made>> {
        let file = file.clone();
        let permit = self.permits.clone().acquire_owned().await;
        let making = spawn_blocking(move || {
            // Also to read: files that wait are not in memory.
            let _permit = permit;
            // So young a file on disk may change without a trace: its content is compared. Asked before it is read.
            let is_compared =
                matches!(file.source, Source::Memory(_)) || !file.identity.is_settled();
            let from = read(&file.source, file.length)?;
            let content = match last.filter(|last| last.from.as_ref() == Some(&from)) {
                Some(last) => last.content.clone(),
                None => {
                    let content = compress(coding, &from)?;
                    content.map(|content| (content, file.coded_etag(coding)))
                }
            };
            let from = is_compared.then_some(from);
            Ok(Arc::new(Made { from, content }))
        });
        making.await.map_err(io::Error::other).flatten()
    }
}

impl Made {
    fn is_from(&self, source: &Source) -> bool {
        match (&self.from, source) {
            (Some(known), Source::Memory(content)) => known == content,
            (Some(_), Source::Disk(_)) => false,
            // Made of a file whose times were telling: they are those of the file that is asked for.
            (None, _) => true,
        }
    }
}

fn read(source: &Source, length: u64) -> io::Result<Bytes> {
    match source {
        Source::Memory(content) => Ok(content.clone()),
        Source::Disk(file) => {
            let mut content = vec![0; usize::try_from(length).map_err(io::Error::other)?];
            file.read_exact_at(&mut content, 0)?;
            Ok(content.into())
        }
    }
}

/// A content in a coding; none where it is no text, or gets no smaller.
fn compress(coding: Coding, content: &[u8]) -> io::Result<Option<Bytes>> {
    if !media_type::is_utf8(content, true) {
        return Ok(None);
    }
    // It reads from memory: the thread waits for nothing.
    let coded = Handle::current().block_on(encode(coding, content))?;
    Ok((coded.len() < content.len()).then_some(coded))
}

/// A content in a coding. It waits for nothing.
pub(crate) async fn encode(coding: Coding, content: &[u8]) -> io::Result<Bytes> {
    let mut coded = Vec::with_capacity(content.len() / 2);
    let level = Level::Precise(LEVEL);
    match coding {
        Coding::Gzip => {
            let mut encoder = GzipEncoder::with_quality(content, level);
            encoder.read_to_end(&mut coded).await?
        }
        Coding::Deflate => {
            let mut encoder = ZlibEncoder::with_quality(content, level);
            encoder.read_to_end(&mut coded).await?
        }
    };
    coded.shrink_to_fit();
    Ok(coded.into())
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<(Identity, Coding), Arc<Made>> for ByBytes {
    fn weight(&self, _: &(Identity, Coding), made: &Arc<Made>) -> u64 {
        let from = made.from.as_ref().map_or(0, Bytes::len);
        let content = made
            .content
            .as_ref()
            .map_or(0, |(content, _)| content.len());
        (from + content) as u64 + ENTRY
    }
}
