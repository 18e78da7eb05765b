//! Copies: what a party keeps of a docket whose home is elsewhere, and what its home may and may not put into it.

use identity::planted::{self, Bug};
use identity::{Chain, Code, Member, Path, Signed};
use sharing::act::{ActBody, MAX_ACT_BYTES};
use sharing::application::DirectAct;
use sharing::docket::{
    self, DocketBody, DocketCopy, DocketError, DocketEvent, DocketId, DocketState,
};
use statute::Article;

use super::dockets::tip;
use super::tables::{DocketRow, View, act_key};
use super::{Context, Core};
use crate::store::{Fault, Table};
use crate::wire::Payload;

impl Core {
    /// A verified copy of a docket held here.
    pub(super) fn copy(
        &self,
        ctx: &Context<'_, '_>,
        docket: &DocketId,
    ) -> Result<Option<DocketCopy>, Fault> {
        let Some(row) = self.docket_row(ctx, docket)? else {
            return Ok(None);
        };
        // Whoever hears the case verifies the chain; that the home's certificate is over must not keep the case from being heard.
        let Some(home) = self.known_chain(ctx, &row.home.code())? else {
            return Ok(None);
        };
        let mut events = Vec::new();
        for sequence in 0..row.next {
            events.push(self.stored_event(ctx, docket, sequence)?);
        }
        Ok(Some(DocketCopy {
            home: home.chain,
            events,
        }))
    }

