//! Reading one record: each field from where the mapping says it stands, its words as those of the law.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde_json::Value;
use sharing::catalogue::{
    ConditionsDraft, EntryDraft, EntryId, ItemDraft, NotSharedDraft, NothingDraft, TermsDraft, Word,
};
use statute::{Grade, Method, ShareClass};

use crate::language::Text;
use crate::platform::mapping::{ItemFields, Mapping};
use crate::platform::record::{FieldPath, Record, text_of, texts};

/// What stands between formats.
const BETWEEN_FORMATS: &str = "、";

/// A record that is being read, and the words in it that mean nothing.
pub(super) struct Reading<'a> {
    mapping: &'a Mapping,
    record: &'a Record,
    unread: Vec<Text>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(mapping: &'a Mapping, record: &'a Record) -> Self {
        Self {
            mapping,
            record,
            unread: Vec::new(),
        }
    }

    /// What the record says as a draft, and what it says that means nothing.
    pub(super) fn draft(mut self, id: &EntryId, name: &str) -> (EntryDraft, Vec<Text>) {
        let (fields, defaults, values) = (
            &self.mapping.fields,
            &self.mapping.defaults,
            &self.mapping.values,
        );
        let personal_information = self.personal_information();
        let draft = EntryDraft {
            id: id.to_string(),
            version: Some(1),
            name: name.to_owned(),
            summary: self
                .text(fields.summary.as_ref())
                .unwrap_or_else(|| defaults.summary.clone()),
            provider: self.mapping.provider.code.to_string(),
            provider_name: self.mapping.provider.name.clone(),
            items: self.items(),
            format: self.format(),
            frequency: match self.text(fields.frequency.as_ref()) {
                Some(text) => self
                    .word("更新频率", "frequency", &text, &values.frequency)
                    .map(Word),
                None => defaults.frequency,
            },
            terms: self.terms(),
            methods: self.methods(id),
            grade: None,
            personal_information,
            secrecy_assessment: defaults.secrecy_assessment.clone(),
            privacy_assessment: defaults.privacy_assessment.clone(),
            collection: None,
        };
        (draft, self.unread)
    }

    fn text(&self, path: Option<&FieldPath>) -> Option<String> {
        self.record.text(path?)
    }

    /// All texts at a path, cut at semicolons and lines.
    fn list(&self, path: Option<&FieldPath>) -> Vec<String> {
        let all = path.map_or_else(Vec::new, |path| self.record.texts(path));
        cut(&all, &['；', ';', '\n'])
    }

    /// A word of the platform as one of the law.
    fn word<T: FromStr<Err: Display>>(
        &mut self,
        zh: &str,
        en: &str,
        text: &str,
        meanings: &BTreeMap<String, String>,
    ) -> Option<T> {
        let meant = meanings.get(text).map_or(text, String::as_str);
        match meant.trim().parse() {
            Ok(word) => Some(word),
            Err(error) => {
                self.unread.push(Text::new(
                    format!("{zh}“{text}”不能对应：{error}"),
                    format!("the {en} {text:?} is not mapped: {error}"),
                ));
                None
            }
        }
    }

    /// Whether there is personal information has to be said by someone.
    fn personal_information(&mut self) -> bool {
        let path = self.mapping.fields.personal_information.as_ref();
        let Some(text) = self.text(path) else {
            return self
                .mapping
                .defaults
                .personal_information
                .unwrap_or_else(|| {
                    self.unread.push(Text::new(
                        "未说明是否含个人信息",
                        "whether it holds personal information is not said",
                    ));
                    false
                });
        };
        let meanings = &self.mapping.values.personal_information;
        let meant = meanings.get(&text).unwrap_or(&text);
        match meant.to_ascii_lowercase().as_str() {
            "是" | "有" | "true" | "yes" | "1" => true,
            "否" | "无" | "false" | "no" | "0" => false,
            _ => {
                self.unread.push(Text::new(
                    format!("含个人信息“{text}”不能对应：是或否"),
                    format!("personal information {text:?} is not mapped: yes or no"),
                ));
                false
            }
        }
    }

    fn format(&self) -> String {
        let path = self.mapping.fields.format.as_ref();
        let found = path.map_or_else(Vec::new, |path| self.record.texts(path));
        let meanings = &self.mapping.values.format;
        let mut formats: Vec<&str> = Vec::new();
        for text in &found {
            let meant = meanings.get(text).unwrap_or(text).trim();
            if !formats.contains(&meant) {
                formats.push(meant);
            }
        }
        if formats.is_empty() {
            return self.mapping.defaults.format.clone();
        }
        formats.join(BETWEEN_FORMATS)
    }

    fn terms(&mut self) -> TermsDraft {
        let (fields, defaults) = (&self.mapping.fields, &self.mapping.defaults);
        let class = match self.text(fields.class.as_ref()) {
            Some(text) => self.word("共享属性", "class", &text, &self.mapping.values.class),
            None => defaults.class.map(|Word(class)| class),
        };
        let or = |found: Vec<String>, default: &Vec<String>| match found.is_empty() {
            true => default.clone(),
            false => found,
        };
        let mut terms = TermsDraft::default();
        match class {
            None => {}
            Some(ShareClass::Unconditional) => terms.unconditional = Some(NothingDraft {}),
            Some(ShareClass::Conditional) => {
                let of = &defaults.conditional;
                terms.conditional = Some(ConditionsDraft {
                    scope: or(self.list(fields.scope.as_ref()), &of.scope),
                    uses: or(self.list(fields.uses.as_ref()), &of.uses),
                    conditions: or(self.list(fields.conditions.as_ref()), &of.conditions),
                });
            }
            Some(ShareClass::NotShared) => {
                let of = &defaults.not_shared;
                terms.not_shared = Some(NotSharedDraft {
                    reason: self
                        .text(fields.reason.as_ref())
                        .unwrap_or_else(|| of.reason.clone()),
                    legal_basis: of.legal_basis.clone(),
                });
            }
        }
        terms
    }

    /// The ways the record names, and the service interface where a service is registered for the entry.
    fn methods(&mut self, id: &EntryId) -> Vec<Word<Method>> {
        let path = self.mapping.fields.methods.as_ref();
        let found = path.map_or_else(Vec::new, |path| self.record.texts(path));
        let mut methods: Vec<Word<Method>> = Vec::new();
        if found.is_empty() {
            methods.clone_from(&self.mapping.defaults.methods);
        }
        for text in cut(&found, &['；', ';', '、', '，', ',', '/', '\n']) {
            let word = self.word(
                "共享方式",
                "way of sharing",
                &text,
                &self.mapping.values.methods,
            );
            methods.extend(word.map(Word).filter(|method| !methods.contains(method)));
        }
        let service = Word(Method::ServiceInterface);
        if self.mapping.services.of(id).is_some() && !methods.contains(&service) {
            methods.push(service);
        }
        methods
    }

    fn items(&mut self) -> Vec<ItemDraft> {
        let Some(fields) = &self.mapping.fields.items else {
            return self.mapping.defaults.items.clone();
        };
        let mut items: Vec<ItemDraft> = Vec::new();
        for value in self.record.values(&fields.from) {
            match value {
                Value::Object(_) => {
                    let found = self.object_item(fields, value);
                    self.push(&mut items, found);
                }
                other => {
                    let whole = text_of(other).unwrap_or_default();
                    for part in whole.split(fields.separator.as_str()) {
                        let found = self.text_item(part);
                        self.push(&mut items, found);
                    }
                }
            }
        }
        if items.is_empty() {
            return self.mapping.defaults.items.clone();
        }
        items
    }

    /// The same item in two files of one dataset is one item.
    fn push(&self, items: &mut Vec<ItemDraft>, found: Option<ItemDraft>) {
        items.extend(found.filter(|item| !items.contains(item)));
    }

    fn object_item(&mut self, fields: &ItemFields, value: &Value) -> Option<ItemDraft> {
        let at = |path: &Option<FieldPath>| {
            let path = path.as_ref()?;
            texts(value, path).into_iter().next()
        };
        let name = at(&fields.name)?;
        self.item(name, at(&fields.kind), at(&fields.grade))
    }

    /// `户主姓名:C50:一般数据`, of which only the name must be there.
    fn text_item(&mut self, text: &str) -> Option<ItemDraft> {
        let mut parts = text.split([':', '：']).map(|part| part.trim().to_owned());
        let name = parts.next().filter(|name| !name.is_empty())?;
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let (kind, grade) = (next(), next());
        self.item(name, kind, grade)
    }

    fn item(
        &mut self,
        name: String,
        kind: Option<String>,
        grade: Option<String>,
    ) -> Option<ItemDraft> {
        let (defaults, values) = (&self.mapping.defaults, &self.mapping.values);
        let kind = kind.map_or_else(
            || defaults.kind.clone(),
            |kind| values.kind.get(&kind).cloned().unwrap_or(kind),
        );
        let grade: Option<Word<Grade>> = match grade {
            Some(text) => self
                .word("数据分级", "grade", &text, &values.grade)
                .map(Word),
            None => {
                if defaults.grade.is_none() {
                    self.unread.push(Text::new(
                        format!("数据项“{name}”没有分级"),
                        format!("the data item {name:?} has no grade"),
                    ));
                }
                defaults.grade
            }
        };
        grade.map(|grade| ItemDraft { name, kind, grade })
    }
}

/// Texts cut into parts, without empty ones and each once.
fn cut(texts: &[String], at: &[char]) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in texts.iter().flat_map(|text| text.split(at)) {
        let part = part.trim();
        if !part.is_empty() && !parts.iter().any(|it| it == part) {
            parts.push(part.to_owned());
        }
    }
    parts
}
