//! HTTP services as sources: rows as JSON objects, in pages.
//!
//! An address with `{offset}` and `{limit}` is asked page by page. A page is `{"items": […], "total": N, "snapshot": "…"}`; every page of
//! one reading must name the same snapshot, or what was read is not one. A service without pages answers such an object, or the list alone.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::address::Service;
use super::columns::{BatchBuilder, Kind, schema};
use super::record::Origin;
use super::{DataError, Selection, Source};
use crate::platform::Bounds;
use crate::platform::fetcher::Fetcher;

/// Rows asked for in one page.
const PAGE_ROWS: u64 = 1_000;
/// Most pages of one reading: ten million rows.
const MAX_PAGES: u64 = 10_000;

/// An answer.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    Page(Page),
    List(Vec<Map<String, Value>>),
}

#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<Map<String, Value>>,
    #[serde(default)]
    total: Option<u64>,
    #[serde(default)]
    snapshot: Option<String>,
}

/// A service that is read as one snapshot.
pub struct HttpSource {
    origin: Origin,
    template: String,
    fetcher: Fetcher,
    header: Vec<String>,
    places: Vec<usize>,
    schema: SchemaRef,
    builder: BatchBuilder,
    waiting: VecDeque<Map<String, Value>>,
    came: u64,
    pages: u64,
    over: bool,
}

impl HttpSource {
    /// Asks for the first page, which names the columns.
    ///
    /// # Errors
    /// [`DataError`] when the service cannot be reached or lacks a column.
    pub fn open(service: &Service, selection: &Selection) -> Result<Self, DataError> {
        let template = service.0.to_string();
        // A token in the address's parameters is not repeated.
        let shown = template.split('?').next().unwrap_or_default().to_owned();
        let mut fetcher = Fetcher::new(
            None,
            Bounds {
                redirects: 0,
                ..Bounds::default()
            },
        );
        let page = fetch(&mut fetcher, &template, 0, &shown)?;
        let mut header: Vec<String> = page
            .items
            .iter()
            .flat_map(|item| item.keys().cloned())
            .collect();
        header.sort_unstable();
        header.dedup();
        let wanted = selection.within(&header)?;
        let columns = wanted
            .iter()
            .map(|(at, kind)| (header[*at].clone(), kind.unwrap_or(Kind::Text)));
        let schema = schema(columns);
        let over = !is_paged(&template) || page.items.is_empty();
        let mut source = Self {
            origin: Origin {
                source: shown,
                query: None,
                snapshot: page.snapshot.clone(),
                rows: page.total,
            },
            template,
            fetcher,
            places: wanted.into_iter().map(|(at, _)| at).collect(),
            header,
            builder: BatchBuilder::new(Arc::clone(&schema))?,
            schema,
            waiting: VecDeque::new(),
            came: 0,
            pages: 0,
            over,
        };
        source.accept(page)?;
        Ok(source)
    }

    /// Takes a page that is of the same snapshot as the first.
    fn accept(&mut self, page: Page) -> Result<(), DataError> {
        let count = page.items.len() as u64;
        self.pages += 1;
        if self.pages > 1 && count > 0 && page.snapshot.is_none() {
            return Err(self.inconsistent("各页未注明快照 (pages name no snapshot)"));
        }
        if page.snapshot != self.origin.snapshot || page.total != self.origin.rows {
            return Err(self.inconsistent(
                "读取时快照或总数变了 (the snapshot or the total changed while it was read)",
            ));
        }
        self.came += count;
        self.over |= count == 0 || self.origin.rows.is_some_and(|total| self.came >= total);
        if self.over && self.origin.rows.is_some_and(|total| self.came != total) {
            return Err(DataError::Counted {
                stated: self.origin.rows.unwrap_or_default(),
                came: self.came,
            });
        }
        if self.pages > MAX_PAGES {
            return Err(DataError::malformed(
                &self.origin.source,
                format!("> {MAX_PAGES} pages"),
            ));
        }
        self.waiting.extend(page.items);
        Ok(())
    }

    fn inconsistent(&self, why: &str) -> DataError {
        DataError::Inconsistent {
            source: self.origin.source.clone(),
            why: why.to_owned(),
        }
    }
}

fn is_paged(template: &str) -> bool {
    template.contains("{offset}")
}

fn fetch(
    fetcher: &mut Fetcher,
    template: &str,
    offset: u64,
    shown: &str,
) -> Result<Page, DataError> {
    let address = template
        .replace("{offset}", &offset.to_string())
        .replace("{limit}", &PAGE_ROWS.to_string());
    let bytes = fetcher
        .get(&address)
        .map_err(|error| DataError::lost(shown, error.text().en))?;
    match serde_json::from_slice(&bytes).map_err(|error| DataError::malformed(shown, error))? {
        Answer::Page(page) => Ok(page),
        Answer::List(items) => Ok(Page {
            items,
            total: None,
            snapshot: None,
        }),
    }
}

