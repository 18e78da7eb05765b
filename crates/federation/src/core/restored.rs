//! A node that was restored from a backup: it compares first, and signs nothing until it has.
//!
//! ```text
//! restored ──greets──► offers its newest checkpoint, signed before ──► parent (the hub: its children)
//!    ▲                                                                      │
//!    │          ┌── cosigned, or what is held is of the restored ledger ────┤
//!    │          ▼                                                           │
//!    │      released: greets again, goes on                                 │
//!    └───── ahead: more was cosigned than was restored ◄────────────────────┘
//! ```
//!
//! A node that went on from an old backup would sign another history than the one it has told, and two signatures of its own would prove
//! it a forger. So it asks with what it signed before, which contradicts nothing, and what others cosigned decides. Where they hold more,
//! it stays as it is: a newer backup is restored, or its authority above certifies it anew with other keys, as a successor of
//! the next epoch; what is lost is then on record before anything else. While it compares it records nothing but a certificate and revocations.

use std::collections::{BTreeMap, BTreeSet};

use identity::{Chain, Code, Moment, Signed};
use sharing::ledger::{Checkpoint, Cosignature, checkpoint, merkle};

use super::checkpoints::{MAX_CHECKPOINT_BYTES, Nodes};
use super::links::MAX_CHILDREN;
use super::tables::{View, counter, meta};
use super::view::{Ahead, RestoredView};
use super::{Context, Core, Effect, Input, LinkId, Refused, Token};
use crate::store::{Fault, Read, Table};
use crate::wire::Frame;

/// Of how many of its cosigners the hub, which has no parent, waits for the word.
const HUB_ANSWERS: usize = 2;

/// What others have said so far.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    asked: BTreeSet<LinkId>,
    answers: BTreeMap<Code, Heard>,
}

/// What one neighbour holds of this node's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Heard {
    /// Nothing.
    Nothing,
    /// A part of what was restored.
    Ours,
    /// More of it, or another ledger.
    Ahead(Checkpoint),
    /// A ledger of this place under keys that came before: what of it was not restored is lost, and the certificate says that it is known.
    Former(Checkpoint),
}

impl Core {
    /// This node was restored from a backup; called before [`Input::Started`].
    pub fn compare_first(&mut self) {
        self.restored = Some(Comparison::default());
    }

    /// Whether a restored node has not been released yet.
    pub const fn compares_first(&self) -> bool {
        self.restored.is_some()
    }

    /// Takes one input while nothing may be signed.
    pub(super) fn apply_before_comparison(
        &mut self,
        input: Input,
        ctx: &mut Context<'_, '_>,
    ) -> Result<(), Fault> {
        match input {
            Input::Started => self.take_place(ctx),
            Input::Tick => {
                for link in self.links.keys().copied().collect::<Vec<_>>() {
                    self.ask_to_compare(ctx, link)?;
                }
                self.judge_comparison(ctx)
            }
            Input::LinkUp {
                link,
                transport_key,
            } => self.link_up(ctx, link, transport_key),
            Input::Frame { link, bytes } => self.frame_before_comparison(ctx, link, &bytes),
            Input::LinkDown { link } => self.link_down(link, ctx.now),
            Input::Install { token, chain } => self.install(ctx, token, chain),
            Input::Act { token, .. }
            | Input::ContentRead { token, .. }
            | Input::Public { token, .. }
            | Input::Search { token, .. }
            | Input::CallBegun { token, .. } => {
                refuse(ctx, token);
                Ok(())
            }
            // Whatever was under way is asked for again when the node is released.
            Input::SearchDone { .. }
            | Input::Fetched { .. }
            | Input::Served { .. }
            | Input::CallEnded { .. }
            | Input::Destroyed { .. }
            | Input::TableSplit { .. }
            | Input::PassedOn { .. } => Ok(()),
        }
    }

    fn frame_before_comparison(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        bytes: &[u8],
    ) -> Result<(), Fault> {
        let Some((greeted, frame)) = self.heard(ctx, link, bytes)? else {
            return Ok(());
        };
        match frame {
            Frame::Hello { chain, now, .. } if !greeted => {
                self.greet_to_compare(ctx, link, &chain, now)
            }
            _ if !greeted => {
                ctx.close(link, "spoke before greeting");
                Ok(())
            }
            Frame::Cosigned { cosignature, .. } => self.cosigned_again(ctx, link, &cosignature),
            Frame::CosignRefused { newest, .. } => self.told_what_is_held(ctx, link, newest),
            Frame::Revocations { list } => self.revocations_received(ctx, link, &list),
            // What is not acknowledged is pushed again when the node is released and greets anew.
            _ => Ok(()),
        }
    }

