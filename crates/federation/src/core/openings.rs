//! Dockets that one act opens: judged and opened here where the home is here, else sent to the home.

use identity::{Code, Member};
use sharing::act::{Opens, SignedAct, VerifiedAct};
use sharing::docket::{self, DocketBody, DocketId, Opening};
use statute::{Refusal, RefusalReason};

use super::acts::Outcome;
use super::{Context, Core};
use crate::store::Fault;
use crate::wire::Payload;

impl Core {
    /// Whether the act may open its docket, before anything is written; judged in full where the home is here, else by the home.
    pub(super) fn judge_opening(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: &VerifiedAct,
        opens: Opens,
    ) -> Result<Outcome, Fault> {
        let home = match self.home_of_opening(ctx, act, opens)? {
            Ok(home) => home,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let Some(member) = self.member.clone() else {
            return Ok(Outcome::Invalid("本节点没有证书 (no certificate)".into()));
        };
        if let Err(refusal) = docket::may_leave(act, member.place()) {
            return Ok(Outcome::Refused(refusal));
        }
        if home == member.code()
            && let Err(refusal) = self.decide_opening(ctx, &member, act)?
        {
            return Ok(Outcome::Refused(refusal));
        }
        Ok(Outcome::Accepted {
            docket: Some(DocketId(act.id().0)),
            warnings: Vec::new(),
        })
    }

    /// After the act's record: the docket is opened here, or the act goes to the home.
    pub(super) fn carry_opening(
        &mut self,
        ctx: &mut Context<'_, '_>,
        signed: &SignedAct,
        act: &VerifiedAct,
        opens: Opens,
    ) -> Result<Option<Refusal>, Fault> {
        let home = match self.home_of_opening(ctx, act, opens)? {
            Ok(home) => home,
            Err(refusal) => return Ok(Some(refusal)),
        };
        let Some(member) = self.member.clone() else {
            return Ok(None);
        };
        if home != member.code() {
            let act = signed.clone();
            self.queue(ctx, home, Payload::Open { act })?;
            return Ok(None);
        }
        match self.decide_opening(ctx, &member, act)? {
            Ok(bodies) => Ok(self.append(ctx, DocketId(act.id().0), bodies)?.err()),
            Err(refusal) => Ok(Some(refusal)),
        }
    }

    /// An act that opens a docket here, from another node's person. The same act twice opens one docket, and none is opened but at the home that
    /// the act itself names.
    pub(super) fn opened_from(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        act: &SignedAct,
    ) -> Result<(), Fault> {
        let docket = DocketId(act.id().0);
        if self.docket_row(ctx, &docket)?.is_some() {
            return Ok(());
        }
        let decided = match self.foreign_act(ctx, from, act) {
            Ok(verified) if self.is_home_of(ctx, &verified)? => {
                self.decide_opening(ctx, from, &verified)?
            }
            Ok(verified) => Err(unknown(&verified)),
            Err(refusal) => Err(refusal),
        };
        self.order_or_refuse(ctx, from.code(), docket, act, decided)
    }

    /// Whether the docket that a foreign act opens has its home here.
    fn is_home_of(&self, ctx: &Context<'_, '_>, act: &VerifiedAct) -> Result<bool, Fault> {
        Ok(match act.act().body.opens() {
            Some(Opens::At(code)) => self.place().is_some_and(|here| here.code() == code),
            Some(Opens::HomeOf(docket)) => self.home_row(ctx, &docket)?.is_some(),
            // It is opened at the signer's own node, or not at all.
            Some(Opens::Here) | None => false,
        })
    }

    fn decide_opening(
        &self,
        ctx: &Context<'_, '_>,
        from: &Member,
        act: &VerifiedAct,
    ) -> Result<Result<Vec<DocketBody>, Refusal>, Fault> {
        let Some(here) = self.place() else {
            return Ok(Err(unknown(act)));
        };
        let about = match act.act().body.opens() {
            Some(Opens::HomeOf(docket)) => self.home_row(ctx, &docket)?,
            Some(Opens::Here | Opens::At(_)) | None => match act.act().body.about() {
                Some(docket) => self.docket_row(ctx, &docket)?,
                None => None,
            },
        };
        let published = self.entry_taken(ctx, act)?;
        let entry = self.entry_reported(ctx, act)?;
        if let Some(row) = &entry
            && let Err(refusal) = self.room_for_update(ctx, &row.entry.id)?
        {
            return Ok(Err(refusal));
        }
        if let Err(refusal) = self.check_concerned(ctx, act)? {
            return Ok(Err(refusal));
        }
        let evaluation = self.evaluation_reported(ctx, act)?;
        let opening = Opening {
            from: from.place(),
            here,
            law: self.law(),
            now: ctx.now,
            about: about.as_ref().map(|row| &row.state),
            entry: entry.as_ref().map(|row| &row.entry),
            published: published.as_ref(),
            evaluation: evaluation.as_ref(),
        };
        Ok(docket::open(act, &opening))
    }

    /// Where the docket has its home; a docket that it is about must be known here.
    fn home_of_opening(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        opens: Opens,
    ) -> Result<Result<Code, Refusal>, Fault> {
        Ok(match opens {
            Opens::Here => Ok(act.act().node),
            Opens::At(code) => Ok(code),
            Opens::HomeOf(docket) => match self.docket_row(ctx, &docket)? {
                Some(row) => Ok(row.home.code()),
                None => Err(unknown(act)),
            },
        })
    }
}

fn unknown(act: &VerifiedAct) -> Refusal {
    let body = &act.act().body;
    let about = match body.opens() {
        Some(Opens::HomeOf(docket)) => docket.to_string(),
        Some(Opens::Here | Opens::At(_)) | None => act.id().0.to_string(),
    };
    RefusalReason::UnknownDocket { docket: about }.under(body.article())
}
