//! What the public asks of this node: bounded, judged, and opened as a docket whose first event is the node's own word. Nothing is written of
//! what is refused.

use identity::Digest;
use sharing::clock::Debtor;
use sharing::complaint;
use sharing::docket::{DocketBody, DocketId};
use sharing::open_data;
use sharing::public::{Intake, PublicRequest};
use statute::{Article, Refusal};

use super::query::{opening_of, published_in};
use super::tables::{View, counter, meta, receipt_key};
use super::{Answer, Context, Core, Effect, Refused, Token};
use crate::store::{Fault, Table};

/// Most cases of the public that wait for an answer at one node: a city's of several weeks. Beyond, nothing more is taken until some are answered.
pub const MAX_WAITING: u64 = 2_000;

impl Core {
    /// Takes a request of the public; the same receipt opens one docket.
    pub(super) fn public_request(
        &mut self,
        ctx: &mut Context<'_, '_>,
        token: Token,
        receipt: Digest,
        request: PublicRequest,
    ) -> Result<(), Fault> {
        let answer = self.take_request(ctx, receipt, request)?;
        ctx.effects.push(Effect::Answer { token, answer });
        Ok(())
    }

    fn take_request(
        &mut self,
        ctx: &mut Context<'_, '_>,
        receipt: Digest,
        request: PublicRequest,
    ) -> Result<Result<Answer, Refused>, Fault> {
        if let Err(refused) = self.membership_at_home(ctx.now) {
            return Ok(Err(refused));
        }
        let mut answer = Answer {
            docket: ctx.txn.row(Table::Receipts, &receipt_key(&receipt))?,
            repeated: true,
            ..Answer::at(ctx.now)
        };
        if answer.docket.is_some() {
            return Ok(Ok(answer));
        }
        if counter(&*ctx.txn, meta::PUBLIC_WAITING)? >= MAX_WAITING {
            return Ok(Err(Refused::Fault(
                "待答复的公众申请过多 / too many requests of the public wait for an answer".into(),
            )));
        }
        let at = ctx.now;
        let intake = Intake {
            receipt,
            at,
            request,
        };
        let docket = intake.docket();
        let received = match self.receive(ctx, intake)? {
            Ok(received) => received,
            Err(refusal) => return Ok(Err(Refused::Lawful(refusal))),
        };
        if let Err(refusal) = self.append(ctx, docket, vec![received])? {
            return Ok(Err(Refused::Lawful(refusal)));
        }
        (answer.docket, answer.repeated) = (Some(docket), false);
        Ok(Ok(answer))
    }

    fn receive(
        &self,
        ctx: &Context<'_, '_>,
        intake: Intake,
    ) -> Result<Result<DocketBody, Refusal>, Fault> {
        let Some(here) = self.place() else {
            return Err(Fault("no place".into()));
        };
        match &intake.request {
            PublicRequest::OpenData { entry, .. } => {
                let published = published_in(&*ctx.txn, &here.code(), entry)?.map(|it| it.entry);
                let mark = opening_of(&*ctx.txn, &here.code(), entry)?;
                let held = (published.as_ref(), mark.as_ref());
                let received = open_data::receive(intake, held, here, &self.law());
                Ok(received.map(DocketBody::OpenData))
            }
            PublicRequest::Complaint { .. } => {
                let received = complaint::receive(intake, here, &self.law());
                Ok(received.map(DocketBody::Complaint))
            }
        }
    }

    /// R37: the place that a complaint was passed on to learns that it has it.
    pub(super) fn complaint_passed_on(
        &self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        to: &Debtor,
    ) -> Result<(), Fault> {
        if self.place() != Some(to.node()) {
            return Ok(());
        }
        let what = ("投诉举报（转办）", "a complaint, passed on");
        self.public_waits(ctx, docket, what, Article::R37)
    }

    /// The operator learns that somebody of the public waits for an answer; what they wrote stands in the docket alone.
    pub(super) fn public_waits(
        &self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        (zh, en): (&str, &str),
        article: Article,
    ) -> Result<(), Fault> {
        let short = docket.0.short();
        ctx.finding(
            format!("收到公众{zh}，案卷{short}，请及时处理"),
            format!("the public sent {en}: docket {short} is to be answered"),
            Some(article),
        )
    }
}
