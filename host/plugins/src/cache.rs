//! Compiled plugins on disk, so that the next start need not compile them.
//!
//! An entry is named by a hash of all that it was made from. Machine code is trusted as the server itself is, so it is
//! taken only from a directory that nobody but the user of this process can write to. What is broken in another way,
//! such as a file cut short by a full disk, shows by its checksum and is compiled again.

use std::fs::{DirBuilder, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, openat, renameat, statat, unlinkat};
use rustix::process::geteuid;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// An entry that has not been used for so long is removed.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 3600);

/// What all entries may take together, in bytes; those that have not been used for longest go first.
const SIZE: u64 = 1 << 30;

/// A file that is being written has its name by then, unless its writer has died.
const WRITING: Duration = Duration::from_secs(3600);

/// What the names of files begin with that are being written.
const TEMPORARY: &str = "new-";

/// The file of [`Cache::seed`].
const SEED: &str = "seed";

/// The file of [`Cache::store_functions`].
const FUNCTIONS: &str = "functions";

const CHECKSUM: usize = 32;

/// A directory of compiled components.
pub(crate) struct Cache {
    directory: OwnedFd,
    path: PathBuf,
    /// Whether anything is written.
    keeps: bool,
}

impl Cache {
    /// Opens the directory; to keep something there, it is made where it is not there.
    ///
    /// # Errors
    /// Why it cannot be used, and how to mend it.
    pub(crate) fn open(path: &Path, keeps: bool) -> Result<Cache, String> {
        let shown = path.display();
        let failed = |error: io::Error| format!("cannot open directory `{shown}`: {error}");
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        if keeps {
            builder.create(path).map_err(failed)?;
        }
        let directory = File::open(path).map_err(failed)?;
        let found = directory.metadata().map_err(failed)?;
        let user = geteuid().as_raw();
        if found.uid() != user {
            let owner = found.uid();
            return Err(format!(
                "directory `{shown}` belongs to user {owner}, not to user {user} who runs the server: choose another"
            ));
        }
        if found.mode() & 0o022 != 0 {
            return Err(format!(
                "others may write to directory `{shown}`: run `chmod go-w` on it, or choose another"
            ));
        }
        Ok(Cache {
            directory: directory.into(),
            path: path.to_owned(),
            keeps,
        })
    }

    /// The code of a component, compiled if it is not here.
    ///
    /// # Errors
    /// Why it cannot be compiled.
    pub(crate) fn component(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
        let key = Key::of(engine, bytes);
        if let Some(component) = self.load(engine, &key) {
            return Ok(component);
        }
        let component = Component::new(engine, bytes)?;
        self.store_entry(&key.name(), &key, &component.serialize()?);
        Ok(component)
    }

    /// Keeps the functions of all components, in place of those that are here.
    pub(crate) fn store_functions(&self, bytes: &[u8]) {
        self.store_entry(FUNCTIONS, &Key::of_functions(), bytes);
    }

    /// The functions of all components, if they are here and whole.
    pub(crate) fn load_functions(&self) -> Option<Vec<u8>> {
        let mut bytes = self.load_entry(FUNCTIONS, &Key::of_functions())?;
        bytes.drain(..CHECKSUM);
        Some(bytes)
    }

    fn store_entry(&self, name: &str, key: &Key, bytes: &[u8]) {
        if let Err(error) = self.store(name, &[&key.checksum(bytes), bytes]) {
            let path = self.path.display();
            tracing::warn!(target: "plugin", "a compiled plugin cannot be kept in `{path}`: {error}");
        }
    }

