//! What an upload tells while it is written.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::manifest::{self, Manifest};
use crate::presentation::boxes::Init;
use crate::presentation::scanner::{Found, Fragment, Scanner};
use crate::presentation::track::Written;
use crate::presentation::{Key, Presentations, Register, below};
use crate::resource::OpenFile;

/// The most files whose fragments are remembered; then those that were complete first are forgotten.
const FILES: usize = 1024;

/// The most fragments of a file: at 25 a second, those of three minutes.
const FRAGMENTS: usize = 4500;

/// The most fragments of all files that are complete; beyond that, too, files are forgotten.
const FRAGMENTS_OF_ALL: usize = 200_000;

/// The largest init segment that is read where it was written before this process began, in bytes.
const LARGEST_INIT: u64 = 1 << 20;

/// Reads the beginning of a file below the directory of the upload: at most so many bytes.
pub(crate) type Read<'a> = &'a dyn Fn(&[u8], u64) -> Option<Vec<u8>>;

/// An upload, as it is seen. It has failed if this is dropped before it was complete.
#[derive(Debug)]
pub(crate) struct Observer {
    presentations: Arc<Presentations>,
    /// What the directory of the upload is called in keys.
    root: Arc<[u8]>,
    key: Key,
    upload: u64,
    /// Of media.
    scanner: Option<Scanner>,
    /// What is found is told at once: it can be read already.
    is_followed: bool,
    found: Vec<Found>,
    is_over: bool,
}

/// What is known of files of media.
#[derive(Debug, Default)]
pub(super) struct Files {
    uploads: u64,
    known: HashMap<Key, File>,
    /// Those that are complete, by when they were.
    complete: VecDeque<(Key, u64)>,
}

#[derive(Debug)]
struct File {
    upload: u64,
    fragments: Vec<Fragment>,
    init: Option<Arc<Init>>,
    /// What the name held before.
    earlier_init: Option<Arc<Init>>,
    is_complete: bool,
}

/// A file, as presentations take it.
pub(super) struct Taken<'a> {
    pub(super) written: Written<'a>,
    /// And whether it is the same as before.
    pub(super) init: Option<(&'a Arc<Init>, bool)>,
}

impl Presentations {
    /// An upload begins to a path below a directory; whether readers may follow it.
    pub(crate) fn observe(
        self: &Arc<Self>,
        root: &Arc<[u8]>,
        path: &[u8],
        is_followed: bool,
    ) -> Observer {
        let key = below(root, path);
        let mut register = self.register();
        register.files.uploads += 1;
        let upload = register.files.uploads;
        let scanner = is_media(path).then(Scanner::new);
        let observer = Observer {
            presentations: self.clone(),
            root: root.clone(),
            key,
            upload,
            scanner,
            is_followed,
            found: Vec::new(),
            is_over: false,
        };
        if is_followed {
            if observer.scanner.is_some() {
                register.begin(&observer.key, upload);
            }
            register.seats.wake(&observer.key);
        }
        drop(register);
        observer
    }
}

impl Observer {
    /// The next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let Some(scanner) = &mut self.scanner else {
            return;
        };
        let found = &mut self.found;
        scanner.push(bytes, |one| {
            if found.len() < FRAGMENTS {
                found.push(one);
            }
        });
        if self.is_followed && !self.found.is_empty() {
            self.tell();
        }
    }

    /// The upload has got its name. May block.
    pub(crate) fn complete(mut self, file: &OpenFile, length: u64, read: Read<'_>) {
        self.is_over = true;
        if manifest::is_manifest(&self.key) {
            self.take_manifest(file, length, read);
        }
        if let Some(scanner) = &mut self.scanner {
            self.found.extend(scanner.finish());
            if !self.is_followed {
                self.presentations.register().begin(&self.key, self.upload);
            }
            self.tell();
        }
        let mut register = self.presentations.register();
        if self.scanner.is_some() {
            register.complete(&self.key, self.upload);
        }
        register.seats.wake(&self.key);
    }

    fn tell(&mut self) {
        let mut register = self.presentations.register();
        register.add(&self.key, self.upload, self.found.drain(..));
    }

    fn take_manifest(&self, file: &OpenFile, length: u64, read: Read<'_>) {
        let path = &self.key[self.root.len() + 1..];
        let is_read = length <= manifest::LARGEST as u64;
        let content = is_read.then(|| file.beginning(length)).flatten();
        let text = content.as_deref().map(std::str::from_utf8);
        let manifest = match text {
            Some(Ok(text)) => Manifest::parse(path, text),
            _ => None,
        };
        let unknown = self
            .presentations
            .set_manifest(&self.key, &self.root, manifest);
        for key in unknown {
            self.find_init(&key, read);
        }
    }

    /// An init segment may have been written before this process began.
    fn find_init(&self, key: &Key, read: Read<'_>) {
        let path = key.strip_prefix(&*self.root).unwrap_or_default();
        let content = path
            .strip_prefix(b"/")
            .and_then(|path| read(path, LARGEST_INIT));
        let mut scanner = Scanner::new();
        let mut found = Vec::new();
        scanner.push(&content.unwrap_or_default(), |one| found.push(one));
        found.retain(|one| matches!(one, Found::Init(_)));
        if found.is_empty() {
            return;
        }
        let mut register = self.presentations.register();
        if register.files.known.contains_key(key) {
            return;
        }
        register.files.uploads += 1;
        let upload = register.files.uploads;
        register.begin(key, upload);
        register.add(key, upload, found.into_iter());
        register.complete(key, upload);
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        if !self.is_over && self.is_followed && self.scanner.is_some() {
            self.presentations.register().fail(&self.key, self.upload);
        }
    }
}

