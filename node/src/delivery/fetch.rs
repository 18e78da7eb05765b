//! Fetching an object: verified while it streams, resumed where it broke off, and, for return flow, checked against its manifest.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use federation::core::{FetchedPart, Shelf};
use federation::wire::{CircuitRequest, CircuitWants, ObjectRequest};
use identity::{Chain, Domain, Member, Signed, codec};
use sharing::act::ObjectRef;
use sharing::docket::DocketId;
use sharing::return_flow::PartNotice;
use sharing::return_flow::manifest::verify_part;

use super::{
    CircuitAnswer, CircuitReply, MAX_ANSWER_BYTES, MAX_OBJECT_BYTES, MAX_TABLE_BYTES, RECEIVED,
    Shared, pipe, split,
};
use crate::runtime::driver::random;
use crate::storage::objects::{ObjectError, Objects};
use crate::transport::circuit::{Circuit, CircuitError};

/// Tries before the core is told; it tries again later.
const TRIES: u32 = 5;
/// Pause after the first failed try; doubled after each.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Why a try failed.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    /// Trying again may help.
    #[error("{0}")]
    Passing(String),
    /// It will not.
    #[error("{0}")]
    Lasting(String),
}

impl From<CircuitError> for FetchError {
    fn from(error: CircuitError) -> Self {
        match error {
            CircuitError::Destination(_) | CircuitError::NoRoute { .. } => {
                Self::Lasting(error.to_string())
            }
            _ => Self::Passing(error.to_string()),
        }
    }
}

impl From<ObjectError> for FetchError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::TooLarge { .. } => Self::Lasting(error.to_string()),
            _ => Self::Passing(error.to_string()),
        }
    }
}

