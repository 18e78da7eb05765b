//! As much of JSON-LD as catalogues use: prefixes and terms of `@context`, `@graph`, references by `@id`, `@value` with a language, one value or
//! a list. A remote context is not fetched; the usual vocabularies are known. Names come out as `dct:title`, whatever the document calls them.

mod context;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use self::context::Context;
use super::PullError;
use crate::language::Text;

/// What the names begin with that speak of pages.
const PAGING: &str = "hydra:";
/// References followed from one node: dataset, distribution, its publisher, its address.
const MAX_REFERENCE_DEPTH: usize = 4;
/// Most nodes put into one node by following references.
const MAX_RESOLVED: usize = 10_000;

/// The nodes of a document.
#[derive(Debug)]
pub(super) struct Graph {
    /// Every node at the top of the document or of its graph.
    tops: Vec<Map<String, Value>>,
    /// Every node that has an id, wherever it stands.
    by_id: BTreeMap<String, Map<String, Value>>,
    /// Nodes that say how the document is divided into pages, wherever they stand.
    paging: Vec<Map<String, Value>>,
}

impl Graph {
    /// Reads a document.
    pub(super) fn of(document: &Value) -> Self {
        let shared = Context::of(document);
        let mut graph = Self {
            tops: Vec::new(),
            by_id: BTreeMap::new(),
            paging: Vec::new(),
        };
        for top in tops(document) {
            let own = top.get("@context").map(|_| Context::of(top));
            let context = own.as_ref().unwrap_or(&shared);
            if let Value::Object(node) = context.named(top) {
                graph.keep(&node);
                graph.tops.push(node);
            }
        }
        graph
    }

    /// Remembers a node and the nodes within it by their ids. What is said of one id in several places is put together.
    fn keep(&mut self, node: &Map<String, Value>) {
        for value in node.values() {
            let within = match value {
                Value::Array(items) => items.as_slice(),
                single => std::slice::from_ref(single),
            };
            for inner in within.iter().filter_map(Value::as_object) {
                self.keep(inner);
            }
        }
        if node.keys().any(|name| name.starts_with(PAGING)) {
            self.paging.push(node.clone());
        }
        if let (Some(id), false) = (id_of(node), is_reference(node)) {
            let known = self.by_id.entry(id.to_owned()).or_default();
            for (name, value) in node {
                known.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
    }

    /// The first value by one of these names in what says how the document is divided into pages.
    pub(super) fn paging(&self, names: &[&str]) -> Option<&Value> {
        self.paging
            .iter()
            .find_map(|node| names.iter().find_map(|name| node.get(*name)))
    }

    /// The nodes of a type, those with an id first and once each.
    pub(super) fn of_type<'a>(
        &'a self,
        kind: &'a str,
    ) -> impl Iterator<Item = &'a Map<String, Value>> {
        let anonymous = self.tops.iter().filter(|node| id_of(node).is_none());
        self.by_id
            .values()
            .chain(anonymous)
            .filter(move |node| is_a(node, kind))
    }

