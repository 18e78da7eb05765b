//! What the names in a JSON-LD document mean, and how they are written here.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

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

/// What the names of a document mean.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// Terms and prefixes, and what each stands for.
    terms: BTreeMap<String, String>,
    vocabulary: Option<String>,
}

impl Context {
    /// The context that a document brings with it.
    pub(super) fn of(document: &Value) -> Self {
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
    pub(super) fn named(&self, value: &Value) -> Value {
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

    /// Of texts in several languages the Chinese ones stand; without one, those of the first. What has no language stands in any case.
    fn in_one_language(&self, items: &[Value]) -> Vec<Value> {
        let tags = || items.iter().filter_map(language);
        let chinese = tags().find(|tag| is_chinese(tag));
        let wanted = chinese.or_else(|| tags().next());
        items
            .iter()
            .filter(|item| match (language(item), &wanted) {
                (Some(tag), Some(wanted)) => {
                    tag == *wanted || is_chinese(&tag) && is_chinese(wanted)
                }
                (Some(_), None) | (None, _) => true,
            })
            .map(|item| self.named(item))
            .collect()
    }
}

fn language(item: &Value) -> Option<String> {
    Some(item.get("@language")?.as_str()?.to_ascii_lowercase())
}

fn is_chinese(tag: &str) -> bool {
    tag.starts_with("zh")
}

fn vocabulary(prefix: &str) -> Option<&'static str> {
    let prefix = if prefix == DCTERMS { "dct" } else { prefix };
    VOCABULARIES
        .iter()
        .find(|(known, _)| *known == prefix)
        .map(|(_, vocabulary)| *vocabulary)
}
