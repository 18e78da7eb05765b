//! Evidence files (证据文件): one ledger record with all that is needed to check it offline, with the root key alone.

mod said;

use identity::membership::MembershipError;
use identity::{Chain, CodecError, Digest, Member, Moment, Path, Signed, VerifyKey, codec};
use serde::{Deserialize, Serialize};

use super::checkpoint::{
    self, CheckpointError, CosignatureError, MAX_CHECKPOINT_BYTES, MAX_CLOCK_AHEAD_MS,
};
use super::merkle::{self, MAX_INCLUSION, ProofError};
use super::{Checkpoint, Cosignature, Evidence};

pub use said::{AnotherContent, ContentBytes, Shown, shown};

/// Most bytes in one ledger record: contents lie outside, named by digest, so records are small; a few membership chains must fit.
pub const MAX_RECORD_BYTES: usize = 256 << 10;
/// Most cosignatures in one evidence file: the parent and the witnesses, and again as many from before a renewal.
pub const MAX_COSIGNATURES: usize = 8;
/// Most bytes in an encoded evidence file: the record, and under 20 KiB for each of nine chains.
pub const MAX_EVIDENCE_BYTES: usize = 1 << 20;
/// Most bytes in an evidence file as JSON, where bytes are written as two digits.
pub const MAX_EVIDENCE_JSON_BYTES: usize = 4 << 20;
/// Names the form of an evidence file as JSON.
pub const EVIDENCE_FORMAT: &str = "guantong-evidence/1";

/// How one who cosigned stands to the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The node above it.
    Parent,
    /// A witness named in its certificate.
    Witness,
    /// A node directly below the hub, which has none above it.
    ChildOfHub,
}

/// One who cosigned the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cosigner {
    /// Its place.
    pub by: Path,
    /// Its name.
    pub name: String,
    /// How it stands to the node.
    pub relation: Relation,
    /// When it cosigned: not later than this the record was there.
    pub at: Moment,
}

/// What the evidence proves: the record stood at this place in the ledger of this node at this time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whose ledger.
    pub node: Path,
    /// The node's name.
    pub name: String,
    /// Epoch of the place.
    pub epoch: u32,
    /// The record as a leaf of the ledger.
    pub leaf: Digest,
    /// Place of the record, from 0.
    pub index: u64,
    /// Records in the ledger at the checkpoint.
    pub size: u64,
    /// Time of the checkpoint by the node's own clock.
    pub at: Moment,
    /// Who else attests it; without any, the time is the node's own claim.
    pub cosigned: Vec<Cosigner>,
}

/// Why evidence proves nothing. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Not the encoding of evidence, or too long.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The file is of another form.
    #[error("the file's form is {found:?}, not {EVIDENCE_FORMAT:?}")]
    Format {
        /// The form it states.
        found: String,
    },
    /// The record, proof or list of cosignatures exceeds its bound.
    #[error("the {what} has {found} elements, at most {limit} are read")]
    TooLong {
        /// Which part.
        what: &'static str,
        /// Length found.
        found: usize,
        /// Longest allowed.
        limit: usize,
    },
    /// The chain does not prove a member at the checkpoint's time.
    #[error("the node was no member when it signed: {0}")]
    NotAMember(MembershipError),
    /// The checkpoint is not that of the chain's node in its epoch.
    #[error(transparent)]
    Checkpoint(CheckpointError),
    /// The record is not in the ledger.
    #[error("the record is not in the ledger: {0}")]
    Inclusion(ProofError),
    /// One who cosigned was no member then, or is not the one it says.
    #[error("{by} was no member when it cosigned: {error}")]
    CosignerNotAMember {
        /// Who it says it is.
        by: Path,
        /// What is wrong with its chain.
        error: MembershipError,
    },
    /// The chain beside a cosignature is another node's.
    #[error("the chain beside the cosignature of {by} is another node's")]
    CosignerWrongChain {
        /// Who it says it is.
        by: Path,
    },
    /// A cosignature does not hold.
    #[error("the cosignature of {by} does not hold")]
    Cosignature {
        /// Who it says it is.
        by: Path,
    },
    /// One who cosigned is neither the node's parent nor a witness named in its certificate, nor, for the hub, a child.
    #[error("{by} is neither the parent nor a named witness")]
    NotAWitness {
        /// Who it is.
        by: Path,
    },
    /// Cosigned before the checkpoint was made, beyond what clocks may differ.
    #[error("{by} cosigned before the checkpoint was made")]
    CosignedBefore {
        /// Who it is.
        by: Path,
    },
    /// Two cosignatures of one node.
    #[error("{by} cosigned twice")]
    CosignedTwice {
        /// Who it is.
        by: Path,
    },
}

