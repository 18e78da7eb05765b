//! Records mapped to entries: words, items, defects, ids.

use std::path::Path;

use serde_json::Value;
use serde_json::json;
use statute::{ClassTerms, Grade, Method, UpdateFrequency};

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
