//! One file of a backup, in clear or sealed.
//!
//! ```text
//! sealed   magic[8] version:u16 length:u32   the part's key, sealed to the recipient under the part's name
//!          chunks of at most 64 KiB and 17 bytes, the last one marked: `identity::stream`
//! ```

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use identity::{
    ChunkOpener, ChunkSealer, Digest, Direction, OpenError, OpeningKey, Sealed, codec, sealing,
    stream,
};

use super::BackupError;
use super::manifest::{Kind, Part};
use super::recipient::Recipient;
use crate::runtime::driver::random;
use crate::storage::disk;

/// First bytes of a sealed part.
const MAGIC: [u8; 8] = *b"GTBACKUP";
/// Its format.
const VERSION: u16 = 1;
/// What a part's key is sealed for.
const INFO: &[u8] = b"guantong v1 backup part";
/// Most bytes of a sealed key: its number, the ephemeral key and 48 bytes of ciphertext, with room.
const MAX_SEALED_BYTES: usize = 256;
/// Bytes of a full chunk as it lies.
const CHUNK_BYTES: usize = stream::MAX_CHUNK + stream::OVERHEAD;

/// Writes a part; it stands under its name when it is whole and durable.
pub(super) struct PartWriter {
    kind: Kind,
    path: PathBuf,
    temporary: PathBuf,
    out: BufWriter<File>,
    hasher: blake3::Hasher,
    bytes: u64,
    sealer: Option<(ChunkSealer, Vec<u8>)>,
}

impl PartWriter {
    pub(super) fn create(
        folder: &Path,
        kind: Kind,
        recipient: Option<&Recipient>,
    ) -> Result<Self, BackupError> {
        let name = kind.name();
        let path = folder.join(&name);
        let io = |source| BackupError::io(&path, source);
        if let Some(parent) = path.parent() {
            disk::make_folder(parent).map_err(io)?;
        }
        let temporary = folder.join(format!("{name}.tmp"));
        let file = disk::private()
            .create(true)
            .truncate(true)
            .open(&temporary)
            .map_err(io)?;
        let mut writer = Self {
            kind,
            temporary,
            out: BufWriter::new(file),
            hasher: blake3::Hasher::new(),
            bytes: 0,
            sealer: None,
            path: path.clone(),
        };
        if let Some(recipient) = recipient {
            writer.begin_sealed(&name, recipient).map_err(io)?;
        }
        Ok(writer)
    }

