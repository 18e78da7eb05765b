//! Personal content at this node: brought here from where it was said, given to the docket's holders alone, destroyed when that was decided.
//! PIPL 47.
//!
//! ```text
//! said here ───────────────► Held ──────┐
//! committed to elsewhere ──► Wanted ──fetched──► Held ──erasure decided──► Destroying ──the vault is done──► Destroyed
//!                               └────────────────────erasure decided──────────┘
//! ```
//!
//! The content lies in the driver's vault, outside the ledger and the tables. What is decided is in the ledger first and carried out then, as
//! an effect that is asked for again until it is done.

use std::collections::BTreeMap;

use identity::planted::{self, Bug};
use identity::{Code, Digest, Member, Moment, Path};
use sharing::act::{ActId, ObjectRef};
use sharing::docket::{Case, DocketBody, DocketEvent, DocketId};
use sharing::erasure::{ErasureEvent, Item, MAX_ERASED_PER_ACT};
use sharing::private::Private;
use statute::Article;

use super::tables::{
    DestroyRow, DocketRow, PrivateRow, PrivateStanding, View, decode_row, destroy_key,
    destroy_prefix, docket_key, private_key, said_key, shown_prefix,
};
use super::{CircuitGrant, Context, Core, Effect, Record, Shelf};
use crate::store::{Fault, Read, Table};
use crate::wire::{ObjectRequest, Payload};

/// Dockets in which one content is shown beside its own: orders of every level above, each year of its keeping many times over.
const MAX_SHOWN: usize = 1_024;
/// Erasures carried out again in one round.
const DESTROYED_AT_ONCE: usize = 64;

impl Core {
    /// After an event with personal content: it is fetched from where it is, unless it is here.
    pub(super) fn fetch_private(
        &mut self,
        ctx: &mut Context<'_, '_>,
        event: &DocketEvent,
    ) -> Result<(), Fault> {
        for private in event.body.private() {
            let row = ctx
                .txn
                .row::<PrivateRow>(Table::Private, &private_key(&private.digest))?;
            if row.is_some_and(|row| row.standing == PrivateStanding::Wanted) {
                self.fetch_content(ctx, event, private)?;
            }
        }
        Ok(())
    }

    /// Asks for one content: the home asks the node whose person said it, everybody else the home.
    pub(super) fn fetch_content(
        &mut self,
        ctx: &mut Context<'_, '_>,
        event: &DocketEvent,
        private: Private,
    ) -> Result<(), Fault> {
        let from = if Some(&event.home) == self.place() {
            let said = self.docket_row(ctx, &event.docket)?;
            let item = said
                .as_ref()
                .and_then(|row| row.state.personal.item(&private.digest));
            item.map_or(event.home.code(), |item| item.from)
        } else {
            event.home.code()
        };
        let Some(source) = self.known_member(ctx, &from)? else {
            return Ok(());
        };
        ctx.effects.push(Effect::Fetch {
            from: source.chain().clone(),
            docket: event.docket,
            object: private.object(),
            shelf: Shelf::Vault,
            part: None,
        });
        Ok(())
    }

    /// A content came. One that was erased meanwhile is destroyed again.
    pub(super) fn content_fetched(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        object: &ObjectRef,
    ) -> Result<(), Fault> {
        let row = ctx
            .txn
            .row::<PrivateRow>(Table::Private, &private_key(&object.digest))?;
        match row.map(|row| row.standing) {
            Some(PrivateStanding::Wanted) => {
                let at = ctx.now;
                ctx.record(&Record::Fetched {
                    docket,
                    object: object.digest,
                    at,
                })
            }
            Some(PrivateStanding::Held) => Ok(()),
            Some(PrivateStanding::Destroying | PrivateStanding::Destroyed) | None => {
                let contents = vec![object.digest];
                ctx.effects.push(Effect::Destroy { docket, contents });
                Ok(())
            }
        }
    }

