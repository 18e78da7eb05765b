//! An answer reduced to the granted data items (R25): a JSON object, or an array of objects.

use serde_json::Value;

/// Most bytes of an answer that is reduced: it is read into memory whole.
pub(super) const MAX_REDUCED_BYTES: usize = 4 << 20;

/// Keeps only the members with these names. `None` when the answer is not JSON of the form that can be reduced.
pub(super) fn reduce(answer: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(answer).ok()?;
    match &mut value {
        Value::Object(members) => members.retain(|name, _| names.contains(&name.as_str())),
        Value::Array(rows) => {
            for row in rows {
                let members = row.as_object_mut()?;
                members.retain(|name, _| names.contains(&name.as_str()));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    }
    serde_json::to_vec(&value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduced(text: &str) -> Option<String> {
        reduce(text.as_bytes(), &["姓名", "id"]).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn only_what_is_granted_is_left() {
        let object = reduced(r#"{"姓名":"甲","phone":"1","id":{"phone":"2"}}"#).unwrap();
        let expected: Value = serde_json::from_str(r#"{"姓名":"甲","id":{"phone":"2"}}"#).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&object).unwrap(), expected);
        assert_eq!(
            reduced(r#"[{"id":1,"phone":2},{"phone":3}]"#).as_deref(),
            Some(r#"[{"id":1},{}]"#)
        );
        assert_eq!(reduced("[]").as_deref(), Some("[]"));
    }

    #[test]
    fn what_cannot_be_reduced_is_not_let_through() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "1",
            "\"phone\"",
            "[1]",
            "[{},2]",
            "{\"id\":1",
            "{}{}",
            "<a/>",
            &deep,
        ] {
            assert_eq!(
                reduced(text),
                None,
                "{}",
                text.chars().take(9).collect::<String>()
            );
        }
    }
}