impl Register {
    fn begin(&mut self, key: &Key, upload: u64) {
        let before = self.files.known.get(key);
        let earlier = before.and_then(|file| file.init.clone().or(file.earlier_init.clone()));
        let file = File {
            upload,
            fragments: Vec::new(),
            init: None,
            earlier_init: earlier,
            is_complete: false,
        };
        self.files.known.insert(key.clone(), file);
        for presentation in self.presentations.values_mut() {
            presentation.change(|track, _| track.begin(key, upload) && track.leave(key));
        }
    }

    fn add(&mut self, key: &Key, upload: u64, found: impl Iterator<Item = Found>) {
        let Some(file) = self.files.known.get_mut(key) else {
            return;
        };
        if file.upload != upload {
            return;
        }
        let mut has_init = false;
        for one in found {
            match one {
                Found::Init(init) => {
                    file.init = Some(Arc::new(init));
                    has_init = true;
                }
                Found::Fragment(fragment) if file.fragments.len() < FRAGMENTS => {
                    file.fragments.push(fragment);
                }
                Found::Fragment(_) => {}
            }
        }
        if has_init {
            self.take_all_of(key);
        }
        self.take(key);
    }

    fn complete(&mut self, key: &Key, upload: u64) {
        let Some(file) = self.files.known.get_mut(key) else {
            return;
        };
        if file.upload != upload {
            return;
        }
        file.is_complete = true;
        self.files.complete.push_back((key.clone(), upload));
        self.take(key);
        self.files.forget_oldest();
        self.take_growing();
    }

    fn fail(&mut self, key: &Key, upload: u64) {
        let is_it = |file: &File| file.upload == upload;
        if self.files.known.get(key).is_some_and(is_it) {
            self.files.known.remove(key);
        }
        for presentation in self.presentations.values_mut() {
            presentation.change(|track, _| track.fail(key, upload));
        }
        self.take_growing();
    }

    /// What has begun may have waited for the end of what was before it.
    fn take_growing(&mut self) {
        let growing = self
            .files
            .known
            .iter()
            .filter(|(_, file)| !file.is_complete);
        for (key, file) in growing {
            for presentation in self.presentations.values_mut() {
                presentation.take(file.taken(key));
            }
        }
    }

    /// Presentations take what is there of a file.
    fn take(&mut self, key: &Key) {
        if let Some((key, file)) = self.files.known.get_key_value(key) {
            for presentation in self.presentations.values_mut() {
                presentation.take(file.taken(key));
            }
        }
    }

    /// An init segment is there: so are the segments that were written before it.
    fn take_all_of(&mut self, init: &Key) {
        for presentation in self.presentations.values_mut() {
            let is_its = |key: &Option<Key>| key.as_ref() == Some(init);
            if !presentation
                .tracks
                .iter()
                .any(|track| is_its(&track.init_key))
            {
                continue;
            }
            if let Some((key, file)) = self.files.known.get_key_value(init) {
                presentation.take(file.taken(key));
            }
            for taken in self.files.in_order() {
                presentation.take(taken);
            }
        }
    }
}

impl Files {
    /// All of them, in the order in which they were begun.
    pub(super) fn in_order(&self) -> impl Iterator<Item = Taken<'_>> {
        let mut all: Vec<_> = self.known.iter().collect();
        // What begins a stream comes first: without it no segment can be read.
        all.sort_by_key(|(_, file)| (file.init.is_none(), file.upload));
        all.into_iter().map(|(key, file)| file.taken(key))
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        self.known.remove(key);
    }

    fn forget_oldest(&mut self) {
        let mut fragments: usize = self.known.values().map(|file| file.fragments.len()).sum();
        while self.complete.len() > FILES || fragments > FRAGMENTS_OF_ALL {
            let Some((key, upload)) = self.complete.pop_front() else {
                return;
            };
            let is_it = |file: &File| file.upload == upload;
            if self.known.get(&key).is_some_and(is_it)
                && let Some(file) = self.known.remove(&key)
            {
                fragments -= file.fragments.len();
            }
        }
    }
}

impl File {
    fn taken<'a>(&'a self, key: &'a Key) -> Taken<'a> {
        Taken {
            written: Written {
                key,
                upload: self.upload,
                fragments: &self.fragments,
                is_complete: self.is_complete,
            },
            init: self
                .init
                .as_ref()
                .map(|init| (init, self.init == self.earlier_init)),
        }
    }
}

/// Whether a name is one of ISO files that may hold fragments.
fn is_media(path: &[u8]) -> bool {
    const EXTENSIONS: [&[u8]; 9] = [
        b"m4s", b"mp4", b"m4v", b"m4a", b"m4f", b"cmfv", b"cmfa", b"cmft", b"cmfm",
    ];
    let extension = path.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let is_it = |known: &&[u8]| extension.eq_ignore_ascii_case(known);
    EXTENSIONS.iter().any(is_it)
}
