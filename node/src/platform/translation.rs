//! From records to entries. A record that cannot be mapped is told with everything it lacks (R13) and does not stop the others; it still counts as
//! being there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

use identity::{Digest, Moment, codec};
use serde_json::Value;
use sharing::catalogue::{
    Change, ConditionsDraft, Entry, EntryDraft, EntryId, ItemDraft, MAX_ENTRY_ID, NotSharedDraft,
    NothingDraft, TermsDraft, Word,
};
use statute::{Grade, Method, Refusal, ShareClass};

use super::mapping::{ItemFields, Mapping};
use super::record::{FieldPath, Record, text_of, texts};
use crate::language::Text;
use crate::person::complete;

/// Hexadecimal digits of a key's digest in an id: 128 bits, so that two keys do not meet.
const KEY_DIGITS: usize = 32;
/// Before a key's digest in an id.
const DIGEST_MARK: &str = "key-";
/// What stands between formats.
const BETWEEN_FORMATS: &str = "、";

/// What the records of a pull come to.
#[derive(Debug, Default)]
pub struct Translation {
    /// The entries; all with version 1, as the version depends on what the node holds.
    pub entries: BTreeMap<EntryId, Entry>,
    /// Records that are no entry, in the order of the platform.
    pub defects: Vec<Defect>,
    /// Everything that is there, mapped or not.
    pub present: BTreeSet<EntryId>,
    /// Records without a key. While there are any, nothing can be said to be gone.
    pub without_key: usize,
}

/// Why a record is no entry.
#[derive(Debug, Clone)]
pub struct Defect {
    /// The record's key in the platform, where it has one.
    pub key: Option<String>,
    /// Its name.
    pub name: String,
    /// All that is wrong.
    pub what: Text,
    /// When it is the law that refuses it.
    pub refusal: Option<Refusal>,
}

/// Maps all records.
pub fn translate(mapping: &Mapping, records: &[Record]) -> Translation {
    let mut translation = Translation::default();
    for record in records {
        let key = record.text(&mapping.fields.key);
        let name = record.text(&mapping.fields.name).unwrap_or_default();
        let outcome = match &key {
            None => {
                translation.without_key += 1;
                Err((
                    Text::new(
                        format!("没有 fields.key 所指的“{}”", mapping.fields.key.as_str()),
                        format!(
                            "{:?}, which fields.key names, is absent",
                            mapping.fields.key.as_str()
                        ),
                    ),
                    None,
                ))
            }
            Some(key) => {
                let id = entry_id(mapping, key);
                if translation.present.insert(id.clone()) {
                    entry(mapping, record, &id, &name).map(|entry| {
                        translation.entries.insert(id, entry);
                    })
                } else {
                    // Which of the two is meant cannot be known.
                    translation.entries.remove(&id);
                    Err((
                        Text::new("平台中有两条记录同为此键", "two records have this key"),
                        None,
                    ))
                }
            }
        };
        if let Err((what, refusal)) = outcome {
            translation.defects.push(Defect {
                key,
                name,
                what,
                refusal,
            });
        }
    }
    translation
}

/// The id of a record: its key under the prefix; where the key is no part of an id, the digest of it.
fn entry_id(mapping: &Mapping, key: &str) -> EntryId {
    let prefix = mapping.prefix.with_slash();
    let plain = || {
        let id: EntryId = format!("{prefix}{key}").parse().ok()?;
        (!key.starts_with(DIGEST_MARK)).then_some(id)
    };
    plain().unwrap_or_else(|| {
        let digest = Digest::object(key.as_bytes()).to_string();
        let digits = digest.get(..KEY_DIGITS).unwrap_or_default();
        let id = format!("{prefix}{DIGEST_MARK}{digits}");
        debug_assert!(id.len() <= MAX_ENTRY_ID);
        // A prefix is part of an id, and so are the mark and the digits.
        id.parse().expect("a prefix leaves room for a digest")
    })
}

fn entry(
    mapping: &Mapping,
    record: &Record,
    id: &EntryId,
    name: &str,
) -> Result<Entry, (Text, Option<Refusal>)> {
    let mut reading = Reading {
        mapping,
        record,
        unread: Vec::new(),
    };
    let draft = reading.draft(id, name);
    let unread = reading.unread;
    let joined = |own: &[Text], rest: Option<&Text>| {
        let all: Vec<&Text> = own.iter().chain(rest).collect();
        let in_one = |pick: fn(&Text) -> &str, between: &str| {
            all.iter()
                .map(|text| pick(text))
                .collect::<Vec<_>>()
                .join(between)
        };
        Text::new(in_one(|text| &text.zh, "；"), in_one(|text| &text.en, "; "))
    };
    match complete(draft) {
        Ok(entry) if !unread.is_empty() => {
            drop(entry);
            Err((joined(&unread, None), None))
        }
        Ok(entry) => fits(entry).map_err(|text| (text, None)),
        Err(incomplete) => Err((joined(&unread, Some(&incomplete.what)), incomplete.refusal)),
    }
}