impl Evidence {
    /// Checks everything offline, from the root key alone. Certificates count as of the time of each signature.
    ///
    /// What the record says is for its reader; it was there, unaltered, when the verdict says.
    ///
    /// # Errors
    /// The first [`EvidenceError`].
    pub fn verify(&self, root: &VerifyKey) -> Result<Verdict, EvidenceError> {
        self.within_bounds()?;
        let (member, checkpoint) = own_checkpoint(&self.checkpoint, &self.chain, root)?;
        let leaf = merkle::leaf(&self.record);
        merkle::verify_inclusion(
            leaf,
            self.index,
            checkpoint.size,
            &self.inclusion,
            &checkpoint.root,
        )
        .map_err(EvidenceError::Inclusion)?;
        let cosigned = cosigners(&self.checkpoint, &member, &self.cosignatures, root)?;
        Ok(Verdict {
            name: member.certificate().name.clone(),
            node: checkpoint.node,
            epoch: checkpoint.epoch,
            leaf,
            index: self.index,
            size: checkpoint.size,
            at: checkpoint.at,
            cosigned,
        })
    }

    fn within_bounds(&self) -> Result<(), EvidenceError> {
        let bounds = [
            ("record", self.record.len(), MAX_RECORD_BYTES),
            ("inclusion proof", self.inclusion.len(), MAX_INCLUSION),
            (
                "list of cosignatures",
                self.cosignatures.len(),
                MAX_COSIGNATURES,
            ),
        ];
        match bounds.into_iter().find(|(_, found, limit)| found > limit) {
            Some((what, found, limit)) => Err(EvidenceError::TooLong { what, found, limit }),
            None => Ok(()),
        }
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Evidence from its canonical bytes, unverified.
    ///
    /// # Errors
    /// [`EvidenceError`] when the bytes are none or exceed a bound.
    pub fn decode(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let evidence: Self = codec::decode(bytes, MAX_EVIDENCE_BYTES)?;
        evidence.within_bounds()?;
        Ok(evidence)
    }
}

/// The member that a chain proved at a checkpoint's time, and the checkpoint, which is that member's own.
///
/// # Errors
/// [`EvidenceError::Codec`], [`EvidenceError::NotAMember`] or [`EvidenceError::Checkpoint`].
pub fn own_checkpoint(
    signed: &Signed<Checkpoint>,
    chain: &Chain,
    root: &VerifyKey,
) -> Result<(Member, Checkpoint), EvidenceError> {
    let claimed = signed.claimed(MAX_CHECKPOINT_BYTES)?;
    let member = chain
        .verify_historic(root, claimed.at)
        .map_err(EvidenceError::NotAMember)?;
    let checkpoint =
        checkpoint::verify(signed, member.certificate()).map_err(EvidenceError::Checkpoint)?;
    Ok((member, checkpoint))
}

/// Who cosigned a member's checkpoint, each with the chain that proves it.
///
/// # Errors
/// The first [`EvidenceError`] among the cosignatures: one that does not hold spoils the whole.
pub fn cosigners(
    signed: &Signed<Checkpoint>,
    member: &Member,
    cosignatures: &[(Cosignature, Chain)],
    root: &VerifyKey,
) -> Result<Vec<Cosigner>, EvidenceError> {
    let at = signed.claimed(MAX_CHECKPOINT_BYTES)?.at;
    let mut cosigned: Vec<Cosigner> = Vec::with_capacity(cosignatures.len());
    for (cosignature, chain) in cosignatures {
        let cosigner = cosigner(signed, at, member, (cosignature, chain), root)?;
        if cosigned.iter().any(|earlier| earlier.by == cosigner.by) {
            return Err(EvidenceError::CosignedTwice { by: cosigner.by });
        }
        cosigned.push(cosigner);
    }
    Ok(cosigned)
}

/// Checks one cosignature of a checkpoint made at `at` and says whose it is.
fn cosigner(
    signed: &Signed<Checkpoint>,
    at: Moment,
    member: &Member,
    (cosignature, chain): (&Cosignature, &Chain),
    root: &VerifyKey,
) -> Result<Cosigner, EvidenceError> {
    let by = || cosignature.by.clone();
    let witness = chain
        .verify_historic(root, cosignature.at)
        .map_err(|error| EvidenceError::CosignerNotAMember { by: by(), error })?;
    checkpoint::verify_cosignature(signed, cosignature, witness.certificate()).map_err(
        |error| match error {
            CosignatureError::WrongNode { .. } => EvidenceError::CosignerWrongChain { by: by() },
            CosignatureError::Signature(_) => EvidenceError::Cosignature { by: by() },
        },
    )?;
    let relation =
        relation(member, &witness).ok_or_else(|| EvidenceError::NotAWitness { by: by() })?;
    if at.millis_since(cosignature.at) > MAX_CLOCK_AHEAD_MS {
        return Err(EvidenceError::CosignedBefore { by: by() });
    }
    Ok(Cosigner {
        by: by(),
        name: witness.certificate().name.clone(),
        relation,
        at: cosignature.at,
    })
}

/// How one who cosigned stands to a node, if it may attest its ledger.
fn relation(member: &Member, witness: &Member) -> Option<Relation> {
    let above = member.place().parent();
    if above.as_ref() == Some(witness.place()) {
        Some(Relation::Parent)
    } else if member.certificate().witnesses.contains(&witness.code()) {
        Some(Relation::Witness)
    } else if above.is_none() && witness.place().parent().as_ref() == Some(member.place()) {
        Some(Relation::ChildOfHub)
    } else {
        None
    }
}

/// An evidence file as JSON: a person can read it, any tool can keep it. The reader bounds it by [`MAX_EVIDENCE_JSON_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceFile {
    /// [`EVIDENCE_FORMAT`].
    pub format: String,
    /// The evidence.
    pub evidence: Evidence,
}

