//! Fetching an object: verified while it streams, resumed where it broke off, and, for return flow, checked against its manifest.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use federation::core::{FetchedPart, Shelf};
use federation::wire::{CircuitRequest, CircuitWants, ObjectRequest};
use identity::{Chain, Domain, Member, Signed, codec};
use sharing::act::ObjectRef;
use sharing::docket::DocketId;
use sharing::return_flow::workflow::MAX_MANIFEST_BYTES;
use sharing::return_flow::{Difference, Leaves, Manifest, PartNotice, Reception};

use super::split::SplitError;
use super::{
    CircuitAnswer, CircuitReply, MAX_ANSWER_BYTES, MAX_COMPARED_BYTES, MAX_OBJECT_BYTES, RECEIVED,
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
        let difference = part.and_then(|notice| notice.difference.as_ref());
        let outcome = match fetch_difference(shared, &source, docket, object, difference).await {
            // Whatever is the matter with a difference, the whole part is to be had.
            Ok(false) | Err(_) => fetch_once(shared, &source, docket, (object, shelf)).await,
            Ok(true) => Ok(()),
        };
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
        Some(notice) => check_part(shared, &source, docket, notice).await,
    }
}

/// Fetches only what changed, where this node holds the part that the difference builds on; says whether the part is here then.
async fn fetch_difference(
    shared: &Shared,
    source: &Member,
    docket: DocketId,
    part: &ObjectRef,
    difference: Option<&Difference>,
) -> Result<bool, FetchError> {
    let Some(difference) = difference else {
        return Ok(false);
    };
    let objects = Arc::clone(&shared.objects);
    if objects.contains(&part.digest) || !objects.contains(&difference.base) {
        return Ok(false);
    }
    fetch_once(shared, source, docket, (&difference.delta, Shelf::Objects)).await?;
    let (part, difference) = (part.clone(), difference.clone());
    let applying = tokio::task::spawn_blocking(move || {
        let applied = split::difference::apply(&objects, &difference, &part);
        applied.map_err(|error| error.to_string())
    });
    let applied = applying.await.map_err(|error| error.to_string());
    let applied = applied.and_then(|applied| applied);
    applied.map_err(|reason| {
        tracing::warn!(
            reason,
            "a difference leads nowhere, the whole part is fetched"
        );
        FetchError::Lasting(reason)
    })
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

/// Checks a part against its manifest, whose signature the core has checked. Of one that does not hold, the leaves name the rows.
async fn check_part(
    shared: &Shared,
    home: &Member,
    docket: DocketId,
    notice: &PartNotice,
) -> Result<FetchedPart, String> {
    let manifest = notice
        .manifest
        .claimed(MAX_MANIFEST_BYTES)
        .map_err(|error| format!("manifest: {error}"))?;
    let delivery = manifest.delivery;
    let checked = compare(shared, &manifest, notice, false).await?;
    let rows = match checked {
        Err(finding)
            if fetch_once(shared, home, docket, (&notice.leaves, Shelf::Objects))
                .await
                .is_ok() =>
        {
            match compare(shared, &manifest, notice, true).await {
                Ok(Err(named)) => Err(named),
                Ok(Ok(_)) | Err(_) => Err(finding),
            }
        }
        checked => checked,
    };
    Ok(FetchedPart::Part { delivery, rows })
}

/// The rows of a part, or what is wrong with them: by the manifest alone, or by the leaves.
async fn compare(
    shared: &Shared,
    manifest: &Manifest,
    notice: &PartNotice,
    by_leaves: bool,
) -> Result<Result<u64, String>, String> {
    let (objects, manifest, notice) = (
        Arc::clone(&shared.objects),
        manifest.clone(),
        notice.clone(),
    );
    let checking = tokio::task::spawn_blocking(move || {
        let divisions = split::divisions()?;
        let (area, proof, salt) = (&notice.area, &notice.proof, &notice.salt);
        if !by_leaves {
            let reception = Reception::new(&manifest, area, (proof, salt), divisions, &[]);
            let verdict = reception
                .map_err(SplitError::Part)
                .and_then(|it| split::receive(&objects, &notice.part, it, |_, _, _| Ok(())));
            return match verdict {
                Ok((verdict, _)) => Ok(Ok(verdict.rows)),
                Err(SplitError::Part(finding)) => Ok(Err(finding.to_string())),
                Err(error) => Err(error.to_string()),
            };
        }
        let part = read_whole(&objects, &notice.part)?;
        let leaves = read_whole(&objects, &notice.leaves)?;
        let leaves = Leaves::decode(&leaves).ok_or("no leaves")?;
        let faults = leaves.compare(&manifest, area, &part, (proof, salt), divisions);
        Ok(match faults {
            Ok(faults) if faults.count == 0 => Ok(notice.rows),
            Ok(faults) => Err(faults.to_string()),
            Err(error) => Err(error.to_string()),
        })
    });
    checking
        .await
        .unwrap_or_else(|error| Err(error.to_string()))
}

/// Reads an object that is compared in memory.
///
/// # Errors
/// A reason for people: too large, not here, not readable.
fn read_whole(objects: &Objects, object: &ObjectRef) -> Result<Vec<u8>, String> {
    let length = objects
        .len(&object.digest)
        .map_err(|error| error.to_string())?;
    if length > MAX_COMPARED_BYTES {
        return Err(format!(
            "{}: {length} bytes are more than are worked on at once ({MAX_COMPARED_BYTES})",
            object.name
        ));
    }
    let mut bytes = Vec::new();
    let file = objects
        .get(&object.digest)
        .map_err(|error| error.to_string())?;
    file.take(MAX_COMPARED_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}
