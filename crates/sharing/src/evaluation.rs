//! Evaluation (评估): the authority reports to its government how each department shared, month by month and year by year; where local rules say
//! so, the government publishes it with advice. R38, Shenyang S8.
//!
//! ```text
//! the ledger of a period ──computed──► figures ──signed by the authority's head──► Reported ──the government──► Published
//! ```
//!
//! The figures are counts, each with what it is a part of, and never a bare score: who weighs them says how. They come from the node's ledger
//! alone ([`Tally`]), so that the same ledger gives the same bytes, and a report that says anything else is refused. The home is at the
//! authority's own node; the node above holds a copy, whose figures become the row of that district in its own report.

mod table;
mod tally;

use identity::{CreditCode, Digest, Domain, Moment, Path, codec};
use serde::{Deserialize, Serialize};
use statute::{ActKind, Article, Duty, EvaluationPeriod, Refusal, RefusalReason};
use std::collections::BTreeMap;

use crate::act::{ActBody, Deed, Opens, SignedAct, VerifiedAct};
use crate::clock::OpenDuty;
use crate::docket::{DocketId, Fact, Misstep, Opening, Step, Workflow};

pub use table::{Line, csv, lines};
pub use tally::{Course, Tally};

/// Most departments in one report: those of a ministry or a large city, several times. With names of a hundred bytes and figures of as many, a report then
/// still travels in one envelope.
pub const MAX_DEPARTMENTS: usize = 1_000;
/// Most districts in one report: the counties and prefectures below one node, several times.
pub const MAX_DISTRICTS: usize = 500;

/// What came of one kind of duty (限期义务履行情况). `in_time` and `overdue` together are those that came to an end or fell due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Met within the time limit as it stood.
    pub in_time: u32,
    /// Not met when it was due.
    pub overdue: u32,
    /// Justifications stated (正当理由).
    pub justified: u32,
}

/// Quality of the data provided (数据质量情况).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Versions of entries published.
    pub published: u32,
    /// Of these, versions after the first.
    pub updates: u32,
    /// Requests for correction of its data.
    pub corrections_asked: u32,
    /// Requests answered by a correction.
    pub corrected: u32,
    /// Requests answered by reasons why the data is right.
    pub upheld: u32,
}

/// Sharing and use of data (数据应用情况), on both sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uses {
    /// As provider: applications received.
    pub received: u32,
    /// As provider: granted.
    pub granted: u32,
    /// As provider: refused.
    pub refused: u32,
    /// As provider: data put at the requester's disposal and confirmed.
    pub provided: u32,
    /// As requester: applications that reached their provider.
    pub made: u32,
    /// As requester: granted.
    pub obtained: u32,
    /// As requester: uses recorded.
    pub recorded: u32,
    /// As requester: grants of data held that came to their end.
    pub ended: u32,
    /// Of these, grants in which no use was ever recorded.
    pub unrecorded: u32,
}

/// Security and lawful use (安全保障措施). Security incidents are reported in dockets of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Security {
    /// Breaches found, each with an order to correct it.
    pub breaches: u32,
    /// Reports on such orders that were accepted: complied with.
    pub complied: u32,
    /// Reports that were rejected.
    pub rejected: u32,
    /// Discipline recommended.
    pub escalated: u32,
    /// Access suspended, as requester.
    pub suspensions: u32,
    /// Sharing terminated for what was not rectified, as requester.
    pub terminations: u32,
    /// Certificates of disposal, as requester.
    pub disposals: u32,
    /// Security incidents reported.
    pub incidents: u32,
    /// Of all incidents, those closed.
    pub incidents_closed: u32,
}

/// The figures of one department, authority or district.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Timeliness, by duty.
    pub duties: BTreeMap<Duty, Kept>,
    /// Quality.
    pub quality: Quality,
    /// Use.
    pub uses: Uses,
    /// Security.
    pub security: Security,
}

/// One department's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartmentFigures {
    /// Which.
    pub department: CreditCode,
    /// Its name as shown.
    pub name: String,
    /// The figures.
    pub figures: Figures,
}

/// A level below: what its own authority reported of the same period, in sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistrictFigures {
    /// Its place.
    pub place: Path,
    /// The docket of its report.
    pub docket: DocketId,
    /// The sum of its report.
    pub totals: Figures,
}

/// A report (评估报告) of one place on one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whose authority reports.
    pub place: Path,
    /// On which period.
    pub period: EvaluationPeriod,
    /// What the authority itself owed.
    pub authority: Figures,
    /// Its departments, by code.
    pub departments: Vec<DepartmentFigures>,
    /// The levels directly below, by place.
    pub districts: Vec<DistrictFigures>,
    /// Departments and districts beyond [`MAX_DEPARTMENTS`] and [`MAX_DISTRICTS`].
    pub left_out: u32,
}

