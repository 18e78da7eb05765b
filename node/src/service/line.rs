//! The line between the two ends of a call: a circuit, or, where both departments are on one node, two queues.

use federation::service::{CallAnswer, CallId, CallWord, Piece};
use identity::{Domain, Signed, SigningKey};
use tokio::sync::mpsc;

use crate::transport::circuit::Circuit;

/// Pieces that may wait between two ends on one node; each is at most 64 KiB.
const WAITING_PIECES: usize = 4;

/// One end.
#[derive(Debug)]
pub(super) enum Line {
    /// Over the hops.
    Far(Box<Circuit>),
    /// On this node.
    Here {
        to: mpsc::Sender<Vec<u8>>,
        from: mpsc::Receiver<Vec<u8>>,
    },
}

/// The other end is gone, fell silent, or says what cannot be read. Nothing more goes over the line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Broken(pub(super) String);

impl Line {
    /// The two ends of a line on this node.
    pub(super) fn pair() -> (Self, Self) {
        let (to, other_from) = mpsc::channel(WAITING_PIECES);
        let (other_to, from) = mpsc::channel(WAITING_PIECES);
        let other = Self::Here {
            to: other_to,
            from: other_from,
        };
        (Self::Here { to, from }, other)
    }

    /// Sends a piece, waiting until there is room on the way. Interrupted, it leaves the line broken.
    pub(super) async fn send(&mut self, piece: &Piece) -> Result<(), Broken> {
        let chunk = piece.encode();
        match self {
            Self::Far(circuit) => {
                let broken =
                    |error: crate::transport::circuit::CircuitError| Broken(error.to_string());
                circuit.send(&chunk, false).await.map_err(broken)?;
                circuit.flush().await.map_err(broken)
            }
            Self::Here { to, .. } => to.send(chunk).await.map_err(|_| closed()),
        }
    }

    /// Says something to a call, signed, and gives what was said.
    pub(super) async fn say(
        &mut self,
        signing: &SigningKey,
        call: CallId,
        word: CallWord,
    ) -> Result<Signed<CallAnswer>, Broken> {
        let signed = Signed::sign(&CallAnswer { call, word }, Domain::Call, signing);
        self.send(&Piece::Word(signed.clone())).await?;
        Ok(signed)
    }

    /// The next piece. Interrupted before anything has come, it loses nothing.
    pub(super) async fn receive(&mut self) -> Result<Piece, Broken> {
        let chunk = match self {
            Self::Far(circuit) => match circuit.receive().await {
                Ok((chunk, false)) => chunk,
                Ok((_, true)) => return Err(closed()),
                Err(error) => return Err(Broken(error.to_string())),
            },
            Self::Here { from, .. } => from.recv().await.ok_or_else(closed)?,
        };
        Piece::decode(chunk).map_err(|error| Broken(error.to_string()))
    }
}

fn closed() -> Broken {
    Broken("closed at the other end".into())
}
