//! One batch as bytes.
//!
//! ```text
//! header   80  magic[8] version:u16 zero:u16 records:u32 bodies:u32 payload:u32 batch:u64 first_record:u64 previous[32] check[8]
//! payload      records: (length:u32 bytes)*   bodies: (digest[32] length:u32 bytes)*
//! checksum 32  blake3 of header and payload
//! ```
//!
//! Integers are big-endian. `previous` is the checksum of the batch before, all zero for batch 1, so that a ledger is one chain.
//! `check` covers the header alone: a header that is whole tells how long its batch is even when the rest never reached the disk.

use identity::Digest;

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 80;
/// Bytes of a checksum.
pub(super) const CHECKSUM_BYTES: usize = 32;
/// Most bytes of records and bodies in one batch: the core stops filling a batch at a few MiB, and one input adds at most a frame of
/// four segments.
pub const MAX_PAYLOAD_BYTES: usize = 64 << 20;
/// Most records, or bodies, in one batch: at four bytes each they would fill the payload with nothing.
const MAX_PARTS: u32 = (MAX_PAYLOAD_BYTES / 4) as u32;
/// First bytes of every batch.
pub(super) const MAGIC: [u8; 8] = *b"GTLEDGER";
/// The format of the ledger: in every header, so that a batch of another is told and never decoded wrongly.
pub const VERSION: u16 = 1;
/// Bytes of the header that its check covers.
const CHECKED: usize = HEADER_BYTES - 8;

/// Checksum of a batch.
pub(super) type Checksum = [u8; CHECKSUM_BYTES];

/// What stands before a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) records: u32,
    pub(super) bodies: u32,
    pub(super) payload: u32,
    pub(super) batch: u64,
    pub(super) first_record: u64,
    pub(super) previous: Checksum,
}

/// Why bytes are no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("the batch header is damaged")]
    Header,
    #[error("the batch is of format {0}, which this version cannot read")]
    Version(u16),
    #[error("the batch checksum does not match its content")]
    Checksum,
    #[error("the lengths in the batch contradict each other")]
    Layout,
    #[error("the batch would have more than {MAX_PAYLOAD_BYTES} bytes")]
    TooLarge,
}

impl Header {
    /// Bytes of the whole batch, header and checksum included.
    pub(super) fn frame_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.payload) + CHECKSUM_BYTES as u64
    }

    fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[0..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_be_bytes());
        out[12..16].copy_from_slice(&self.records.to_be_bytes());
        out[16..20].copy_from_slice(&self.bodies.to_be_bytes());
        out[20..24].copy_from_slice(&self.payload.to_be_bytes());
        out[24..32].copy_from_slice(&self.batch.to_be_bytes());
        out[32..40].copy_from_slice(&self.first_record.to_be_bytes());
        out[40..72].copy_from_slice(&self.previous);
        let check = blake3::hash(&out[..CHECKED]);
        out[CHECKED..].copy_from_slice(&check.as_bytes()[..8]);
        out
    }

    /// Reads a header.
    pub(super) fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, FrameError> {
        if bytes[0..8] != MAGIC
            || bytes[CHECKED..] != blake3::hash(&bytes[..CHECKED]).as_bytes()[..8]
        {
            return Err(FrameError::Header);
        }
        let version = u16::from_be_bytes([bytes[8], bytes[9]]);
        if version != VERSION {
            return Err(FrameError::Version(version));
        }
        let mut previous = [0; CHECKSUM_BYTES];
        previous.copy_from_slice(&bytes[40..72]);
        let header = Self {
            records: be32(bytes, 12),
            bodies: be32(bytes, 16),
            payload: be32(bytes, 20),
            batch: be64(bytes, 24),
            first_record: be64(bytes, 32),
            previous,
        };
        let fits = header.payload as usize <= MAX_PAYLOAD_BYTES
            && header.records <= MAX_PARTS
            && header.bodies <= MAX_PARTS;
        if fits {
            Ok(header)
        } else {
            Err(FrameError::Layout)
        }
    }
}

