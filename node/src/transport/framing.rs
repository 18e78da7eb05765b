//! Frames on a stream: `u32` big-endian length, then that many bytes.
//!
//! A length beyond the limit is refused before a byte of the body is read, and a body is allocated as it arrives: a neighbour
//! that announces much and sends little holds no memory.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes reserved for a body before any of it has arrived.
const FIRST_ALLOCATION_BYTES: usize = 16 << 10;

/// Bytes that the buffer of one stream grows to: four of the longest chunks of a circuit with what frames and sealing add.
const BUFFER_BYTES: usize = 4 * ((64 << 10) + 32);
/// Bytes of a length.
const LENGTH_BYTES: usize = size_of::<u32>();

/// Why no frame was read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream failed or ended inside a frame.
    #[error("stream: {0}")]
    Io(#[from] io::Error),
    /// The other side announced more than the limit.
    #[error("frame of {announced} bytes, at most {limit} are allowed")]
    TooLong {
        /// Bytes announced.
        announced: usize,
        /// Bytes allowed.
        limit: usize,
    },
}

/// Reads one frame of at most `limit` bytes; `None` when the stream ends between two frames.
///
/// # Errors
/// [`FrameError`]; nothing more can be read from the stream then.
pub async fn read_frame<R: AsyncRead + Unpin>(
    stream: &mut R,
    limit: usize,
) -> Result<Option<Vec<u8>>, FrameError> {
    let mut length = [0u8; 4];
    if stream.read(&mut length[..1]).await? == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut length[1..]).await?;
    let announced = u32::from_be_bytes(length) as usize;
    if announced > limit {
        return Err(FrameError::TooLong { announced, limit });
    }
    let mut body = Vec::with_capacity(announced.min(FIRST_ALLOCATION_BYTES));
    stream.take(announced as u64).read_to_end(&mut body).await?;
    if body.len() < announced {
        return Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(Some(body))
}

/// Frames as they come, read through a buffer: many short ones cost one read together, and whoever stops waiting for one loses nothing of it.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
}

impl Frames {
    /// The next frame of at most `limit` bytes, good until the one after it; `None` when the stream ends between two frames.
    ///
    /// # Errors
    /// [`FrameError`]; nothing more can be read from the stream then.
    pub(super) async fn next<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
        limit: usize,
    ) -> Result<Option<&mut [u8]>, FrameError> {
        let body = loop {
            let come = &self.buffer[self.begin..self.end];
            let announced = match come.first_chunk() {
                Some(length) => u32::from_be_bytes(*length) as usize,
                None => 0,
            };
            if announced > limit {
                return Err(FrameError::TooLong { announced, limit });
            }
            if come.len() >= LENGTH_BYTES + announced {
                let begin = self.begin + LENGTH_BYTES;
                self.begin = begin + announced;
                break begin..self.begin;
            }
            self.make_room(LENGTH_BYTES + announced);
            let read = stream.read(&mut self.buffer[self.end..]).await?;
            match read {
                0 if self.begin == self.end => return Ok(None),
                0 => return Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into())),
                read => self.end += read,
            }
        };
        Ok(Some(&mut self.buffer[body]))
    }

    /// Room for more of a frame of `whole` bytes. The buffer grows only when it was full of what came.
    fn make_room(&mut self, whole: usize) {
        let length = self.buffer.len();
        let full = self.end == length;
        if self.begin > 0 && (full || self.begin + whole > length) {
            self.buffer.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        if full {
            let most = BUFFER_BYTES.max(whole);
            let grown = (2 * length).clamp(FIRST_ALLOCATION_BYTES, most);
            self.buffer.resize(grown, 0);
        }
    }
}

/// Writes one frame without flushing.
///
/// # Errors
/// [`FrameError::TooLong`] for a body beyond `limit`, [`FrameError::Io`] when the stream fails.
pub async fn write_frame<W: AsyncWrite + Unpin>(
    stream: &mut W,
    body: &[u8],
    limit: usize,
) -> Result<(), FrameError> {
    stream.write_all(&length_bytes(body.len(), limit)?).await?;
    stream.write_all(body).await?;
    Ok(())
}

