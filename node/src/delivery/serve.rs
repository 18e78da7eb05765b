//! Answering a circuit that ends here: may it have the object, and then the object.

use std::sync::Arc;
use std::time::Duration;

use federation::core::{Input, authorise_circuit};
use federation::wire::ObjectRequest;
use identity::{Domain, Path, Signed, codec};
use sharing::act::ObjectRef;
use tokio::time::timeout;

use super::{CircuitAnswer, CircuitReply, RECEIVED, Shared, pipe};
use crate::storage::objects::Objects;
use crate::transport::circuit::{Circuit, CircuitError};

/// How long the origin may take from the last byte to its word that the object is whole on its disk.
const RECEIPT_TIMEOUT: Duration = Duration::from_secs(60);

/// Serves one circuit to its end.
pub(super) async fn serve(shared: &Shared, from: Path, circuit: Circuit, request: ObjectRequest) {
    let (docket, wanted) = (request.docket, request.object);
    match answer(shared, &from, circuit, &request).await {
        Ok(Some(object)) => {
            tracing::info!(to = %from, object = %wanted, "object served");
            shared.metrics.objects_served.inc();
            shared
                .put(Input::Served {
                    docket,
                    object,
                    to: from,
                })
                .await;
        }
        Ok(None) => tracing::info!(to = %from, object = %wanted, "object refused"),
        Err(error) => tracing::info!(to = %from, object = %wanted, %error, "object not served"),
    }
}

async fn answer(
    shared: &Shared,
    from: &Path,
    mut circuit: Circuit,
    request: &ObjectRequest,
) -> Result<Option<ObjectRef>, CircuitError> {
    let now = shared.clock.now();
    let decided = authorise_circuit(&*shared.store, from, request, now)?;
    let (object, objects) = match decided {
        Ok(grant) => (grant.object, shared.shelf(grant.shelf)),
        Err(refusal) => {
            reply(
                shared,
                &mut circuit,
                CircuitReply::Refused { refusal },
                true,
            )
            .await?;
            return Ok(None);
        }
    };
    if !objects.contains(&object.digest) {
        tracing::error!(object = %object.digest, "an object that was granted is not in the object store");
        reply(
            shared,
            &mut circuit,
            CircuitReply::Unavailable {
                reason: "not in the object store".into(),
            },
            true,
        )
        .await?;
        return Ok(None);
    }
    reply(
        shared,
        &mut circuit,
        CircuitReply::Ok {
            length: object.length,
        },
        false,
    )
    .await?;
    send_object(objects, &mut circuit, &object, request.offset).await?;
    let receipt = timeout(RECEIPT_TIMEOUT, circuit.receive())
        .await
        .map_err(|_| CircuitError::Broken("no receipt".into()))??;
    match receipt {
        (word, true) if word == RECEIVED => Ok(Some(object)),
        _ => Err(CircuitError::Broken("no receipt".into())),
    }
}

async fn reply(
    shared: &Shared,
    circuit: &mut Circuit,
    reply: CircuitReply,
    last: bool,
) -> Result<(), CircuitError> {
    let answer = CircuitAnswer {
        circuit: circuit.id,
        reply,
    };
    let signed = Signed::sign(&answer, Domain::Message, &shared.signing);
    circuit.send(&codec::encode(&signed), last).await?;
    circuit.flush().await
}

async fn send_object(
    objects: Arc<Objects>,
    circuit: &mut Circuit,
    object: &ObjectRef,
    offset: u64,
) -> Result<(), CircuitError> {
    let (writer, mut encoded) = pipe::from_blocking();
    let digest = object.digest;
    let encoding =
        tokio::task::spawn_blocking(move || objects.encode_from(&digest, offset, writer));
    while let Some(chunk) = encoded.recv().await {
        circuit.send(&chunk, false).await?;
    }
    let encoded = encoding
        .await
        .map_err(|error| CircuitError::Fault(error.to_string()))?;
    encoded.map_err(|error| CircuitError::Fault(error.to_string()))?;
    circuit.send(b"", true).await
}
