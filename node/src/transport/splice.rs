//! Passing a circuit on: bytes both ways between two streams, bounded buffers, ended by idleness.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Buffer for one direction.
const BUFFER_BYTES: usize = 64 << 10;
/// A circuit on which nothing moves for this long is given up.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Copies until both directions have ended, or either fails, or nothing has moved for `idle_timeout`. Counts the bytes
/// passed on in `moved`.
///
/// # Errors
/// What either stream failed with; `TimedOut` for idleness.
pub(super) async fn splice<A, B>(
    a: A,
    b: B,
    moved: &AtomicU64,
    idle_timeout: Duration,
) -> io::Result<()>
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    let (a_read, a_write) = a.split();
    let (b_read, b_write) = b.split();
    let both =
        futures::future::try_join(copy(a_read, b_write, moved), copy(b_read, a_write, moved));
    tokio::select! {
        copied = both => copied.map(|_| ()),
        () = idle(moved, idle_timeout) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    moved: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.close().await;
        }
        to.write_all(&buffer[..read]).await?;
        to.flush().await?;
        moved.fetch_add(read as u64, Ordering::Relaxed);
    }
}

/// Ends when nothing has moved for `timeout`.
async fn idle(moved: &AtomicU64, timeout: Duration) {
    let mut before = moved.load(Ordering::Relaxed);
    loop {
        tokio::time::sleep(timeout).await;
        let now = moved.load(Ordering::Relaxed);
        if now == before {
            return;
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio_util::compat::TokioAsyncReadCompatExt;

    use super::*;

    #[tokio::test]
    async fn both_directions_pass_and_each_end_is_passed_on() {
        let (mut left, left_hop) = duplex(1 << 10);
        let (right_hop, mut right) = duplex(1 << 10);
        let moved = AtomicU64::new(0);
        let ends = async {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let sent = vec![7; 200_000];
            let (mut got, mut answer) = (Vec::new(), Vec::new());
            let sending = async {
                left.write_all(&sent).await.unwrap();
                left.shutdown().await.unwrap();
                left.read_to_end(&mut answer).await.unwrap();
            };
            let receiving = async {
                right.read_to_end(&mut got).await.unwrap();
                right.write_all(b"received").await.unwrap();
                right.shutdown().await.unwrap();
            };
            tokio::join!(sending, receiving);
            assert_eq!(got, sent);
            assert_eq!(answer, b"received");
        };
        let (spliced, ()) = tokio::join!(
            splice(left_hop.compat(), right_hop.compat(), &moved, IDLE_TIMEOUT),
            ends
        );
        spliced.unwrap();
        assert_eq!(moved.into_inner(), 200_008);
    }

    #[tokio::test]
    async fn an_idle_circuit_is_given_up() {
        let (_left, left_hop) = duplex(16);
        let (right_hop, _right) = duplex(16);
        let error = splice(
            left_hop.compat(),
            right_hop.compat(),
            &AtomicU64::new(0),
            Duration::from_millis(1),
        )
        .await
        .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
