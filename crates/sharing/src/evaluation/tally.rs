//! Counting: docket by docket and event by event, so that no more than one docket's state is held at a time.
//!
//! An event counts in the period in which its home ordered it. What is replayed is what every holder of the docket replays, so two nodes that hold
//! the same dockets count the same.

use std::collections::BTreeMap;

use identity::{CreditCode, Moment, Path};
use statute::{Duty, EvaluationPeriod, beijing_date, end_of_day_ms};

use super::{
    Computed, DepartmentFigures, DistrictFigures, EvaluationState, Figures, MAX_DEPARTMENTS,
    MAX_DISTRICTS, Report,
};
use crate::application::{ApplicationEvent, ApplicationState, GrantStep};
use crate::clock::{ClockEvent, Debtor, OpenDuty};
use crate::correction::{CorrectionEvent, CorrectionOutcome, CorrectionState};
use crate::dispute::Party;
use crate::docket::{Case, DocketBody, DocketError, DocketEvent, DocketId, DocketState};
use crate::incident::{IncidentEvent, IncidentState, IncidentStep};
use crate::supervision::{Accused, SupervisionEvent, SupervisionState};

/// The figures of one place for one period, while they are counted.
#[derive(Debug)]
pub struct Tally {
    place: Path,
    period: EvaluationPeriod,
    authority: Figures,
    departments: BTreeMap<CreditCode, (String, Figures)>,
    districts: BTreeMap<Path, (Moment, DistrictFigures)>,
    reports: Vec<(DocketId, Report)>,
    left_out: u32,
}

/// A docket on the way through its events.
#[derive(Debug, Default)]
pub struct Course {
    state: Option<DocketState>,
    /// When access under its grant was over.
    over: Option<Moment>,
}

impl Tally {
    /// Nothing counted yet.
    pub fn new(place: Path, period: EvaluationPeriod) -> Self {
        Self {
            place,
            period,
            authority: Figures::default(),
            departments: BTreeMap::new(),
            districts: BTreeMap::new(),
            reports: Vec::new(),
            left_out: 0,
        }
    }

    /// The period.
    pub fn period(&self) -> EvaluationPeriod {
        self.period
    }

    /// A department of this place, so that it is in the report though nothing happened in it.
    pub fn department(&mut self, department: CreditCode, name: &str) {
        self.of(department, name);
    }

    /// A version of an entry was published.
    pub fn published(&mut self, department: CreditCode, name: &str, version: u32, at: Moment) {
        if !self.counts(at) {
            return;
        }
        if let Some(figures) = self.of(department, name) {
            up(&mut figures.quality.published);
            if version > 1 {
                up(&mut figures.quality.updates);
            }
        }
    }

    /// A docket that another report is in: one's own, or that of the level directly below on the same period, of which the newest counts.
    pub fn report(&mut self, state: &EvaluationState) {
        let report = &state.report;
        if report.period != self.period {
            return;
        }
        if report.place == self.place {
            self.reports.push((state.docket, report.clone()));
        } else if report.place.parent().as_ref() == Some(&self.place) {
            let newest = self.districts.get(&report.place);
            let at = (state.reported_at, state.docket);
            if newest.is_some_and(|(before, it)| (*before, it.docket) > at) {
                return;
            }
            if newest.is_none() && self.districts.len() >= MAX_DISTRICTS {
                return up(&mut self.left_out);
            }
            let row = DistrictFigures {
                place: report.place.clone(),
                docket: state.docket,
                totals: report.totals(),
            };
            self.districts
                .insert(report.place.clone(), (state.reported_at, row));
        }
    }

    /// The next event of a docket, in order. Whether there may be more that count: after the period's end, none do.
    ///
    /// # Errors
    /// [`DocketError`] when the event cannot follow, which no stored docket holds.
    pub fn step(&mut self, course: &mut Course, event: &DocketEvent) -> Result<bool, DocketError> {
        if event.at.as_millis() >= self.period.ends_ms() {
            return Ok(false);
        }
        let (before, was_over) = match &course.state {
            Some(state) => (state.duties(), access_is_over(&state.case)),
            None => (Vec::new(), false),
        };
        let state = DocketState::evolve(course.state.take(), event)?;
        if !was_over && access_is_over(&state.case) {
            course.over = Some(event.at);
        }
        if self.counts(event.at) {
            self.ended_duties(&before, &state, event);
            self.happened(&state, event);
        }
        course.state = Some(state);
        Ok(true)
    }