    /// Events from a docket's home, in its order: each is verified before it is kept.
    pub(super) fn copy_events(
        &mut self,
        ctx: &mut Context<'_, '_>,
        sender: &Member,
        home: &Chain,
        events: &[Signed<DocketEvent>],
    ) -> Result<(), Fault> {
        // A home speaks for itself; what others relay comes as a dispute's copy.
        if home
            .claimed()
            .map(|certificate| certificate.place)
            .ok()
            .as_ref()
            != Some(sender.place())
        {
            return Ok(());
        }
        for signed in events {
            let Ok(claimed) = signed.claimed(docket::MAX_EVENT_BYTES) else {
                continue;
            };
            let id = claimed.docket;
            let row = self.docket_row(ctx, &id)?;
            match docket::verify_event(
                row.as_ref().and_then(tip),
                signed,
                sender.place(),
                sender.signing_key(),
            ) {
                Ok(event) => {
                    let state = match DocketState::evolve(
                        row.as_ref().map(|row| row.state.clone()),
                        &event,
                    ) {
                        Ok(state) => state,
                        Err(error) => {
                            self.docket_finding(ctx, &id, sender, &error.to_string())?;
                            break;
                        }
                    };
                    if let Err(reason) = self.may_copy(ctx, sender, row.as_ref(), &event, &state)? {
                        self.docket_finding(ctx, &id, sender, reason)?;
                        break;
                    }
                    let doubts = self.doubts(ctx, row.as_ref(), &event, &state)?;
                    let event = self.record_event(ctx, signed, sender.place())?;
                    self.doubt_time(ctx, &event, doubts)?;
                    self.react_to_copy(ctx, &event)?;
                }
                Err(DocketError::Known(_)) => {}
                Err(DocketError::Gap { expected, .. }) => {
                    self.queue(
                        ctx,
                        sender.code(),
                        Payload::EventsWanted {
                            docket: id,
                            from: expected,
                        },
                    )?;
                    break;
                }
                Err(error) => {
                    self.docket_finding(ctx, &id, sender, &error.to_string())?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether an event that its sender signed may stand in the copy kept here. Signing is not enough: a docket has one home, which the law
    /// names and not the sender; it concerns this node; and no home speaks for this node's people.
    fn may_copy(
        &self,
        ctx: &Context<'_, '_>,
        sender: &Member,
        row: Option<&DocketRow>,
        event: &DocketEvent,
        state: &DocketState,
    ) -> Result<Result<(), &'static str>, Fault> {
        let Some(member) = &self.member else {
            return Ok(Err("无有效证书 (no certificate here)"));
        };
        let another = row.is_some_and(|row| row.home != *sender.place());
        if another && !planted::is(Bug::CopyFromAnotherHome) {
            return Ok(Err("不是该案卷的所在节点 (not this docket's home)"));
        }
        if !state.case.parties().contains(member.place()) && !state.case.finds_parties() {
            return Ok(Err("与本节点无关 (this node is no party)"));
        }
        if row.is_none() && !self.opens_at_its_home(ctx, sender, event)? {
            return Ok(Err("该案卷不应由此节点受理 (not the node to open it)"));
        }
        let before = row.map(|row| &row.state);
        if !event.body.rests_on_its_act(before) {
            return Ok(Err("与所载行为不符 (it alters the act in it)"));
        }
        for act in event.body.acts() {
            let ours = act
                .signer
                .holder()
                .is_none_or(|it| it.node == member.code());
            let done_here = ctx.txn.raw(Table::Seen, &act_key(&act.id()))?.is_some();
            if ours && !done_here && act.verify(member.certificate(), event.at).is_err() {
                return Ok(Err(
                    "所载本节点人员的行为无效 (an act of this node's people does not hold)",
                ));
            }
        }
        Ok(Ok(()))
    }

    /// Whether the first event of a docket comes from the node that owes its first step: the provider's for an application (R20), the source's for
    /// return flow (R24), a common superior's for a dispute about a docket held here (R28), for a correction the home of the application under
    /// which the data is held (R26), that of an authority above for an order against the one here (R41), that of the department that needs for a
    /// need (R20), for an incident the node where it happened (R35), for a reading of records the node that keeps them (R29), for a complaint the
    /// node that received it (R37), for a report that of the level directly below (R38).
    fn opens_at_its_home(
        &self,
        ctx: &Context<'_, '_>,
        sender: &Member,
        event: &DocketEvent,
    ) -> Result<bool, Fault> {
        use sharing::application::ApplicationEvent;
        use sharing::complaint::ComplaintEvent;
        use sharing::correction::CorrectionEvent;
        use sharing::dispute::DisputeEvent;
        use sharing::evaluation::EvaluationEvent;
        use sharing::incident::IncidentEvent;
        use sharing::need::NeedEvent;
        use sharing::reading::InspectionEvent;
        use sharing::return_flow::ReturnFlowEvent;
        use sharing::supervision::{Accused, SupervisionEvent};
        Ok(match &event.body {
            DocketBody::Application(ApplicationEvent::Received { apply, .. }) => {
                let said = apply.act.claimed(MAX_ACT_BYTES).map(|act| act.body);
                let there = |asked: &Path| asked == sender.place();
                apply.id().0 == event.docket.0
                    && matches!(said, Ok(ActBody::Apply { application }) if there(&application.provider_node))
            }
            DocketBody::Application(ApplicationEvent::Taken { act, .. }) => {
                let said = act.act.claimed(MAX_ACT_BYTES).map(|act| act.body);
                let there = |asked: &Path| asked == sender.place();
                act.id().0 == event.docket.0
                    && matches!(said, Ok(ActBody::Direct(DirectAct::Take { application, .. })) if there(&application.provider_node))
            }
            DocketBody::ReturnFlow(ReturnFlowEvent::Subscribed { act, .. }) => {
                let said = act.act.claimed(MAX_ACT_BYTES).map(|act| act.body);
                let there = |source: Code| source == sender.code();
                act.id().0 == event.docket.0
                    && matches!(said, Ok(ActBody::Subscribe(said)) if there(said.source))
            }
            DocketBody::Dispute(DisputeEvent::Referred {
                complainant,
                respondent,
                about,
                ..
            }) => {
                let common = Path::common_path(&complainant.node, &respondent.node);
                let above = *sender.place() == common || sender.place().is_ancestor_of(&common);
                above && self.docket_row(ctx, about)?.is_some()
            }
            DocketBody::Complaint(ComplaintEvent::Received { intake, place, .. }) => {
                intake.docket() == event.docket && place == sender.place()
            }
            DocketBody::Correction(CorrectionEvent::Asked { act, request, .. }) => {
                let about = self.docket_row(ctx, &request.about)?;
                act.id().0 == event.docket.0 && about.is_some_and(|it| it.home == *sender.place())
            }
            DocketBody::Supervision(SupervisionEvent::Ordered {
                act,
                by,
                supervisor,
                order,
                ..
            }) => {
                let entitled = match &order.against {
                    Accused::Authority(accused) => {
                        let orderer = (by, *supervisor);
                        statute::check_orders_authority(orderer, accused, Path::is_ancestor_of)
                            .is_ok()
                    }
                    Accused::Department(_) => false,
                };
                let signed = || act.verify(sender.certificate(), event.at).is_ok();
                act.id().0 == event.docket.0 && by == sender.place() && entitled && signed()
            }
            DocketBody::Need(NeedEvent::Reported {
                act, department, ..
            }) => {
                let signed = || act.verify(sender.certificate(), event.at).is_ok();
                act.id().0 == event.docket.0 && department.node == *sender.place() && signed()
            }
            DocketBody::Incident(IncidentEvent::Reported { act, place, .. }) => {
                let signed = || act.verify(sender.certificate(), event.at).is_ok();
                act.id().0 == event.docket.0 && place == sender.place() && signed()
            }
            DocketBody::Inspection(InspectionEvent::Ordered { act, by, order, .. }) => {
                let ours = Some(by) == self.place();
                act.id().0 == event.docket.0 && ours && order.keeper == *sender.place()
            }
            // That the report is on the sender's own place is checked where it is opened; that the sender is a child here, by who the parties are.
            DocketBody::Evaluation(EvaluationEvent::Reported { act }) => {
                let signed = || act.verify(sender.certificate(), event.at).is_ok();
                act.id().0 == event.docket.0 && signed()
            }
            _ => false,
        })
    }

    fn docket_finding(
        &self,
        ctx: &mut Context<'_, '_>,
        docket: &DocketId,
        sender: &Member,
        error: &str,
    ) -> Result<(), Fault> {
        ctx.finding(
            format!(
                "{}送来的案卷{}事件未被接受：{error}",
                sender.code(),
                docket.0.short()
            ),
            format!(
                "an event of docket {} from {} was not accepted: {error}",
                docket.0.short(),
                sender.code()
            ),
            Some(Article::R29),
        )
    }
}
