//! Security incidents (R34, R35): the data that they concern looked up, measures carried out where they are signed, and the report shown to whoever
//! is told of it.

use identity::{Code, Moment};
use sharing::act::{ActBody, SignedAct, VerifiedAct};
use sharing::docket::{Case, DocketBody, DocketEvent, DocketId};
use sharing::incident::{
    IncidentAct, IncidentEvent, IncidentReport, IncidentState, IncidentStep, Measure,
};
use statute::{Article, Grade, Refusal, RefusalReason, check_grade_stated};

use super::acts::Outcome;
use super::members::BACKDATED_MS;
use super::project::own_entry;
use super::{Context, Core, revoked};
use crate::store::Fault;

impl Core {
    /// What an incident concerns is known here, and its grade is not understated.
    pub(super) fn check_concerned(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
    ) -> Result<Result<(), Refusal>, Fault> {
        let ActBody::Incident(IncidentAct::Report(report)) = &act.act().body else {
            return Ok(Ok(()));
        };
        Ok(match self.grade_concerned(ctx, report)? {
            Ok(found) => check_grade_stated(report.grade, found),
            Err(refusal) => Err(refusal),
        })
    }

    /// The grade of the strictest data that a report concerns.
    fn grade_concerned(
        &self,
        ctx: &Context<'_, '_>,
        report: &IncidentReport,
    ) -> Result<Result<Grade, Refusal>, Fault> {
        let mut grades = Vec::with_capacity(report.dockets.len() + report.entries.len());
        for concerned in &report.dockets {
            let row = self.docket_row(ctx, &concerned.docket)?;
            match row
                .filter(|row| row.home == concerned.home)
                .map(|row| row.state.case)
            {
                Some(Case::Application(state)) => grades.push(state.entry.entry.grade),
                // A subscription names no grade.
                Some(Case::ReturnFlow(_)) => {}
                // No other docket is about data itself.
                Some(_) | None => return Ok(Err(unknown(concerned.docket))),
            }
        }
        for id in &report.entries {
            let row = own_entry(&*ctx.txn, id)?;
            match row.filter(|row| row.published.is_some()) {
                Some(row) => grades.push(row.entry.grade),
                None => return Ok(Err(RefusalReason::EntryNotPublished.under(Article::R35))),
            }
        }
        Ok(Ok(Grade::of_all(grades)))
    }

    /// Whether a measure may be taken: in this incident, and in each thing that it touches, so that all of it takes effect or nothing.
    pub(super) fn judge_measure(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: &VerifiedAct,
        docket: DocketId,
        measure: &Measure,
    ) -> Result<Outcome, Fault> {
        let Some(row) = self.docket_row(ctx, &docket)? else {
            return Ok(Outcome::Refused(unknown(docket)));
        };
        let Case::Incident(state) = &row.state.case else {
            return Ok(Outcome::Refused(unknown(docket)));
        };
        // Where the home is elsewhere it judges again; the effect here does not wait for it.
        let decided = match self.decide_step(ctx, &row, act)? {
            Ok(_) => self.judge_effect(ctx, act, state, measure)?,
            Err(refusal) => Err(refusal),
        };
        Ok(match decided {
            Ok(()) => Outcome::Accepted {
                docket: Some(docket),
                warnings: Vec::new(),
            },
            Err(refusal) => Outcome::Refused(refusal),
        })
    }

    fn judge_effect(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        incident: &IncidentState,
        measure: &Measure,
    ) -> Result<Result<(), Refusal>, Fault> {
        match measure {
            Measure::SuspendGrants { grants, .. } => {
                for grant in grants {
                    if let Err(refusal) = self.judge_suspension(ctx, act, *grant)? {
                        return Ok(Err(refusal));
                    }
                }
                Ok(Ok(()))
            }
            Measure::CutOff { node, serial, .. } => self.judge_cut_off(ctx, *node, *serial),
            Measure::KeysRotated { node, serial } => {
                self.judge_rotation(ctx, (*node, *serial), incident.report.noticed)
            }
            Measure::Other { .. } => Ok(Ok(())),
        }
    }

    /// A grant is suspended where the data is provided, exactly as one alone is (R27).
    fn judge_suspension(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        grant: DocketId,
    ) -> Result<Result<(), Refusal>, Fault> {
        let row = self.home_row(ctx, &grant)?;
        match row.filter(|row| matches!(row.state.case, Case::Application(_))) {
            Some(row) => Ok(self.decide_step(ctx, &row, act)?.map(drop)),
            None => {
                let docket = grant.to_string();
                Ok(Err(
                    RefusalReason::GrantNotProvidedHere { docket }.under(Article::R35)
                ))
            }
        }
    }