    fn begin_sealed(&mut self, name: &str, recipient: &Recipient) -> io::Result<()> {
        let (mut key, mut entropy) = ([0; 32], [0; 32]);
        random(&mut key);
        random(&mut entropy);
        let to = recipient.sealing_key();
        let sealed = sealing::seal(&to, INFO, name.as_bytes(), &key, entropy);
        let sealed = codec::encode(&sealed.map_err(io::Error::other)?);
        self.put(&MAGIC)?;
        self.put(&VERSION.to_be_bytes())?;
        self.put(&(sealed.len() as u32).to_be_bytes())?;
        self.put(&sealed)?;
        let chunk = Vec::with_capacity(stream::MAX_CHUNK);
        self.sealer = Some((ChunkSealer::new(key, Direction::Forward), chunk));
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn put_chunk(&mut self, last: bool) -> io::Result<()> {
        let Some((sealer, chunk)) = &mut self.sealer else {
            return Ok(());
        };
        let sealed = sealer.seal_chunk(chunk, last).map_err(io::Error::other)?;
        chunk.clear();
        self.put(&sealed)
    }

    /// Gives the part its name.
    pub(super) fn finish(mut self) -> Result<Part, BackupError> {
        let path = self.path.clone();
        let io = |source| BackupError::io(&path, source);
        self.put_chunk(true).map_err(io)?;
        self.out.flush().map_err(io)?;
        self.out.get_ref().sync_all().map_err(io)?;
        fs::rename(&self.temporary, &self.path).map_err(io)?;
        if let Some(parent) = path.parent() {
            disk::sync_folder(parent).map_err(io)?;
        }
        Ok(Part {
            kind: self.kind,
            bytes: self.bytes,
            digest: Digest::from_bytes(*self.hasher.finalize().as_bytes()),
        })
    }
}

impl Write for PartWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some((_, chunk)) = &mut self.sealer else {
            self.put(bytes)?;
            return Ok(bytes.len());
        };
        // A full chunk goes out when more follows, so that the last one is known to be the last.
        if chunk.len() == stream::MAX_CHUNK && !bytes.is_empty() {
            self.put_chunk(false)?;
            return self.write(bytes);
        }
        let taken = bytes.len().min(stream::MAX_CHUNK - chunk.len());
        chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// That the bytes of a part are those that its manifest names.
pub(super) fn check_digest(folder: &Path, part: &Part) -> Result<(), BackupError> {
    let name = part.kind.name();
    let path = folder.join(&name);
    let damaged = |why: String| BackupError::Part {
        name: name.clone(),
        why,
    };
    let mut file = File::open(&path).map_err(|error| damaged(error.to_string()))?;
    let mut hasher = blake3::Hasher::new();
    let read = io::copy(&mut file, &mut hasher).map_err(|error| damaged(error.to_string()))?;
    if read != part.bytes {
        return Err(damaged(format!("{read} bytes instead of {}", part.bytes)));
    }
    if *hasher.finalize().as_bytes() != *part.digest.as_bytes() {
        return Err(damaged("its bytes have changed".to_owned()));
    }
    Ok(())
}

/// Reads what a part holds.
pub(super) struct PartReader {
    file: BufReader<File>,
    opener: Option<ChunkOpener>,
    plain: Vec<u8>,
    at: usize,
    ended: bool,
}

impl PartReader {
    /// Opens a part of a backup that is sealed to `recipient`, if it is.
    pub(super) fn open(
        folder: &Path,
        kind: &Kind,
        recipient: Option<&Recipient>,
        key: Option<&OpeningKey>,
    ) -> Result<Self, BackupError> {
        let name = kind.name();
        let path = folder.join(&name);
        let damaged = |why: String| BackupError::Part {
            name: name.clone(),
            why,
        };
        let file = File::open(&path).map_err(|error| damaged(error.to_string()))?;
        let mut reader = Self {
            file: BufReader::new(file),
            opener: None,
            plain: Vec::new(),
            at: 0,
            ended: false,
        };
        if recipient.is_none() {
            return Ok(reader);
        }
        let key = key.ok_or(BackupError::KeyWanted)?;
        let sealed = reader
            .sealed_key()
            .map_err(|error| damaged(error.to_string()))?;
        let opened =
            sealing::open(key, INFO, name.as_bytes(), &sealed).map_err(|error| match error {
                OpenError::OtherKey { .. } | OpenError::Refused => {
                    BackupError::NotOpened(name.clone())
                }
            })?;
        let opened: [u8; 32] = opened
            .try_into()
            .map_err(|_| BackupError::NotOpened(name.clone()))?;
        reader.opener = Some(ChunkOpener::new(opened, Direction::Forward));
        Ok(reader)
    }

    fn sealed_key(&mut self) -> io::Result<Sealed> {
        let mut head = [0; 14];
        self.file.read_exact(&mut head)?;
        let version = u16::from_be_bytes([head[8], head[9]]);
        let length = u32::from_be_bytes([head[10], head[11], head[12], head[13]]) as usize;
        if head[..8] != MAGIC || version != VERSION || length > MAX_SEALED_BYTES {
            return Err(io::Error::other(format!(
                "it is no sealed part of format {VERSION}"
            )));
        }
        let mut sealed = vec![0; length];
        self.file.read_exact(&mut sealed)?;
        codec::decode(&sealed, MAX_SEALED_BYTES).map_err(io::Error::other)
    }
}

impl Read for PartReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(opener) = &mut self.opener else {
            return self.file.read(into);
        };
        while self.at == self.plain.len() && !self.ended {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            (&mut self.file)
                .take(CHUNK_BYTES as u64)
                .read_to_end(&mut chunk)?;
            if chunk.is_empty() {
                return Err(io::Error::other("it ends before its last chunk"));
            }
            let opened = opener.open_chunk(&chunk).map_err(io::Error::other)?;
            (self.plain, self.ended) = opened;
            self.at = 0;
        }
        let taken = into.len().min(self.plain.len() - self.at);
        into[..taken].copy_from_slice(&self.plain[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}
