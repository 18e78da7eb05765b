//! Evidence of a whole docket (案卷证据): every event as its home signed it, the place of each in a ledger, and the checkpoints that others
//! cosigned. It is checked offline, with the root key alone.

use identity::{
    Certificate, Chain, Digest, Domain, Member, MembershipError, Moment, Signed, VerifyKey, codec,
};
use serde::{Deserialize, Serialize};
use sharing::docket::{
    DocketCopy, DocketError, DocketEvent, DocketId, DocketState, MAX_DOCKET_EVENTS,
};
use sharing::ledger::evidence::{
    self, AnotherContent, ContentBytes, MAX_COSIGNATURES, MAX_RECORD_BYTES, Shown, cosigners,
    hexadecimal, own_checkpoint,
};
use sharing::ledger::merkle::{self, MAX_CONSISTENCY, MAX_INCLUSION, ProofError};
use sharing::ledger::{Checkpoint, Cosignature, Cosigner, EvidenceError};
use sharing::private::{MAX_PRIVATE_PER_ACT, Private};

use crate::core::Record;

/// Names the form of the file.
pub const DOCKET_EVIDENCE_FORMAT: &str = "guantong-docket-evidence/1";
/// Most bytes of the file: three for each of the longest encoding, for bytes are written as two digits, and digests are indented.
pub const MAX_DOCKET_EVIDENCE_JSON_BYTES: usize = 3 * codec::MAX_ENCODED;
/// Most checkpoints: for each event the one it names and the one that covers it.
pub const MAX_CHECKPOINTS: usize = 2 * MAX_DOCKET_EVENTS;
/// Most nodes whose people signed: the parties, those who hear, review and supervise, and whoever succeeded them.
pub const MAX_SIGNING_NODES: usize = 64;

/// A docket, its place in the ledger of one node that holds it, and who attests that ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocketEvidence {
    /// The events as the home signed them, with the home's chain.
    pub copy: DocketCopy,
    /// The chains of the other nodes whose people signed, as far as they are known.
    pub members: Vec<Chain>,
    /// The chain of the node whose ledger it is.
    pub ledger: Chain,
    /// Where each event stands in that ledger.
    pub entries: Vec<Entry>,
    /// Checkpoints of the ledger, the smallest first.
    pub checkpoints: Vec<Attested>,
    /// Personal content that the events commit to, as far as it is kept and shown.
    pub contents: Vec<ContentBytes>,
}

/// The record of one event in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The ledger record, exactly as hashed.
    #[serde(with = "hexadecimal")]
    pub record: Vec<u8>,
    /// Its place in the ledger.
    pub index: u64,
    /// Inclusion proof in the first of the checkpoints that covers it.
    pub inclusion: Vec<Digest>,
}

/// A checkpoint with those who cosigned it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attested {
    /// The checkpoint.
    pub checkpoint: Signed<Checkpoint>,
    /// Proof that it extends the one before in the list; empty for the first.
    pub extends: Vec<Digest>,
    /// Who cosigned, each with its chain.
    pub cosignatures: Vec<(Cosignature, Chain)>,
}

/// The file: a person can read it, any tool can keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocketEvidenceFile {
    /// [`DOCKET_EVIDENCE_FORMAT`].
    pub format: String,
    /// Digest of the evidence: the file is as it was exported, no event at its end is gone.
    pub seal: Digest,
    /// The evidence.
    pub evidence: DocketEvidence,
}

/// What the evidence proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocketVerdict {
    /// Which docket.
    pub docket: DocketId,
    /// Where it stands after the last event.
    pub state: DocketState,
    /// The node that ordered the events: its line from the hub down.
    pub home: Vec<Certificate>,
    /// The node whose ledger it is: its line from the hub down.
    pub ledger: Vec<Certificate>,
    /// The other nodes whose people signed and are proved: their lines from the hub down.
    pub members: Vec<Vec<Certificate>>,
    /// The events in their order.
    pub events: Vec<ProvedEvent>,
    /// The checkpoints, the smallest first.
    pub checkpoints: Vec<Attestation>,
    /// What came of each personal content that the events commit to.
    pub personal: Vec<(Private, Shown)>,
}