/// What a node's ledger gives for a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Computed {
    /// The report as it would be signed now.
    pub report: Report,
    /// The docket in which these very figures were reported, if they were.
    pub reported: Option<DocketId>,
}

/// What people do about an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EvaluationAct {
    /// The authority's head reports to its government (R38).
    Report(Report),
    /// The government publishes it with advice on what to improve (改进意见, Shenyang S8).
    Publish {
        /// Which docket.
        docket: DocketId,
        /// The advice.
        advice: String,
    },
}

/// Facts of one report's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EvaluationEvent {
    /// Reported to the government; the report stands in the act.
    Reported {
        /// The signed act.
        act: SignedAct,
    },
    /// Published.
    Published {
        /// The signed act.
        act: SignedAct,
        /// The advice.
        advice: String,
        /// The article of the local rules.
        article: Article,
    },
}

/// Where a report stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EvaluationPhase {
    /// Before the government.
    Reported,
    /// Published.
    Published {
        /// With which advice.
        advice: String,
        /// When.
        at: Moment,
    },
}

/// A report as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluationState {
    /// Which docket: the digest of the act that reported.
    pub docket: DocketId,
    /// The report.
    pub report: Report,
    /// When it was reported.
    pub reported_at: Moment,
    /// Where it stands.
    pub phase: EvaluationPhase,
}

impl Report {
    /// The digest of its canonical bytes, which two nodes that computed the same agree on.
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::Body, &codec::encode(self))
    }

    /// The sum over the authority, its departments and its districts.
    pub fn totals(&self) -> Figures {
        let departments = self.departments.iter().map(|it| &it.figures);
        let districts = self.districts.iter().map(|it| &it.totals);
        let mut totals = self.authority.clone();
        for figures in departments.chain(districts) {
            totals.add(figures);
        }
        totals
    }
}

impl Figures {
    /// Adds the figures of another.
    pub fn add(&mut self, other: &Figures) {
        let plus = |own: &mut u32, more: u32| *own = own.saturating_add(more);
        for (duty, kept) in &other.duties {
            let own = self.duties.entry(*duty).or_default();
            plus(&mut own.in_time, kept.in_time);
            plus(&mut own.overdue, kept.overdue);
            plus(&mut own.justified, kept.justified);
        }
        let (own, more) = (&mut self.quality, &other.quality);
        plus(&mut own.published, more.published);
        plus(&mut own.updates, more.updates);
        plus(&mut own.corrections_asked, more.corrections_asked);
        plus(&mut own.corrected, more.corrected);
        plus(&mut own.upheld, more.upheld);
        let (own, more) = (&mut self.uses, &other.uses);
        plus(&mut own.received, more.received);
        plus(&mut own.granted, more.granted);
        plus(&mut own.refused, more.refused);
        plus(&mut own.provided, more.provided);
        plus(&mut own.made, more.made);
        plus(&mut own.obtained, more.obtained);
        plus(&mut own.recorded, more.recorded);
        plus(&mut own.ended, more.ended);
        plus(&mut own.unrecorded, more.unrecorded);
        let (own, more) = (&mut self.security, &other.security);
        plus(&mut own.breaches, more.breaches);
        plus(&mut own.complied, more.complied);
        plus(&mut own.rejected, more.rejected);
        plus(&mut own.escalated, more.escalated);
        plus(&mut own.suspensions, more.suspensions);
        plus(&mut own.terminations, more.terminations);
        plus(&mut own.disposals, more.disposals);
        plus(&mut own.incidents, more.incidents);
        plus(&mut own.incidents_closed, more.incidents_closed);
    }
}

impl EvaluationPhase {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reported => "reported-to-government",
            Self::Published { .. } => "published",
        }
    }
}

