//! Columns: the types that the data plane knows, and which of them are asked for.

mod values;

use std::str::FromStr;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

pub use values::{BatchBuilder, Column};

use super::{DataError, MAX_COLUMNS};

/// The type of a column. Decimal numbers are text, so that no digit is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text in UTF-8.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A floating-point number of 64 bits.
    Real,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A moment, in microseconds UTC.
    Moment,
    /// A day and time of no zone, in microseconds.
    LocalTime,
    /// Bytes; as text `\x` and hexadecimal.
    Bytes,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] = [
        Kind::Text,
        Kind::Integer,
        Kind::Real,
        Kind::Boolean,
        Kind::Date,
        Kind::Moment,
        Kind::LocalTime,
        Kind::Bytes,
    ];

    /// Its word on the command line and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Moment => "moment",
            Self::LocalTime => "local-time",
            Self::Bytes => "bytes",
        }
    }

    /// Its type in Arrow.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Moment => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::LocalTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Bytes => DataType::Binary,
        }
    }

    /// The kind of an Arrow type that is one of ours exactly.
    pub fn of(data: &DataType) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.arrow() == *data)
    }

    /// The kind of a column.
    ///
    /// # Errors
    /// [`DataError::TypeChanged`] when its type is none of ours.
    pub fn of_field(field: &Field) -> Result<Self, DataError> {
        Self::of(field.data_type()).ok_or_else(|| DataError::TypeChanged {
            column: field.name().clone(),
            expected: Self::ALL.map(Self::word).join(", "),
            found: field.data_type().to_string(),
        })
    }
}

impl FromStr for Kind {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let known =
            || DataError::Address(format!("{text}: {}", Self::ALL.map(Self::word).join(", ")));
        Self::ALL
            .into_iter()
            .find(|kind| kind.word() == text)
            .ok_or_else(known)
    }
}

/// The columns that are asked for, with their types where they are stated; all when it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    columns: Vec<(String, Option<Kind>)>,
}

impl FromStr for Selection {
    type Err = DataError;

    /// Reads `code,name,born:date`.
    fn from_str(text: &str) -> Result<Self, DataError> {
        let mut selection = Self::default();
        for item in text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            let (name, kind) = match item.rsplit_once(':') {
                Some((name, kind)) => (name, Some(kind.parse()?)),
                None => (item, None),
            };
            if selection.columns.iter().any(|(known, _)| known == name) {
                return Err(DataError::ColumnTwice(name.to_owned()));
            }
            selection.columns.push((name.to_owned(), kind));
        }
        check_count(selection.columns.len())?;
        Ok(selection)
    }
}

fn check_count(columns: usize) -> Result<(), DataError> {
    if columns > MAX_COLUMNS {
        Err(DataError::TooManyColumns(columns))
    } else {
        Ok(())
    }
}

impl Selection {
    /// Where the columns that are asked for stand among those of a table, in the order asked for, with the kind stated.
    ///
    /// # Errors
    /// [`DataError`] when one is not there, when a name stands twice, or there are too many.
    pub fn within(&self, names: &[String]) -> Result<Vec<(usize, Option<Kind>)>, DataError> {
        let mut sorted: Vec<_> = names.iter().collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(DataError::ColumnTwice(pair[0].clone()));
        }
        if self.columns.is_empty() {
            check_count(names.len())?;
            return Ok((0..names.len()).map(|at| (at, None)).collect());
        }
        let place =
            |(wanted, kind): &(String, Option<Kind>)| position(names, wanted).map(|at| (at, *kind));
        self.columns.iter().map(place).collect()
    }

    /// The schema of the selected columns, where a kind that was stated has to be the one that is there.
    ///
    /// # Errors
    /// [`DataError::TypeChanged`] and what [`Selection::within`] gives.
    pub fn schema(
        &self,
        names: &[String],
        kinds: &[Kind],
    ) -> Result<(Vec<usize>, SchemaRef), DataError> {
        let mut places = Vec::new();
        let mut columns = Vec::new();
        for (at, stated) in self.within(names)? {
            let found = kinds.get(at).copied().unwrap_or(Kind::Text);
            if let Some(stated) = stated.filter(|stated| *stated != found) {
                return Err(DataError::TypeChanged {
                    column: names[at].clone(),
                    expected: stated.word().to_owned(),
                    found: found.word().to_owned(),
                });
            }
            places.push(at);
            columns.push((names[at].clone(), found));
        }
        Ok((places, schema(columns)))
    }
}

/// Where a column stands.
///
/// # Errors
/// [`DataError::NoColumn`].
pub fn position(names: &[String], wanted: &str) -> Result<usize, DataError> {
    names
        .iter()
        .position(|name| name == wanted)
        .ok_or_else(|| DataError::NoColumn {
            column: wanted.to_owned(),
            found: names.to_vec(),
        })
}

/// The names of a schema.
pub fn names(schema: &Schema) -> Vec<String> {
    schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect()
}

/// A schema of these columns; any value may be absent.
pub fn schema(columns: impl IntoIterator<Item = (String, Kind)>) -> SchemaRef {
    let field = |(name, kind): (String, Kind)| Field::new(name, kind.arrow(), true);
    Arc::new(Schema::new(
        columns.into_iter().map(field).collect::<Vec<_>>(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_selected_must_be_there_once_and_of_the_type_that_was_stated() {
        let names = ["code", "born", "name"].map(str::to_owned);
        let kinds = [Kind::Text, Kind::Date, Kind::Text];
        let select = |text: &str| {
            text.parse::<Selection>()
                .and_then(|it| it.schema(&names, &kinds))
        };
        let (places, schema) = select("name, born:date").unwrap();
        assert_eq!(places, [2, 1]);
        assert_eq!(schema.field(1).data_type(), &DataType::Date32);
        assert_eq!(select("").unwrap().0, [0, 1, 2]);
        assert!(matches!(select("nom"), Err(DataError::NoColumn { .. })));
        assert!(matches!(
            select("born:integer"),
            Err(DataError::TypeChanged { .. })
        ));
        assert!(matches!(
            select("name,name"),
            Err(DataError::ColumnTwice(_))
        ));
        let twice = ["a", "a"].map(str::to_owned);
        assert!(matches!(
            Selection::default().within(&twice),
            Err(DataError::ColumnTwice(_))
        ));
    }
}
