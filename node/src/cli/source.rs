//! Source departments, and whether what is to be collected is shared already (R19, R40(1)).

use federation::core::query::SourceView;
use federation::wire::{SearchHit, WHOLE};
use identity::{CreditCode, Path};
use sharing::act::ActBody;
use sharing::source::{Matter, SourceAct};

use super::client::{Client, encode};
use super::error::CliError;
use super::output::{columns, listed};
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::List;
use crate::api::catalogue::DEFAULT_SEARCH_WAIT_MS;
use crate::api::sources::AlreadyAnswer;
use crate::console::{labels, need};
use crate::language::Language;

/// Which department, for what.
#[derive(Debug, clap::Args)]
pub struct NameArgs {
    /// 事项 / the matter
    #[arg(long)]
    matter: Matter,
    /// 数源部门的统一社会信用代码 / the department's credit code
    #[arg(long, value_name = "CODE")]
    department: CreditCode,
    /// 部门所在节点，如 100000/440000/440100 / the place of its node, from the hub down
    #[arg(long, value_name = "PLACE")]
    at: Path,
}

/// What is to be collected.
#[derive(Debug, clap::Args)]
pub struct AlreadyArgs {
    /// 拟收集的数据项，以逗号分隔 / names of the items, with commas between
    #[arg(long)]
    items: String,
    /// 事项 / the matter
    #[arg(long)]
    matter: Option<Matter>,
    /// 条数 / how many entries
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// 等待各上级答复的毫秒数 / milliseconds to wait for the levels above
    #[arg(long, default_value_t = DEFAULT_SEARCH_WAIT_MS)]
    wait_ms: u64,
}

pub(super) fn name(global: &Global, output: &Output, args: NameArgs) -> Result<(), CliError> {
    let body = ActBody::Source(SourceAct::Name {
        matter: args.matter,
        department: args.department,
        node: args.at,
    });
    carry_out(global, output, body).map(drop)
}

pub(super) fn list(
    global: &Global,
    output: &Output,
    matter: Option<&Matter>,
) -> Result<(), CliError> {
    let matter = matter.map_or_else(String::new, |it| format!("?matter={}", encode(it.as_str())));
    let list: List<SourceView> =
        Client::of(global, output.language())?.get(&format!("/catalogue/sources{matter}"))?;
    output.print(&list, |language| {
        let none = ("没有明确数源部门。", "No source department is named.");
        listed(&rows(&list.items), language, none)
    });
    Ok(())
}

fn rows(sources: &[SourceView]) -> Vec<Vec<String>> {
    let row = |view: &SourceView| {
        vec![
            view.source.matter.to_string(),
            view.source.department.to_string(),
            view.source.node.to_string(),
            labels::time(view.source.at),
            view.by.code().to_string(),
        ]
    };
    sources.iter().map(row).collect()
}

pub(super) fn already(
    global: &Global,
    output: &Output,
    args: &AlreadyArgs,
) -> Result<(), CliError> {
    let matter = args
        .matter
        .as_ref()
        .map_or_else(String::new, |it| format!("&matter={}", encode(it.as_str())));
    let (items, limit, wait) = (encode(&args.items), args.limit, args.wait_ms);
    let path = format!("/catalogue/already?items={items}&limit={limit}&wait_ms={wait}{matter}");
    let found: AlreadyAnswer = Client::of(global, output.language())?.get(&path)?;
    output.print(&found, |language| told(&found, language));
    Ok(())
}

fn told(found: &AlreadyAnswer, language: Language) -> String {
    let row = |it: &SearchHit| {
        let whole = match it.score >= WHOLE {
            true => language.pick("全部", "all"),
            false => language.pick("部分", "part"),
        };
        vec![
            it.publisher.code().to_string(),
            it.id.to_string(),
            it.name.clone(),
            it.provider_name.clone(),
            language.pick(it.class.zh(), it.class.en()).to_owned(),
            format!("{whole}：{}", it.items.join("、")),
        ]
    };
    let here = found.here.hits();
    let entries: Vec<_> = here.iter().chain(&found.above).map(row).collect();
    let mut text = match entries.is_empty() {
        true => language
            .pick(
                "已发布的目录中没有这些数据项",
                "no published entry holds these items",
            )
            .to_owned(),
        false => columns(&entries),
    };
    if !found.here.sources.is_empty() {
        let heading = language.pick("数源部门", "source departments");
        let sources = columns(&rows(&found.here.sources));
        text.push_str(&format!("\n{heading}\n{sources}"));
    }
    if !found.here.complete {
        text.push('\n');
        text.push_str(language.pick(
            "目录过多，只查看了一部分",
            "only a part of the catalogue was looked through",
        ));
    }
    text.push('\n');
    text.push_str(&need::asked(&found.asked, language));
    text
}

#[cfg(test)]
mod tests {
    use federation::core::query::Already;
    use sharing::need::{LevelAsked, Said};

    use super::*;

    #[test]
    fn an_answer_says_which_levels_answered_and_which_did_not() {
        let hit = |whole: bool| SearchHit {
            publisher: "100000/210000/210102".parse().unwrap(),
            id: "3/101/000001".parse().unwrap(),
            version: 1,
            name: "就业登记信息".into(),
            provider_name: "人力资源和社会保障局".into(),
            class: statute::ShareClass::Conditional,
            score: if whole { WHOLE } else { WHOLE / 2 },
            method: None,
            items: vec!["就业状态".into()],
        };
        let level = |node: &str, said| LevelAsked {
            node: node.parse().unwrap(),
            said,
        };
        let answered = Said::Answered {
            as_of: identity::Moment::from_millis(1_773_021_600_000),
            complete: true,
            whole: Vec::new(),
        };
        let mut found = AlreadyAnswer {
            here: Already {
                entries: Vec::new(),
                sources: Vec::new(),
                complete: true,
            },
            above: vec![hit(true)],
            asked: vec![
                level("100000/440000", answered),
                level("100000", Said::Silent),
            ],
        };
        let text = told(&found, Language::Chinese);
        for said in [
            "210102",
            "全部：就业状态",
            "已答复：440000",
            "未能联系：100000",
        ] {
            assert!(text.contains(said), "{text}");
        }
        found.above = vec![hit(false)];
        let text = told(&found, Language::English);
        for said in ["part：就业状态", "answered: 440000", "no answer: 100000"] {
            assert!(text.contains(said), "{text}");
        }
        found.above.clear();
        let text = told(&found, Language::Chinese);
        assert!(text.contains("没有这些数据项"), "{text}");
    }
}