    fn greet_to_compare(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        chain: &Chain,
        their_now: Moment,
    ) -> Result<(), Fault> {
        match self.check_neighbour(ctx, link, chain, their_now) {
            Ok(peer) => {
                let old = self.by_code.insert(peer.code(), link);
                if let Some(old) = old.filter(|old| *old != link) {
                    ctx.close(old, "replaced by a newer connection");
                    self.links.remove(&old);
                }
                if let Some(state) = self.links.get_mut(&link) {
                    state.peer = Some(peer);
                }
                self.ask_to_compare(ctx, link)
            }
            Err(reason) => {
                ctx.close(link, reason);
                Ok(())
            }
        }
    }

    /// Offers the newest checkpoint that this node ever signed, once on a link: signed long ago, it says nothing new.
    fn ask_to_compare(&mut self, ctx: &mut Context<'_, '_>, link: LinkId) -> Result<(), Fault> {
        let Some(peer) = self.peer(link) else {
            return Ok(());
        };
        let hub = self.place().is_some_and(|place| place.depth() == 1);
        let asks = (peer.parent || hub)
            && self
                .restored
                .as_mut()
                .is_some_and(|comparison| comparison.asked.insert(link));
        if !asks {
            return Ok(());
        }
        let newest: Option<Signed<Checkpoint>> = ctx.txn.row(Table::Meta, meta::CHECKPOINT)?;
        let Some(signed) = newest else {
            return Ok(());
        };
        let Ok(claimed) = signed.claimed(MAX_CHECKPOINT_BYTES) else {
            return Ok(());
        };
        let from = counter(&*ctx.txn, meta::COSIGNED)?.min(claimed.size);
        let proof = merkle::consistency(from, claimed.size, &Nodes(&*ctx.txn))
            .map_err(|error| Fault(format!("consistency proof: {error}")))?;
        ctx.send(
            link,
            Frame::CheckpointOffer {
                checkpoint: signed,
                from,
                proof,
            },
        );
        Ok(())
    }

    /// The neighbour holds nothing beyond what was offered, and cosigned it.
    fn cosigned_again(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        cosignature: &Cosignature,
    ) -> Result<(), Fault> {
        let newest: Option<Signed<Checkpoint>> = ctx.txn.row(Table::Meta, meta::CHECKPOINT)?;
        let (Some(peer), Some(signed)) = (self.peer(link), newest) else {
            return Ok(());
        };
        let certificate = peer.member.certificate();
        let holds = cosignature.by == *peer.place()
            && checkpoint::verify_cosignature(&signed, cosignature, certificate).is_ok();
        if holds {
            self.heard_of(peer.code(), Heard::Ours);
        }
        self.judge_comparison(ctx)
    }

    /// The neighbour says what it cosigned last.
    fn told_what_is_held(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        newest: Option<Signed<Checkpoint>>,
    ) -> Result<(), Fault> {
        let (Some(peer), Some(member)) = (self.peer(link), self.member.clone()) else {
            return Ok(());
        };
        let own = member.certificate();
        let Some(newest) = newest else {
            self.heard_of(peer.code(), Heard::Nothing);
            return self.judge_comparison(ctx);
        };
        let heard = match checkpoint::verify(&newest, own) {
            Ok(held) if was_restored(ctx, &held)? => Some(Heard::Ours),
            Ok(held) => Some(Heard::Ahead(held)),
            // Only what was signed under the keys before says nothing against these; anything else that does not verify is no answer.
            Err(_) => newest
                .claimed(MAX_CHECKPOINT_BYTES)
                .ok()
                .filter(|held| held.node == *member.place() && held.epoch < own.epoch)
                .map(Heard::Former),
        };
        if let Some(heard) = heard {
            self.heard_of(peer.code(), heard);
        }
        self.judge_comparison(ctx)
    }

    fn heard_of(&mut self, code: Code, heard: Heard) {
        if let Some(comparison) = &mut self.restored {
            comparison.answers.insert(code, heard);
        }
    }