/// One event, and when it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvedEvent {
    /// What happened, in the home's order and by the home's clock.
    pub event: DocketEvent,
    /// Its place in the ledger, from 0.
    pub index: u64,
    /// When it was recorded, by the clock of the ledger's node.
    pub recorded: Moment,
    /// The last of the checkpoints, by place in the list, before which it was not there.
    pub after: Option<usize>,
    /// The first of the checkpoints, by place in the list, in which it was.
    pub within: usize,
}

/// One checkpoint, and who attests it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attestation {
    /// Records in the ledger.
    pub size: u64,
    /// By the clock of the ledger's node.
    pub at: Moment,
    /// Who else attests it; without any, the time is the node's own claim.
    pub cosigned: Vec<Cosigner>,
}

/// Why the evidence of a docket proves nothing. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocketEvidenceError {
    /// The file is of another form.
    #[error("the file's form is {found:?}, not {DOCKET_EVIDENCE_FORMAT:?}")]
    Format {
        /// What it says it is.
        found: String,
    },
    /// The file is not what was exported.
    #[error("the file was changed after it was exported")]
    Seal,
    /// A list exceeds its bound or is not as long as the docket.
    #[error("the {what} has {found} elements, {limit} are allowed")]
    Length {
        /// Which list.
        what: &'static str,
        /// Length found.
        found: usize,
        /// Length allowed.
        limit: usize,
    },
    /// A checkpoint or a cosignature does not hold.
    #[error("checkpoint {number}: {error}")]
    Checkpoint {
        /// Its place in the list.
        number: usize,
        /// What is wrong.
        error: EvidenceError,
    },
    /// A checkpoint does not extend the one before.
    #[error("checkpoint {number} does not extend the one before: {error}")]
    Rewritten {
        /// Its place in the list.
        number: usize,
        /// What is wrong.
        error: ProofError,
    },
    /// The record of an event is not in the ledger.
    #[error("the record of event {sequence} is not in the ledger: {error}")]
    Inclusion {
        /// The event's place in the docket.
        sequence: u32,
        /// What is wrong.
        error: ProofError,
    },
    /// What the ledger holds there is no record of this event, or it stands before that of the event before.
    #[error("the ledger's record is not that of event {sequence}")]
    AnotherRecord {
        /// The event's place in the docket.
        sequence: u32,
    },
    /// The home named a checkpoint in an event that is not that of the ledger: it keeps two.
    #[error("event {sequence} names another ledger of its home than this one")]
    TwoLedgers {
        /// The event's place in the docket.
        sequence: u32,
    },
    /// A node whose people signed is no member.
    #[error("chain {number} of the signers' nodes does not hold: {error}")]
    Member {
        /// Its place in the list.
        number: usize,
        /// What is wrong.
        error: MembershipError,
    },
    /// Nobody of that node signed anything in the docket, or it is there twice.
    #[error("chain {number} of the signers' nodes is nobody's here")]
    NobodySigned {
        /// Its place in the list.
        number: usize,
    },
    /// The docket itself does not hold.
    #[error(transparent)]
    Docket(DocketError),
    /// Personal content is there that no event commits to.
    #[error(transparent)]
    Content(AnotherContent),
}

impl DocketEvidenceFile {
    /// The file of a piece of evidence.
    pub fn new(evidence: DocketEvidence) -> Self {
        Self {
            format: DOCKET_EVIDENCE_FORMAT.to_owned(),
            seal: evidence.seal(),
            evidence,
        }
    }

    /// The evidence in a file, unverified.
    ///
    /// # Errors
    /// [`DocketEvidenceError::Format`] or [`DocketEvidenceError::Seal`].
    pub fn into_evidence(self) -> Result<DocketEvidence, DocketEvidenceError> {
        if self.format != DOCKET_EVIDENCE_FORMAT {
            return Err(DocketEvidenceError::Format {
                found: self.format.chars().take(64).collect(),
            });
        }
        if self.seal != self.evidence.seal() {
            return Err(DocketEvidenceError::Seal);
        }
        Ok(self.evidence)
    }
}

impl DocketEvidence {
    fn seal(&self) -> Digest {
        Digest::of(Domain::Body, &codec::encode(self))
    }

