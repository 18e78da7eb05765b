//! Frames on a stream: `u32` big-endian length, then that many bytes.
//!
//! A length beyond the limit is refused before a byte of the body is read, and a body is allocated as it arrives: a neighbour
//! that announces much and sends little holds no memory.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes reserved for a body before any of it has arrived.
const FIRST_ALLOCATION_BYTES: usize = 16 << 10;

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
