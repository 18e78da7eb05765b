//! Members: chains, certificates, revocations, and the people of this node.

use identity::{Chain, Digest, Moment, Revocation, Signed};
use serde::{Deserialize, Serialize};
use sharing::act::{MAX_ACT_BYTES, SignedAct};
use sharing::person::{PersonCertificate, PersonChain};

use crate::core::chains::age;
use crate::core::checkpoints::MAX_CHECKPOINT_BYTES;
use crate::core::notices::installed_notice;
use crate::core::tables::{
    ChainRow, NoticeRow, View, code_key, counter, meta, notice_key, person_key, put, serial_key,
    set_counter,
};
use crate::store::{Fault, Table, Txn};
use crate::wire::Notice;

/// A person enrolled at this node, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// The chain that ends with the person.
    pub chain: PersonChain,
    /// The certificate at its end.
    pub certificate: PersonCertificate,
    /// Name of the department.
    pub department_name: String,
    /// When.
    pub since: Moment,
}

/// A chain was installed: the node has its place.
pub(super) fn installed(txn: &mut Txn<'_>, chain: &Chain, at: Moment) -> Result<(), Fault> {
    put(txn, Table::Meta, meta::CHAIN.to_vec(), chain);
    remember_chain(txn, chain, at)
}

pub(super) fn certified(txn: &mut Txn<'_>, chain: &Chain, at: Moment) -> Result<(), Fault> {
    let Ok(certificate) = chain.claimed() else {
        return Ok(());
    };
    let newest = counter(txn, meta::SERIAL)?.max(certificate.serial);
    set_counter(txn, meta::SERIAL, newest);
    put(
        txn,
        Table::Children,
        code_key(&certificate.place.code()),
        chain,
    );
    remember_chain(txn, chain, at)
}

/// Under the code the newest chain; beside it, under code and key, the newest of each key, for what was signed with an earlier one.
pub(super) fn remember_chain(txn: &mut Txn<'_>, chain: &Chain, as_of: Moment) -> Result<(), Fault> {
    if let Ok(certificate) = chain.claimed() {
        let chain = chain.clone();
        let row = ChainRow { chain, as_of };
        let mut by_key = code_key(&certificate.place.code());
        let known: Option<ChainRow> = txn.row(Table::Chains, &by_key)?;
        if known.is_none_or(|known| age(&known.chain) <= age(&row.chain)) {
            put(txn, Table::Chains, by_key.clone(), &row);
        }
        by_key.extend_from_slice(certificate.signing_key.as_bytes());
        put(txn, Table::Chains, by_key, &row);
    }
    Ok(())
}

pub(super) fn revoked(
    txn: &mut Txn<'_>,
    revocation: &Signed<Revocation>,
    at: Moment,
) -> Result<(), Fault> {
    if let Ok(claimed) = revocation.claimed(MAX_CHECKPOINT_BYTES) {
        put(
            txn,
            Table::Revocations,
            serial_key(&claimed.issuer, claimed.serial),
            revocation,
        );
        put(txn, Table::Meta, meta::REVOCATIONS_AS_OF.to_vec(), &at);
    }
    Ok(())
}

/// A holiday notice stands for its year.
pub(super) fn notice_taken(txn: &mut Txn<'_>, body: Digest, at: Moment) -> Result<(), Fault> {
    let notice: Notice = txn.body_as(&body)?;
    let read = installed_notice(&notice)
        .ok_or_else(|| Fault(format!("stored notice {body} cannot be read")))?;
    let row = NoticeRow {
        body,
        signed: read.signed,
        at,
    };
    put(txn, Table::Notices, notice_key(read.notice.year()), &row);
    Ok(())
}

/// A person enrolled, with the chain of whoever enrolled them.
pub(super) fn enrolled(
    txn: &mut Txn<'_>,
    enroller: &PersonChain,
    certificate: &Signed<PersonCertificate>,
    department_name: &str,
    since: Moment,
) {
    let Ok(claimed) = certificate.claimed(MAX_ACT_BYTES) else {
        return;
    };
    let mut chain = enroller.clone();
    chain.0.push(certificate.clone());
    let key = person_key(&claimed.key);
    let row = PersonRow {
        chain,
        certificate: claimed,
        department_name: department_name.to_owned(),
        since,
    };
    put(txn, Table::People, key, &row);
}

/// The authority's head comes first in every chain and is remembered from the first act seen.
pub(super) fn authority_head(
    txn: &mut Txn<'_>,
    signed: &SignedAct,
    at: Moment,
) -> Result<(), Fault> {
    let Some(head) = signed.signer.0.first() else {
        return Ok(());
    };
    let Ok(certificate) = head.claimed(MAX_ACT_BYTES) else {
        return Ok(());
    };
    let key = person_key(&certificate.key);
    if txn.raw(Table::People, &key)?.is_none() {
        let chain = PersonChain(vec![head.clone()]);
        put(
            txn,
            Table::People,
            key,
            &PersonRow {
                chain,
                certificate,
                department_name: String::from("政务数据共享主管部门"),
                since: at,
            },
        );
    }
    Ok(())
}