    /// The node that a value is or refers to; nothing when the document does not describe it.
    pub(super) fn node<'a>(&'a self, value: &'a Value) -> Option<&'a Map<String, Value>> {
        match value {
            Value::String(id) => self.by_id.get(id),
            Value::Object(node) => match id_of(node) {
                Some(id) => self.by_id.get(id),
                None => Some(node),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
        }
    }

    /// A node with what it refers to in place of the references; what is not described stays as its id.
    ///
    /// # Errors
    /// `TooMuch` when its references lead to more than [`MAX_RESOLVED`] nodes.
    pub(super) fn whole(&self, node: &Map<String, Value>) -> Result<Value, PullError> {
        let mut left = MAX_RESOLVED;
        self.followed(node, MAX_REFERENCE_DEPTH, &mut left)
    }

    fn followed(
        &self,
        node: &Map<String, Value>,
        depth: usize,
        left: &mut usize,
    ) -> Result<Value, PullError> {
        *left = left.checked_sub(1).ok_or_else(|| PullError::TooMuch {
            what: Text::new("一个数据集引用的节点", "nodes that one dataset refers to"),
            limit: MAX_RESOLVED as u64,
        })?;
        let mut whole = Map::new();
        for (name, value) in node {
            let value = match value {
                Value::Array(items) => Value::Array(
                    items
                        .iter()
                        .map(|item| self.value(item, depth, left))
                        .collect::<Result<_, _>>()?,
                ),
                single => self.value(single, depth, left)?,
            };
            whole.insert(name.clone(), value);
        }
        Ok(Value::Object(whole))
    }

    fn value(&self, value: &Value, depth: usize, left: &mut usize) -> Result<Value, PullError> {
        let Value::Object(inner) = value else {
            return Ok(value.clone());
        };
        match (id_of(inner), depth.checked_sub(1)) {
            (Some(id), None) => Ok(Value::String(id.to_owned())),
            (None, None) => Ok(Value::Null),
            (Some(id), Some(depth)) => match self.by_id.get(id) {
                Some(node) => self.followed(node, depth, left),
                None => Ok(Value::String(id.to_owned())),
            },
            (None, Some(depth)) => self.followed(inner, depth, left),
        }
    }
}

/// The nodes of a document: of its graph, of its list, or itself.
fn tops(document: &Value) -> Vec<&Value> {
    match document {
        Value::Array(nodes) => nodes.iter().collect(),
        Value::Object(fields) => match fields.get("@graph") {
            Some(Value::Array(nodes)) => nodes.iter().collect(),
            Some(single) => vec![single],
            None => vec![document],
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn id_of(node: &Map<String, Value>) -> Option<&str> {
    node.get("@id").and_then(Value::as_str)
}

fn is_reference(node: &Map<String, Value>) -> bool {
    node.len() == 1 && node.contains_key("@id")
}

fn is_a(node: &Map<String, Value>, kind: &str) -> bool {
    match node.get("@type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|it| it == kind),
        Some(single) => single == kind,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn titles(document: Value) -> Vec<Value> {
        let graph = Graph::of(&document);
        graph
            .of_type("dcat:Dataset")
            .map(|node| node.get("dct:title").cloned().unwrap_or(Value::Null))
            .collect()
    }

    #[test]
    fn a_name_means_what_the_context_says_however_it_is_written() {
        let dataset = |context: Value, kind: &str, title: &str| {
            let mut node = json!({"@context": context, "@type": kind});
            node[title] = "低保家庭信息".into();
            node
        };
        for document in [
            dataset(
                json!(null),
                "http://www.w3.org/ns/dcat#Dataset",
                "http://purl.org/dc/terms/title",
            ),
            dataset(
                json!({"d": "http://www.w3.org/ns/dcat#", "t": {"@id": "http://purl.org/dc/terms/title"}}),
                "d:Dataset",
                "t",
            ),
            dataset(
                json!(["https://x/context.jsonld", {"名称": "dct:title"}]),
                "dcat:Dataset",
                "名称",
            ),
            dataset(json!("https://x/context.jsonld"), "Dataset", "title"),
            dataset(
                json!({"@vocab": "http://purl.org/dc/terms/"}),
                "dcat:Dataset",
                "title",
            ),
            dataset(json!({}), "dcat:Dataset", "dcterms:title"),
        ] {
            assert_eq!(titles(document.clone()), ["低保家庭信息"], "{document}");
        }
        let aliased = json!({"@context": {"type": "@type", "id": "@id"}, "id": "urn:1", "type": ["dcat:Dataset"], "dct:title": "甲"});
        assert_eq!(titles(aliased), ["甲"]);
    }

    #[test]
    fn of_several_languages_the_chinese_one_stands() {
        let title =
            |values: Value| titles(json!({"@type": "dcat:Dataset", "dct:title": values})).remove(0);
        let (zh, en) = (
            json!({"@value": "户籍", "@language": "zh-CN"}),
            json!({"@value": "Register", "@language": "en"}),
        );
        assert_eq!(title(json!([en, zh])), json!(["户籍"]));
        assert_eq!(title(json!([en])), json!(["Register"]));
        assert_eq!(title(zh), json!("户籍"));
    }

    #[test]
    fn references_are_followed_so_far_and_circles_end() {
        let document = json!({"@graph": [
            {"@id": "urn:1", "@type": "dcat:Dataset", "dct:publisher": {"@id": "urn:2"}, "dcat:distribution": [{"@id": "urn:none"}]},
            {"@id": "urn:2", "foaf:name": "天河区民政局", "dct:relation": {"@id": "urn:1"}},
        ]});
        let graph = Graph::of(&document);
        let node = graph.of_type("dcat:Dataset").next().unwrap();
        let whole = graph.whole(node).unwrap();
        assert_eq!(whole["dct:publisher"]["foaf:name"], "天河区民政局");
        assert_eq!(whole["dcat:distribution"][0], "urn:none");
        assert!(whole.to_string().len() < 2_000);
    }

    #[test]
    fn references_that_multiply_are_an_error() {
        let all: Vec<Value> = (0..40)
            .map(|n| json!({"@id": format!("urn:{n}")}))
            .collect();
        let nodes: Vec<Value> = (0..40)
            .map(|n| json!({"@id": format!("urn:{n}"), "@type": "dcat:Dataset", "dct:relation": all}))
            .collect();
        let graph = Graph::of(&json!({ "@graph": nodes }));
        let node = graph.of_type("dcat:Dataset").next().unwrap();
        assert!(matches!(graph.whole(node), Err(PullError::TooMuch { .. })));
    }
}
