//! DCAT as JSON-LD: a `dcat:Catalog` with its datasets, by address or as a file; in pages when it says so (Hydra).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::address::{HttpAddress, Location};
use super::fetcher::Fetcher;
use super::linked_data::Graph;
use super::source::{Source, document};
use super::{PullError, Record};
use crate::language::Text;

/// A catalogue in DCAT.
#[derive(Debug, Clone)]
pub struct Dcat {
    /// The document, or its first page.
    pub at: Location,
}

/// One document of the catalogue.
struct Page {
    /// The datasets by id; those without one by their place.
    datasets: Vec<(Option<String>, Value)>,
    /// How many there are in all pages, where it says so.
    total: Option<u64>,
    next: Option<String>,
}

impl Source for Dcat {
    fn pull(&self, fetcher: &mut Fetcher) -> Result<Vec<Record>, PullError> {
        let (mut records, mut named) = (Vec::new(), BTreeMap::new());
        let (entries, pages) = (fetcher.bounds().entries, fetcher.bounds().pages);
        let mut at = self.at.clone();
        for _ in 0..pages {
            let page = page(&document(&at, fetcher)?)?;
            for (id, dataset) in page.datasets {
                match id {
                    Some(id) => {
                        named.insert(id, dataset);
                    }
                    None => records.push(Record::new(dataset)),
                }
            }
            let came = records.len() + named.len();
            if came > entries {
                return Err(PullError::too_many(entries));
            }
            let Some(next) = page.next else {
                if let Some(said) = page.total.filter(|said| *said != came as u64) {
                    return Err(PullError::Truncated {
                        said,
                        came: came as u64,
                    });
                }
                records.extend(named.into_values().map(Record::new));
                return Ok(records);
            };
            at = Location::Http(following(&at, &next)?);
        }
        Err(PullError::TooMuch {
            what: Text::new("分页", "pages"),
            limit: pages as u64,
        })
    }
}

/// The address of the next page: at the same host, as the token and the trust are that host's.
fn following(at: &Location, next: &str) -> Result<HttpAddress, PullError> {
    let Location::Http(here) = at else {
        return Err(PullError::malformed(
            "文件只是分页目录的一页",
            "the file is one page of a catalogue in pages",
        ));
    };
    let elsewhere = || {
        PullError::malformed(
            format!("下一页 {next} 不在 {}", here.origin()),
            format!("the next page {next} is not at {}", here.origin()),
        )
    };
    let address = match next.starts_with('/') {
        true => format!("http://{}{next}", here.origin()).parse(),
        false => next.parse::<HttpAddress>(),
    };
    let address = address.map_err(|_| elsewhere())?;
    if address.origin() == here.origin() && address != *here {
        Ok(address)
    } else {
        Err(elsewhere())
    }
}

fn page(bytes: &[u8]) -> Result<Page, PullError> {
    let document: Value = serde_json::from_slice(bytes).map_err(|error| {
        PullError::malformed(
            format!("DCAT 文档无法解读：{error}"),
            format!("the DCAT document cannot be read: {error}"),
        )
    })?;
    let graph = Graph::of(&document);
    let mut described = Vec::new();
    let mut catalogues = 0;
    for catalogue in graph.of_type("dcat:Catalog") {
        catalogues += 1;
        for dataset in listed(catalogue, "dcat:dataset") {
            described.push(graph.node(dataset).ok_or_else(|| undescribed(dataset))?);
        }
    }
    if catalogues == 0 {
        return Err(PullError::malformed(
            "文档中没有 dcat:Catalog",
            "there is no dcat:Catalog in the document",
        ));
    }
    if described.is_empty() {
        described = graph.of_type("dcat:Dataset").collect();
    }
    let datasets = described
        .into_iter()
        .map(|node| Ok((id(node), graph.whole(node)?)))
        .collect::<Result<_, PullError>>()?;
    let next = graph.paging(&["hydra:next", "hydra:nextPage"]);
    let next = next.and_then(|next| match next {
        Value::Object(node) => id(node),
        other => other.as_str().map(str::to_owned),
    });
    let total = graph.paging(&["hydra:totalItems"]);
    let total = total.and_then(|total| match total {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    });
    Ok(Page {
        datasets,
        total,
        next,
    })
}

