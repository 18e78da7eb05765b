//! The published versions of an entry and what each changed (R17).

use sharing::catalogue::{Changed, DataItem, EntryId, FieldChange};

use super::client::{Client, encode};
use super::error::CliError;
use super::{Global, Output};
use crate::api::List;
use crate::api::catalogue::VersionView;
use crate::console::labels;
use crate::language::Language;

/// Which entry.
#[derive(Debug, clap::Args)]
pub struct HistoryArgs {
    /// 发布节点 / the publisher
    #[arg(long, value_name = "CODE")]
    publisher: String,
    /// 目录代码 / the entry's id
    #[arg(long)]
    id: EntryId,
    /// 从此版本之后 / after this version
    #[arg(long)]
    after: Option<u32>,
}

pub(super) fn run(global: &Global, output: &Output, args: &HistoryArgs) -> Result<(), CliError> {
    let after = args
        .after
        .map_or_else(String::new, |it| format!("?after={it}"));
    let (publisher, id) = (encode(&args.publisher), encode(args.id.as_str()));
    let path = format!("/catalogue/published/{publisher}/{id}/versions{after}");
    let list: List<VersionView> = Client::of(global, output.language())?.get(&path)?;
    output.print(&list, |language| {
        let versions = list.items.iter().map(|view| version(view, language));
        versions.collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

fn version(view: &VersionView, language: Language) -> String {
    let published = &view.published;
    let (number, name) = (published.entry.version, &published.entry.name);
    let mut text = format!("v{number} {} {name}", labels::time(published.published_at));
    for change in &view.changes {
        text.push_str(&format!("\n  {}", told(change, language)));
    }
    text
}

/// One difference, as a line.
fn told(change: &FieldChange, language: Language) -> String {
    let pick = |zh, en| language.pick(zh, en);
    let item = |item: &DataItem| {
        let grade = pick(item.grade.zh(), item.grade.en());
        format!("{}（{}，{grade}）", item.name, item.kind)
    };
    match change {
        FieldChange::Name(it) => texts(pick("目录名称", "name"), it),
        FieldChange::Summary(it) => texts(pick("摘要", "summary"), it),
        FieldChange::ProviderName(it) => texts(pick("提供单位", "provider"), it),
        FieldChange::ItemAdded(it) => format!("+ {}", item(it)),
        FieldChange::ItemRemoved(it) => format!("- {}", item(it)),
        FieldChange::ItemChanged(it) => {
            format!(
                "{}：{} → {}",
                pick("数据项", "item"),
                item(&it.from),
                item(&it.to)
            )
        }
        FieldChange::Format(it) => texts(pick("数据格式", "format"), it),
        FieldChange::Frequency(it) => words(
            pick("更新频率", "frequency"),
            pick(it.from.zh(), it.from.en()),
            pick(it.to.zh(), it.to.en()),
        ),
        FieldChange::Terms(it) => {
            let (from, to) = (it.from.class(), it.to.class());
            words(
                pick("共享属性与使用条件", "class and conditions"),
                pick(from.zh(), from.en()),
                pick(to.zh(), to.en()),
            )
        }
        FieldChange::Methods(it) => {
            let named = |methods: &[statute::Method]| {
                let names = methods.iter().map(|it| pick(it.zh(), it.en()));
                names.collect::<Vec<_>>().join("、")
            };
            words(
                pick("共享方式", "methods"),
                &named(&it.from),
                &named(&it.to),
            )
        }
        FieldChange::Grade(it) => words(
            pick("数据分级", "grade"),
            pick(it.from.zh(), it.from.en()),
            pick(it.to.zh(), it.to.en()),
        ),
        FieldChange::PersonalInformation(it) => {
            let said = |holds| {
                if holds {
                    pick("是", "yes")
                } else {
                    pick("否", "no")
                }
            };
            words(
                pick("含个人信息", "personal information"),
                said(it.from),
                said(it.to),
            )
        }
        FieldChange::SecrecyAssessment(_) => {
            pick("保密风险评估有变化", "secrecy assessment changed").to_owned()
        }
        FieldChange::PrivacyAssessment(_) => pick(
            "个人信息保护影响评估有变化",
            "assessment of personal information changed",
        )
        .to_owned(),
        FieldChange::Collection(it) => {
            let said = |mark: Option<statute::CollectionMark>| match mark {
                Some(mark) => language.pick(&mark.zh(), &mark.en()).to_owned(),
                None => pick("无", "none").to_owned(),
            };
            words(pick("资源集合", "collection"), &said(it.from), &said(it.to))
        }
    }
}

fn texts(field: &str, change: &Changed<String>) -> String {
    words(field, &change.from, &change.to)
}

fn words(field: &str, from: &str, to: &str) -> String {
    format!("{field}：{from} → {to}")
}