/// Fetches and, for a part, verifies; the reason is for people.
pub(super) async fn fetch(
    shared: &Shared,
    from: &Chain,
    docket: DocketId,
    (object, shelf): (&ObjectRef, Shelf),
    part: Option<&PartNotice>,
) -> Result<FetchedPart, String> {
    let source = shared
        .circuits
        .verify(from)
        .map_err(|error| error.to_string())?;
    let mut pause = FIRST_PAUSE;
    for tried in 1..=TRIES {
        let slot = shared
            .fetches
            .acquire()
            .await
            .map_err(|error| error.to_string())?;
        let outcome = fetch_once(shared, &source, docket, (object, shelf)).await;
        drop(slot);
        match outcome {
            Ok(()) => break,
            Err(FetchError::Passing(reason)) if tried < TRIES => {
                tracing::info!(object = %object.digest, tried, reason, "fetch to be tried again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    match part {
        None if shelf == Shelf::Vault => Ok(FetchedPart::Content),
        None => Ok(FetchedPart::File),
        Some(notice) => check_part(shared, &source, notice.clone()).await,
    }
}

async fn fetch_once(
    shared: &Shared,
    source: &Member,
    docket: DocketId,
    (object, shelf): (&ObjectRef, Shelf),
) -> Result<(), FetchError> {
    let objects = shared.shelf(shelf);
    if objects.contains(&object.digest) {
        return Ok(());
    }
    if object.length > MAX_OBJECT_BYTES {
        return Err(FetchError::Lasting(format!(
            "{} bytes are more than this node takes ({MAX_OBJECT_BYTES})",
            object.length
        )));
    }
    let mut key = [0; 32];
    random(&mut key);
    let offset = objects.resume_offset(&object.digest, object.length)?;
    let request = CircuitRequest {
        key,
        wants: CircuitWants::Object(ObjectRequest {
            docket,
            object: object.digest,
            offset,
        }),
    };
    let mut circuit = shared.circuits.open(source, &request).await?;
    read_answer(&mut circuit, source, object).await?;
    receive(objects, &mut circuit, object).await?;
    shared.metrics.objects_fetched.inc();
    tracing::info!(object = %object.digest, bytes = object.length, "object fetched");
    // The object is here; that the other end hears of it matters to its records alone.
    if let Err(error) = circuit.send(RECEIVED, true).await {
        tracing::info!(%error, "receipt not sent");
    }
    circuit.wait_for_end().await;
    Ok(())
}

async fn read_answer(
    circuit: &mut Circuit,
    source: &Member,
    object: &ObjectRef,
) -> Result<(), FetchError> {
    let (bytes, _) = circuit.receive().await?;
    let malformed = || FetchError::Passing("malformed answer".into());
    let signed: Signed<CircuitAnswer> =
        codec::decode(&bytes, MAX_ANSWER_BYTES).map_err(|_| malformed())?;
    let answer = signed
        .verify(Domain::Message, source.signing_key(), MAX_ANSWER_BYTES)
        .map_err(|_| malformed())?;
    if answer.circuit != circuit.id {
        return Err(malformed());
    }
    match answer.reply {
        CircuitReply::Ok { length } if length == object.length => Ok(()),
        CircuitReply::Ok { length } => Err(FetchError::Lasting(format!(
            "the source has {length} bytes under this digest, {} were announced",
            object.length
        ))),
        CircuitReply::Refused { refusal } => Err(FetchError::Lasting(refusal.to_string())),
        CircuitReply::Unavailable { reason } => Err(FetchError::Passing(reason)),
    }
}

async fn receive(
    objects: Arc<Objects>,
    circuit: &mut Circuit,
    object: &ObjectRef,
) -> Result<(), FetchError> {
    let (encoded, reader) = pipe::to_blocking();
    let (digest, length) = (object.digest, object.length);
    let mut decoding = tokio::task::spawn_blocking(move || {
        objects.decode_to(&digest, length, MAX_OBJECT_BYTES, reader, |_| {})
    });
    let streaming = async {
        loop {
            let (bytes, last) = circuit.receive().await?;
            // The decoder stops reading when it has found a fault, which it then tells.
            if encoded.send(Some(bytes)).await.is_err() {
                return Ok(());
            }
            if last {
                let _ = encoded.send(None).await;
                return Ok::<(), CircuitError>(());
            }
        }
    };
    let streamed = streaming.await;
    drop(encoded);
    let decoded = (&mut decoding)
        .await
        .map_err(|error| FetchError::Passing(error.to_string()))?;
    streamed?;
    decoded?;
    Ok(())
}

async fn check_part(
    shared: &Shared,
    source: &Member,
    notice: PartNotice,
) -> Result<FetchedPart, String> {
    let manifest = notice
        .manifest
        .verify(Domain::Manifest, source.signing_key(), codec::MAX_ENCODED)
        .map_err(|error| format!("manifest: {error}"))?;
    let delivery = manifest.delivery;
    let objects = Arc::clone(&shared.objects);
    let checking = tokio::task::spawn_blocking(move || {
        let part = read_whole(&objects, &notice.part)?;
        let divisions = split::divisions()?;
        let verdict = verify_part(
            &manifest,
            notice.division.as_str(),
            &part,
            &notice.proof,
            &notice.salt,
            divisions,
        );
        Ok(verdict
            .map(|verdict| verdict.rows)
            .map_err(|finding| finding.to_string()))
    });
    let rows = checking
        .await
        .unwrap_or_else(|error| Err(error.to_string()))?;
    Ok(FetchedPart::Part { delivery, rows })
}

/// Reads an object that is worked on in memory.
///
/// # Errors
/// A reason for people: too large, not here, not readable.
pub(super) fn read_whole(objects: &Objects, object: &ObjectRef) -> Result<Vec<u8>, String> {
    let length = objects
        .len(&object.digest)
        .map_err(|error| error.to_string())?;
    if length > MAX_TABLE_BYTES {
        return Err(format!(
            "{}: {length} bytes are more than are worked on at once ({MAX_TABLE_BYTES})",
            object.name
        ));
    }
    let mut bytes = Vec::new();
    let file = objects
        .get(&object.digest)
        .map_err(|error| error.to_string())?;
    file.take(MAX_TABLE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}