    /// After an erasure was decided, at home or in a copy: it is on record, now it is carried out. What inspections at home here show of it goes by
    /// the same act.
    pub(super) fn erasure_decided(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        decided: &ErasureEvent,
    ) -> Result<(), Fault> {
        let ErasureEvent::Decided {
            act,
            contents,
            ground,
        } = decided
        else {
            return Ok(());
        };
        let (mut own, mut gone) = (Vec::new(), Vec::new());
        let mut shown: BTreeMap<DocketId, Vec<Digest>> = BTreeMap::new();
        for content in contents {
            let row: Option<PrivateRow> = ctx.txn.row(Table::Private, &private_key(content))?;
            match row {
                Some(row) if row.docket == docket => own.push(*content),
                Some(row) if row.standing == PrivateStanding::Destroyed => gone.push(*content),
                Some(_) | None => {}
            }
            for also in shown_in(ctx, content)? {
                shown.entry(also).or_default().push(*content);
            }
        }
        if !own.is_empty() {
            self.destroy(ctx, docket, &own)?;
        }
        let now = ctx.now;
        self.tell_destroyed(ctx, docket, &gone, now)?;
        for (inspection, mut contents) in shown {
            let Some(row) = self.home_row(ctx, &inspection)? else {
                continue;
            };
            let stands = |item: &Item| item.erased.is_none();
            contents.retain(|it| row.state.personal.item(it).is_some_and(stands));
            if matches!(row.state.case, Case::Inspection(_)) && !contents.is_empty() {
                let (act, ground) = (act.clone(), *ground);
                let body = DocketBody::Erasure(ErasureEvent::Decided {
                    act,
                    contents,
                    ground,
                });
                self.append_or_tell(ctx, inspection, vec![body])?;
            }
        }
        Ok(())
    }

    /// Has contents destroyed.
    pub(super) fn destroy(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        contents: &[Digest],
    ) -> Result<(), Fault> {
        if planted::is(Bug::ContentKeptAfterErasure) {
            return self.destroyed(ctx, docket, contents, Ok(()));
        }
        ctx.effects.push(Effect::Destroy {
            docket,
            contents: contents.to_vec(),
        });
        Ok(())
    }

    /// Erasures that a restart or a failure left open.
    pub(super) fn resume_erasures(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let open = ctx
            .txn
            .raw_scan(Table::Private, destroy_prefix(), None, DESTROYED_AT_ONCE)?;
        for (key, bytes) in open {
            if self.rests(&key, ctx.now) {
                continue;
            }
            let row: DestroyRow = decode_row(Table::Private, &bytes)?;
            self.destroy(ctx, row.docket, &[row.content])?;
        }
        Ok(())
    }