fn be32(bytes: &[u8; HEADER_BYTES], at: usize) -> u32 {
    bytes[at..at + 4]
        .iter()
        .fold(0, |value, byte| (value << 8) | u32::from(*byte))
}

fn be64(bytes: &[u8; HEADER_BYTES], at: usize) -> u64 {
    bytes[at..at + 8]
        .iter()
        .fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

/// Where in a frame a body's bytes lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) length: u32,
}

/// A batch read back, its parts borrowed from the frame.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) header: Header,
    pub(super) checksum: Checksum,
    pub(super) records: Vec<&'a [u8]>,
    pub(super) bodies: Vec<(Digest, Span)>,
}

/// Writes a batch; returns the frame, its checksum and where its bodies lie in it.
pub(super) fn encode(
    batch: u64,
    first_record: u64,
    previous: Checksum,
    records: &[Vec<u8>],
    bodies: &[(Digest, &[u8])],
) -> Result<(Vec<u8>, Checksum, Vec<Span>), FrameError> {
    let payload: usize = records.iter().map(|r| 4 + r.len()).sum::<usize>()
        + bodies.iter().map(|(_, b)| 36 + b.len()).sum::<usize>();
    if payload > MAX_PAYLOAD_BYTES {
        return Err(FrameError::TooLarge);
    }
    let header = Header {
        records: records.len() as u32,
        bodies: bodies.len() as u32,
        payload: payload as u32,
        batch,
        first_record,
        previous,
    };
    let mut frame = Vec::with_capacity(HEADER_BYTES + payload + CHECKSUM_BYTES);
    frame.extend_from_slice(&header.encode());
    for record in records {
        frame.extend_from_slice(&(record.len() as u32).to_be_bytes());
        frame.extend_from_slice(record);
    }
    let mut spans = Vec::with_capacity(bodies.len());
    for (digest, body) in bodies {
        frame.extend_from_slice(digest.as_bytes());
        frame.extend_from_slice(&(body.len() as u32).to_be_bytes());
        spans.push(Span {
            start: frame.len(),
            length: body.len() as u32,
        });
        frame.extend_from_slice(body);
    }
    let checksum = *blake3::hash(&frame).as_bytes();
    frame.extend_from_slice(&checksum);
    Ok((frame, checksum, spans))
}

/// Reads a whole frame, header and checksum included.
pub(super) fn decode(header: Header, frame: &[u8]) -> Result<Frame<'_>, FrameError> {
    let Some((content, stored)) = frame.split_last_chunk::<CHECKSUM_BYTES>() else {
        return Err(FrameError::Layout);
    };
    let checksum = *blake3::hash(content).as_bytes();
    if checksum != *stored {
        return Err(FrameError::Checksum);
    }
    let mut at = HEADER_BYTES;
    let mut records = Vec::new();
    for _ in 0..header.records {
        let span = take(content, &mut at)?;
        records.push(&content[span.start..at]);
    }
    let mut bodies = Vec::new();
    for _ in 0..header.bodies {
        let bytes = content
            .get(at..)
            .and_then(|rest| rest.first_chunk::<32>())
            .ok_or(FrameError::Layout)?;
        let digest = Digest::from_bytes(*bytes);
        at += 32;
        bodies.push((digest, take(content, &mut at)?));
    }
    if at != content.len() {
        return Err(FrameError::Layout);
    }
    Ok(Frame {
        header,
        checksum,
        records,
        bodies,
    })
}

/// A length-prefixed part at `at`, which moves past it.
fn take(content: &[u8], at: &mut usize) -> Result<Span, FrameError> {
    let prefix = content
        .get(*at..)
        .and_then(|rest| rest.first_chunk::<4>())
        .ok_or(FrameError::Layout)?;
    let length = u32::from_be_bytes(*prefix);
    let start = *at + 4;
    let end = start
        .checked_add(length as usize)
        .filter(|end| *end <= content.len())
        .ok_or(FrameError::Layout)?;
    *at = end;
    Ok(Span { start, length })
}