    /// A random number that stays the same from start to start.
    pub(crate) fn seed(&self) -> io::Result<u128> {
        if let Ok((_, bytes)) = self.read(SEED)
            && let Ok(seed) = bytes.try_into()
        {
            return Ok(u128::from_ne_bytes(seed));
        }
        let mut seed = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut seed)?;
        self.store(SEED, &[&seed])?;
        Ok(u128::from_ne_bytes(seed))
    }

    /// The entry of this name and key behind its checksum, if it is here and whole.
    fn load_entry(&self, name: &str, key: &Key) -> Option<Vec<u8>> {
        let (file, bytes) = self.read(name).ok()?;
        let (checksum, content) = bytes.split_at_checked(CHECKSUM)?;
        if checksum != key.checksum(content) {
            return None;
        }
        // Best effort: it shows when the entry was last used.
        if self.keeps {
            let _ = file.set_modified(SystemTime::now());
        }
        Some(bytes)
    }

    fn load(&self, engine: &Engine, key: &Key) -> Option<Component> {
        let bytes = self.load_entry(&key.name(), key)?;
        let code = &bytes[CHECKSUM..];
        #[expect(unsafe_code, reason = "compiled code cannot be checked, only trusted")]
        // SAFETY: `serialize` gave these bytes: the checksum shows that they are those that `store` wrote under this
        // key, and the directory and the file are those of the user who runs this process, where nobody else writes.
        // That this engine can run them is checked by wasmtime.
        let component = unsafe { Component::deserialize(engine, code) };
        component.ok()
    }

    /// A file that nobody else can write to, and its content.
    fn read(&self, name: &str) -> io::Result<(File, Vec<u8>)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.directory, name, flags, Mode::empty())?;
        let mut file = File::from(file);
        let found = file.metadata()?;
        let is_ours = found.uid() == geteuid().as_raw() && found.mode() & 0o022 == 0;
        if !found.is_file() || !is_ours || found.len() > SIZE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
        (&mut file).take(SIZE).read_to_end(&mut bytes)?;
        Ok((file, bytes))
    }

    /// Writes a file that has its name only when it is whole, if anything is to be written.
    fn store(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        if !self.keeps {
            return Ok(());
        }
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Relaxed));
        let temporary = format!("{TEMPORARY}{process}-{count}");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = openat(&self.directory, &temporary, flags | OFlags::CLOEXEC, mode)?;
        let mut file = File::from(file);
        let written = parts
            .iter()
            .try_for_each(|part| file.write_all(part))
            .and_then(|()| {
                Ok(renameat(
                    &self.directory,
                    &temporary,
                    &self.directory,
                    name,
                )?)
            });
        if written.is_err() {
            let _ = unlinkat(&self.directory, &temporary, AtFlags::empty());
        }
        written
    }

    /// Removes what has not been used for long, and what is too much. Files that are not ours stay.
    pub(crate) fn tidy(&self) {
        let mut entries = match self.entries() {
            Ok(entries) => entries,
            Err(error) => {
                let path = self.path.display();
                return tracing::debug!(target: "plugin", "cannot tidy `{path}`: {error}");
            }
        };
        // The one used last first.
        entries.sort_by_key(|entry| entry.unused);
        let mut total = 0;
        for Entry { name, size, unused } in entries {
            total += size;
            let longest = if is_temporary(&name) { WRITING } else { UNUSED };
            if unused > longest || total > SIZE {
                let _ = unlinkat(&self.directory, &name, AtFlags::empty());
                tracing::debug!(target: "plugin", "compiled plugin {name} is removed");
            }
        }
    }

    fn entries(&self) -> io::Result<Vec<Entry>> {
        let now = SystemTime::now();
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.directory)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if !is_temporary(name) && !Key::is_name(name) && name != FUNCTIONS {
                continue;
            }
            // Another server may have removed it.
            let Ok(found) = statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            let modified = u64::try_from(found.st_mtime).unwrap_or(0);
            let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
            entries.push(Entry {
                name: name.to_owned(),
                size: u64::try_from(found.st_size).unwrap_or(0),
                unused: now.duration_since(modified).unwrap_or_default(),
            });
        }
        Ok(entries)
    }
}

struct Entry {
    name: String,
    size: u64,
    /// For how long.
    unused: Duration,
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY)
}

/// A hash of all that decides on the code: the component, the server's version, the compiler and how it is set.
struct Key([u8; 32]);

impl Key {
    fn of(engine: &Engine, bytes: &[u8]) -> Key {
        let mut hash = Hashing(Sha256::new());
        env!("CARGO_PKG_VERSION").hash(&mut hash);
        engine.precompile_compatibility_hash().hash(&mut hash);
        hash.write(bytes);
        Key(hash.0.finalize().into())
    }

    /// Each function tells by itself what it was made from, for which processor, by which compiler.
    fn of_functions() -> Key {
        Key(Sha256::digest(FUNCTIONS).into())
    }

    fn name(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn is_name(name: &str) -> bool {
        name.len() == 2 * 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// What stands before the code. It names the key too, so that no entry passes for another.
    fn checksum(&self, code: &[u8]) -> [u8; CHECKSUM] {
        let hash = Sha256::new().chain_update(self.0).chain_update(code);
        hash.finalize().into()
    }
}

/// Feeds what can be hashed to SHA-256.
struct Hashing(Sha256);

impl Hasher for Hashing {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.clone().finalize();
        hash.iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}
