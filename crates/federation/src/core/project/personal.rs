//! Personal content: which this node holds, lacks, or is to destroy. The content itself is in no table.

use identity::{Code, Digest};
use sharing::act::{ActBody, ActId, Opens};
use sharing::docket::{DocketBody, DocketEvent, DocketId};
use sharing::erasure::ErasureEvent;

use super::cases::wanted_key;
use crate::core::tables::{
    DestroyRow, DocketRow, PrivateRow, PrivateStanding, View, WantedRow, destroy_key, docket_key,
    private_key, put, said_key, shown_key,
};
use crate::store::{Fault, Table, Txn};

/// An act of this node's people: the content came with it.
pub(super) fn said(txn: &mut Txn<'_>, id: ActId, body: &ActBody) -> Result<(), Fault> {
    let private = body.private();
    if private.is_empty() {
        return Ok(());
    }
    let home_of = |txn: &Txn<'_>, docket: &DocketId| -> Result<Option<Code>, Fault> {
        let row: Option<DocketRow> = txn.row(Table::Dockets, &docket_key(docket))?;
        Ok(row.map(|row| row.home.code()))
    };
    let opened = DocketId(id.0);
    let (docket, home) = match (body.docket(), body.opens()) {
        (Some(docket), _) => (docket, home_of(txn, &docket)?),
        (None, Some(Opens::HomeOf(about))) => (opened, home_of(txn, &about)?),
        (None, Some(Opens::At(code))) => (opened, Some(code)),
        // At this very node: nobody else is given it before the docket is there.
        (None, Some(Opens::Here) | None) => (opened, None),
    };
    let digests: Vec<Digest> = private.iter().map(|it| it.digest).collect();
    put(txn, Table::Private, said_key(&id), &digests);
    for private in private {
        let key = private_key(&private.digest);
        if txn.raw(Table::Private, &key)?.is_none() {
            let row = PrivateRow {
                private,
                docket,
                home,
                standing: PrivateStanding::Held,
            };
            put(txn, Table::Private, key, &row);
        }
    }
    Ok(())
}

/// A docket's event: content that it commits to is wanted unless it is here; what was erased is to be destroyed. What no act of a person says was
/// said to the home itself, which stored it before the event: `at_home` it is held.
pub(super) fn event(txn: &mut Txn<'_>, event: &DocketEvent, at_home: bool) -> Result<(), Fault> {
    let standing = match at_home && event.body.acts().is_empty() {
        true => PrivateStanding::Held,
        false => PrivateStanding::Wanted,
    };
    let docket = event.docket;
    for private in event.body.private() {
        let key = private_key(&private.digest);
        let known: Option<PrivateRow> = txn.row(Table::Private, &key)?;
        if let Some(known) = known {
            if known.docket != docket {
                put(
                    txn,
                    Table::Private,
                    shown_key(&private.digest, &docket),
                    &docket,
                );
            }
            continue;
        }
        let row = PrivateRow {
            private,
            docket,
            home: Some(event.home.code()),
            standing,
        };
        put(txn, Table::Private, key, &row);
        if standing == PrivateStanding::Held {
            continue;
        }
        let wanted = WantedRow {
            docket,
            sequence: event.sequence,
            tries: 0,
        };
        let key = wanted_key(&docket, &private.digest);
        put(txn, Table::Objects, key, &wanted);
    }
    match &event.body {
        DocketBody::Erasure(ErasureEvent::Decided { contents, .. }) => {
            to_destroy(txn, docket, contents)
        }
        _ => Ok(()),
    }
}

/// These contents of a docket are to be destroyed here, whether they have come yet or not.
pub(super) fn to_destroy(
    txn: &mut Txn<'_>,
    docket: DocketId,
    contents: &[Digest],
) -> Result<(), Fault> {
    for content in contents.iter().copied() {
        let stands = stands(txn, docket, content, PrivateStanding::Destroying)?;
        txn.delete(Table::Objects, wanted_key(&docket, &content));
        if stands {
            let row = DestroyRow { docket, content };
            put(txn, Table::Private, destroy_key(&content), &row);
        }
    }
    Ok(())
}

/// They are destroyed.
pub(super) fn destroyed(
    txn: &mut Txn<'_>,
    docket: DocketId,
    contents: &[Digest],
) -> Result<(), Fault> {
    for content in contents {
        stands(txn, docket, *content, PrivateStanding::Destroyed)?;
        txn.delete(Table::Private, destroy_key(content));
    }
    Ok(())
}

/// A fetch ended well: of an object, or of personal content.
pub(super) fn fetched(txn: &mut Txn<'_>, docket: DocketId, object: Digest) -> Result<(), Fault> {
    txn.delete(Table::Objects, wanted_key(&docket, &object));
    stands(txn, docket, object, PrivateStanding::Held).map(|_| ())
}

/// Sets where a content of this docket stands; says whether there is one.
fn stands(
    txn: &mut Txn<'_>,
    docket: DocketId,
    content: Digest,
    standing: PrivateStanding,
) -> Result<bool, Fault> {
    let key = private_key(&content);
    let row: Option<PrivateRow> = txn.row(Table::Private, &key)?;
    let Some(row) = row.filter(|row| row.docket == docket) else {
        return Ok(false);
    };
    put(txn, Table::Private, key, &PrivateRow { standing, ..row });
    Ok(true)
}
