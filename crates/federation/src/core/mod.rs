//! The deterministic core of a node: inputs in, ledger records and effects out.
//!
//! ```text
//! driver: loop { collect inputs; txn = Txn::new(&store);
//!                for input { core.apply(input, &mut Context) }   // each sees the writes of those before it
//!                store.commit(txn.into_batch());                 // one durable write
//!                carry out ctx.effects }                         // only now does anything leave
//! ```
//!
//! Nothing here has a clock, randomness, a socket or a file. A crash between the commit and the effects loses nothing: what was not yet
//! released or acknowledged is derived again from the tables by [`Input::Started`], [`Input::LinkUp`] and [`Input::Tick`].

mod acts;
mod catalogue;
mod chains;
mod checkpoints;
mod circuits;
mod clock;
mod dockets;
mod envelopes;
mod input;
mod links;
mod members;
mod payloads;
mod project;
pub mod query;
mod reactions;
mod record;
mod search;
mod syncing;
mod tables;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};

use identity::{
    Chain, Code, Digest, Member, Moment, OpeningKey, Path, SigningKey, VerifyKey, codec,
};
use serde::Serialize;
use sharing::application::Law;
use statute::{Article, Calendar, Profile};

pub use circuits::{CircuitGrant, authorise_circuit};
pub use input::{
    Answer, Effect, FetchedPart, Input, LinkId, Refused, SplitPart, SplitTable, Token,
};
pub use project::project;
pub use record::Record;

use crate::health::Observed;
use crate::store::{Fault, Table, Txn};
use crate::wire::{Frame, SearchId};
use links::Link;
use tables::{View, meta};

/// What a node is given at start: its keys and the law it runs under.
#[derive(Debug, Clone)]
pub struct Me {
    /// Signs envelopes, events, segments, checkpoints, children's certificates.
    pub signing: SigningKey,
    /// Open what is sealed to this node: the current key and old ones whose envelopes may still arrive.
    pub opening: Vec<OpeningKey>,
    /// The root of the federation, given at enrolment; offline and not the hub's.
    pub root: VerifyKey,
    /// Software and version, as told to neighbours.
    pub software: String,
    /// Holiday notices.
    pub calendar: Calendar,
    /// Law in force here.
    pub profile: Profile,
}

/// What one batch of inputs may use: the time, entropy, the running transaction; and where effects are put.
pub struct Context<'a, 't> {
    /// The node's clock.
    pub now: Moment,
    /// Fills a slice with random bytes.
    pub entropy: &'a mut dyn FnMut(&mut [u8]),
    /// The running batch.
    pub txn: &'a mut Txn<'t>,
    /// To be carried out when the batch is durable.
    pub effects: Vec<Effect>,
}

impl Context<'_, '_> {
    /// Adds a record to the ledger and to the tables.
    fn record(&mut self, record: &Record) -> Result<(), Fault> {
        let bytes = codec::encode(record);
        project(&bytes, self.txn)?;
        self.txn.push_record(bytes);
        Ok(())
    }

    /// Adds a body and returns its digest.
    fn body<T: Serialize>(&mut self, value: &T) -> Digest {
        self.raw_body(codec::encode(value))
    }

    /// Adds a body of raw bytes.
    fn raw_body(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(identity::Domain::Body, &bytes);
        self.txn.push_body(digest, bytes);
        digest
    }

    /// Thirty-two random bytes.
    fn random(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        (self.entropy)(&mut bytes);
        bytes
    }

    /// Something the operator must know, kept in the ledger.
    fn finding(&mut self, zh: String, en: String, article: Option<Article>) -> Result<(), Fault> {
        let at = self.now;
        self.record(&Record::Finding {
            text_zh: zh,
            text_en: en,
            article,
            at,
        })
    }

    fn send(&mut self, link: LinkId, frame: Frame) {
        self.effects.push(Effect::Send {
            link,
            frame: Box::new(frame),
        });
    }

    fn close(&mut self, link: LinkId, reason: impl Into<String>) {
        self.effects.push(Effect::Close {
            link,
            reason: reason.into(),
        });
    }
}

