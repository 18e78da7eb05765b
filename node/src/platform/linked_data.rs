//! As much of JSON-LD as catalogues use: prefixes and terms of `@context`, `@graph`, references by `@id`, `@value` with a language, one value or
//! a list. A remote context is not fetched; the usual vocabularies are known. Names come out as `dct:title`, whatever the document calls them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::PullError;
use crate::language::Text;

/// Vocabularies by the prefix they are known under.
const VOCABULARIES: [(&str, &str); 9] = [
    ("dcat", "http://www.w3.org/ns/dcat#"),
    ("dct", "http://purl.org/dc/terms/"),
    ("foaf", "http://xmlns.com/foaf/0.1/"),
    ("vcard", "http://www.w3.org/2006/vcard/ns#"),
    ("skos", "http://www.w3.org/2004/02/skos/core#"),
    ("adms", "http://www.w3.org/ns/adms#"),
    ("schema", "http://schema.org/"),
    ("hydra", "http://www.w3.org/ns/hydra/core#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
];
/// Another usual prefix of the same vocabulary.
const DCTERMS: &str = "dcterms";
/// Names that documents with a remote context leave without a prefix.
const BARE_OF_DCT: [&str; 12] = [
    "title",
    "description",
    "identifier",
    "issued",
    "modified",
    "publisher",
    "spatial",
    "temporal",
    "format",
    "accrualPeriodicity",
    "license",
    "accessRights",
];
/// The same, of DCAT.
const BARE_OF_DCAT: [&str; 13] = [
    "Catalog",
    "Dataset",
    "Distribution",
    "dataset",
    "distribution",
    "keyword",
    "theme",
    "contactPoint",
    "accessURL",
    "downloadURL",
    "mediaType",
    "byteSize",
    "landingPage",
];
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
}

impl Graph {
    /// Reads a document.
    pub(super) fn of(document: &Value) -> Self {
        let shared = Context::of(document);
        let mut graph = Self {
            tops: Vec::new(),
            by_id: BTreeMap::new(),
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
        if let (Some(id), false) = (id_of(node), is_reference(node)) {
            let known = self.by_id.entry(id.to_owned()).or_default();
            for (name, value) in node {
                known.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
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

/// What the names of a document mean.
#[derive(Debug, Default)]
struct Context {
    /// Terms and prefixes, and what each stands for.
    terms: BTreeMap<String, String>,
    vocabulary: Option<String>,
}

impl Context {
    fn of(document: &Value) -> Self {
        let mut context = Self::default();
        match document.get("@context") {
            Some(Value::Array(several)) => several.iter().for_each(|one| context.learn(one)),
            Some(one) => context.learn(one),
            None => {}
        }
        context
    }

    fn learn(&mut self, context: &Value) {
        for (term, meaning) in context.as_object().into_iter().flatten() {
            let meaning = match meaning {
                Value::Object(definition) => definition.get("@id").and_then(Value::as_str),
                other => other.as_str(),
            };
            match (term.as_str(), meaning) {
                ("@vocab", Some(meaning)) => self.vocabulary = Some(meaning.to_owned()),
                (_, Some(meaning)) => {
                    self.terms.insert(term.clone(), meaning.to_owned());
                }
                (_, None) => {}
            }
        }
    }

    /// The full name of a term, or the keyword it stands for.
    fn expanded(&self, term: &str) -> String {
        if let Some(meaning) = self.terms.get(term) {
            return self.joined(meaning).unwrap_or_else(|| meaning.clone());
        }
        if let Some(joined) = self.joined(term) {
            return joined;
        }
        if term.contains(':') || term.starts_with('@') {
            return term.to_owned();
        }
        let of = |prefix: &str| vocabulary(prefix).map(|known| format!("{known}{term}"));
        let bare = if BARE_OF_DCAT.contains(&term) {
            of("dcat")
        } else if BARE_OF_DCT.contains(&term) {
            of("dct")
        } else {
            None
        };
        match &self.vocabulary {
            Some(vocabulary) => format!("{vocabulary}{term}"),
            None => bare.unwrap_or_else(|| term.to_owned()),
        }
    }

    /// `prefix:name` with the prefix as the document or everybody knows it.
    fn joined(&self, term: &str) -> Option<String> {
        let (prefix, name) = term.split_once(':')?;
        if name.starts_with("//") {
            return None;
        }
        let known = self
            .terms
            .get(prefix)
            .map(String::as_str)
            .or_else(|| vocabulary(prefix))?;
        Some(format!("{known}{name}"))
    }

    /// A name as it is written here: `dct:title`, or in full where the vocabulary is not known.
    fn name(&self, term: &str) -> String {
        let expanded = self.expanded(term);
        VOCABULARIES
            .iter()
            .find_map(|(prefix, known)| {
                let name = expanded.strip_prefix(known)?;
                Some(format!("{prefix}:{name}"))
            })
            .unwrap_or(expanded)
    }

    /// A value with all names as they are written here.
    fn named(&self, value: &Value) -> Value {
        match value {
            Value::Array(items) => Value::Array(self.in_one_language(items)),
            Value::Object(fields) => self.named_object(fields),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    fn named_object(&self, fields: &Map<String, Value>) -> Value {
        if let Some(value) = fields.get("@value") {
            return value.clone();
        }
        for list in ["@list", "@set"] {
            if let Some(items) = fields.get(list) {
                return self.named(items);
            }
        }
        let mut named = Map::new();
        for (term, value) in fields {
            let name = self.name(term);
            let value = match name.as_str() {
                "@context" => continue,
                "@type" => self.kinds(value),
                _ => self.named(value),
            };
            named.insert(name, value);
        }
        Value::Object(named)
    }

    fn kinds(&self, value: &Value) -> Value {
        let named = |kind: &Value| kind.as_str().map(|kind| Value::String(self.name(kind)));
        match value {
            Value::Array(kinds) => Value::Array(kinds.iter().filter_map(named).collect()),
            single => named(single).unwrap_or(Value::Null),
        }
    }

    /// Of texts in several languages the Chinese ones stand; without one, those without a language, or of the first.
    fn in_one_language(&self, items: &[Value]) -> Vec<Value> {
        let language = |item: &Value| {
            let tag = item.get("@language")?.as_str()?;
            Some(tag.to_ascii_lowercase())
        };
        let tags: Vec<Option<String>> = items.iter().map(language).collect();
        let chinese = |tag: &Option<String>| tag.as_ref().is_some_and(|tag| tag.starts_with("zh"));
        let wanted: Box<dyn Fn(&Option<String>) -> bool> = if tags.iter().any(chinese) {
            Box::new(|tag| tag.is_none() || chinese(tag))
        } else {
            let first = tags.iter().flatten().next().cloned();
            Box::new(move |tag| tag.is_none() || *tag == first)
        };
        items
            .iter()
            .zip(&tags)
            .filter(|(_, tag)| wanted(tag))
            .map(|(item, _)| self.named(item))
            .collect()
    }
}

fn vocabulary(prefix: &str) -> Option<&'static str> {
    let prefix = if prefix == DCTERMS { "dct" } else { prefix };
    VOCABULARIES
        .iter()
        .find(|(known, _)| *known == prefix)
        .map(|(_, vocabulary)| *vocabulary)
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
