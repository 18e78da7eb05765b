//! Bugs that tests plant, to see that they are found.
//!
//! That a test finds nothing says little until it is known what it would find. Each bug here is one condition in the code that runs in service;
//! `tests/planted` turns one on, runs checks that do not know which, and sees one of them fail. The switches exist under the feature `planted`
//! alone, which no program that is shipped is built with; without it [`is`] is `false`, known when compiling.

macro_rules! bugs {
    ($($(#[doc = $what:literal])+ $bug:ident;)+) => {
        /// A bug that can be planted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Bug {
            $($(#[doc = $what])+ $bug,)+
        }

        impl Bug {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$bug),+];

            /// What is broken, in a sentence.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self {
                    $(Self::$bug => concat!($($what),+).trim(),)+
                }
            }
        }
    };
}

bugs! {
    /// The signatures in a certificate chain are not checked.
    CertificateSignatureSkipped;
    /// A certificate that is over still proves a member.
    ExpiredCertificateAccepted;
    /// A certificate may name another issuer than the node above.
    WrongParentAccepted;
    /// A certificate that was revoked still proves a member.
    RevocationIgnored;
    /// All chunks of a stream are sealed under one nonce.
    StreamNonceReused;
    /// What is sealed is sealed without fresh random bytes.
    SealingEntropyIgnored;
    /// The signature of an envelope is not checked.
    EnvelopeSignatureSkipped;
    /// An envelope that was taken before is taken again.
    EnvelopeTakenTwice;
    /// A neighbour may push envelopes that did not begin where it stands.
    ForeignEnvelopeAccepted;
    /// An envelope whose time is over is taken.
    ExpiredEnvelopeAccepted;
    /// An envelope is acknowledged and passed on out of memory: it is in no ledger and no outbox.
    AcknowledgedBeforeDurable;
    /// What stands in the outboxes at a start is forgotten.
    OutboxForgottenAtRestart;
    /// That the next node has an envelope is noted in memory alone.
    DeliveryNotRecorded;
    /// Two envelopes to one destination bear the same number.
    EnvelopeNumberReused;
    /// Effects leave before the batch is durable; planted in the driver of the simulated world.
    SentBeforeCommit;
    /// The sender is not told that what it sent did not arrive.
    UndeliverableSilent;
    /// A record changes the tables and is not in the ledger.
    TableWithoutRecord;
    /// The signature of a catalogue segment is not checked.
    SegmentSignatureSkipped;
    /// A member may sign a segment of another's log.
    SegmentOfAnotherAccepted;
    /// The withdrawal of an entry is forgotten.
    WithdrawalForgotten;
    /// Of two histories of one log the proof is not kept.
    ForkProofNotKept;
    /// A revocation is believed whoever signed it.
    ForgedRevocationBelieved;
    /// A revocation is not passed on to the nodes below.
    RevocationNotPassedDown;
    /// The signature of a checkpoint is not checked.
    CheckpointSignatureSkipped;
    /// A checkpoint need not extend the one before it.
    ConsistencySkipped;
    /// A node cosigns whatever checkpoint it is shown.
    CosignedUnchecked;
    /// A node forgets which checkpoints it cosigned, and so cosigns two histories.
    WitnessForgets;
    /// Of two histories of one ledger the proof is not kept.
    CheckpointForkNotKept;
    /// A cosignature is believed whoever made it.
    CosignatureUnchecked;
    /// The proof that a record is in a ledger is not compared with the root.
    InclusionUnchecked;
    /// The signature of a docket's event is not checked.
    EventSignatureSkipped;
    /// An event need not follow the one before it.
    EventOrderUnchecked;
    /// Events of a docket are taken from another node than its home.
    CopyFromAnotherHome;
    /// Events that are withheld until consent are sent to the parties.
    ReleasedBeforeConsent;
    /// The signature of a person's act is not checked.
    ActSignatureSkipped;
    /// A node takes an act that is addressed to another.
    ActForAnotherNodeAccepted;
    /// An act that was taken before is taken again.
    ActTakenTwice;
    /// Whoever is certified may do everything.
    RoleUnchecked;
    /// A term of office that is over counts.
    TermOfOfficeIgnored;
    /// Every time limit ends a day late.
    DeadlineOffByOne;
    /// A default is recorded again with every tick.
    OverdueTwice;
    /// A time limit is extended as often as one asks.
    ExtendedTwice;
    /// Whoever holds a copy does not watch the time limits in it.
    CopiesNotWatched;
    /// The head's consent to another application counts.
    ConsentToAnotherApplication;
    /// The head's consent to another reply counts.
    ConsentToAnotherReply;
    /// Data is handed out when the granted period is over.
    GrantWithoutPeriod;
    /// Data is handed out under a grant that is suspended.
    SuspendedGrantServes;
    /// Data is handed out to whoever asks.
    CircuitForAnyone;
    /// A complaint about an authority's own case is heard by that authority.
    OwnCaseHeard;
    /// Of all holders of data only the first learns that it was corrected.
    CorrectionToldToOne;
    /// Personal content that was erased on paper stays in the vault.
    ContentKeptAfterErasure;
    /// The sum of a delivered part is not compared with the manifest.
    ManifestSumSkipped;
    /// Rows that no division claims are not counted.
    RemainderDropped;
    /// A part holds the first row of the next division too.
    RowOfAnotherKept;
    /// The rows of all divisions of one level bear one salt.
    SaltReused;
}

/// Whether a test has planted a bug. Without the feature `planted`, never.
#[cfg(not(feature = "planted"))]
#[must_use]
pub const fn is(_bug: Bug) -> bool {
    false
}

#[cfg(feature = "planted")]
pub use switches::{is, with};

/// For tests alone.
#[cfg(feature = "planted")]
mod switches {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Whether a test on this thread has planted a bug.
    #[must_use]
    pub fn is(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    /// What `work` makes of a world with this bug, on this thread.
    pub fn with<T>(bug: Bug, work: impl FnOnce() -> T) -> T {
        struct Planted;
        impl Drop for Planted {
            fn drop(&mut self) {
                PLANTED.set(None);
            }
        }
        PLANTED.set(Some(bug));
        let _planted = Planted;
        work()
    }
}
