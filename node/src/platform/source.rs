//! The sources of a catalogue: one trait, one adapter for each kind of platform.

use std::fs;

use super::address::Location;
use super::ckan::Ckan;
use super::csv::Csv;
use super::dcat::Dcat;
use super::fetcher::Fetcher;
use super::mapping::{Mapping, SourceAt};
use super::spreadsheet::Spreadsheet;
use super::{Bounds, PullError, Record};

/// A platform whose catalogue can be pulled.
pub trait Source {
    /// Everything the platform describes, or an error: never a part of it.
    ///
    /// # Errors
    /// [`PullError`] when it fails, when less comes than the platform says it has, or when a bound is reached.
    fn pull(&self, fetcher: &mut Fetcher) -> Result<Vec<Record>, PullError>;
}

/// The source that a mapping names.
pub fn source(mapping: &Mapping) -> Box<dyn Source> {
    let key = mapping.fields.key.clone();
    match mapping.source.clone() {
        SourceAt::Ckan {
            address,
            filter,
            details,
            ..
        } => Box::new(Ckan {
            address,
            filter,
            details,
        }),
        SourceAt::Dcat { address, .. } => Box::new(Dcat { at: address }),
        SourceAt::Csv {
            address,
            encoding,
            rows,
            ..
        } => Box::new(Csv {
            at: address,
            encoding,
            rows,
            key,
        }),
        SourceAt::Xlsx {
            address,
            sheet,
            rows,
            ..
        } => Box::new(Spreadsheet {
            at: address,
            sheet,
            rows,
            key,
        }),
    }
}

/// Pulls everything a mapping's platform holds.
///
/// # Errors
/// As [`Source::pull`]; `NoToken` when the token's variable is not set; `Truncated` when fewer records come than the mapping expects at least.
pub fn pull(mapping: &Mapping, bounds: Bounds) -> Result<Vec<Record>, PullError> {
    let token = mapping
        .source
        .token_env()
        .map(|variable| {
            std::env::var(variable).map_err(|_| PullError::NoToken {
                variable: variable.to_owned(),
            })
        })
        .transpose()?;
    let records = source(mapping).pull(&mut Fetcher::new(token, bounds))?;
    match mapping.at_least {
        Some(least) if records.len() < least => Err(PullError::Truncated {
            said: least as u64,
            came: records.len() as u64,
        }),
        Some(_) | None => Ok(records),
    }
}

/// The bytes of a document.
pub(super) fn document(at: &Location, fetcher: &mut Fetcher) -> Result<Vec<u8>, PullError> {
    match at {
        Location::Http(address) => fetcher.get(address.as_str()),
        Location::File(path) => {
            let limit = fetcher.bounds().answer_bytes;
            let failed = |reason| PullError::File {
                path: path.clone(),
                reason,
            };
            if fs::metadata(path).map_err(failed)?.len() > limit {
                return Err(PullError::TooMuch {
                    what: super::fetcher::bytes(),
                    limit,
                });
            }
            fs::read(path).map_err(failed)
        }
    }
}