/// Begins a frame whose body of `length` bytes follows in the same buffer: on a stream without a buffer of its own one write is one packet.
///
/// # Errors
/// [`FrameError::TooLong`] for a body beyond `limit`.
pub(super) fn begin_frame(
    frame: &mut Vec<u8>,
    length: usize,
    limit: usize,
) -> Result<(), FrameError> {
    frame.extend_from_slice(&length_bytes(length, limit)?);
    Ok(())
}

fn length_bytes(length: usize, limit: usize) -> Result<[u8; 4], FrameError> {
    match u32::try_from(length) {
        Ok(bytes) if length <= limit => Ok(bytes.to_be_bytes()),
        _ => Err(FrameError::TooLong {
            announced: length,
            limit,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::*;

    fn read_all(bytes: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, FrameError> {
        block_on(async {
            let mut stream = Cursor::new(bytes);
            let mut frames = Vec::new();
            while let Some(frame) = read_frame(&mut stream, limit).await? {
                frames.push(frame);
            }
            Ok(frames)
        })
    }

    /// A stream that gives at most so many bytes at once.
    struct Slow<'s>(&'s [u8], usize);

    impl AsyncRead for Slow<'_> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            out: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            let read = out.len().min(self.1).min(self.0.len());
            let (given, rest) = self.0.split_at(read);
            out[..read].copy_from_slice(given);
            self.0 = rest;
            Poll::Ready(Ok(read))
        }
    }

    fn buffered(bytes: &[u8], at_once: usize, limit: usize) -> Result<Vec<Vec<u8>>, FrameError> {
        block_on(async {
            let (mut frames, mut read) = (Frames::default(), Vec::new());
            let mut stream = Slow(bytes, at_once);
            while let Some(frame) = frames.next(&mut stream, limit).await? {
                read.push(frame.to_vec());
            }
            assert!(frames.buffer.len() <= BUFFER_BYTES.max(limit + LENGTH_BYTES));
            Ok(read)
        })
    }

    #[test]
    fn frames_come_through_a_buffer_whatever_comes_at_once() {
        let lengths = [
            0, 1, 70_000, 65_557, 3, 65_557, 65_557, 65_557, 65_557, 0, 5,
        ];
        let sent: Vec<Vec<u8>> = lengths
            .iter()
            .map(|length| vec![*length as u8; *length])
            .collect();
        let mut bytes = Vec::new();
        for body in &sent {
            bytes.extend_from_slice(&(body.len() as u32).to_be_bytes());
            bytes.extend_from_slice(body);
        }
        for at_once in [1, 3, 1000, 65_536, usize::MAX] {
            assert!(
                buffered(&bytes, at_once, 70_000).unwrap() == sent,
                "{at_once}"
            );
        }
        for cut in [1, 4, 6, 70_000, bytes.len() - 1] {
            let read = buffered(&bytes[..cut], usize::MAX, 70_000);
            assert_eq!(read.is_err(), cut != 4, "{cut}");
        }
        assert!(matches!(
            buffered(&bytes, 1000, 69_999),
            Err(FrameError::TooLong {
                announced: 70_000,
                limit: 69_999
            })
        ));
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = block_on(async {
            let mut stream = Cursor::new(Vec::new());
            for body in [&b"first"[..], b"", b"third"] {
                write_frame(&mut stream, body, 5).await.unwrap();
            }
            stream.into_inner()
        });
        assert_eq!(read_all(&bytes, 5).unwrap(), [&b"first"[..], b"", b"third"]);
    }

    #[test]
    fn oversized_announcement_is_refused_by_its_length_alone() {
        let error = read_all(&u32::MAX.to_be_bytes(), 1024).unwrap_err();
        assert!(matches!(
            error,
            FrameError::TooLong {
                announced: 0xffff_ffff,
                limit: 1024
            }
        ));
    }

    #[test]
    fn truncated_frame_is_an_error_not_an_end() {
        for cut in 1..8 {
            let bytes = [0, 0, 0, 4, 1, 2, 3, 4];
            assert!(
                matches!(read_all(&bytes[..cut], 1024), Err(FrameError::Io(_))),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn oversized_body_is_not_sent() {
        let mut stream = Cursor::new(Vec::new());
        assert!(matches!(
            block_on(write_frame(&mut stream, &[0; 9], 8)),
            Err(FrameError::TooLong {
                announced: 9,
                limit: 8
            })
        ));
        assert!(stream.into_inner().is_empty());
    }
}
