//! Chains of other nodes: known from the line of ancestors, from the publication logs of the subtree, or asked of the ancestors.

use identity::{Chain, Code, Member, Moment};

use super::tables::{ChainRow, View, code_key};
use super::{Context, Core, LinkId, Record, revoked};
use crate::store::{Fault, Table};
use crate::wire::Frame;

/// Most different chains neighbours may be waiting for; beyond, questions are dropped and asked again.
const MAX_ASKED: usize = 4_096;
/// Destinations whose chains are asked for again in one tick.
const PENDING_SCAN: usize = 256;

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

    fn known_chain(&self, ctx: &Context<'_, '_>, code: &Code) -> Result<Option<ChainRow>, Fault> {
        if let Some(member) = &self.member
            && let Some(chain) = member.chain().upto(*code)
        {
            return Ok(Some(ChainRow {
                chain,
                as_of: ctx.now,
            }));
        }
        ctx.txn.row(Table::Chains, &code_key(code))
    }

    /// Asks the parent for a chain; the hub's own operator learns that there is none.
    pub(super) fn ask_chain(&mut self, ctx: &mut Context<'_, '_>, code: Code) -> Result<(), Fault> {
        match self.parent_link() {
            Some(parent) => ctx.send(parent, Frame::ChainWanted { code }),
            None if self.place().is_some_and(|place| place.depth() == 1) => {
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

    /// Asks again for every destination that payloads wait for.
    pub(super) fn ask_pending_chains(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let mut codes = std::collections::BTreeSet::new();
        for (key, _) in ctx.txn.raw_scan(Table::Unsealed, b"", None, PENDING_SCAN)? {
            let code = key
                .split(|byte| *byte == 0)
                .next()
                .and_then(|code| std::str::from_utf8(code).ok())
                .and_then(|code| code.parse::<Code>().ok());
            codes.extend(code);
        }
        for code in codes {
            self.seal_pending(ctx, code)?;
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
            Some(parent)
                if parent != link
                    && (self.chain_askers.len() < MAX_ASKED
                        || self.chain_askers.contains_key(&code)) =>
            {
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

    pub(super) fn chain_found(
        &mut self,
        ctx: &mut Context<'_, '_>,
        code: Code,
        chain: &Chain,
        as_of: Moment,
    ) -> Result<(), Fault> {
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
        if !ctx
            .txn
            .raw_scan(Table::Unsealed, &code_key(&code), None, 1)?
            .is_empty()
        {
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

    /// Remembers a verified chain, once.
    pub(super) fn learn(
        &mut self,
        ctx: &mut Context<'_, '_>,
        chain: &Chain,
        as_of: Moment,
    ) -> Result<(), Fault> {
        let Ok(claimed) = chain.claimed() else {
            return Ok(());
        };
        let code = claimed.place.code();
        let known = self.known_chain(ctx, &code)?;
        if known.is_some_and(|row| row.chain == *chain) {
            return Ok(());
        }
        ctx.record(&Record::ChainLearned {
            chain: chain.clone(),
            as_of,
        })
    }
}
