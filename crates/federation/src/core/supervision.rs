//! Supervision (R29, R39 to R41): lapses shown to whoever supervises, breaches found in the docket they lie in, notices circulated.

use identity::{Member, Moment, Path};
use sharing::act::{ActBody, SignedAct};
use sharing::clock::{ClockEvent, Debtor};
use sharing::docket::{Case, DocketBody, DocketEvent, DocketId};
use sharing::supervision::{self, SupervisionAct};
use statute::{Article, Duty, Refusal, RefusalReason};

use super::{Context, Core};
use crate::store::Fault;
use crate::wire::Payload;

impl Core {
    /// A duty is overdue: shown where the docket has its home, and to the authority of whoever owed it. What an authority or its government owed
    /// is told to the node above, once (R41); above the hub stands the State Council, outside this system.
    pub(super) fn lapse_recorded(
        &mut self,
        ctx: &mut Context<'_, '_>,
        event: &DocketEvent,
    ) -> Result<(), Fault> {
        let DocketBody::Clock(ClockEvent::Overdue { duty, due, who, .. }) = &event.body else {
            return Ok(());
        };
        let owes = Some(who.node()) == self.place();
        if owes || Some(&event.home) == self.place() {
            lapse_finding(ctx, event.docket, *duty, *due, who)?;
        }
        match (supervised_above(who), who.node().parent()) {
            (true, Some(parent)) if owes && parent != event.home => {
                let told = Payload::LapseTold {
                    docket: event.docket,
                    duty: *duty,
                    due: *due,
                    who: who.clone(),
                };
                self.queue(ctx, parent.code(), told)
            }
            _ => Ok(()),
        }
    }

    /// A child tells of its own authority's default; of nobody else's.
    pub(super) fn lapse_told(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        (docket, duty, due): (DocketId, Duty, Moment),
        who: &Debtor,
    ) -> Result<(), Fault> {
        let child = from.place().parent().as_ref() == self.place();
        if child && supervised_above(who) && who.node() == from.place() {
            return lapse_finding(ctx, docket, duty, due, who);
        }
        Ok(())
    }

    /// R39 to R41: whoever is not entitled to a step in the docket of an order is refused under the article that the order rests on.
    pub(super) fn as_ordered(
        &self,
        ctx: &Context<'_, '_>,
        signed: &SignedAct,
        refusal: Refusal,
    ) -> Result<Refusal, Fault> {
        let (RefusalReason::RoleNotEntitled { .. }, Some(body)) = (&refusal.reason, signed.body())
        else {
            return Ok(refusal);
        };
        let (Some(docket), ActBody::Supervision(act)) = (body.docket(), &body) else {
            return Ok(refusal);
        };
        Ok(
            match self.docket_row(ctx, &docket)?.map(|row| row.state.case) {
                Some(Case::Supervision(state)) => {
                    refusal.reason.under(act.article_in(&state.order))
                }
                Some(_) | None => refusal,
            },
        )
    }

    /// An order was given or its copy came: the docket that its lapse lies in has the finding, where its home is here.
    pub(super) fn breach_found(
        &mut self,
        ctx: &mut Context<'_, '_>,
        order: DocketId,
    ) -> Result<(), Fault> {
        let Some(Case::Supervision(state)) = self.docket_row(ctx, &order)?.map(|it| it.state.case)
        else {
            return Ok(());
        };
        let Some(about) = state.order.about.as_ref().map(|about| about.docket) else {
            return Ok(());
        };
        let Some(row) = self.home_row(ctx, &about)? else {
            return Ok(());
        };
        match supervision::finds_breach(&state.order, order, &row.state) {
            Some(found) => self.append_or_tell(ctx, about, vec![DocketBody::Clock(found)]),
            None => Ok(()),
        }
    }

    /// R29: a notice is shown here and goes to every other place that it names.
    pub(super) fn circulate(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: &SignedAct,
        (text, to): (&str, &[Path]),
    ) -> Result<(), Fault> {
        let Some(here) = self.place().cloned() else {
            return Ok(());
        };
        notice(ctx, &here, text)?;
        let mut sent: Vec<&Path> = vec![&here];
        for place in to {
            if !sent.contains(&place) {
                sent.push(place);
                let act = act.clone();
                self.queue(ctx, place.code(), Payload::Circular { act })?;
            }
        }
        Ok(())
    }

    /// R29: a notice from an authority above; its own person signed it, and it names this place.
    pub(super) fn circular_received(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        act: &SignedAct,
    ) -> Result<(), Fault> {
        let Some(here) = self.place().cloned() else {
            return Ok(());
        };
        let Ok(verified) = self.foreign_act(ctx, from, act) else {
            return Ok(());
        };
        match &verified.act().body {
            ActBody::Supervision(SupervisionAct::Circulate { text, to, .. })
                if from.place().is_ancestor_of(&here) && to.contains(&here) =>
            {
                notice(ctx, from.place(), text)
            }
            _ => Ok(()),
        }
    }
}

/// Whether the default of this debtor is for the level above to see (R41): a department's own authority sees a department's.
fn supervised_above(who: &Debtor) -> bool {
    match who {
        Debtor::Department(_) => false,
        Debtor::Authority(_) | Debtor::Government(_) => true,
    }
}

fn notice(ctx: &mut Context<'_, '_>, from: &Path, text: &str) -> Result<(), Fault> {
    ctx.finding(
        format!("{}通报：{text}", from.code()),
        format!("notice circulated by {}: {text}", from.code()),
        Some(Article::R29),
    )
}

fn lapse_finding(
    ctx: &mut Context<'_, '_>,
    docket: DocketId,
    duty: Duty,
    due: Moment,
    who: &Debtor,
) -> Result<(), Fault> {
    let (zh, en, article) = debtor(who, duty);
    let last = statute::beijing_date(due.as_millis().saturating_sub(1));
    let short = docket.0.short();
    ctx.finding(
        format!("{zh}未按期“{}”：期限至{last}，案卷{short}", duty.zh()),
        format!(
            "{en} did not in time {}: due by {last}, docket {short}",
            duty.en()
        ),
        Some(article),
    )
}

/// Who did not do in time what it owed, in Chinese and English, and under which article that is for its supervisor.
pub(super) fn debtor(who: &Debtor, duty: Duty) -> (String, String, Article) {
    let node = who.node().code();
    match who {
        Debtor::Department(party) => (
            format!("{node}的部门{}", party.department),
            format!("department {} of {node}", party.department),
            duty.breach(),
        ),
        // R39(5) is about return flow alone and names whoever returns.
        Debtor::Authority(_) if duty == Duty::ReturnRows => (
            format!("{node}主管部门"),
            format!("the authority of {node}"),
            duty.breach(),
        ),
        Debtor::Authority(_) => (
            format!("{node}主管部门"),
            format!("the authority of {node}"),
            Article::R41,
        ),
        Debtor::Government(_) => (
            format!("{node}人民政府"),
            format!("the government of {node}"),
            Article::R41,
        ),
    }
}
