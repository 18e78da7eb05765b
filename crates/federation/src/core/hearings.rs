//! Disputes before the common superior (R28): referred by the complainant's node, passed on by an authority that is itself a party, opened here,
//! and concluded at the disputed docket's home.

use identity::{Certificate, Code, Member, Path};
use sharing::application;
use sharing::dispute::{self, Bench};
use sharing::docket::{Case, DocketBody, DocketCopy, DocketId, DocketState};
use statute::{Article, Refusal, RefusalReason};

use super::dockets::bodies;
use super::{Context, Core};
use crate::store::Fault;
use crate::wire::Payload;

/// Most places that may pass a case on: the depth of the tree.
const MAX_PASSED_ON: usize = 8;

impl Core {
    /// The complainant's own verified copy opens the case before the common superior. It comes from the complainant's node, or from a place
    /// below whose authority is itself a party.
    pub(super) fn dispute_referred(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        about: DocketId,
        copy: DocketCopy,
        passed_on: Vec<Path>,
    ) -> Result<(), Fault> {
        let Some(bench) = self.bench(ctx)? else {
            return self.refuse_referral(ctx, from, about, dispute::no_authority());
        };
        let disputed = match copy.verify(
            &self.me.root,
            ctx.now,
            &self.certificates(ctx, from, &copy)?,
        ) {
            Ok((
                DocketState {
                    case: Case::Application(state),
                    ..
                },
                _,
            )) => state,
            Ok(_) | Err(_) => {
                let refusal = RefusalReason::NotNegotiated.under(Article::R28);
                return self.refuse_referral(ctx, from, about, refusal);
            }
        };
        let Some((docket, complainant, respondent)) = dispute::case(&disputed) else {
            let refusal = RefusalReason::NotNegotiated.under(Article::R28);
            return self.refuse_referral(ctx, from, about, refusal);
        };
        if !may_refer(from.place(), &complainant.node, &passed_on, &bench)
            || self.docket_row(ctx, &docket)?.is_some()
        {
            return Ok(());
        }
        let own = bench.is_party(&complainant, &respondent);
        let hearing = dispute::hearing_place(&complainant, &respondent, |place| {
            passed_on.contains(place) || (own && *place == bench.node)
        });
        if hearing.place != bench.node && own {
            return self.pass_on(ctx, &bench, about, copy, passed_on);
        }
        let home = copy.home.clone();
        let command = dispute::Command::Refer {
            about,
            copy: Box::new(copy),
            disputed,
            hearing,
        };
        match dispute::decide(None, &command, &bench) {
            Ok(events) => {
                self.learn(ctx, &home, ctx.now)?;
                self.append_or_tell(ctx, docket, bodies(DocketBody::Dispute)(events))
            }
            Err(refusal) => self.refuse_referral(ctx, from, about, refusal),
        }
    }

    /// An authority that is itself a party never hears the case: the next above does.
    fn pass_on(
        &mut self,
        ctx: &mut Context<'_, '_>,
        bench: &Bench,
        about: DocketId,
        copy: DocketCopy,
        mut passed_on: Vec<Path>,
    ) -> Result<(), Fault> {
        let Some(above) = bench.node.parent() else {
            return Ok(());
        };
        passed_on.push(bench.node.clone());
        ctx.finding(
            format!(
                "本级主管部门是争议一方，案卷{}的争议已移送{above}",
                about.0.short()
            ),
            format!(
                "the authority here is a party: the dispute over docket {} went to {above}",
                about.0.short()
            ),
            Some(Article::R28),
        )?;
        let payload = Payload::ReferDispute {
            about,
            copy,
            passed_on,
        };
        self.queue(ctx, above.code(), payload)
    }

    /// The certificates under which the acts in a referred copy are proved: those of its home, of whoever sent it, and of the nodes known here.
    fn certificates(
        &self,
        ctx: &Context<'_, '_>,
        from: &Member,
        copy: &DocketCopy,
    ) -> Result<impl Fn(Code) -> Option<Certificate> + use<>, Fault> {
        let home = copy
            .home
            .verify(&self.me.root, ctx.now, &super::revoked(&*ctx.txn))
            .ok();
        let mut known: Vec<Certificate> = [Some(from.clone()), home]
            .into_iter()
            .flatten()
            .map(|member| member.certificate().clone())
            .collect();
        for event in copy.events.iter().take(1) {
            let Ok(opening) = event.claimed(sharing::docket::MAX_EVENT_BYTES) else {
                continue;
            };
            for act in opening.body.acts() {
                let node = act.signer.holder().map(|holder| holder.node);
                if let Some(node) = node
                    && let Some(member) = self.known_member(ctx, &node)?
                {
                    known.push(member.certificate().clone());
                }
            }
        }
        Ok(move |code: Code| {
            known
                .iter()
                .find(|certificate| certificate.code() == code)
                .cloned()
        })
    }

    /// The complainant is told why its dispute is not heard here; there is no act to name, so the disputed docket stands for it.
    fn refuse_referral(
        &mut self,
        ctx: &mut Context<'_, '_>,
        to: &Member,
        about: DocketId,
        refusal: Refusal,
    ) -> Result<(), Fault> {
        let (docket, act) = (about, sharing::act::ActId(about.0));
        let refused = Payload::Refused {
            docket,
            act,
            refusal,
        };
        self.queue(ctx, to.code(), refused)
    }

    /// Only the common superior of the parties may conclude a dispute.
    pub(super) fn dispute_concluded(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        dispute: DocketId,
        about: DocketId,
        outcome: &str,
    ) -> Result<(), Fault> {
        let Some(row) = self.home_row(ctx, &about)? else {
            return Ok(());
        };
        let Case::Application(state) = &row.state.case else {
            return Ok(());
        };
        let both = |place: &identity::Path| {
            let above = |party: &identity::Path| place == party || place.is_ancestor_of(party);
            above(&state.requester.node) && above(&state.provider.node)
        };
        if !both(from.place()) {
            return Ok(());
        }
        let command = application::Command::DisputeConcluded {
            dispute,
            outcome: outcome.to_owned(),
        };
        if let Ok(events) =
            application::decide(Some(state), &command, &self.step(ctx.now, &row.state.clock))
        {
            self.append_or_tell(ctx, about, bodies(DocketBody::Application)(events))?;
        }
        Ok(())
    }
}

/// Whether a referral comes from where it may: from the complainant's node itself, or from the last of the places that passed it on, each the
/// parent of the one before and this one's child.
fn may_refer(from: &Path, complainant: &Path, passed_on: &[Path], bench: &Bench) -> bool {
    let Some(last) = passed_on.last() else {
        return from == complainant;
    };
    let climbs = passed_on
        .windows(2)
        .all(|pair| pair[0].parent().as_ref() == pair.get(1));
    let begins = passed_on
        .first()
        .is_some_and(|first| first == complainant || first.is_ancestor_of(complainant));
    passed_on.len() <= MAX_PASSED_ON
        && climbs
        && begins
        && from == last
        && last.parent().as_ref() == Some(&bench.node)
}
