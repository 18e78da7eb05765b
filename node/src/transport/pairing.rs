//! How two neighbours agree on the wire of a circuit, over a stream of their connection.

use std::sync::Arc;

use federation::wire::{CIRCUIT_WIRE_PROTOCOL, MAX_CIRCUIT_HEADER_BYTES};
use futures::AsyncWriteExt;
use libp2p::Stream;
use tokio::time::timeout;

use super::channel::Channel;
use super::circuit::{CircuitError, HEADER_TIMEOUT};
use super::wire::{TICKET_BYTES, Wires};
use super::{Transport, read_frame, write_frame};

/// Sends the header of a circuit to the neighbour with this transport key, and gives the wire for what follows.
///
/// # Errors
/// [`CircuitError`]; the circuit can go over the connection then.
pub(super) async fn open(
    transport: &Transport,
    with_parent: bool,
    key: [u8; 32],
    header: &[u8],
) -> Result<Channel, CircuitError> {
    let opened = transport.open_circuit(key, CIRCUIT_WIRE_PROTOCOL).await;
    let mut stream = opened.map_err(|error| CircuitError::Wire(error.to_string()))?;
    say(&mut stream, header).await?;
    pair(transport.wires(), with_parent, &mut stream).await
}

/// The parent says a ticket and is dialled; the child hears it and dials. Which of them opened the circuit makes no difference.
///
/// # Errors
/// [`CircuitError`]; the circuit does not go over this wire.
pub(super) async fn pair(
    wires: &Arc<Wires>,
    with_parent: bool,
    stream: &mut Stream,
) -> Result<Channel, CircuitError> {
    if with_parent {
        let heard = timeout(HEADER_TIMEOUT, read_frame(stream, TICKET_BYTES)).await;
        let heard = heard.map_err(|_| CircuitError::Header("no ticket came"))??;
        let ticket = heard.and_then(|ticket| ticket.try_into().ok());
        let ticket = ticket.ok_or(CircuitError::Header("no ticket came"))?;
        return Ok(Channel::wire(wires.dial(&ticket).await?));
    }
    let expected = wires.expect()?;
    say(stream, &expected.ticket).await?;
    Ok(Channel::wire(expected.arrive().await?))
}

/// Says one frame at once.
pub(super) async fn say(stream: &mut Stream, frame: &[u8]) -> Result<(), CircuitError> {
    write_frame(stream, frame, MAX_CIRCUIT_HEADER_BYTES).await?;
    let flushed = stream.flush().await;
    flushed.map_err(|error| CircuitError::Broken(error.to_string()))
}