    /// The driver's word on an erasure.
    pub(super) fn destroyed(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        contents: &[Digest],
        outcome: Result<(), String>,
    ) -> Result<(), Fault> {
        let row = self.docket_row(ctx, &docket)?;
        if row.is_some_and(|row| !self.may_go_on(&row)) {
            // Nothing is told to others now; it is carried out again when there is a certificate.
            return Ok(());
        }
        let mut open = Vec::new();
        for content in contents {
            let row = ctx
                .txn
                .row::<PrivateRow>(Table::Private, &private_key(content))?;
            let to_be = |row: PrivateRow| {
                row.docket == docket && row.standing == PrivateStanding::Destroying
            };
            if row.is_some_and(to_be) {
                open.push(*content);
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        if let Err(reason) = outcome {
            let mut tell = false;
            for content in &open {
                tell |= self.fetch_failed(destroy_key(content), ctx.now);
            }
            if !tell {
                return Ok(());
            }
            return ctx.finding(
                format!("案卷{}的个人内容未能删除，将重试：{reason}", docket.0.short()),
                format!(
                    "personal content of docket {} could not be destroyed, will be tried again: {reason}",
                    docket.0.short()
                ),
                Some(Article::P47),
            );
        }
        let at = ctx.now;
        ctx.record(&Record::Destroyed {
            docket,
            contents: open.clone(),
            at,
        })?;
        self.tell_destroyed(ctx, docket, &open, at)?;
        for content in &open {
            for also in shown_in(ctx, content)? {
                self.tell_destroyed(ctx, also, &[*content], at)?;
            }
        }
        Ok(())
    }

    /// A docket's home learns that its contents are destroyed here, once this was to be.
    fn tell_destroyed(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        contents: &[Digest],
        at: Moment,
    ) -> Result<(), Fault> {
        let (Some(row), Some(member)) = (self.docket_row(ctx, &docket)?, self.member.clone())
        else {
            return Ok(());
        };
        if row.home == *member.place() {
            return self.said_destroyed(ctx, &member, docket, contents, at);
        }
        let contents = row
            .state
            .personal
            .to_be_said_destroyed(contents, member.place());
        if contents.is_empty() {
            return Ok(());
        }
        let payload = Payload::Destroyed {
            docket,
            contents,
            at,
        };
        self.queue(ctx, row.home.code(), payload)
    }

    /// A holder says that it destroyed what was to be destroyed; each once.
    pub(super) fn said_destroyed(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        docket: DocketId,
        contents: &[Digest],
        at: Moment,
    ) -> Result<(), Fault> {
        let Some(row) = self.home_row(ctx, &docket)? else {
            return Ok(());
        };
        let holds = row.home == *from.place() || row.state.case.parties().contains(from.place());
        if !holds || contents.len() > MAX_ERASED_PER_ACT {
            return Ok(());
        }
        let contents = row
            .state
            .personal
            .to_be_said_destroyed(contents, from.place());
        if contents.is_empty() {
            return Ok(());
        }
        let by = from.place().clone();
        let destroyed = ErasureEvent::Destroyed { contents, by, at };
        self.append_or_tell(ctx, docket, vec![DocketBody::Erasure(destroyed)])
    }

    /// The home refused an act: what it committed to is in no docket, and is destroyed.
    pub(super) fn refused_with_content(
        &mut self,
        ctx: &mut Context<'_, '_>,
        home: Code,
        docket: DocketId,
        act: ActId,
    ) -> Result<(), Fault> {
        let said: Option<Vec<Digest>> = ctx.txn.row(Table::Private, &said_key(&act))?;
        let taken = self.docket_row(ctx, &docket)?;
        let mut contents = Vec::new();
        for content in said.unwrap_or_default() {
            let row = ctx
                .txn
                .row::<PrivateRow>(Table::Private, &private_key(&content))?;
            let pending = row.is_some_and(|row| {
                row.docket == docket
                    && row.home.is_none_or(|it| it == home)
                    && row.standing == PrivateStanding::Held
            });
            let taken = taken.as_ref();
            if pending && taken.is_none_or(|row| row.state.personal.item(&content).is_none()) {
                contents.push(content);
            }
        }
        if contents.is_empty() {
            return Ok(());
        }
        let at = ctx.now;
        ctx.record(&Record::NotTaken {
            docket,
            contents: contents.clone(),
            at,
        })?;
        self.destroy(ctx, docket, &contents)
    }
}

/// The dockets that show a content that was said in another, as many as one order attaches and more.
fn shown_in(ctx: &Context<'_, '_>, content: &Digest) -> Result<Vec<DocketId>, Fault> {
    let prefix = shown_prefix(content);
    let rows = ctx.txn.raw_scan(Table::Private, &prefix, None, MAX_SHOWN)?;
    rows.iter()
        .map(|(_, row)| decode_row(Table::Private, row))
        .collect()
}

/// Whether personal content may be given to whoever asks through a circuit: a holder of the docket, or the home to which the act that
/// commits to it is on its way. `None` when the request is not for personal content.
pub(super) fn content_grant(
    read: &dyn Read,
    from: &Path,
    request: &ObjectRequest,
) -> Result<Option<Option<CircuitGrant>>, Fault> {
    let Some(row) = read.row::<PrivateRow>(Table::Private, &private_key(&request.object))? else {
        return Ok(None);
    };
    let docket = read.row::<DocketRow>(Table::Dockets, &docket_key(&request.docket))?;
    let holds = match &docket {
        Some(docket) => docket.home == *from || docket.state.case.parties().contains(from),
        None => row.home == Some(from.code()),
    };
    let shown = docket.is_some_and(|docket| is_shown_to(from, &docket, &request.object));
    let given =
        (shown || row.docket == request.docket) && row.standing == PrivateStanding::Held && holds;
    Ok(Some(given.then(|| CircuitGrant {
        object: row.private.object(),
        shelf: Shelf::Vault,
    })))
}

/// Whether an inspection whose home is the keeper of the records shows its orderer a content that was said in another docket. No other docket gives what
/// was not said in it: whoever names a commitment does not thereby get the content.
fn is_shown_to(from: &Path, docket: &DocketRow, content: &Digest) -> bool {
    let Case::Inspection(state) = &docket.state.case else {
        return false;
    };
    state.by == *from
        && state.order.keeper == docket.home
        && docket.state.personal.item(content).is_some()
}
