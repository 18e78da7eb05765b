//! Between a circuit, which is asynchronous, and the object store, which blocks: a few buffers.

use std::io::{self, Read, Write};

use tokio::sync::mpsc;

/// Buffers that may wait; each is at most 128 KiB.
const BUFFERS: usize = 4;

/// The blocking end that is written to.
pub(super) struct PipeWriter(mpsc::Sender<Vec<u8>>);

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
    (PipeWriter(sender), receiver)
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
        self.0
            .blocking_send(bytes.to_vec())
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
    fn a_reader_that_goes_away_stops_the_writer() {
        let (mut writer, reader) = from_blocking();
        drop(reader);
        assert_eq!(
            writer.write(b"x").unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
    }
}