    /// Releases the node when enough has been heard and nobody holds more than was restored.
    fn judge_comparison(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let Some(place) = self.place().cloned() else {
            return Ok(());
        };
        let Some(comparison) = &self.restored else {
            return Ok(());
        };
        let answers = &comparison.answers;
        let ahead = answers
            .values()
            .any(|heard| matches!(heard, Heard::Ahead(_)));
        let enough = match place.parent() {
            Some(parent) => answers.contains_key(&parent.code()),
            None => {
                let children = ctx
                    .txn
                    .raw_scan(Table::Children, b"", None, MAX_CHILDREN)?
                    .len();
                let holders = answers
                    .values()
                    .filter(|heard| **heard != Heard::Nothing)
                    .count();
                holders >= HUB_ANSWERS || answers.len() >= children
            }
        };
        if ahead || !enough {
            return Ok(());
        }
        self.release_restored(ctx)
    }

    /// The restored ledger is what others know. What happened is on record before anything is signed under it.
    fn release_restored(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let Some(comparison) = self.restored.take() else {
            return Ok(());
        };
        let size = counter(&*ctx.txn, meta::LEAVES)?;
        let former = comparison
            .answers
            .iter()
            .filter_map(|(by, heard)| match heard {
                Heard::Former(held) => Some((by, held)),
                Heard::Nothing | Heard::Ours | Heard::Ahead(_) => None,
            })
            .max_by_key(|(_, held)| held.size);
        let answered: Vec<String> = comparison.answers.keys().map(ToString::to_string).collect();
        let answered = answered.join("、");
        match former {
            Some((by, held)) => {
                let (epoch, known) = (held.epoch, held.size);
                ctx.finding(
                    format!("本节点从备份恢复，以新密钥开始新纪元：{by} 联署过原纪元（{epoch}）账本 {known} 条，恢复所得 {size} 条；其间记录缺失，自此条起另行延续"),
                    format!("restored from a backup and begun anew under other keys: {by} cosigned {known} records of the former epoch ({epoch}), {size} were restored; what lies between is lost, and this record begins what follows"),
                    None,
                )?;
            }
            None => ctx.finding(
                format!("本节点从备份恢复，账本 {size} 条，与 {answered} 所联署的相符，恢复办理"),
                format!("restored from a backup of {size} records; it agrees with what was cosigned elsewhere ({answered}), and the node goes on"),
                None,
            )?,
        }
        self.resume(ctx)?;
        for link in self.links.keys().copied().collect::<Vec<_>>() {
            ctx.close(link, "compared after a restore: greeting again");
        }
        Ok(())
    }

    /// How the comparison stands, for operators.
    pub(super) fn restored_view(&self, view: &dyn Read) -> Result<Option<RestoredView>, Fault> {
        let Some(comparison) = &self.restored else {
            return Ok(None);
        };
        let newest: Option<Signed<Checkpoint>> = view.row(Table::Meta, meta::CHECKPOINT)?;
        let checkpoint = newest.and_then(|signed| signed.claimed(MAX_CHECKPOINT_BYTES).ok());
        let ahead = comparison
            .answers
            .iter()
            .filter_map(|(by, heard)| match heard {
                Heard::Ahead(held) => Some(Ahead {
                    by: *by,
                    size: held.size,
                    at: held.at,
                }),
                Heard::Nothing | Heard::Ours | Heard::Former(_) => None,
            })
            .max_by_key(|ahead| ahead.size);
        Ok(Some(RestoredView {
            ledger: counter(view, meta::LEAVES)?,
            checkpoint: checkpoint.map_or(0, |claimed| claimed.size),
            answered: comparison.answers.keys().copied().collect(),
            ahead,
        }))
    }
}

/// Whether what was cosigned is a part of the ledger that was restored.
fn was_restored(ctx: &Context<'_, '_>, held: &Checkpoint) -> Result<bool, Fault> {
    if held.size > counter(&*ctx.txn, meta::LEAVES)? {
        return Ok(false);
    }
    let root = merkle::root(held.size, &Nodes(&*ctx.txn));
    let root = root.map_err(|error| Fault(format!("ledger root: {error}")))?;
    Ok(root == held.root)
}

fn refuse(ctx: &mut Context<'_, '_>, token: Token) {
    let why = "本节点从备份恢复，须先与上级联署过的账本比对，比对前不受理 (restored from a backup: it compares with what its parent cosigned first)";
    ctx.effects.push(Effect::Answer {
        token,
        answer: Err(Refused::NotAMember(why.into())),
    });
}