impl EvidenceFile {
    /// The file of a piece of evidence.
    pub fn new(evidence: Evidence) -> Self {
        Self {
            format: EVIDENCE_FORMAT.to_owned(),
            evidence,
        }
    }

    /// The evidence in a file, unverified.
    ///
    /// # Errors
    /// [`EvidenceError`] when the file is of another form or exceeds a bound.
    pub fn into_evidence(self) -> Result<Evidence, EvidenceError> {
        if self.format != EVIDENCE_FORMAT {
            return Err(EvidenceError::Format {
                found: self.format.chars().take(64).collect(),
            });
        }
        self.evidence.within_bounds()?;
        Ok(self.evidence)
    }
}

/// Serde of a byte string: hexadecimal text where a person reads, raw where a machine does.
pub mod hexadecimal {
    use std::fmt::Write;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    /// Writes the bytes.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return bytes.serialize(serializer);
        }
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            write!(text, "{byte:02x}").map_err(serde::ser::Error::custom)?;
        }
        serializer.serialize_str(&text)
    }

    /// Reads them.
    ///
    /// # Errors
    /// Those of the deserializer, and text that is not hexadecimal.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        if !deserializer.is_human_readable() {
            return Vec::deserialize(deserializer);
        }
        let text = String::deserialize(deserializer)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
        let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        });
        pairs
            .collect::<Option<Vec<u8>>>()
            .ok_or_else(|| de::Error::custom("not hexadecimal"))
    }
}

#[cfg(test)]
mod tests;
