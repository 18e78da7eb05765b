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

/// Hears what is sealed, chunk by chunk.
pub(crate) trait Hears {
    /// A chunk in clear, and whether it is the last.
    fn chunk(&mut self, clear: &[u8], last: bool) -> io::Result<()>;
}

impl Hears for () {
    fn chunk(&mut self, _clear: &[u8], _last: bool) -> io::Result<()> {
        Ok(())
    }
}

/// Writes what is sealed as it comes; the file is whole when [`SealedWriter::finish`] has returned.
pub(crate) struct SealedWriter<'s, H = ()> {
    ended: Ended<'s>,
    waiting: Vec<u8>,
    number: u64,
    hears: H,
}

/// A file whose chunks are all sealed; it has no header yet.
pub(super) struct Ended<'s> {
    file: File,
    storage: &'s StorageKey,
    key: ObjectKey,
    length: u64,
}

impl Ended<'_> {
    /// Writes the header that names the file. Nothing is synced.
    pub(super) fn name(self, name: &Name) -> Result<File, ObjectError> {
        let header = Header::new(name, self.length, &self.key, self.storage, fresh());
        let header = header.map_err(|why| ObjectError::seal(name, why))?;
        self.file.write_all_at(&header.encode(), 0)?;
        Ok(self.file)
    }
}

impl<'s> SealedWriter<'s> {
    /// A new file under a key of its own.
    pub(super) fn create(path: &Path, storage: &'s StorageKey) -> io::Result<Self> {
        Self::heard(path, storage, ())
    }

    /// Seals the last chunk, writes the header that names the file, and syncs it.
    pub(super) fn finish(self, name: &Name) -> Result<(), ObjectError> {
        let (ended, ()) = self.end()?;
        Ok(ended.name(name)?.sync_all()?)
    }
}

impl<'s, H: Hears> SealedWriter<'s, H> {
    /// A new file under a key of its own, each chunk of which is heard.
    pub(super) fn heard(path: &Path, storage: &'s StorageKey, hears: H) -> io::Result<Self> {
        let mut file = disk::private().create_new(true).open(path)?;
        file.seek(SeekFrom::Start(HEADER_BYTES as u64))?;
        let ended = Ended {
            file,
            storage,
            key: ObjectKey::from_bytes(fresh()),
            length: 0,
        };
        Ok(Self {
            ended,
            waiting: Vec::with_capacity(CHUNK_BYTES),
            number: 0,
            hears,
        })
    }

    /// Seals the last chunk; and who heard all of them.
    pub(super) fn end(mut self) -> io::Result<(Ended<'s>, H)> {
        self.seal(true)?;
        Ok((self.ended, self.hears))
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        self.hears.chunk(&self.waiting, last)?;
        let sealed = self.ended.key.seal_chunk(self.number, last, &self.waiting);
        let sealed = sealed.map_err(io::Error::other)?;
        self.ended.file.write_all(&sealed)?;
        self.number += 1;
        self.ended.length += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

impl<H: Hears> Write for SealedWriter<'_, H> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        // A full chunk waits until it is known whether it is the last.
        if self.waiting.len() == CHUNK_BYTES {
            self.seal(false)?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.waiting.len());
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
}

impl<'f> Begun<'f> {
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
        Ok(Self { file, key, length })
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
        let whole = have / (CHUNK_BYTES + TAG_BYTES) as u64;
        Ok(Some((Self { file, key, length }, whole)))
    }

    /// Keeps only so many chunks.
    pub(super) fn keep(&self, chunks: u64) -> io::Result<()> {
        self.file.set_len(chunk_at(chunks))
    }

    /// Writes the verified content from a chunk's beginning on.
    pub(super) fn put(&self, offset: u64, content: &[u8]) -> io::Result<()> {
        let (number, last) = (
            offset / CHUNK_BYTES as u64,
            offset + content.len() as u64 == self.length,
        );
        if !offset.is_multiple_of(CHUNK_BYTES as u64) || !(last || content.len() == CHUNK_BYTES) {
            return Err(io::Error::other("what was verified is no whole chunk"));
        }
        let sealed = self.key.seal_chunk(number, last, content);
        let sealed = sealed.map_err(io::Error::other)?;
        self.file.write_all_at(&sealed, chunk_at(number))
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
    /// The chunk that was opened last.
    opened: Mutex<Option<(u64, Vec<u8>)>>,
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
            opened: Mutex::default(),
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
            opened: Mutex::default(),
        })
    }

    fn chunk(&self, number: u64) -> io::Result<Vec<u8>> {
        let last = number + 1 == chunks(self.length);
        let clear = if last {
            (self.length - number * CHUNK_BYTES as u64) as usize
        } else {
            CHUNK_BYTES
        };
        let mut sealed = vec![0; clear + TAG_BYTES];
        FileExt::read_exact_at(&self.file, &mut sealed, chunk_at(number))?;
        self.key
            .open_chunk(number, last, &sealed)
            .map_err(|why| ObjectError::seal(&self.name, why).into())
    }
}

impl ReadAt for ObjectReader {
    fn read_at(&self, at: u64, out: &mut [u8]) -> io::Result<usize> {
        if at >= self.length || out.is_empty() {
            return Ok(0);
        }
        let (number, within) = (at / CHUNK_BYTES as u64, (at % CHUNK_BYTES as u64) as usize);
        // What a panic left is a whole chunk or none.
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let chunk = match opened.take() {
            Some((held, chunk)) if held == number => chunk,
            _ => self.chunk(number)?,
        };
        let taken = out.len().min(chunk.len() - within);
        out[..taken].copy_from_slice(&chunk[within..within + taken]);
        *opened = Some((number, chunk));
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
