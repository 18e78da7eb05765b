//! The people of this node: who is enrolled, and whose enrolment was ended before its term. R11.

use identity::{Signed, VerifyKey};
use sharing::act::{SignedAct, VerifiedAct};
use sharing::person::{
    Ending, MAX_PERSON_CERTIFICATE_BYTES, PersonCertificate, PersonError, check_may_end,
};
use statute::{Enrolment, Refusal, RefusalReason};

use super::acts::Outcome;
use super::project::PersonRow;
use super::tables::{View, person_key};
use super::{Context, Core};
use crate::store::{Fault, Table};

/// Whether and why the enrolment of a key was ended.
pub(super) fn ending<V: View + ?Sized>(view: &V, key: &VerifyKey) -> Result<Option<Ending>, Fault> {
    view.row(Table::Endings, &person_key(key))
}

const ACCEPTED: Outcome = Outcome::Accepted {
    docket: None,
    warnings: Vec::new(),
};

impl Core {
    /// Whether the enrolment of whoever signed a verified act still stands, and so does every one above it.
    pub(super) fn check_enrolment(
        &self,
        ctx: &Context<'_, '_>,
        signed: &SignedAct,
    ) -> Result<Result<(), Refusal>, Fault> {
        let links = &signed.signer.0;
        let claimed = links
            .iter()
            .filter_map(|link| link.claimed(MAX_PERSON_CERTIFICATE_BYTES).ok());
        let mut keys: Vec<VerifyKey> = claimed.map(|it: PersonCertificate| it.key).collect();
        let mut enrolment = Enrolment::default();
        let Some(holder) = keys.pop() else {
            return Ok(Ok(()));
        };
        let ended = ending(&*ctx.txn, &holder)?;
        enrolment.ended_ms = ended.map(|it| it.at.as_millis());
        for enroller in keys {
            let ended = ending(&*ctx.txn, &enroller)?.map(|it| it.at.as_millis());
            let earlier = enrolment.enroller_ended_ms.into_iter().chain(ended).min();
            enrolment.enroller_ended_ms = earlier;
        }
        if enrolment.enroller_ended_ms.is_some() {
            // The very certificates on record: an ended key may have signed others for the same person since.
            let row: Option<PersonRow> = ctx.txn.row(Table::People, &person_key(&holder))?;
            let row = row.filter(|row| row.chain == signed.signer);
            enrolment.recorded_ms = row.map(|row| row.since.as_millis());
        }
        Ok(statute::check_enrolment(&enrolment, ctx.now.as_millis()))
    }

    /// R11: the certificate holds under whoever enrols, and its key was not ended here before: whoever comes back brings a new one.
    pub(super) fn judge_enrolment(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        certificate: &Signed<PersonCertificate>,
    ) -> Result<Outcome, Fault> {
        let member = match self.membership_at_home(ctx.now) {
            Ok(member) => member,
            Err(refused) => return Ok(Outcome::Invalid(refused.to_string())),
        };
        let chain = act.signed().signer.with(certificate.clone());
        let enrolled = match chain.verify_links(member.certificate()) {
            Ok(enrolled) => enrolled,
            Err(PersonError::Refused(refusal)) => return Ok(Outcome::Refused(refusal)),
            Err(error) => return Ok(Outcome::Invalid(error.to_string())),
        };
        if ending(&*ctx.txn, &enrolled.key)?.is_some() {
            let article = statute::required_role(act.act().body.kind()).1;
            return Ok(Outcome::Refused(
                RefusalReason::EnrolmentEnded.under(article),
            ));
        }
        Ok(ACCEPTED)
    }

    /// R11: ended by whoever may enrol that role; once, or again with an earlier day. The key of the authority's head stands in this node's
    /// certificate and ends with it alone.
    pub(super) fn judge_ending(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        person: &VerifyKey,
        asked: &Ending,
    ) -> Result<Outcome, Fault> {
        let row: Option<PersonRow> = ctx.txn.row(Table::People, &person_key(person))?;
        let known = row.map(|row| row.certificate);
        if let Err(refusal) = check_may_end(act.doer(), known.as_ref()) {
            return Ok(Outcome::Refused(refusal));
        }
        let head = self
            .member
            .as_ref()
            .map(|it| it.certificate().authority_head);
        if head == Some(*person) {
            return Ok(Outcome::Invalid(
                "主管部门负责人由上级以新的节点证书更换 (the head of the authority is replaced by a new certificate of this node)".into(),
            ));
        }
        if ending(&*ctx.txn, person)?.is_some_and(|stands| stands.at <= asked.at) {
            let article = statute::required_role(act.act().body.kind()).1;
            let what = person.to_string();
            return Ok(Outcome::Refused(
                RefusalReason::Duplicate { what }.under(article),
            ));
        }
        Ok(ACCEPTED)
    }
}