    /// A docket in which nothing more happens before the period's end.
    pub fn finish(&mut self, course: Course) {
        if let Some(DocketState {
            case: Case::Application(state),
            ..
        }) = &course.state
        {
            self.ended_grant(state, course.over);
        }
    }

    /// A docket in which nothing happened since before the period: as its last event left it.
    pub fn unchanged(&mut self, state: &DocketState) {
        if let Case::Application(application) = &state.case
            && !access_is_over(&state.case)
        {
            self.ended_grant(application, None);
        }
    }

    /// The report.
    pub fn computed(self) -> Computed {
        let department = |(department, (name, figures))| DepartmentFigures {
            department,
            name,
            figures,
        };
        let report = Report {
            place: self.place,
            period: self.period,
            authority: self.authority,
            departments: self.departments.into_iter().map(department).collect(),
            districts: self.districts.into_values().map(|(_, it)| it).collect(),
            left_out: self.left_out,
        };
        let mut reports = self.reports.into_iter();
        let reported = reports.find(|(_, it)| *it == report).map(|(id, _)| id);
        Computed { report, reported }
    }

    fn counts(&self, at: Moment) -> bool {
        self.period.contains(at.as_millis())
    }

    /// The figures of a department of this place.
    fn of(&mut self, department: CreditCode, name: &str) -> Option<&mut Figures> {
        let known = self.departments.contains_key(&department);
        if !known && self.departments.len() >= MAX_DEPARTMENTS {
            up(&mut self.left_out);
            return None;
        }
        let row = self.departments.entry(department).or_default();
        if row.0.is_empty() {
            name.clone_into(&mut row.0);
        }
        Some(&mut row.1)
    }

    /// The figures of a party, if it is of this place.
    fn party(&mut self, party: &Party, name: &str) -> Option<&mut Figures> {
        if party.node != self.place {
            return None;
        }
        self.of(party.department, name)
    }

    /// The figures of whoever owes. What the government owes is not its authority's to report.
    fn debtor(&mut self, who: &Debtor) -> Option<&mut Figures> {
        match who {
            Debtor::Department(party) => self.party(party, ""),
            Debtor::Authority(place) => (*place == self.place).then_some(&mut self.authority),
            Debtor::Government(_) => None,
        }
    }

    /// Duties that ran before an event and run no more: met in time, unless the clock or the event itself says otherwise. What ends
    /// without having been done, since access was restored without a report or suspended before anything was provided, was not met.
    fn ended_duties(&mut self, before: &[OpenDuty], after: &DocketState, event: &DocketEvent) {
        let at = event.at;
        let still = after.duties();
        for duty in before {
            let same = |it: &OpenDuty| {
                (it.duty, it.term.arises, &it.who) == (duty.duty, duty.term.arises, &duty.who)
            };
            // A lapse was counted when the clock recorded it.
            let recorded = after.clock.is_overdue(duty.duty, duty.term.arises);
            if recorded || still.iter().any(same) {
                continue;
            }
            let late = statute::is_overdue(duty.term.due.as_millis(), at.as_millis());
            // The time to provide goes on after a suspension, and the clock says what became of it.
            let rests = duty.duty == Duty::Provide;
            if (rests || !late) && !meets(duty.duty, event) {
                continue;
            }
            if let Some(figures) = self.debtor(&duty.who) {
                let kept = figures.duties.entry(duty.duty).or_default();
                up(if late {
                    &mut kept.overdue
                } else {
                    &mut kept.in_time
                });
            }
        }
    }