fn listed<'a>(node: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    match node.get(name) {
        Some(Value::Array(items)) => items,
        Some(Value::Null) | None => &[],
        Some(single) => std::slice::from_ref(single),
    }
}

fn id(node: &Map<String, Value>) -> Option<String> {
    node.get("@id").and_then(Value::as_str).map(str::to_owned)
}

/// A dataset that is named and not described may be there or not: the document is not whole.
fn undescribed(dataset: &Value) -> PullError {
    let id = dataset.get("@id").unwrap_or(dataset);
    PullError::malformed(
        format!("目录列有数据集 {id}，文档中却没有它的描述"),
        format!("the catalogue lists the dataset {id} and the document does not describe it"),
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::super::Bounds;
    use super::super::record::FieldPath;
    use super::super::scripted::{answering, ok};
    use super::*;

    fn catalogue() -> Value {
        json!({"@context": {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/"},
        "@graph": [
            {"@id": "urn:c", "@type": "dcat:Catalog", "dct:title": "天河区数据资源目录", "dcat:dataset": [{"@id": "urn:1"}, {"@id": "urn:2"}]},
            {"@id": "urn:1", "@type": "dcat:Dataset", "dct:identifier": "MZ-0001", "dct:title": {"@value": "低保家庭信息", "@language": "zh"},
             "dcat:distribution": [{"@type": "dcat:Distribution", "dct:format": "CSV"}, {"dct:format": "JSON"}]},
            {"@id": "urn:2", "@type": ["dcat:Dataset"], "dct:identifier": "MZ-0002", "dct:title": "特困人员信息", "dct:publisher": {"@id": "urn:p"}},
            {"@id": "urn:p", "foaf:name": "天河区民政局"},
        ]})
    }

    fn read(document: &Value) -> Result<Vec<Record>, PullError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("catalog.jsonld");
        fs::write(&file, document.to_string()).unwrap();
        let mut fetcher = Fetcher::new(None, Bounds::default());
        Dcat {
            at: Location::File(file),
        }
        .pull(&mut fetcher)
    }

    fn texts(records: &[Record], path: &str) -> Vec<String> {
        let path = FieldPath::try_from(path.to_owned()).unwrap();
        records.iter().flat_map(|it| it.texts(&path)).collect()
    }

    #[test]
    fn a_graph_a_nested_catalogue_and_a_single_dataset_are_read_alike() {
        let records = read(&catalogue()).unwrap();
        assert_eq!(
            texts(&records, "dct:title"),
            ["低保家庭信息", "特困人员信息"]
        );
        assert_eq!(
            texts(&records, "dcat:distribution.dct:format"),
            ["CSV", "JSON"]
        );
        assert_eq!(texts(&records, "dct:publisher.foaf:name"), ["天河区民政局"]);
        let nested = json!({"@context": "https://x/catalog.jsonld", "@type": "dcat:Catalog",
            "dataset": {"@type": "dcat:Dataset", "identifier": "A", "title": "社会救助"}});
        assert_eq!(texts(&read(&nested).unwrap(), "dct:title"), ["社会救助"]);
        assert_eq!(
            texts(&read(&json!([nested])).unwrap(), "dct:identifier"),
            ["A"]
        );
    }

    #[test]
    fn a_dataset_that_is_listed_and_not_described_makes_the_document_incomplete() {
        let mut document = catalogue();
        document["@graph"].as_array_mut().unwrap().remove(2);
        let error = read(&document).unwrap_err();
        assert!(error.text().zh.contains("urn:2"), "{error}");
    }

    #[test]
    fn one_page_of_several_is_not_taken_for_the_whole() {
        let mut document = catalogue();
        let page = json!({"@id": "http://x/catalog.jsonld?page=1", "@type": "hydra:PagedCollection", "hydra:nextPage": "http://x/catalog.jsonld?page=2", "hydra:totalItems": 9});
        document["@graph"].as_array_mut().unwrap().push(page);
        assert!(
            matches!(read(&document), Err(PullError::Malformed { .. })),
            "a file has no next page"
        );
        document["@graph"][4]
            .as_object_mut()
            .unwrap()
            .remove("hydra:nextPage");
        assert!(matches!(
            read(&document),
            Err(PullError::Truncated { said: 9, came: 2 })
        ));
    }

    #[test]
    fn pages_are_noticed_wherever_they_are_spoken_of() {
        let mut document = catalogue();
        document["@graph"][0]["hydra:view"] = json!({"hydra:next": {"@id": "http://x/?page=2"}});
        assert!(matches!(read(&document), Err(PullError::Malformed { .. })));
    }

    #[test]
    fn the_next_page_is_at_the_same_host() {
        let here =
            Location::try_from("http://10.0.0.8:5000/catalog.jsonld?page=1".to_owned()).unwrap();
        for right in [
            "http://10.0.0.8:5000/catalog.jsonld?page=2",
            "/catalog.jsonld?page=2",
        ] {
            assert_eq!(
                following(&here, right).unwrap().as_str(),
                "http://10.0.0.8:5000/catalog.jsonld?page=2"
            );
        }
        for wrong in [
            "http://10.0.0.9:5000/x",
            "http://10.0.0.8:5000/catalog.jsonld?page=1",
            "https://10.0.0.8:5000/x",
            "x",
        ] {
            assert!(following(&here, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_catalogue_is_an_error_and_never_a_panic() {
        let whole = catalogue().to_string();
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            assert!(page(&whole.as_bytes()[..end]).is_err(), "cut at {end}");
        }
        let deep = format!("{}{}", r#"{"a":"#.repeat(50_000), "}".repeat(50_000));
        for wrong in [
            deep.as_str(),
            "null",
            "7",
            "[]",
            "{}",
            r#"{"@graph": 7}"#,
            r#"{"@type": "dcat:Dataset"}"#,
            r#"{"@type": {"x": 1}, "@context": [7, {"a": {"b": 1}}]}"#,
            r#"{"@type": "dcat:Catalog", "dcat:dataset": [[1]]}"#,
            r#"{"x": 1e999}"#,
        ] {
            assert!(page(wrong.as_bytes()).is_err());
        }
        let empty = page(br#"{"@type": "dcat:Catalog", "dcat:dataset": []}"#).unwrap();
        assert!(empty.datasets.is_empty());
    }

    #[test]
    fn pages_are_followed_to_their_end() {
        let page = |id: &str, next: Option<&str>| {
            let mut paging =
                json!({"@id": "urn:page", "@type": "hydra:PagedCollection", "hydra:totalItems": 2});
            if let Some(next) = next {
                paging["hydra:next"] = json!({ "@id": next });
            }
            let dataset = json!({"@id": id, "@type": "dcat:Dataset"});
            ok(
                &json!({"@graph": [paging, {"@type": "dcat:Catalog", "dcat:dataset": [dataset]}]})
                    .to_string(),
            )
        };
        let pull = |pages: Vec<String>| {
            let platform = answering(pages);
            let at = Location::try_from(format!("{}/catalog.jsonld", platform.address)).unwrap();
            let records = Dcat { at }.pull(&mut Fetcher::new(None, Bounds::default()));
            (records, platform.asked())
        };
        let (records, asked) = pull(vec![
            page("urn:1", Some("/catalog.jsonld?page=2")),
            page("urn:2", None),
        ]);
        assert_eq!(records.unwrap().len(), 2);
        assert!(asked[1].starts_with("GET /catalog.jsonld?page=2 "));
        let (one, _) = pull(vec![page("urn:1", None)]);
        assert!(matches!(
            one,
            Err(PullError::Truncated { said: 2, came: 1 })
        ));
    }
}
