//! R31, R32: a department's older platform keeps its catalogue and its services; both appear in the federation.

use guantong_tests::stage::publish;
use identity::CreditCode;
use node::platform::{Bounds, Mapping, source, translate};
use sharing::catalogue::PublishedEntry;

use super::*;
use crate::services::{ALL, Backend, PURPOSE, Scene, granted, registered};

/// The catalogue as the platform keeps it: a row for each item.
const CATALOGUE: &str = "\
目录代码,目录名称,摘要,数据格式,更新周期,共享类型,共享范围,使用用途,共享方式,含个人信息,信息项名称,数据类型
MZ-0001,低保对象信息,在册低保对象,CSV,每月,有条件共享,依法履职的政府部门,社会救助资格核验,文件下载,否,统一社会信用代码,C18
,,,,,,,,,,名称,C50
,,,,,,,,,,登记日期,C10
";

/// How it is read, whose it is, and where its service answers.
fn mapping(provider: CreditCode, backend: &str) -> String {
    format!(
        r#"platform = "和平区民政局数据资源平台"
prefix = "210102/MZ"
[source]
kind = "csv"
address = "catalogue.csv"
rows = "items"
[provider]
code = "{provider}"
name = "和平区民政局"
[fields]
key = "目录代码"
name = "目录名称"
summary = "摘要"
format = "数据格式"
frequency = "更新周期"
class = "共享类型"
scope = "共享范围"
uses = "使用用途"
methods = "共享方式"
personal_information = "含个人信息"
[fields.items]
from = "rows"
name = "信息项名称"
kind = "数据类型"
[defaults]
grade = "一般数据"
[defaults.secrecy_assessment.done]
by = "李文婷"
on = "2026-01-05"
conclusion = "不涉密"
[[service]]
name = "低保对象查询"
url = "{backend}"
entry = "210102/MZ/MZ-0001"
"#
    )
}

/// Row P2.
#[test]
fn an_older_platforms_catalogue_appears_at_the_hub_and_its_service_is_called_from_another_province()
{
    let mut live = start();
    let provider = Department::hosted(code("210102"), 1, "民政局");
    let requester = Department::hosted(code("440106"), 2, "民政局");
    let (folder, backend) = (tempfile::tempdir().expect("a folder"), Backend::start());
    let kept = folder.path().join("catalogue.csv");
    std::fs::write(&kept, CATALOGUE).expect("kept");
    let text = mapping(provider.code, &backend.address);
    let mapping = Mapping::parse(&text, folder.path()).expect("a mapping");
    let records = source::pull(&mapping, Bounds::default()).expect("pulled");
    let found = translate(&mapping, &records);
    assert!(found.defects.is_empty(), "{:?}", found.defects);
    let entries: Vec<Entry> = found.entries.into_values().collect();
    let [entry] = &entries[..] else {
        panic!("one record: {entries:?}")
    };
    // Another department does not bring it in as its own.
    let other = Department::hosted(code("210102"), 2, "教育局");
    let body = ActBody::CompileEntries {
        entries: entries.clone(),
    };
    refused(staff(&live, &other, Role::Operator, body), "R12");
    publish(&mut live, &provider, entries.clone());
    let id = node::cli::client::encode(&entry.id.to_string());
    let path = format!("/catalogue/published/210102/{id}");
    let seen: PublishedEntry = got(&live, Code::HUB, &path, |_| true);
    assert_eq!(seen.entry, *entry);
    live.configure(provider.node, |config| {
        config.services = registered(&mapping.services.registrations());
    });
    let docket = granted(&mut live, (&requester, &provider), entry, ALL);
    let scene = Scene {
        live,
        backend,
        requester,
        provider,
        docket,
    };
    let call = scene.get("/rows?id=1");
    assert_eq!(call.status(), 200);
    assert!(call.body().expect("whole").contains("甲"));
    let asked = scene.backend.asked();
    assert!(
        asked[0].starts_with("GET /base/rows?id=1 HTTP/1.1"),
        "{asked:?}"
    );
    let [here, there] = scene.ends(1);
    assert_eq!(here, there, "both ends have the same receipt");
    let line = format!("GET {}", scene.url("/rows"));
    let purpose = federation::service::percent_encoded("信用评级");
    let beyond = scene.send(&line, &format!("x-guantong-purpose: {purpose}\r\n"), "");
    assert_ne!(PURPOSE, "信用评级");
    assert_eq!(beyond.status(), 422);
    assert!(beyond.body().expect("a problem").contains("R25"));
    assert_eq!(scene.backend.asked().len(), 1, "the platform is not asked");
}