    /// Checks everything offline, from the root key alone.
    ///
    /// # Errors
    /// The first [`DocketEvidenceError`], in the order of that type.
    pub fn verify(&self, root: &VerifyKey) -> Result<DocketVerdict, DocketEvidenceError> {
        self.within_bounds()?;
        let (keeper, heads, checkpoints) = self.checkpoints(root)?;
        let placed = self.placed(&heads)?;
        let made = checkpoints.last().map_or(Moment::MIN, |last| last.at);
        let members = self.members(root, made)?;
        let known = |code| {
            members
                .iter()
                .find(|member| member.code() == code)
                .map(|member| member.certificate().clone())
        };
        let (state, events) = self
            .copy
            .verify(root, made, &known)
            .map_err(DocketEvidenceError::Docket)?;
        let home = self
            .copy
            .home
            .verify_historic(root, made)
            .map_err(|error| DocketEvidenceError::Docket(error.into()))?;
        let docket = events.first().map_or_else(
            || Err(DocketEvidenceError::Docket(DocketError::Empty)),
            |first| Ok(first.docket),
        )?;
        let personal =
            evidence::shown(&events, &self.contents).map_err(DocketEvidenceError::Content)?;
        let mut proved = Vec::with_capacity(events.len());
        for (event, (entry, place)) in events.into_iter().zip(self.entries.iter().zip(placed)) {
            let recorded = self.recorded(&event, entry)?;
            let (size, at_home) = (event.checkpoint.0, event.home == *keeper.place());
            let named = heads.iter().find(|head| at_home && head.size == size);
            if named.is_some_and(|head| head.root != event.checkpoint.1) {
                let sequence = event.sequence;
                return Err(DocketEvidenceError::TwoLedgers { sequence });
            }
            proved.push(ProvedEvent {
                event,
                index: entry.index,
                recorded,
                after: place.checked_sub(1),
                within: place,
            });
        }
        Ok(DocketVerdict {
            docket,
            state,
            home: home.certificates().to_vec(),
            ledger: keeper.certificates().to_vec(),
            members: members
                .iter()
                .map(|member| member.certificates().to_vec())
                .collect(),
            events: proved,
            checkpoints,
            personal,
        })
    }

    fn within_bounds(&self) -> Result<(), DocketEvidenceError> {
        let events = self.copy.events.len();
        let most = [
            ("docket", events, MAX_DOCKET_EVENTS),
            (
                "list of checkpoints",
                self.checkpoints.len(),
                MAX_CHECKPOINTS,
            ),
            (
                "list of signers' nodes",
                self.members.len(),
                MAX_SIGNING_NODES,
            ),
            (
                "list of contents",
                self.contents.len(),
                MAX_DOCKET_EVENTS * MAX_PRIVATE_PER_ACT,
            ),
        ];
        let in_entries = self.entries.iter().flat_map(|entry| {
            [
                ("record", entry.record.len(), MAX_RECORD_BYTES),
                ("inclusion proof", entry.inclusion.len(), MAX_INCLUSION),
            ]
        });
        let in_checkpoints = self.checkpoints.iter().flat_map(|attested| {
            let cosigned = attested.cosignatures.len();
            [
                ("consistency proof", attested.extends.len(), MAX_CONSISTENCY),
                ("list of cosignatures", cosigned, MAX_COSIGNATURES),
            ]
        });
        let over = most
            .into_iter()
            .chain(in_entries)
            .chain(in_checkpoints)
            .find(|(_, found, limit)| found > limit);
        let odd = (self.entries.len() != events).then_some((
            "list of ledger records",
            self.entries.len(),
            events,
        ));
        match over.or(odd) {
            Some((what, found, limit)) => Err(DocketEvidenceError::Length { what, found, limit }),
            None => Ok(()),
        }
    }

