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
mod aggregation;
mod calls;
mod catalogue;
mod chains;
mod checkpoints;
mod circuits;
mod clock;
mod copies;
mod corrections;
mod cut_off;
mod dockets;
mod envelopes;
mod erasure;
mod evaluations;
mod expiry;
mod fetches;
mod forks;
mod hearings;
mod incidents;
mod input;
mod links;
mod members;
mod needs;
mod notices;
mod open_data;
mod openings;
mod own_clock;
mod payloads;
mod people;
mod placing;
mod project;
mod public;
pub mod query;
mod reactions;
mod readings;
mod record;
mod restored;
mod returns;
mod search;
mod sources;
mod supervision;
mod suspensions;
mod syncing;
mod tables;
#[cfg(test)]
mod tests;
mod updates;
pub mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use identity::planted::{self, Bug};
use identity::{
    Chain, Code, Digest, Member, MembershipError, Moment, OpeningKey, Path, Revocation, Signed,
    SigningKey, VerifyKey, codec,
};
use serde::Serialize;
use sharing::act::{ActId, Doer};
use sharing::clock::{Clock, Law};
use sharing::docket::Step;
use statute::{Article, Calendar, Profile, Refusal, RefusalReason};

pub use calls::{CallEnd, CallGrant, CallSide, CallStep, authorise_call};
pub use circuits::{CircuitGrant, authorise_circuit};
pub use input::{
    Answer, Effect, FetchedPart, Input, LinkId, Refused, Shelf, SplitFor, SplitPart, SplitTable,
    Token,
};
pub use project::project;
pub use public::MAX_WAITING;
pub use readings::{Allowed, Caller, ReadBy, ReadWhat, UseGiven, UsesGiven};
pub use record::Record;

