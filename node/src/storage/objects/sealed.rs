//! Sealed files: written chunk by chunk, read from any place.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bao_tree::io::sync::ReadAt;
use identity::at_rest::{
    AtRestError, CHUNK_BYTES, HEADER_BYTES, Header, Name, ObjectKey, StorageKey, TAG_BYTES,
    chunk_at, chunks, sealed_bytes,
};

use super::ObjectError;
use crate::runtime::driver::random;
use crate::storage::disk;

/// Fresh random bytes.
fn fresh() -> [u8; 32] {
    let mut bytes = [0; 32];
    random(&mut bytes);
    bytes
}

/// The header of a file, and whatever is wrong with it in itself.
pub(super) fn read_header(file: &File) -> io::Result<Result<Header, AtRestError>> {
    let mut bytes = [0; HEADER_BYTES];
    match FileExt::read_exact_at(file, &mut bytes, 0) {
        Ok(()) => Ok(Header::decode(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Ok(Err(AtRestError::NotSealed))
        }
        Err(error) => Err(error),
    }
}

/// Bytes of a sealed chunk that is not the last.
const SEALED_BYTES: usize = CHUNK_BYTES + TAG_BYTES;
/// Chunks that go to the disk or come from it at once (256 KiB): as many as a kill loses of a fetch.
const TOGETHER: usize = 16;

/// Writes what is sealed as it comes; the file is whole when [`SealedWriter::finish`] has returned.
pub(crate) struct SealedWriter<'s> {
    file: File,
    storage: &'s StorageKey,
    key: ObjectKey,
    /// Sealed chunks that are written together, and behind them the content of the one that is being filled.
    waiting: Vec<u8>,
    /// Where that one begins.
    begin: usize,
    number: u64,
    length: u64,
}

impl<'s> SealedWriter<'s> {
    /// A new file under a key of its own.
    pub(super) fn create(path: &Path, storage: &'s StorageKey) -> io::Result<Self> {
        let mut file = disk::private().create_new(true).open(path)?;
        file.seek(SeekFrom::Start(HEADER_BYTES as u64))?;
        Ok(Self {
            file,
            storage,
            key: ObjectKey::from_bytes(fresh()),
            waiting: Vec::new(),
            begin: 0,
            number: 0,
            length: 0,
        })
    }

    /// Seals the last chunk, writes the header that names the file, and syncs it.
    pub(super) fn finish(self, name: &Name) -> Result<(), ObjectError> {
        Ok(self.end(name)?.sync_all()?)
    }

    /// As [`Self::finish`], but nothing is synced.
    pub(super) fn end(mut self, name: &Name) -> Result<File, ObjectError> {
        self.seal(true)?;
        self.file.write_all(&self.waiting)?;
        let header = Header::new(name, self.length, &self.key, self.storage, fresh());
        let header = header.map_err(|why| ObjectError::seal(name, why))?;
        self.file.write_all_at(&header.encode(), 0)?;
        Ok(self.file)
    }

    fn filled(&self) -> usize {
        self.waiting.len() - self.begin
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        self.length += self.filled() as u64;
        self.key
            .seal_chunk(self.number, last, &mut self.waiting, self.begin)
            .map_err(io::Error::other)?;
        self.number += 1;
        self.begin = self.waiting.len();
        Ok(())
    }
}

impl Write for SealedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        // A full chunk waits until it is known whether it is the last.
        if self.filled() == CHUNK_BYTES {
            self.seal(false)?;
        }
        if self.begin >= TOGETHER * SEALED_BYTES {
            self.file.write_all(&self.waiting)?;
            self.waiting.clear();
            self.begin = 0;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.filled());
        self.waiting.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What has come of an object so far: its chunks are written as they are verified, in any order, each number with one content only.