impl Deed for EvaluationAct {
    fn kind(&self) -> ActKind {
        match self {
            Self::Report(_) => ActKind::ReportToGovernment,
            Self::Publish { .. } => ActKind::PublishEvaluation,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        match self {
            Self::Report(_) => None,
            Self::Publish { docket, .. } => Some(*docket),
        }
    }

    fn opens(&self) -> Option<Opens> {
        match self {
            Self::Report(_) => Some(Opens::Here),
            Self::Publish { .. } => None,
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            // Its names are those of the ledger, which the report is compared with.
            Self::Report(_) => Vec::new(),
            Self::Publish { advice, .. } => vec![advice],
        }
    }
}

/// R38: what a report brings about at the authority's own node, which computed the figures of its period.
///
/// # Errors
/// `NotTheSupervisor` for another place, `PeriodNotOver`, `NotTheFigures`, `Duplicate`; R38.
pub fn open(
    act: &VerifiedAct,
    report: &Report,
    opening: &Opening<'_>,
) -> Result<EvaluationEvent, Refusal> {
    if opening.from != opening.here || report.place != *opening.here {
        return Err(RefusalReason::NotTheSupervisor {
            orderer: opening.from.to_string(),
            of: report.place.to_string(),
        }
        .under(Article::R38));
    }
    statute::check_period_over(report.period, opening.now.as_millis())?;
    let computed = opening.evaluation;
    statute::check_figures(computed.is_some_and(|it| it.report == *report))?;
    if let Some(reported) = computed.and_then(|it| it.reported) {
        let what = reported.to_string();
        return Err(RefusalReason::Duplicate { what }.under(Article::R38));
    }
    Ok(EvaluationEvent::Reported {
        act: act.signed().clone(),
    })
}

/// The report in an act, where it is one and whoever signed it acts at the place that it is on.
fn reported(act: &SignedAct) -> Option<Report> {
    let Some(ActBody::Evaluation(EvaluationAct::Report(report))) = act.body() else {
        return None;
    };
    let holder = act.signer.holder()?;
    (holder.node == report.place.code()).then_some(report)
}

impl Fact<EvaluationState> for EvaluationEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Reported { .. } => "reported",
            Self::Published { .. } => "published",
        }
    }

    fn acts(&self) -> Vec<&SignedAct> {
        let (Self::Reported { act } | Self::Published { act, .. }) = self;
        vec![act]
    }

    fn rests_on_its_act(&self, before: Option<&EvaluationState>) -> bool {
        match self {
            Self::Reported { act } => reported(act).is_some(),
            Self::Published { act, advice, .. } => matches!(
                act.body(),
                Some(ActBody::Evaluation(EvaluationAct::Publish { docket, advice: it }))
                    if it == *advice && before.is_some_and(|state| state.docket == docket)
            ),
        }
    }
}

impl Workflow for EvaluationState {
    type Event = EvaluationEvent;

    fn evolve(
        state: Option<Self>,
        docket: DocketId,
        at: Moment,
        event: &EvaluationEvent,
    ) -> Result<Self, Misstep> {
        match (state, event) {
            (None, EvaluationEvent::Reported { act }) => {
                let expected = "report to the government";
                let report = reported(act).ok_or(Misstep::WrongOpeningAct { expected })?;
                Ok(Self {
                    docket,
                    report,
                    reported_at: at,
                    phase: EvaluationPhase::Reported,
                })
            }
            (None, EvaluationEvent::Published { .. }) => Err(Misstep::NotAnOpening {
                event: event.name(),
            }),
            (Some(_), EvaluationEvent::Reported { .. }) => Err(Misstep::OpenedTwice),
            (Some(state), EvaluationEvent::Published { advice, .. }) => match state.phase {
                EvaluationPhase::Reported => {
                    let advice = advice.clone();
                    let phase = EvaluationPhase::Published { advice, at };
                    Ok(Self { phase, ..state })
                }
                EvaluationPhase::Published { .. } => Err(Misstep::OutOfOrder {
                    event: event.name(),
                    phase: state.phase.name(),
                }),
            },
        }
    }

    fn decide(&self, act: &VerifiedAct, step: &Step<'_>) -> Result<Vec<EvaluationEvent>, Refusal> {
        let wrong_state = |found: &str| RefusalReason::WrongState {
            expected: "reported-to-government".into(),
            found: found.to_owned(),
        };
        let ActBody::Evaluation(EvaluationAct::Publish { advice, .. }) = &act.act().body else {
            return Err(wrong_state("another docket").under(Article::R38));
        };
        let article = statute::check_publishes(step.law.profile, advice)?;
        if act.doer().node != self.report.place.code() {
            return Err(RefusalReason::NotTheSupervisor {
                orderer: act.doer().node.to_string(),
                of: self.report.place.to_string(),
            }
            .under(article));
        }
        match &self.phase {
            EvaluationPhase::Reported => Ok(vec![EvaluationEvent::Published {
                act: act.signed().clone(),
                advice: advice.clone(),
                article,
            }]),
            EvaluationPhase::Published { .. } => Err(wrong_state(self.phase.name()).under(article)),
        }
    }

    fn duties(&self) -> Vec<OpenDuty> {
        Vec::new()
    }

    fn parties(&self) -> Vec<Path> {
        let place = &self.report.place;
        std::iter::once(place.clone())
            .chain(place.parent())
            .collect()
    }

    fn is_open(&self) -> bool {
        false
    }

    fn phase(&self) -> &'static str {
        self.phase.name()
    }
}

#[cfg(test)]
mod tests;
