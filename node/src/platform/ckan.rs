//! CKAN, by its action API: `package_search` page by page, and `package_show` for each where the search index holds less than the description.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::address::HttpAddress;
use super::bounds::PAGE_ROWS;
use super::fetcher::Fetcher;
use super::source::Source;
use super::{PullError, Record};
use crate::cli::client::encode;
use crate::language::Text;

/// A CKAN platform.
#[derive(Debug, Clone)]
pub struct Ckan {
    /// Where it is, without `/api`.
    pub address: HttpAddress,
    /// Which of its datasets, as `fq` says it: `organization:minzheng`. All when absent.
    pub filter: Option<String>,
    /// Whether each description is fetched by itself.
    pub details: bool,
}

/// The frame of every answer.
#[derive(Deserialize)]
struct Answer<T> {
    success: bool,
    result: Option<T>,
    error: Option<Value>,
}

/// A page of a search.
#[derive(Deserialize)]
struct Page {
    count: u64,
    results: Vec<Map<String, Value>>,
}

impl Source for Ckan {
    fn pull(&self, fetcher: &mut Fetcher) -> Result<Vec<Record>, PullError> {
        let mut packages = self.search(fetcher)?;
        if self.details {
            for (id, package) in &mut packages {
                *package = self.show(id, fetcher)?;
            }
        }
        Ok(packages
            .into_values()
            .map(|package| Record::new(Value::Object(with_extras_by_name(package))))
            .collect())
    }
}

impl Ckan {
    /// Every package by its id. The pages are of one search each: what is added or deleted meanwhile moves the rest, so what came is counted by
    /// id and compared with what the platform says last.
    fn search(
        &self,
        fetcher: &mut Fetcher,
    ) -> Result<BTreeMap<String, Map<String, Value>>, PullError> {
        let (entries, pages) = (fetcher.bounds().entries, fetcher.bounds().pages);
        let mut packages = BTreeMap::new();
        let mut start = 0;
        for _ in 0..pages {
            let page: Page = self.ask(fetcher, &self.page_at(start))?;
            let (said, came) = (page.count, page.results.len());
            if said > entries as u64 {
                return Err(PullError::too_many(entries));
            }
            if came > PAGE_ROWS {
                return Err(PullError::malformed(
                    format!("CKAN 一页给出 {came} 条，请求的是 {PAGE_ROWS} 条"),
                    format!("CKAN gave a page of {came}, {PAGE_ROWS} were asked for"),
                ));
            }
            for package in page.results {
                packages.insert(id(&package)?, package);
            }
            start += came;
            if came == 0 || start as u64 >= said {
                let came = packages.len() as u64;
                return match came == said {
                    true => Ok(packages),
                    false => Err(PullError::Truncated { said, came }),
                };
            }
        }
        Err(PullError::TooMuch {
            what: Text::new("分页", "pages"),
            limit: pages as u64,
        })
    }

    fn page_at(&self, start: usize) -> String {
        let filter = self
            .filter
            .as_ref()
            .map_or_else(String::new, |filter| format!("&fq={}", encode(filter)));
        format!("package_search?rows={PAGE_ROWS}&start={start}&sort=id%20asc{filter}")
    }

    fn show(&self, wanted: &str, fetcher: &mut Fetcher) -> Result<Map<String, Value>, PullError> {
        let package: Map<String, Value> =
            self.ask(fetcher, &format!("package_show?id={}", encode(wanted)))?;
        let found = id(&package)?;
        if found == wanted {
            return Ok(package);
        }
        Err(PullError::malformed(
            format!("CKAN 对 {wanted} 给出了 {found}"),
            format!("CKAN gave {found} for {wanted}"),
        ))
    }

    fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        fetcher: &mut Fetcher,
        action: &str,
    ) -> Result<T, PullError> {
        let body = fetcher.get(&format!("{}/api/3/action/{action}", self.address.base()))?;
        answer(&body)
    }
}

/// The result in an answer.
fn answer<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, PullError> {
    let answer: Answer<T> = serde_json::from_slice(body).map_err(|error| {
        PullError::malformed(
            format!("CKAN 的应答无法解读：{error}"),
            format!("CKAN's answer cannot be read: {error}"),
        )
    })?;
    match (answer.success, answer.result) {
        (true, Some(result)) => Ok(result),
        (true, None) | (false, _) => {
            let why = answer
                .error
                .map_or_else(String::new, |error| error.to_string());
            Err(PullError::malformed(
                format!("CKAN 未给出结果 {why}"),
                format!("CKAN gave no result {why}"),
            ))
        }
    }
}

fn id(package: &Map<String, Value>) -> Result<String, PullError> {
    match package.get("id").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => Ok(id.to_owned()),
        Some(_) | None => Err(PullError::malformed(
            "CKAN 的数据集没有 id",
            "a dataset of CKAN has no id",
        )),
    }
}