use crate::health::Observed;
use crate::store::{Fault, Table, Txn};
use crate::wire::{Frame, SearchId};
use links::Link;
use tables::{View, meta};
use view::CutOff;

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
    /// Holiday notices that come with the program; what the hub installs is added.
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
        let lost = matches!(record, Record::Passed { .. }) && planted::is(Bug::TableWithoutRecord);
        if !lost {
            self.txn.push_record(bytes);
        }
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

    /// Something the operator must know, kept in the ledger. What others wrote may be part of it, so its length is bounded here.
    fn finding(&mut self, zh: String, en: String, article: Option<Article>) -> Result<(), Fault> {
        let at = self.now;
        self.record(&Record::Finding {
            text_zh: clipped(zh),
            text_en: clipped(en),
            article,
            at,
        })
    }

    /// A lawful refusal, kept in the ledger. One that repeats at length what was asked is kept as its article and that length.
    fn refusal(&mut self, id: ActId, doer: Doer, refusal: &Refusal) -> Result<(), Fault> {
        let bytes = codec::encode(refusal).len();
        let refusal = if bytes > MAX_REFUSAL_BYTES {
            let (found, limit) = (bytes, MAX_REFUSAL_BYTES);
            RefusalReason::TooLong { found, limit }.under(refusal.article)
        } else {
            refusal.clone()
        };
        let at = self.now;
        self.record(&Record::Refused {
            id,
            doer,
            refusal,
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

/// Most characters of a finding in one language: a page.
const MAX_FINDING_CHARS: usize = 2_000;
/// Most bytes of a refusal as kept in the ledger, well below what a record holds.
const MAX_REFUSAL_BYTES: usize = 32 << 10;

fn clipped(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_FINDING_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// One node. What it must remember lies in the tables; what is here is gone with the process and derived again.
#[derive(Debug)]
pub struct Core {
    me: Me,
    /// Working days as they are counted now: the program's notices, then those installed.
    calendar: Calendar,
    /// How far the search for time limits to be computed again has come; `None` when it is done.
    recounting: Option<notices::Recounting>,
    member: Option<Member>,
    /// Why the certificate no longer stands before its time is over: it, or one above it, was revoked.
    cut_off: Option<CutOff>,
    links: BTreeMap<LinkId, Link>,
    by_code: BTreeMap<Code, LinkId>,
    /// Neighbours that asked for a chain we asked our parent for.
    chain_askers: BTreeMap<Code, BTreeSet<LinkId>>,
    /// Searches of descendants that wait for the local index: where the answer goes.
    searches: BTreeMap<SearchId, search::Waiting>,
    search_number: u64,
    /// What levels above said when this node's own people asked them for items.
    heard: VecDeque<search::Heard>,
    observed: BTreeMap<Code, Observed>,
    last_health: Option<Moment>,
    last_retry: Option<Moment>,
    last_checkpoint: Option<Moment>,
    /// How far the watch over copies has come.
    watch: own_clock::Watch,
    /// The day in Beijing on which duties were last looked through for warnings.
    last_warned: Option<statute::Date>,
    /// Of the end of which certificates the operator was told in this run, and how many days before.
    told_expiry: BTreeMap<Code, i64>,
    last_seen: BTreeMap<Code, Moment>,
    /// Codes of which the operator was told in this run that no node has them.
    told_unknown: BTreeSet<Code>,
    /// Revocations heard from above whose issuer's chain is not known yet, by issuer and serial.
    unproven: BTreeMap<(Code, u64), Signed<Revocation>>,
    /// How far the search for expired envelopes has come.
    sweep: envelopes::Sweep,
    /// Fetches tried in this run.
    fetches: fetches::Fetches,
    /// Restored from a backup and not compared yet with what others cosigned: nothing is signed meanwhile.
    restored: Option<restored::Comparison>,
}

impl Core {
    /// A node before its first input; feed [`Input::Started`] next.
    pub fn new(me: Me) -> Self {
        Self {
            calendar: me.calendar.clone(),
            recounting: None,
            me,
            member: None,
            cut_off: None,
            links: BTreeMap::new(),
            by_code: BTreeMap::new(),
            chain_askers: BTreeMap::new(),
            searches: BTreeMap::new(),
            search_number: 0,
            heard: VecDeque::new(),
            observed: BTreeMap::new(),
            last_health: None,
            last_retry: None,
            last_checkpoint: None,
            watch: own_clock::Watch::default(),
            last_warned: None,
            told_expiry: BTreeMap::new(),
            last_seen: BTreeMap::new(),
            told_unknown: BTreeSet::new(),
            unproven: BTreeMap::new(),
            sweep: envelopes::Sweep::default(),
            fetches: fetches::Fetches::default(),
            restored: None,
        }
    }

    /// Takes one input. On [`Fault`] the whole batch must be dropped and the core made anew: nothing of it has left the node.
    ///
    /// # Errors
    /// [`Fault`] when the medium fails.
    pub fn apply(&mut self, input: Input, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        if self.compares_first() {
            return self.apply_before_comparison(input, ctx);
        }
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
            Input::ContentRead { token, what, by } => self.program_reads(ctx, token, what, by),
            Input::Public {
                token,
                receipt,
                request,
            } => self.public_request(ctx, token, receipt, *request),
            Input::Install { token, chain } => self.install(ctx, token, chain),
            Input::Search {
                token,
                question,
                limit,
            } => self.search(ctx, token, question, limit),
            Input::SearchDone { query, hits } => self.search_done(ctx, query, hits),
            Input::Fetched {
                docket,
                object,
                outcome,
            } if self.membership(ctx.now).is_ok() => self.fetched(ctx, docket, &object, outcome),
            Input::CallBegun {
                token,
                side,
                from,
                head,
            } => self.call_begun(ctx, token, (side, from), &head),
            Input::CallEnded {
                call,
                docket,
                side,
                end,
            } => self.call_ended(ctx, (call, docket, side), *end),
            Input::Served { docket, object, to } => self.served(ctx, docket, &object, to),
            Input::TableSplit { act, outcome } if self.membership(ctx.now).is_ok() => {
                self.table_split(ctx, act, outcome)
            }
            Input::Destroyed {
                docket,
                contents,
                outcome,
            } if self.membership_at_home(ctx.now).is_ok() => {
                self.destroyed(ctx, docket, &contents, outcome)
            }
            Input::PassedOn { notice, outcome } if self.membership(ctx.now).is_ok() => {
                self.passed_on(ctx, &notice, outcome)
            }
            // Without membership nothing is signed; each is asked for again with the next certificate.
            Input::Fetched { .. }
            | Input::TableSplit { .. }
            | Input::PassedOn { .. }
            | Input::Destroyed { .. } => Ok(()),
        }
    }

    fn started(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        if planted::is(Bug::OutboxForgottenAtRestart) {
            for (key, _) in ctx.txn.raw_scan(Table::Outbox, b"", None, 1_024)? {
                ctx.txn.delete(Table::Outbox, key);
            }
        }
        self.take_place(ctx)?;
        self.resume(ctx)
    }

    /// Where this node stands and who its neighbours are, as its tables say.
    fn take_place(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        if let Some(chain) = ctx.txn.row::<Chain>(Table::Meta, meta::CHAIN)? {
            self.adopt(ctx, &chain)?;
        }
        self.read_calendar(ctx)?;
        self.announce_neighbours(ctx)
    }

    /// Asks the driver again for what it was asked for before.
    fn resume(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        self.resume_fetches(ctx)?;
        self.resume_erasures(ctx)?;
        self.resume_tables(ctx)?;
        self.resume_passing_on(ctx)
    }

    /// The node's membership when it is valid now.
    fn membership(&self, now: Moment) -> Result<&Member, Refused> {
        let member = self.membership_at_home(now)?;
        match &self.cut_off {
            Some(cut_off) => Err(Refused::Lawful(members::refusal(cut_off))),
            None => Ok(member),
        }
    }

    /// The node's membership for what concerns its own place alone: whoever was cut off goes on with that.
    fn membership_at_home(&self, now: Moment) -> Result<&Member, Refused> {
        let member = self.member.as_ref().ok_or_else(|| {
            Refused::NotAMember(
                "尚未装入证书：运行 guantong enroll install (no certificate installed)".into(),
            )
        })?;
        if member.certificate().signing_key != self.me.signing.verify_key() {
            return Err(Refused::NotAMember(
                "证书是签发给本节点原密钥的：请上级按新的申请签发后装入 (the certificate is for this node's former keys)".into(),
            ));
        }
        // Others check the whole chain, so no certificate in it may be over.
        let until = member.valid_until();
        if now >= until {
            return Err(Refused::NotAMember(format!(
                "证书已于 {until} 到期 (certificate expired)"
            )));
        }
        Ok(member)
    }

    /// Who a chain proves now. A read that fails is a fault of this node and no word on the chain.
    fn prove(
        &self,
        ctx: &Context<'_, '_>,
        chain: &Chain,
    ) -> Result<Result<Member, MembershipError>, Fault> {
        self.prove_at(ctx, chain, ctx.now)
    }

    /// As [`Core::prove`], for something made at an earlier time; what is revoked by now proves nothing about then either.
    fn prove_at(
        &self,
        ctx: &Context<'_, '_>,
        chain: &Chain,
        at: Moment,
    ) -> Result<Result<Member, MembershipError>, Fault> {
        let failed = std::cell::RefCell::new(None);
        let revoked = |issuer: &Code, serial: u64| {
            let key = tables::serial_key(issuer, serial);
            match ctx.txn.get(Table::Revocations, &key) {
                Ok(found) => found.is_some(),
                Err(fault) => {
                    failed.replace(Some(fault));
                    true
                }
            }
        };
        let proved = chain.verify(&self.me.root, at, &revoked);
        match failed.into_inner() {
            Some(fault) => Err(fault),
            None => Ok(proved),
        }
    }

    fn place(&self) -> Option<&Path> {
        self.member.as_ref().map(|member| member.place())
    }

    fn law(&self) -> Law<'_> {
        Law {
            calendar: &self.calendar,
            profile: &self.me.profile,
        }
    }

    /// Under what a docket at home here goes on by itself, without an authority's hearing.
    fn step<'a>(&'a self, now: Moment, clock: &'a Clock) -> Step<'a> {
        Step {
            law: self.law(),
            clock,
            now,
            bench: None,
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
