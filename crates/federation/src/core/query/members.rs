//! Members of the federation and people of this node.

use identity::{Chain, Code, Moment, VerifyKey};
use sharing::person::PersonChain;

use statute::Calendar;

use super::MAX_PAGE;
use crate::core::notices::{in_force, installed_notice, with_installed};
use crate::core::people::ending;
use crate::core::project::PersonRow;
use crate::core::tables::{ChainRow, NoticeRow, View, code_key, decode_row, meta, person_key};
use crate::core::view::{NoticeView, PersonView};
use crate::store::{Fault, Read, Table};
use crate::wire::Notice;

/// People enrolled here.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn people(read: &dyn Read, limit: usize) -> Result<Vec<PersonView>, Fault> {
    let mut found = Vec::new();
    for (_, row) in read.scan(Table::People, b"", None, limit.min(MAX_PAGE))? {
        let row: PersonRow = decode_row(Table::People, &row)?;
        found.push(PersonView {
            ended: ending(read, &row.certificate.key)?,
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
        .row::<PersonRow>(Table::People, &person_key(key))?
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

/// Working days as this node counts them: the notices that come with the program, then those installed.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn calendar(read: &dyn Read) -> Result<Calendar, Fault> {
    with_installed(read, Calendar::national())
}

/// The holiday notices in force here, by year; at most one a year.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn notices(read: &dyn Read) -> Result<Vec<NoticeView>, Fault> {
    let installed = in_force(read)?;
    let since = |year: i16| {
        let of_year = |(row, notice): &(NoticeRow, Notice)| {
            let read = installed_notice(notice)?;
            (read.notice.year() == year).then_some(row.at)
        };
        installed.iter().find_map(of_year)
    };
    let calendar = calendar(read)?;
    let notices = calendar.years().filter_map(|year| calendar.notice(year));
    Ok(notices
        .map(|notice| NoticeView {
            year: notice.year(),
            number: notice.number().to_owned(),
            title: notice.title().to_owned(),
            installed: since(notice.year()),
        })
        .collect())
}

/// Whether a certificate was revoked, as far as this node knows. A read that fails counts as revoked.
pub fn is_revoked(read: &dyn Read, issuer: &Code, serial: u64) -> bool {
    crate::core::revoked(read)(issuer, serial)
}