/// CKAN lists further fields as pairs of key and value; a path names them: `extras.共享属性`.
fn with_extras_by_name(mut package: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Array(pairs)) = package.get("extras") {
        let named: Map<String, Value> = pairs
            .iter()
            .filter_map(|pair| {
                let key = pair.get("key")?.as_str()?.trim();
                Some((key.to_owned(), pair.get("value")?.clone()))
            })
            .collect();
        package.insert("extras".to_owned(), Value::Object(named));
    }
    package
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Bounds;
    use super::super::record::FieldPath;
    use super::super::scripted::{answering, ok};
    use super::*;

    #[test]
    fn extras_are_found_by_their_names() {
        let package = json!({"id": "a", "extras": [
            {"key": "共享属性", "value": "有条件共享"}, {"key": " 更新频率", "value": "每月"}, {"key": 7}, "x"]});
        let Value::Object(package) = package else {
            panic!("an object")
        };
        let record = Record::new(Value::Object(with_extras_by_name(package)));
        let at = |path: &str| record.text(&FieldPath::try_from(path.to_owned()).unwrap());
        assert_eq!(at("extras.共享属性").as_deref(), Some("有条件共享"));
        assert_eq!(at("extras.更新频率").as_deref(), Some("每月"));
    }

    #[test]
    fn an_answer_that_is_no_answer_is_an_error_and_never_a_panic() {
        let whole = json!({"success": true, "result": {"count": 1, "results": [{"id": "a", "title": "低保家庭信息"}]}}).to_string();
        assert!(answer::<Page>(whole.as_bytes()).is_ok());
        for end in 0..whole.len() {
            let cut = whole.as_bytes().get(..end).unwrap();
            assert!(answer::<Page>(cut).is_err(), "cut at {end}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for wrong in [
            deep.as_str(),
            r#"{"success": false, "error": {"message": "Not authorized"}}"#,
            r#"{"success": true}"#,
            r#"{"success": true, "result": {"count": -1, "results": []}}"#,
            r#"{"success": true, "result": {"count": 1e999, "results": []}}"#,
            r#"{"success": true, "result": {"count": "3", "results": []}}"#,
            r#"{"success": true, "result": {"count": 1, "results": ["a"]}}"#,
            r#"{"success": true, "result": {"count": 1, "results": {}}}"#,
            "<html>502 Bad Gateway</html>",
        ] {
            assert!(answer::<Page>(wrong.as_bytes()).is_err());
        }
        for no_id in [json!({}), json!({"id": 7}), json!({"id": ""})] {
            assert!(id(no_id.as_object().unwrap()).is_err());
        }
    }

    fn pull(answers: &[Value], bounds: Bounds) -> (Result<Vec<Record>, PullError>, Vec<String>) {
        let framed = |result: &Value| ok(&json!({"success": true, "result": result}).to_string());
        let platform = answering(answers.iter().map(framed).collect());
        let ckan = Ckan {
            address: platform.address.parse().unwrap(),
            filter: Some("organization:民政".into()),
            details: true,
        };
        let records = ckan.pull(&mut Fetcher::new(None, bounds));
        (records, platform.asked())
    }

    fn page(count: u64, ids: &[&str]) -> Value {
        let results: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        json!({"count": count, "results": results})
    }

    #[test]
    fn each_description_is_fetched_by_itself_and_must_be_the_one_asked_for() {
        let detail = json!({"id": "a", "title": "低保家庭信息"});
        let (records, asked) = pull(&[page(1, &["a"]), detail.clone()], Bounds::default());
        let title = FieldPath::try_from("title".to_owned()).unwrap();
        assert_eq!(
            records.unwrap()[0].text(&title).as_deref(),
            Some("低保家庭信息")
        );
        assert!(
            asked[0].contains("&fq=organization%3A%E6%B0%91%E6%94%BF"),
            "{}",
            asked[0]
        );
        assert!(asked[1].contains("package_show?id=a"));
        let (other, _) = pull(&[page(1, &["b"]), detail], Bounds::default());
        assert!(matches!(other, Err(PullError::Malformed { .. })));
    }

    #[test]
    fn fewer_than_said_twice_the_same_and_more_than_the_bounds_are_no_catalogue() {
        let few = Bounds {
            entries: 2,
            pages: 2,
            ..Bounds::default()
        };
        let of = |pages: &[Value]| pull(pages, few).0.unwrap_err();
        let truncated = |error| matches!(error, PullError::Truncated { said: 2, came: 1 });
        assert!(truncated(of(&[page(2, &["a"]), page(2, &[])])));
        assert!(
            truncated(of(&[page(2, &["a"]), page(2, &["a"])])),
            "the pages moved"
        );
        assert!(matches!(
            of(&[page(3, &["a"])]),
            PullError::TooMuch { limit: 2, .. }
        ));
        assert!(matches!(
            of(&[page(1, &["x"; PAGE_ROWS + 1])]),
            PullError::Malformed { .. }
        ));
        let (one_page, one_at_a_time) = (Bounds { pages: 1, ..few }, [page(2, &["a"])]);
        let endless = pull(&one_at_a_time, one_page).0;
        assert!(matches!(endless, Err(PullError::TooMuch { limit: 1, .. })));
    }
}