pub(super) struct Begun<'f> {
    file: &'f File,
    key: ObjectKey,
    length: u64,
    /// Sealed chunks that are written together, all but the last of the object of full length.
    waiting: Vec<u8>,
    /// The number of the first of them.
    first: u64,
}

impl<'f> Begun<'f> {
    const fn new(file: &'f File, key: ObjectKey, length: u64) -> Self {
        Self {
            file,
            key,
            length,
            waiting: Vec::new(),
            first: 0,
        }
    }

    /// Begins a file anew, under a key of its own.
    pub(super) fn create(
        file: &'f File,
        name: &Name,
        length: u64,
        storage: &StorageKey,
    ) -> Result<Self, ObjectError> {
        let key = ObjectKey::from_bytes(fresh());
        let header = Header::new(name, length, &key, storage, fresh());
        let header = header.map_err(|why| ObjectError::seal(name, why))?;
        file.set_len(0)?;
        file.write_all_at(&header.encode(), 0)?;
        Ok(Self::new(file, key, length))
    }

    /// Goes on with a file, if it was begun for this object under this storage key; and how many whole chunks it has.
    pub(super) fn resume(
        file: &'f File,
        name: &Name,
        length: u64,
        storage: &StorageKey,
    ) -> io::Result<Option<(Self, u64)>> {
        let Ok(header) = read_header(file)? else {
            return Ok(None);
        };
        let Ok(key) = header.unwrap(name, storage) else {
            return Ok(None);
        };
        if header.length() != length {
            return Ok(None);
        }
        let have = file.metadata()?.len() - HEADER_BYTES as u64;
        let whole = have / SEALED_BYTES as u64;
        Ok(Some((Self::new(file, key, length), whole)))
    }

    /// Keeps only so many chunks.
    pub(super) fn keep(&self, chunks: u64) -> io::Result<()> {
        self.file.set_len(chunk_at(chunks))
    }

    /// Takes the verified content from a chunk's beginning on; it is written with others, at the latest by [`Begun::flush`].
    pub(super) fn put(&mut self, offset: u64, content: &[u8]) -> io::Result<()> {
        let (number, last) = (
            offset / CHUNK_BYTES as u64,
            offset + content.len() as u64 == self.length,
        );
        if !offset.is_multiple_of(CHUNK_BYTES as u64) || !(last || content.len() == CHUNK_BYTES) {
            return Err(io::Error::other("what was verified is no whole chunk"));
        }
        if number != self.first + (self.waiting.len() / SEALED_BYTES) as u64 {
            self.flush()?;
            self.first = number;
        }
        let begin = self.waiting.len();
        self.waiting.extend_from_slice(content);
        self.key
            .seal_chunk(number, last, &mut self.waiting, begin)
            .map_err(io::Error::other)?;
        if last || self.waiting.len() >= TOGETHER * SEALED_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file
            .write_all_at(&self.waiting, chunk_at(self.first))?;
        self.first += self.waiting.len().div_ceil(SEALED_BYTES) as u64;
        self.waiting.clear();
        Ok(())
    }
}

/// An object open for reading, from its beginning or from any place; each chunk is authenticated before any of it is given. An error of
/// reading holds the [`ObjectError`] that names the object.
#[derive(Debug)]
pub struct ObjectReader {
    file: File,
    name: Name,
    key: ObjectKey,
    length: u64,
    position: u64,
    window: Mutex<Window>,
}

/// What was read of a file last: chunks one after another, opened in place when they are asked for.
#[derive(Debug, Default)]
struct Window {
    bytes: Vec<u8>,
    first: u64,
    count: u64,
    /// Which of them have been opened, a bit for each.
    opened: u16,
}

// A bit for each chunk that is read at once.
const _: () = assert!(TOGETHER <= u16::BITS as usize);

impl Window {
    /// Where a chunk stands in `bytes`, if it was read.
    fn index(&self, number: u64) -> Option<usize> {
        let index = number.checked_sub(self.first)?;
        (index < self.count).then_some(index as usize)
    }