/// One node. What it must remember lies in the tables; what is here is gone with the process and derived again.
#[derive(Debug)]
pub struct Core {
    me: Me,
    member: Option<Member>,
    links: BTreeMap<LinkId, Link>,
    by_code: BTreeMap<Code, LinkId>,
    /// Neighbours that asked for a chain we asked our parent for.
    chain_askers: BTreeMap<Code, BTreeSet<LinkId>>,
    /// Searches of descendants that wait for the local index: where the answer goes.
    searches: BTreeMap<SearchId, LinkId>,
    search_number: u64,
    observed: BTreeMap<Code, Observed>,
    last_health: Option<Moment>,
    last_retry: Option<Moment>,
    last_checkpoint: Option<Moment>,
    last_seen: BTreeMap<Code, Moment>,
}

impl Core {
    /// A node before its first input; feed [`Input::Started`] next.
    pub fn new(me: Me) -> Self {
        Self {
            me,
            member: None,
            links: BTreeMap::new(),
            by_code: BTreeMap::new(),
            chain_askers: BTreeMap::new(),
            searches: BTreeMap::new(),
            search_number: 0,
            observed: BTreeMap::new(),
            last_health: None,
            last_retry: None,
            last_checkpoint: None,
            last_seen: BTreeMap::new(),
        }
    }

    /// Takes one input. On [`Fault`] the whole batch must be dropped and the core made anew: nothing of it has left the node.
    ///
    /// # Errors
    /// [`Fault`] when the medium fails.
    pub fn apply(&mut self, input: Input, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        match input {
            Input::Started => self.started(ctx),
            Input::Tick => self.tick(ctx),
            Input::LinkUp {
                link,
                transport_key,
            } => self.link_up(ctx, link, transport_key),
            Input::Frame { link, bytes } => self.frame(ctx, link, &bytes),
            Input::LinkDown { link } => self.link_down(link, ctx.now),
            Input::Act { token, act } => self.act(ctx, token, &act),
            Input::Install { token, chain } => self.install(ctx, token, chain),
            Input::Search { token, text, limit } => self.search(ctx, token, text, limit),
            Input::SearchDone { query, hits } => self.search_done(ctx, query, hits),
            Input::Fetched {
                docket,
                object,
                outcome,
            } => self.fetched(ctx, docket, &object, outcome),
            Input::Served { docket, object, to } => self.served(ctx, docket, &object, to),
            Input::TableSplit { act, outcome } => self.table_split(ctx, act, outcome),
        }
    }

    fn started(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        if let Some(chain) = ctx.txn.row::<Chain>(Table::Meta, meta::CHAIN)? {
            self.adopt(ctx, &chain)?;
        }
        self.announce_neighbours(ctx)?;
        self.resume_fetches(ctx)?;
        self.resume_tables(ctx)
    }

    /// The node's membership when it is valid now.
    fn membership(&self, now: Moment) -> Result<&Member, Refused> {
        let member = self.member.as_ref().ok_or_else(|| {
            Refused::NotAMember("no certificate installed; run `guantong enroll install`".into())
        })?;
        let certificate = member.certificate();
        if now >= certificate.valid_until {
            return Err(Refused::NotAMember(format!(
                "certificate expired at {}",
                certificate.valid_until
            )));
        }
        Ok(member)
    }

    fn place(&self) -> Option<&Path> {
        self.member.as_ref().map(|member| member.place())
    }

    fn law(&self) -> Law<'_> {
        Law {
            calendar: &self.me.calendar,
            profile: &self.me.profile,
        }
    }
}

/// Whether a certificate was revoked, as far as this node knows.
fn revoked<V: View + ?Sized>(view: &V) -> impl Fn(&Code, u64) -> bool + '_ {
    // A read that fails is taken as revoked: closed, not open.
    |issuer, serial| {
        !matches!(
            view.raw(Table::Revocations, &tables::serial_key(issuer, serial)),
            Ok(None)
        )
    }
}