    fn happened(&mut self, state: &DocketState, event: &DocketEvent) {
        match (&event.body, &state.case) {
            (DocketBody::Application(it), Case::Application(state)) => self.application(state, it),
            (DocketBody::Correction(it), Case::Correction(state)) => self.correction(state, it),
            (DocketBody::Supervision(it), Case::Supervision(state)) => self.supervision(state, it),
            (DocketBody::Incident(it), Case::Incident(state)) => self.incident(state, it),
            (DocketBody::Clock(it), _) => self.clock(state, it),
            (
                DocketBody::Application(_)
                | DocketBody::Correction(_)
                | DocketBody::Supervision(_)
                | DocketBody::Dispute(_)
                | DocketBody::ReturnFlow(_)
                | DocketBody::Update(_)
                | DocketBody::Need(_)
                | DocketBody::Incident(_)
                | DocketBody::Inspection(_)
                | DocketBody::OpenData(_)
                | DocketBody::Complaint(_)
                | DocketBody::Erasure(_)
                | DocketBody::Evaluation(_),
                _,
            ) => {}
        }
    }

    fn application(&mut self, state: &ApplicationState, event: &ApplicationEvent) {
        let provider_name = state.entry.entry.provider_name.as_str();
        if let Some(figures) = self.party(&state.provider, provider_name) {
            let uses = &mut figures.uses;
            match event {
                ApplicationEvent::Received { .. } => up(&mut uses.received),
                // Taken straight from the platform: nobody asked, nobody replied, but it was given.
                ApplicationEvent::Granted { .. } | ApplicationEvent::Taken { .. } => {
                    up(&mut uses.granted);
                }
                ApplicationEvent::Refused { .. } => up(&mut uses.refused),
                ApplicationEvent::Provided { .. } => up(&mut uses.provided),
                ApplicationEvent::MissingTold { .. }
                | ApplicationEvent::Supplemented { .. }
                | ApplicationEvent::ReplyProposed { .. }
                | ApplicationEvent::Providing { .. }
                | ApplicationEvent::UseRecorded { .. }
                | ApplicationEvent::UsesRead { .. }
                | ApplicationEvent::DisputeRaised { .. }
                | ApplicationEvent::Negotiated { .. }
                | ApplicationEvent::DisputeConcluded { .. }
                | ApplicationEvent::CorrectionTold { .. }
                | ApplicationEvent::Grant(_) => {}
            }
        }
        let requester_name = state.application.requester_name.as_str();
        if let Some(figures) = self.party(&state.requester, requester_name) {
            match event {
                ApplicationEvent::Received { .. } => up(&mut figures.uses.made),
                ApplicationEvent::Granted { .. } | ApplicationEvent::Taken { .. } => {
                    up(&mut figures.uses.obtained);
                }
                ApplicationEvent::UseRecorded { .. } => up(&mut figures.uses.recorded),
                ApplicationEvent::Grant(event) => grant_step(figures, &event.step),
                ApplicationEvent::MissingTold { .. }
                | ApplicationEvent::Supplemented { .. }
                | ApplicationEvent::ReplyProposed { .. }
                | ApplicationEvent::Refused { .. }
                | ApplicationEvent::Providing { .. }
                | ApplicationEvent::Provided { .. }
                | ApplicationEvent::UsesRead { .. }
                | ApplicationEvent::DisputeRaised { .. }
                | ApplicationEvent::Negotiated { .. }
                | ApplicationEvent::DisputeConcluded { .. }
                | ApplicationEvent::CorrectionTold { .. } => {}
            }
        }
    }

    fn correction(&mut self, state: &CorrectionState, event: &CorrectionEvent) {
        let Some(figures) = self.party(&state.provider, "") else {
            return;
        };
        let quality = &mut figures.quality;
        match event {
            CorrectionEvent::Asked { .. } => up(&mut quality.corrections_asked),
            CorrectionEvent::Answered { outcome, .. } => match outcome {
                CorrectionOutcome::Corrected { .. } => up(&mut quality.corrected),
                CorrectionOutcome::Upheld { .. } => up(&mut quality.upheld),
            },
        }
    }

    fn supervision(&mut self, state: &SupervisionState, event: &SupervisionEvent) {
        let figures = match &state.order.against {
            Accused::Department(party) => self.party(party, ""),
            Accused::Authority(place) => (*place == self.place).then_some(&mut self.authority),
        };
        let Some(figures) = figures else { return };
        let security = &mut figures.security;
        match event {
            SupervisionEvent::Ordered { .. } => up(&mut security.breaches),
            SupervisionEvent::Accepted { .. } => up(&mut security.complied),
            SupervisionEvent::Rejected { .. } => up(&mut security.rejected),
            SupervisionEvent::Escalated { .. } => up(&mut security.escalated),
            SupervisionEvent::Reported { .. } | SupervisionEvent::Circulated { .. } => {}
        }
    }

