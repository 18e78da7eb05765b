//! One description in an older platform, before it is mapped: a tree of named values.

use serde::Deserialize;
use serde_json::Value;

/// Longest path to a field, characters.
pub const MAX_PATH_CHARS: usize = 200;

/// One dataset as the platform describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record(Value);

/// Where a value stands in a record: names joined by dots, such as `extras.共享属性` or `resources.format`. A list on the way is walked
/// through, so that a path may give many values.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct FieldPath(String);

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "字段路径应有 1 至 {MAX_PATH_CHARS} 个字符 / a path to a field has 1 to {MAX_PATH_CHARS} characters"
)]
pub struct FieldPathError;

impl TryFrom<String> for FieldPath {
    type Error = FieldPathError;

    fn try_from(text: String) -> Result<Self, FieldPathError> {
        let length = text.chars().count();
        if text.trim().is_empty() || length > MAX_PATH_CHARS {
            return Err(FieldPathError);
        }
        Ok(Self(text))
    }
}

impl FieldPath {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Record {
    /// A record of a tree.
    pub fn new(tree: Value) -> Self {
        Self(tree)
    }

    /// The texts at a path, trimmed, without empty ones. Numbers and truth values are texts too; objects are not.
    pub fn texts(&self, path: &FieldPath) -> Vec<String> {
        texts(&self.0, path)
    }

    /// The first text at a path.
    pub fn text(&self, path: &FieldPath) -> Option<String> {
        self.texts(path).into_iter().next()
    }

    /// The values at a path.
    pub fn values(&self, path: &FieldPath) -> Vec<&Value> {
        values(&self.0, path)
    }
}

/// The values at a path in a tree.
pub(super) fn values<'a>(tree: &'a Value, path: &FieldPath) -> Vec<&'a Value> {
    let mut found = Vec::new();
    walk(tree, path.as_str(), &mut found);
    found
}

/// The texts at a path in a tree.
pub(super) fn texts(tree: &Value, path: &FieldPath) -> Vec<String> {
    values(tree, path).into_iter().filter_map(text_of).collect()
}

/// A value as text; nothing for what is empty or a tree.
pub(super) fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn walk<'a>(value: &'a Value, path: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, path, found)),
        Value::Null => {}
        _ if path.is_empty() => found.push(value),
        Value::Object(fields) => {
            // A name may have a dot in it: the whole of the path is tried first, then what stands before each dot.
            if let Some(inner) = fields.get(path) {
                return walk(inner, "", found);
            }
            let inner = path
                .match_indices('.')
                .find_map(|(at, _)| Some((fields.get(path.get(..at)?)?, path.get(at + 1..)?)));
            if let Some((inner, rest)) = inner {
                walk(inner, rest, found);
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> FieldPath {
        FieldPath::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_path_walks_through_lists_and_names_with_dots() {
        let record = Record::new(json!({
            "title": " 低保家庭信息 ",
            "resources": [{"format": "CSV"}, {"format": ""}, {"format": null}, {"format": "JSON", "size": 12}],
            "extras": {"v1.共享属性": "有条件共享"},
            "http://purl.org/x.y": true,
        }));
        assert_eq!(record.text(&path("title")), Some("低保家庭信息".into()));
        assert_eq!(record.texts(&path("resources.format")), ["CSV", "JSON"]);
        assert_eq!(record.texts(&path("resources.size")), ["12"]);
        assert_eq!(record.texts(&path("extras.v1.共享属性")), ["有条件共享"]);
        assert_eq!(record.texts(&path("http://purl.org/x.y")), ["true"]);
        for nothing in ["extras", "title.x", "resources.format.x", "..", "x"] {
            assert!(record.texts(&path(nothing)).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn a_path_has_a_length() {
        for wrong in [String::new(), "  ".into(), "x".repeat(MAX_PATH_CHARS + 1)] {
            assert!(FieldPath::try_from(wrong).is_err());
        }
    }
}
