//! Chains of other nodes: known from the line of ancestors, from the publication logs of the subtree, or asked of the ancestors.

use identity::{Certificate, Chain, Code, Member, Moment, VerifyKey};

use super::tables::{ChainRow, View, code_key, decode_row};
use super::{Context, Core, LinkId, Record, revoked};
use crate::store::{Fault, Table};
use crate::wire::Frame;

/// Most different chains neighbours may be waiting for; beyond, all are forgotten, and who still waits asks again.
const MAX_ASKED: usize = 4_096;
/// Destinations whose chains are asked for again in one tick.
const PENDING_AT_ONCE: usize = 256;
/// Most keys of one code that are looked through for whoever signed something old.
const MAX_KEYS_OF_ONE: usize = 16;
/// Most codes of which the operator is told, once in a run, that no node has them.
const MAX_TOLD_UNKNOWN: usize = 4_096;

impl Core {
    /// A node's verified membership, if its chain is known here.
    pub(super) fn known_member(
        &self,
        ctx: &Context<'_, '_>,
        code: &Code,
    ) -> Result<Option<Member>, Fault> {
        let Some(row) = self.known_chain(ctx, code)? else {
            return Ok(None);
        };
        Ok(row
            .chain
            .verify(&self.me.root, ctx.now, &revoked(&*ctx.txn))
            .ok())
    }

    /// The newest chain known of a code. This node's own is the one it installed; that of an ancestor may have been renewed since it
    /// certified the line in which this node stands.
    pub(super) fn known_chain(
        &self,
        ctx: &Context<'_, '_>,
        code: &Code,
    ) -> Result<Option<ChainRow>, Fault> {
        let line = self
            .member
            .as_ref()
            .and_then(|member| member.chain().upto(*code));
        let line = line.map(|chain| ChainRow {
            chain,
            as_of: ctx.now,
        });
        if self.place().is_some_and(|place| place.code() == *code) {
            return Ok(line);
        }
        let learned: Option<ChainRow> = ctx.txn.row(Table::Chains, &code_key(code))?;
        Ok(match (line, learned) {
            (Some(line), Some(learned)) if age(&learned.chain) > age(&line.chain) => {
                let stands = learned
                    .chain
                    .verify(&self.me.root, ctx.now, &revoked(&*ctx.txn))
                    .is_ok();
                Some(if stands { learned } else { line })
            }
            (line, learned) => line.or(learned),
        })
    }

    /// Chains of all keys known of a code, the newest chain first: a log or head may be older than its publisher's keys.
    pub(super) fn signers(
        &self,
        ctx: &Context<'_, '_>,
        code: &Code,
    ) -> Result<Vec<(Chain, VerifyKey)>, Fault> {
        let mut chains: Vec<Chain> = Vec::new();
        chains.extend(self.known_chain(ctx, code)?.map(|row| row.chain));
        for (_, row) in ctx
            .txn
            .raw_scan(Table::Chains, &code_key(code), None, MAX_KEYS_OF_ONE)?
        {
            chains.push(decode_row::<ChainRow>(Table::Chains, &row)?.chain);
        }
        let mut signers: Vec<(Chain, VerifyKey)> = Vec::new();
        for chain in chains {
            if let Ok(certificate) = chain.claimed()
                && signers
                    .iter()
                    .all(|(_, key)| *key != certificate.signing_key)
            {
                signers.push((chain, certificate.signing_key));
            }
        }
        Ok(signers)
    }

    /// Asks the parent for a chain; the hub's own operator learns that there is none.
    pub(super) fn ask_chain(&mut self, ctx: &mut Context<'_, '_>, code: Code) -> Result<(), Fault> {
        match self.parent_link() {
            Some(parent) => ctx.send(parent, Frame::ChainWanted { code }),
            None if self.place().is_some_and(|place| place.depth() == 1)
                && self.tell_unknown(code) =>
            {
                ctx.finding(
                    format!("体系中没有编码为{code}的节点"),
                    format!("no node {code} in the federation"),
                    None,
                )?;
            }
            None => {}
        }
        Ok(())
    }

    /// Whether the operator is still to be told that no node has this code: once in a run, though it is asked for again and again.
    pub(super) fn tell_unknown(&mut self, code: Code) -> bool {
        self.told_unknown.len() < MAX_TOLD_UNKNOWN && self.told_unknown.insert(code)
    }

    /// Asks again for every destination that payloads wait for, however many wait for one.
    pub(super) fn ask_pending_chains(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let mut after: Option<Vec<u8>> = None;
        for _ in 0..PENDING_AT_ONCE {
            let next = ctx
                .txn
                .raw_scan(Table::Unsealed, b"", after.as_deref(), 1)?;
            let Some((key, _)) = next.first() else {
                break;
            };
            let prefix = key.len().saturating_sub(ORDER_BYTES);
            let code = key[..prefix].strip_suffix(&[0]);
            let code = code
                .and_then(|code| std::str::from_utf8(code).ok())
                .and_then(|code| code.parse::<Code>().ok());
            // On to the next destination: past every order of this one.
            let mut last = key[..prefix].to_vec();
            last.extend_from_slice(&[u8::MAX; ORDER_BYTES]);
            after = Some(last);
            if let Some(code) = code {
                self.seal_pending(ctx, code)?;
            }
        }
        Ok(())
    }