    /// A child is cut off by whoever issued its certificate, once.
    fn judge_cut_off(
        &self,
        ctx: &Context<'_, '_>,
        node: Code,
        serial: u64,
    ) -> Result<Result<(), Refusal>, Fault> {
        let chain = self.child_chain(ctx, &node)?;
        let newest = chain.and_then(|chain| chain.claimed().ok());
        if newest.is_none_or(|certificate| certificate.serial != serial) {
            return Ok(Err(not_in_force(node, serial)));
        }
        let over = self
            .place()
            .is_some_and(|here| revoked(&*ctx.txn)(&here.code(), serial));
        Ok(if over {
            let what = format!("{node} {serial}");
            Err(RefusalReason::Duplicate { what }.under(Article::R35))
        } else {
            Ok(())
        })
    }

    /// The newest certificate known here of the node is the one named, stands, and was issued since the incident was noticed.
    fn judge_rotation(
        &self,
        ctx: &Context<'_, '_>,
        (node, serial): (Code, u64),
        noticed: Moment,
    ) -> Result<Result<(), Refusal>, Fault> {
        let member = self.known_member(ctx, &node)?;
        let stands = member.is_some_and(|member| {
            let certificate = member.certificate();
            let issued = certificate.valid_from.plus_millis(BACKDATED_MS);
            certificate.serial == serial && issued >= noticed
        });
        Ok(if stands {
            Ok(())
        } else {
            Err(not_in_force(node, serial))
        })
    }

    /// After the act's record: the measure stands in the incident, or is on its way there, and takes effect here.
    pub(super) fn carry_measure(
        &mut self,
        ctx: &mut Context<'_, '_>,
        signed: &SignedAct,
        act: &VerifiedAct,
        (docket, measure): (DocketId, &Measure),
    ) -> Result<Option<Refusal>, Fault> {
        if let Some(refusal) = self.carry_step(ctx, signed, act, docket)? {
            return Ok(Some(refusal));
        }
        match measure {
            Measure::SuspendGrants { grants, .. } => {
                for grant in grants {
                    let Some(row) = self.home_row(ctx, grant)? else {
                        continue;
                    };
                    if let Ok(bodies) = self.decide_step(ctx, &row, act)? {
                        self.append_or_tell(ctx, *grant, bodies)?;
                    }
                }
            }
            Measure::CutOff {
                node,
                serial,
                reason,
            } => self.after_revoke(ctx, *node, *serial, *reason)?,
            Measure::KeysRotated { .. } | Measure::Other { .. } => {}
        }
        Ok(None)
    }

    /// An incident was reported here, or its copy came: shown to the authority here. What an authority above instructs is shown at the home.
    pub(super) fn incident_told(
        &mut self,
        ctx: &mut Context<'_, '_>,
        event: &DocketEvent,
    ) -> Result<(), Fault> {
        let Some(Case::Incident(state)) = self
            .docket_row(ctx, &event.docket)?
            .map(|row| row.state.case)
        else {
            return Ok(());
        };
        match &event.body {
            DocketBody::Incident(IncidentEvent::Reported { .. }) => reported(ctx, &state),
            DocketBody::Incident(IncidentEvent::Stepped {
                act,
                step: IncidentStep::Acknowledge { instructions },
            }) if Some(&state.place) == self.place() => {
                let by = act.signer.holder().map(|it| it.node.to_string());
                let (by, short) = (by.unwrap_or_default(), state.docket.0.short());
                ctx.finding(
                    format!("{by}已收到安全事件报告（案卷{short}），意见：{instructions}"),
                    format!(
                        "{by} has the report of incident {short} and instructs: {instructions}"
                    ),
                    Some(Article::R35),
                )
            }
            _ => Ok(()),
        }
    }
}

fn reported(ctx: &mut Context<'_, '_>, state: &IncidentState) -> Result<(), Fault> {
    let report = &state.report;
    let (node, short) = (state.place.code(), state.docket.0.short());
    ctx.finding(
        format!(
            "{node}报告{}安全事件（案卷{short}，{}）：{}",
            report.severity.zh(),
            report.grade.zh(),
            report.happened
        ),
        format!(
            "{node} reports an incident, {} (docket {short}, {}): {}",
            report.severity.en(),
            report.grade.en(),
            report.happened
        ),
        Some(Article::R35),
    )
}

fn unknown(docket: DocketId) -> Refusal {
    let docket = docket.to_string();
    RefusalReason::UnknownDocket { docket }.under(Article::R35)
}

fn not_in_force(node: Code, serial: u64) -> Refusal {
    let node = node.to_string();
    RefusalReason::CertificateNotInForce { node, serial }.under(Article::R35)
}