    fn incident(&mut self, state: &IncidentState, event: &IncidentEvent) {
        if state.place != self.place {
            return;
        }
        let Some(figures) = self.of(state.department, "") else {
            return;
        };
        let security = &mut figures.security;
        match event {
            IncidentEvent::Reported { .. } => up(&mut security.incidents),
            IncidentEvent::Stepped {
                step: IncidentStep::Close { .. },
                ..
            } => up(&mut security.incidents_closed),
            IncidentEvent::Stepped { .. } => {}
        }
    }

    fn clock(&mut self, state: &DocketState, event: &ClockEvent) {
        match event {
            ClockEvent::Overdue { duty, who, .. } => self.kept(who, *duty, |it| &mut it.overdue),
            ClockEvent::Justified { duty, arises, .. } => {
                let mut lapses = state.clock.lapses.iter();
                let lapse = lapses.find(|it| it.duty == *duty && it.arises == *arises);
                if let Some(lapse) = lapse {
                    self.kept(&lapse.who, *duty, |it| &mut it.justified);
                }
            }
            ClockEvent::Warned { .. }
            | ClockEvent::Recomputed { .. }
            | ClockEvent::ExtensionAsked { .. }
            | ClockEvent::Extended { .. }
            | ClockEvent::ExtensionRefused { .. }
            | ClockEvent::BreachFound { .. } => {}
        }
    }

    fn kept(&mut self, who: &Debtor, duty: Duty, which: fn(&mut super::Kept) -> &mut u32) {
        if let Some(figures) = self.debtor(who) {
            up(which(figures.duties.entry(duty).or_default()));
        }
    }

    /// R29: a grant of data that is held ends with its last day in Beijing, or when access is over before. Then its uses are all on record.
    fn ended_grant(&mut self, state: &ApplicationState, over: Option<Moment>) {
        let Some(terms) = state.held() else { return };
        let last_day = beijing_date(terms.until.as_millis());
        let last = Moment::from_millis(end_of_day_ms(last_day).saturating_sub(1));
        let ended = over.map_or(last, |over| over.min(last));
        if !self.counts(ended) {
            return;
        }
        let (name, unused) = (&state.application.requester_name, state.uses == 0);
        if let Some(figures) = self.party(&state.requester, name) {
            up(&mut figures.uses.ended);
            if unused {
                up(&mut figures.uses.unrecorded);
            }
        }
    }
}

/// Whether an event that ends a duty meets it: rectification is met by its report alone (R27), provision by providing (R22).
fn meets(duty: Duty, event: &DocketEvent) -> bool {
    let DocketBody::Application(event) = &event.body else {
        return true;
    };
    match duty {
        Duty::Rectify => matches!(
            event,
            ApplicationEvent::Grant(done) if matches!(done.step, GrantStep::ReportRectified { .. })
        ),
        Duty::Provide => matches!(event, ApplicationEvent::Providing { .. }),
        _ => true,
    }
}

/// A step in the life of a grant, on the requester's side.
fn grant_step(figures: &mut Figures, step: &GrantStep) {
    let security = &mut figures.security;
    match step {
        GrantStep::Suspend { .. } => up(&mut security.suspensions),
        GrantStep::Terminate { .. } => up(&mut security.terminations),
        GrantStep::Dispose { .. } => up(&mut security.disposals),
        GrantStep::AskWidening { .. }
        | GrantStep::AnswerWidening { .. }
        | GrantStep::ReportRectified { .. }
        | GrantStep::Restore { .. }
        | GrantStep::RequireDisposal { .. }
        | GrantStep::ProposeChange { .. }
        | GrantStep::AnswerChange { .. }
        | GrantStep::FileChange
        | GrantStep::CarryOutChange => {}
    }
}

fn access_is_over(case: &Case) -> bool {
    match case {
        Case::Application(state) => state.standing.access.is_over(),
        // What is no application gives no access.
        _ => false,
    }
}

fn up(count: &mut u32) {
    *count = count.saturating_add(1);
}