/// What is too large for a segment of the publication log would be refused with everything that is compiled beside it.
fn fits(entry: Entry) -> Result<Entry, Text> {
    let change = Change::Published {
        entry,
        at: Moment::from_millis(i64::MAX),
    };
    let (found, limit) = (
        codec::encode(&change).len(),
        federation::sync::MAX_CHANGE_BYTES,
    );
    match change {
        Change::Published { entry, .. } if found <= limit => Ok(entry),
        _ => Err(Text::new(
            format!("条目共 {found} 字节，超过 {limit}"),
            format!("the entry has {found} bytes, more than {limit}"),
        )),
    }
}

/// A record that is being read, and the words in it that mean nothing.
struct Reading<'a> {
    mapping: &'a Mapping,
    record: &'a Record,
    unread: Vec<Text>,
}

impl Reading<'_> {
    fn draft(&mut self, id: &EntryId, name: &str) -> EntryDraft {
        let (fields, defaults, values) = (
            &self.mapping.fields,
            &self.mapping.defaults,
            &self.mapping.values,
        );
        let personal_information = self.personal_information();
        EntryDraft {
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
        }
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

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use serde_json::json;
    use statute::{ClassTerms, UpdateFrequency};

    use super::*;

    const MAPPING: &str = r#"
platform = "天河区民政局数据资源平台"
prefix = "440106/MZ"
[source]
kind = "ckan"
address = "http://10.0.0.8:5000"
[provider]
code = "11440106007512345X"
name = "天河区民政局"
[fields]
key = "id"
name = "title"
summary = "notes"
format = "resources.format"
frequency = "extras.更新频率"
class = "extras.共享属性"
scope = "extras.共享范围"
uses = "extras.使用用途"
methods = "extras.共享方式"
personal_information = "extras.含个人信息"
[fields.items]
from = "extras.数据项"
name = "name"
kind = "type"
[defaults]
grade = "一般数据"
kind = "C"
[defaults.secrecy_assessment.done]
by = "李四"
on = "2026-01-05"
conclusion = "不涉密"
[defaults.privacy_assessment.done]
by = "李四"
on = "2026-01-05"
conclusion = "风险可控"
[values]
frequency = { "按月" = "每月" }
class = { "受限开放" = "有条件共享" }
[[service]]
name = "低保核验"
url = "http://10.0.0.9/verify"
entry = "440106/MZ/1"
"#;

    pub(in crate::platform) fn mapping() -> Mapping {
        Mapping::parse(MAPPING, Path::new("")).unwrap()
    }

    fn package(id: &str, name: &str) -> Value {
        json!({"id": id, "title": name, "notes": "本区在保低保家庭及成员",
            "resources": [{"format": "CSV"}, {"format": "XLSX"}, {"format": "CSV"}],
            "extras": {"更新频率": "按月", "共享属性": "受限开放", "共享范围": "县级以上民政部门；教育部门", "使用用途": "社会救助核对",
                "共享方式": "文件下载、批量交换", "含个人信息": "是", "数据项": "户主姓名:C50；身份证号：C18：重要数据；户主姓名:C50"}})
    }

    fn translated(packages: &[Value]) -> Translation {
        let records: Vec<Record> = packages.iter().cloned().map(Record::new).collect();
        translate(&mapping(), &records)
    }

    /// An entry of that mapping with an id and a name.
    pub(in crate::platform) fn entry(id: &str, name: &str) -> Entry {
        let mut found = translated(&[package("1", name)]);
        let mut entry = found.entries.pop_first().unwrap().1;
        entry.id = id.parse().unwrap();
        entry
    }

    #[test]
    fn a_record_becomes_an_entry_with_its_words_translated() {
        let found = translated(&[package("1", "低保家庭信息")]);
        assert!(found.defects.is_empty(), "{:?}", found.defects);
        let entry = found.entries.values().next().unwrap();
        assert_eq!(entry.id.as_str(), "440106/MZ/1");
        assert_eq!(
            (entry.format.as_str(), entry.frequency),
            ("CSV、XLSX", UpdateFrequency::Monthly)
        );
        assert_eq!(
            entry.methods,
            [
                Method::FileDownload,
                Method::BatchExchange,
                Method::ServiceInterface
            ],
            "with the service that is registered for it"
        );
        assert!(matches!(&entry.terms, ClassTerms::Conditional { scope, .. } if scope.len() == 2));
        let items: Vec<_> = entry
            .items
            .iter()
            .map(|it| (it.name.as_str(), it.kind.as_str(), it.grade))
            .collect();
        assert_eq!(
            items,
            [
                ("户主姓名", "C50", Grade::General),
                ("身份证号", "C18", Grade::Important)
            ]
        );
        assert_eq!(entry.grade, Grade::Important, "that of the strictest item");
    }

    #[test]
    fn items_may_be_objects_and_lack_a_type() {
        let mut package = package("1", "甲");
        package["extras"]["数据项"] =
            json!([{"name": "姓名", "type": "text"}, {"name": "住址"}, {"type": "x"}, 7]);
        let found = translated(&[package]);
        let entry = found.entries.values().next().unwrap();
        let items: Vec<_> = entry
            .items
            .iter()
            .map(|it| (it.name.as_str(), it.kind.as_str()))
            .collect();
        assert_eq!(items, [("姓名", "text"), ("住址", "C"), ("7", "C")]);
    }

    #[test]
    fn everything_a_record_lacks_is_told_at_once_and_the_others_are_mapped() {
        let mut poor = package("2", "");
        poor["resources"] = json!([]);
        poor["notes"] = json!(null);
        poor["extras"] =
            json!({"更新频率": "看情况", "共享属性": {"x": 1}, "含个人信息": "未知", "数据项": []});
        let found = translated(&[package("1", "甲"), poor]);
        assert_eq!((found.entries.len(), found.present.len()), (1, 2));
        let [defect] = found.defects.as_slice() else {
            panic!("{:?}", found.defects)
        };
        for lacking in [
            "看情况",
            "未知",
            "摘要",
            "数据目录名称",
            "数据项",
            "数据格式",
            "共享属性",
            "共享方式",
        ] {
            assert!(
                defect.what.zh.contains(lacking),
                "{lacking}: {}",
                defect.what.zh
            );
        }
        assert_eq!(
            defect
                .refusal
                .as_ref()
                .map(|it| it.article.short())
                .as_deref(),
            Some("R13")
        );
    }

    #[test]
    fn secrets_and_what_the_law_refuses_stay_out() {
        let found = translated(&[package("1", "机密人员名册")]);
        assert_eq!(found.entries.len(), 0);
        assert_eq!(
            found.defects[0].refusal.as_ref().unwrap().article.short(),
            "R3"
        );
    }

    #[test]
    fn a_key_that_is_no_part_of_an_id_is_named_by_its_digest_always_the_same() {
        let id = |key: &str| entry_id(&mapping(), key).to_string();
        assert_eq!(
            id("0f6a2c1e-7a55-4c0e-9d53-0a3b6f1c2d4e"),
            "440106/MZ/0f6a2c1e-7a55-4c0e-9d53-0a3b6f1c2d4e"
        );
        let chinese = id("低保家庭");
        assert!(chinese.starts_with("440106/MZ/key-") && chinese == id("低保家庭"));
        assert_ne!(chinese, id("特困人员"));
        assert_ne!(
            id(&chinese["440106/MZ/".len()..]),
            chinese,
            "no key takes another's id"
        );
        assert!(id(&"长".repeat(10_000)).len() <= MAX_ENTRY_ID);
    }

    #[test]
    fn a_key_that_stands_twice_or_not_at_all_is_a_defect_and_the_entry_is_there() {
        let mut keyless = package("3", "丙");
        keyless.as_object_mut().unwrap().remove("id");
        let found = translated(&[package("1", "甲"), package("1", "乙"), keyless]);
        assert_eq!((found.entries.len(), found.present.len()), (0, 1));
        assert_eq!((found.defects.len(), found.without_key), (2, 1));
    }

    #[test]
    fn values_of_any_shape_are_defects_and_never_a_panic() {
        for shape in [
            json!(null),
            json!(7),
            json!(1.5e300),
            json!([[[[]]]]),
            json!({"a": {"b": []}}),
            json!("；；::："),
        ] {
            let mut package = package("1", "甲");
            for field in ["notes", "title", "resources", "extras"] {
                package[field] = shape.clone();
            }
            package["extras"] =
                json!({"数据项": shape, "共享方式": shape, "共享属性": shape, "含个人信息": shape});
            let found = translated(&[package, shape.clone()]);
            assert_eq!(found.entries.len(), 0, "{shape}");
            assert!(!found.defects.is_empty());
        }
    }
}