    fn forget(&mut self) {
        (self.count, self.opened) = (0, 0);
    }
}

impl ObjectReader {
    /// Opens a sealed file.
    ///
    /// # Errors
    /// [`ObjectError::Missing`]; [`ObjectError::Seal`] when it is not this object's, sealed under this key, in its full length.
    pub(super) fn open(path: &Path, name: Name, storage: &StorageKey) -> Result<Self, ObjectError> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ObjectError::Missing(name.digest),
            _ => error.into(),
        })?;
        let refused = |why| ObjectError::seal(&name, why);
        let header = read_header(&file)?.map_err(refused)?;
        let key = header.unwrap(&name, storage).map_err(refused)?;
        let length = header.length();
        let (expected, found) = (sealed_bytes(length), file.metadata()?.len());
        if expected != found {
            return Err(refused(AtRestError::Size { expected, found }));
        }
        Ok(Self {
            file,
            name,
            key,
            length,
            position: 0,
            window: Mutex::default(),
        })
    }

    /// Bytes of content.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The same content, to be read from a place of its own.
    ///
    /// # Errors
    /// [`io::Error`] when no more files can be open.
    pub fn again(&self) -> io::Result<Self> {
        Ok(Self {
            file: self.file.try_clone()?,
            name: self.name,
            key: self.key.clone(),
            length: self.length,
            position: 0,
            window: Mutex::default(),
        })
    }

    /// Reads chunks: many where the last ones are gone on with, else the one that is asked for.
    fn read_chunks(&self, window: &mut Window, number: u64) -> io::Result<()> {
        let goes_on = number == window.first + window.count;
        let all = chunks(self.length);
        let wanted = if goes_on { TOGETHER as u64 } else { 1 };
        let count = wanted.min(all.saturating_sub(number));
        let end = match number + count {
            end if end == all => sealed_bytes(self.length),
            end => chunk_at(end),
        };
        window.forget();
        window.bytes.resize((end - chunk_at(number)) as usize, 0);
        FileExt::read_exact_at(&self.file, &mut window.bytes, chunk_at(number))?;
        (window.first, window.count) = (number, count);
        Ok(())
    }

    /// The content of a chunk.
    fn chunk<'w>(&self, window: &'w mut Window, number: u64) -> io::Result<&'w [u8]> {
        let index = match window.index(number) {
            Some(index) => index,
            None => {
                self.read_chunks(window, number)?;
                0
            }
        };
        let (begin, bit) = (index * SEALED_BYTES, 1 << index);
        let end = window.bytes.len().min(begin + SEALED_BYTES);
        if window.opened & bit == 0 {
            let last = number + 1 == chunks(self.length);
            let opened = self
                .key
                .open_chunk(number, last, &mut window.bytes[begin..end]);
            if let Err(why) = opened {
                window.forget();
                return Err(ObjectError::seal(&self.name, why).into());
            }
            window.opened |= bit;
        }
        Ok(&window.bytes[begin..end - TAG_BYTES])
    }
}

impl ReadAt for ObjectReader {
    fn read_at(&self, at: u64, out: &mut [u8]) -> io::Result<usize> {
        if at >= self.length || out.is_empty() {
            return Ok(0);
        }
        let (number, within) = (at / CHUNK_BYTES as u64, (at % CHUNK_BYTES as u64) as usize);
        // What a panic left is forgotten: it may be half read.
        let mut window = self
            .window
            .lock()
            .unwrap_or_else(|poisoned: PoisonError<_>| {
                let mut window = poisoned.into_inner();
                window.forget();
                window
            });
        let chunk = self.chunk(&mut window, number)?;
        let taken = out.len().min(chunk.len() - within);
        out[..taken].copy_from_slice(&chunk[within..within + taken]);
        Ok(taken)
    }
}

impl Read for ObjectReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.read_at(self.position, out)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for ObjectReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