/// A value as text: what is neither text, number nor truth stays JSON.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(value.to_string())
        }
    }
}

impl Source for HttpSource {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, DataError> {
        while !self.builder.is_full() {
            let Some(item) = self.waiting.pop_front() else {
                if self.over {
                    break;
                }
                let page = fetch(
                    &mut self.fetcher,
                    &self.template,
                    self.came,
                    &self.origin.source,
                )?;
                self.accept(page)?;
                continue;
            };
            if let Some(new) = item
                .keys()
                .find(|key| self.header.binary_search(key).is_err())
            {
                let row = self.builder.next_row();
                return Err(DataError::malformed(
                    &self.origin.source,
                    format!("row {row}: new column {new:?}"),
                ));
            }
            let values = self
                .places
                .iter()
                .map(|at| item.get(&self.header[*at]).and_then(text));
            let values: Vec<Option<String>> = values.collect();
            self.builder.push(values.iter().map(Option::as_deref))?;
        }
        self.builder.take()
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::Column;
    use super::*;
    use crate::platform::scripted::{answering, ok, status};

    fn read(
        answers: &[&str],
        query: &str,
        select: &str,
    ) -> Result<Vec<Vec<Option<String>>>, DataError> {
        let answers = answers.iter().map(|body| {
            if body.is_empty() {
                status("500 Oops")
            } else {
                ok(body)
            }
        });
        let service = answering(answers.collect());
        let address: Service = format!("{}/rows{query}", service.address).parse()?;
        let mut source = HttpSource::open(&address, &select.parse()?)?;
        let mut rows = Vec::new();
        while let Some(batch) = source.next()? {
            let columns = Column::all(&batch)?;
            for row in 0..batch.num_rows() {
                rows.push(
                    columns
                        .iter()
                        .map(|column| column.text(row).map(|text| text.into_owned()))
                        .collect(),
                );
            }
        }
        Ok(rows)
    }

    const PAGED: &str = "?offset={offset}&limit={limit}";

    #[test]
    fn pages_of_one_snapshot_are_read_to_their_total() {
        let pages = [
            r#"{"snapshot":"s1","total":3,"items":[{"code":"440106","n":1},{"code":"440104","n":null}]}"#,
            r#"{"snapshot":"s1","total":3,"items":[{"code":"440105","n":3}]}"#,
        ];
        let rows = read(&pages, PAGED, "code,n:integer").unwrap();
        let text = |value: &str| Some(value.to_owned());
        assert_eq!(
            rows,
            [
                [text("440106"), text("1")],
                [text("440104"), None],
                [text("440105"), text("3")]
            ]
        );
        assert_eq!(
            read(&[r#"[{"a":true},{"a":[1]}]"#], "", "").unwrap(),
            [[text("true")], [text("[1]")]]
        );
    }

    #[test]
    fn a_service_that_changes_while_it_is_read_or_does_not_say_is_refused() {
        let first = r#"{"snapshot":"s1","total":2,"items":[{"a":"1"}]}"#;
        for second in [
            r#"{"snapshot":"s2","total":2,"items":[{"a":"2"}]}"#,
            r#"{"snapshot":"s1","total":3,"items":[{"a":"2"}]}"#,
        ] {
            let read = read(&[first, second], PAGED, "");
            assert!(
                matches!(read, Err(DataError::Inconsistent { .. })),
                "{read:?}"
            );
        }
        let unnamed = r#"{"items":[{"a":"1"}]}"#;
        assert!(matches!(
            read(&[unnamed, unnamed], PAGED, ""),
            Err(DataError::Inconsistent { .. })
        ));
        let short = read(
            &[first, r#"{"snapshot":"s1","total":2,"items":[]}"#],
            PAGED,
            "",
        );
        assert!(
            matches!(short, Err(DataError::Counted { stated: 2, came: 1 })),
            "{short:?}"
        );
    }

    #[test]
    fn a_service_that_fails_midway_or_gives_another_column_ends_the_reading() {
        let first = r#"{"snapshot":"s1","total":2,"items":[{"a":"1"}]}"#;
        assert!(matches!(
            read(&[first, ""], PAGED, ""),
            Err(DataError::Lost { .. })
        ));
        let other = r#"{"snapshot":"s1","total":2,"items":[{"b":"2"}]}"#;
        assert!(matches!(
            read(&[first, other], PAGED, ""),
            Err(DataError::Malformed { .. })
        ));
        assert!(matches!(
            read(&[first], PAGED, "b"),
            Err(DataError::NoColumn { .. })
        ));
        assert!(matches!(
            read(&["{"], "", ""),
            Err(DataError::Malformed { .. })
        ));
    }
}