    pub(super) fn chain_wanted(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        code: Code,
    ) -> Result<(), Fault> {
        if let Some(row) = self.known_chain(ctx, &code)?
            && row
                .chain
                .verify(&self.me.root, ctx.now, &revoked(&*ctx.txn))
                .is_ok()
        {
            ctx.send(
                link,
                Frame::ChainFound {
                    code,
                    chain: row.chain,
                    as_of: row.as_of,
                },
            );
            return Ok(());
        }
        match self.parent_link() {
            Some(parent) if parent != link => {
                if self.chain_askers.len() >= MAX_ASKED && !self.chain_askers.contains_key(&code) {
                    self.chain_askers.clear();
                }
                self.chain_askers.entry(code).or_default().insert(link);
                ctx.send(parent, Frame::ChainWanted { code });
            }
            _ if self.place().is_some_and(|place| place.depth() == 1) => {
                ctx.send(
                    link,
                    Frame::ChainUnknown {
                        code,
                        as_of: ctx.now,
                    },
                );
            }
            // Cut off from the parent: stay silent, the question is asked again.
            _ => {}
        }
        Ok(())
    }

    /// The parent's answer. The chain proves itself; the parent alone is asked, so the parent alone is heard.
    pub(super) fn chain_found(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        code: Code,
        chain: &Chain,
        as_of: Moment,
    ) -> Result<(), Fault> {
        if self.parent_link() != Some(link) {
            return Ok(());
        }
        let Ok(member) = chain.verify(&self.me.root, ctx.now, &revoked(&*ctx.txn)) else {
            return Ok(());
        };
        if member.place().code() != code {
            return Ok(());
        }
        self.learn(ctx, chain, as_of)?;
        for link in self.chain_askers.remove(&code).unwrap_or_default() {
            ctx.send(
                link,
                Frame::ChainFound {
                    code,
                    chain: chain.clone(),
                    as_of,
                },
            );
        }
        self.prove_revocations(ctx, code)?;
        // A key that ended is asked for again by the clock, not by the answer that brought it.
        if member.certificate().sealing_key.valid_until <= ctx.now {
            return Ok(());
        }
        self.seal_pending(ctx, code)
    }

    pub(super) fn chain_unknown(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        code: Code,
        as_of: Moment,
    ) -> Result<(), Fault> {
        if self.parent_link() != Some(link) {
            return Ok(());
        }
        for asker in self.chain_askers.remove(&code).unwrap_or_default() {
            ctx.send(asker, Frame::ChainUnknown { code, as_of });
        }
        let waiting = ctx
            .txn
            .raw_scan(Table::Unsealed, &code_key(&code), None, 1)?;
        if !waiting.is_empty() && self.tell_unknown(code) {
            ctx.finding(
                format!("截至{as_of}，体系中没有编码为{code}的节点；发给它的信件留在本节点"),
                format!(
                    "as of {as_of} no node {code} is known; what is addressed to it waits here"
                ),
                None,
            )?;
        }
        Ok(())
    }

    /// Remembers a verified chain, once. Under its code the latest stands: an old one that still verifies takes nothing back, and is kept
    /// under its key alone, for what that key signed.
    pub(super) fn learn(
        &mut self,
        ctx: &mut Context<'_, '_>,
        chain: &Chain,
        as_of: Moment,
    ) -> Result<(), Fault> {
        let Ok(claimed) = chain.claimed() else {
            return Ok(());
        };
        if let Some(known) = self.known_chain(ctx, &claimed.code())? {
            let mut by_key = code_key(&claimed.code());
            by_key.extend_from_slice(claimed.signing_key.as_bytes());
            let new_key = || Ok(ctx.txn.raw(Table::Chains, &by_key)?.is_none());
            if known.chain == *chain || (age(&known.chain) >= age(chain) && !new_key()?) {
                return Ok(());
            }
        }
        ctx.record(&Record::ChainLearned {
            chain: chain.clone(),
            as_of: as_of.min(ctx.now),
        })?;
        self.told_unknown.remove(&claimed.code());
        Ok(())
    }
}

/// Most bytes of an encoded certificate, as `identity` bounds it.
const MAX_CERTIFICATE_BYTES: usize = 2_048;
/// Bytes of the order at the end of a key of [`Table::Unsealed`].
const ORDER_BYTES: usize = 8;

/// By what the later of two chains of one code is known: the certificates from the node's own up, each by epoch, beginning and number.
pub(super) fn age(chain: &Chain) -> Vec<(u32, Moment, u64)> {
    let of = |certificate: Certificate| {
        (
            certificate.epoch,
            certificate.valid_from,
            certificate.serial,
        )
    };
    let certificates = chain.certificates().iter().rev();
    certificates
        .filter_map(|signed| signed.claimed(MAX_CERTIFICATE_BYTES).ok())
        .map(of)
        .collect()
}
