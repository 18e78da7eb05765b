//! Members of the federation and people of this node.

use identity::{Chain, Code, Moment, VerifyKey};
use sharing::person::PersonChain;

use super::MAX_PAGE;
use crate::core::project::PersonRow;
use crate::core::tables::{ChainRow, View, code_key, decode_row, meta};
use crate::core::view::PersonView;
use crate::store::{Fault, Read, Table};

/// People enrolled here.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn people(read: &dyn Read, limit: usize) -> Result<Vec<PersonView>, Fault> {
    let mut found = Vec::new();
    for (_, row) in read.scan(Table::People, b"", None, limit.min(MAX_PAGE))? {
        let row: PersonRow = decode_row(Table::People, &row)?;
        found.push(PersonView {
            certificate: row.certificate,
            department_name: row.department_name,
            since: row.since,
        });
    }
    Ok(found)
}

/// The chain of a person by key, to be sent along with that person's acts.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn person_chain(read: &dyn Read, key: &VerifyKey) -> Result<Option<PersonChain>, Fault> {
    Ok(read
        .row::<PersonRow>(Table::People, key.to_string().as_bytes())?
        .map(|row| row.chain))
}

/// A node's chain as known here, and as of when.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn chain(read: &dyn Read, code: Code) -> Result<Option<(Chain, Moment)>, Fault> {
    if let Some(own) = own_chain(read)?.and_then(|own| own.upto(code)) {
        let as_of = own
            .claimed()
            .map_or(Moment::MIN, |certificate| certificate.valid_from);
        return Ok(Some((own, as_of)));
    }
    Ok(read
        .row::<ChainRow>(Table::Chains, &code_key(&code))?
        .map(|row| (row.chain, row.as_of)))
}

/// This node's own chain.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn own_chain(read: &dyn Read) -> Result<Option<Chain>, Fault> {
    read.row(Table::Meta, meta::CHAIN)
}

/// Whether a certificate was revoked, as far as this node knows. A read that fails counts as revoked.
pub fn is_revoked(read: &dyn Read, issuer: &Code, serial: u64) -> bool {
    crate::core::revoked(read)(issuer, serial)
}
