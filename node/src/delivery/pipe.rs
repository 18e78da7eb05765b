//! Between a circuit, which is asynchronous, and the object store, which blocks: a few buffers.

use std::io::{self, Read, Write};

use identity::stream::MAX_CHUNK;
use tokio::sync::mpsc;

/// Buffers that may wait; each is at most a chunk of a circuit.
const BUFFERS: usize = 4;

/// The blocking end that is written to: chunks of a circuit, each full but the last, which [`Write::flush`] sends.
pub(super) struct PipeWriter {
    chunks: mpsc::Sender<Vec<u8>>,
    filling: Vec<u8>,
}

/// The blocking end that is read from. Ends when the other side says so, breaks when it goes away.
pub(super) struct PipeReader {
    buffers: mpsc::Receiver<Option<Vec<u8>>>,
    current: Vec<u8>,
    at: usize,
    ended: bool,
}

/// From a blocking writer to an asynchronous reader.
pub(super) fn from_blocking() -> (PipeWriter, mpsc::Receiver<Vec<u8>>) {
    let (sender, receiver) = mpsc::channel(BUFFERS);
    let writer = PipeWriter {
        chunks: sender,
        filling: Vec::new(),
    };
    (writer, receiver)
}

/// From an asynchronous writer (`None` is the end) to a blocking reader.
pub(super) fn to_blocking() -> (mpsc::Sender<Option<Vec<u8>>>, PipeReader) {
    let (sender, buffers) = mpsc::channel(BUFFERS);
    (
        sender,
        PipeReader {
            buffers,
            current: Vec::new(),
            at: 0,
            ended: false,
        },
    )
}

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.filling.len() == MAX_CHUNK {
            self.flush()?;
        }
        self.filling.reserve_exact(MAX_CHUNK - self.filling.len());
        let taken = bytes.len().min(MAX_CHUNK - self.filling.len());
        self.filling.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.filling.is_empty() {
            return Ok(());
        }
        self.chunks
            .blocking_send(std::mem::take(&mut self.filling))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Read for PipeReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.current.len() && !self.ended {
            match self.buffers.blocking_recv() {
                Some(Some(buffer)) => (self.current, self.at) = (buffer, 0),
                Some(None) => self.ended = true,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let read = out.len().min(self.current.len() - self.at);
        out[..read].copy_from_slice(&self.current[self.at..self.at + read]);
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_read_to_its_end() {
        let (sender, mut reader) = to_blocking();
        for buffer in [
            Some(b"ab".to_vec()),
            Some(Vec::new()),
            Some(b"c".to_vec()),
            None,
        ] {
            sender.blocking_send(buffer).unwrap();
        }
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"abc");
    }

    #[test]
    fn a_sender_that_goes_away_is_no_end() {
        let (sender, mut reader) = to_blocking();
        sender.blocking_send(Some(b"ab".to_vec())).unwrap();
        drop(sender);
        assert_eq!(
            reader.read_to_end(&mut Vec::new()).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn what_is_written_in_pieces_comes_in_full_chunks_and_the_rest_when_it_is_flushed() {
        let (mut writer, mut reader) = from_blocking();
        let written: Vec<u8> = (0..2 * MAX_CHUNK + 100).map(|at| at as u8).collect();
        for piece in written.chunks(1000) {
            writer.write_all(piece).unwrap();
        }
        let chunks = [reader.try_recv().unwrap(), reader.try_recv().unwrap()];
        assert!(chunks.iter().all(|chunk| chunk.len() == MAX_CHUNK));
        assert!(reader.try_recv().is_err(), "the rest waits");
        writer.flush().unwrap();
        let rest = reader.try_recv().unwrap();
        assert!([&chunks[0][..], &chunks[1], &rest].concat() == written);
    }

    #[test]
    fn a_reader_that_goes_away_stops_the_writer() {
        let (mut writer, reader) = from_blocking();
        drop(reader);
        let refused = writer.write_all(b"x").and_then(|()| writer.flush());
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