    /// The ledger's node, and its checkpoints, each extending the one before.
    #[allow(
        clippy::type_complexity,
        reason = "used in one place, at once taken apart"
    )]
    fn checkpoints(
        &self,
        root: &VerifyKey,
    ) -> Result<(Member, Vec<Checkpoint>, Vec<Attestation>), DocketEvidenceError> {
        let mut keeper = None;
        let mut heads: Vec<Checkpoint> = Vec::with_capacity(self.checkpoints.len());
        let mut attestations = Vec::with_capacity(self.checkpoints.len());
        for (number, attested) in self.checkpoints.iter().enumerate() {
            let bad = |error| DocketEvidenceError::Checkpoint { number, error };
            let signed = &attested.checkpoint;
            let (member, checkpoint) = own_checkpoint(signed, &self.ledger, root).map_err(bad)?;
            let broken = |error| DocketEvidenceError::Rewritten { number, error };
            match heads.last() {
                None if attested.extends.is_empty() => {}
                None => return Err(broken(ProofError::Length)),
                Some(before) if before.size >= checkpoint.size => {
                    return Err(broken(ProofError::Outside));
                }
                Some(before) => {
                    merkle::verify_consistency(before.head(), checkpoint.head(), &attested.extends)
                        .map_err(broken)?
                }
            }
            let cosigned = cosigners(signed, &member, &attested.cosignatures, root).map_err(bad)?;
            attestations.push(Attestation {
                size: checkpoint.size,
                at: checkpoint.at,
                cosigned,
            });
            heads.push(checkpoint);
            keeper = Some(member);
        }
        let none = DocketEvidenceError::Length {
            what: "list of checkpoints",
            found: 0,
            limit: MAX_CHECKPOINTS,
        };
        Ok((keeper.ok_or(none)?, heads, attestations))
    }

    /// For each record the first checkpoint that covers it, in which it is proved to be. The records stand in the docket's order.
    fn placed(&self, heads: &[Checkpoint]) -> Result<Vec<usize>, DocketEvidenceError> {
        let mut placed = Vec::with_capacity(self.entries.len());
        let mut before = None;
        for (sequence, entry) in (0..).zip(&self.entries) {
            let outside = DocketEvidenceError::Inclusion {
                sequence,
                error: ProofError::Outside,
            };
            let place = heads
                .iter()
                .position(|head| head.size > entry.index)
                .ok_or(outside)?;
            let head = &heads[place];
            merkle::verify_inclusion(
                merkle::leaf(&entry.record),
                entry.index,
                head.size,
                &entry.inclusion,
                &head.root,
            )
            .map_err(|error| DocketEvidenceError::Inclusion { sequence, error })?;
            if before >= Some(entry.index) {
                return Err(DocketEvidenceError::AnotherRecord { sequence });
            }
            before = Some(entry.index);
            placed.push(place);
        }
        Ok(placed)
    }

    /// The nodes whose people signed, each proved and each needed.
    fn members(&self, root: &VerifyKey, made: Moment) -> Result<Vec<Member>, DocketEvidenceError> {
        let signing = signing_nodes(&self.copy);
        let mut members: Vec<Member> = Vec::with_capacity(self.members.len());
        for (number, chain) in self.members.iter().enumerate() {
            let member = chain
                .verify_historic(root, made)
                .map_err(|error| DocketEvidenceError::Member { number, error })?;
            let known = members.iter().any(|known| known.code() == member.code());
            if known || !signing.contains(&member.code()) {
                return Err(DocketEvidenceError::NobodySigned { number });
            }
            members.push(member);
        }
        Ok(members)
    }

    /// When the ledger's node recorded the event; an error when the record is another's.
    fn recorded(&self, event: &DocketEvent, entry: &Entry) -> Result<Moment, DocketEvidenceError> {
        let sequence = event.sequence;
        let signed = self.copy.events.get(sequence as usize);
        let digest = signed.map(|signed| Digest::of(Domain::Body, &codec::encode(signed)));
        match codec::decode(&entry.record, MAX_RECORD_BYTES) {
            Ok(Record::Event {
                docket,
                sequence,
                body,
                home,
                at,
            }) if docket == event.docket
                && sequence == event.sequence
                && Some(body) == digest
                && home == event.home =>
            {
                Ok(at)
            }
            Ok(_) | Err(_) => Err(DocketEvidenceError::AnotherRecord { sequence }),
        }
    }
}

/// The nodes other than the home whose people signed in a docket, as its events claim, each once.
pub fn signing_nodes(copy: &DocketCopy) -> Vec<identity::Code> {
    let home = copy.home.claimed().map(|home| home.code()).ok();
    let mut nodes = Vec::new();
    for signed in &copy.events {
        let Ok(event) = signed.claimed(sharing::docket::MAX_EVENT_BYTES) else {
            continue;
        };
        for act in event.body.acts() {
            let node = act.signer.holder().map(|holder| holder.node);
            nodes.extend(node.filter(|node| Some(*node) != home && !nodes.contains(node)));
        }
    }
    nodes
}
