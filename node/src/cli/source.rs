//! Source departments, and whether what is to be collected is shared already (R19, R40(1)).

use federation::core::query::{Already, SourceView};
use identity::{CreditCode, Path};
use sharing::act::ActBody;
use sharing::source::{Matter, SourceAct};

use super::client::{Client, encode};
use super::error::CliError;
use super::output::{columns, listed};
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::List;
use crate::console::labels;
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
    let (items, limit) = (encode(&args.items), args.limit);
    let path = format!("/catalogue/already?items={items}&limit={limit}{matter}");
    let found: Already = Client::of(global, output.language())?.get(&path)?;
    output.print(&found, |language| told(&found, language));
    Ok(())
}

fn told(found: &Already, language: Language) -> String {
    let row = |it: &sharing::source::Coverage| {
        let (entry, class) = (&it.entry.entry, it.entry.entry.terms.class());
        let whole = match it.whole {
            true => language.pick("全部", "all"),
            false => language.pick("部分", "part"),
        };
        vec![
            it.entry.publisher.code().to_string(),
            entry.id.to_string(),
            entry.name.clone(),
            entry.provider_name.clone(),
            language.pick(class.zh(), class.en()).to_owned(),
            format!("{whole}：{}", it.covers.join("、")),
        ]
    };
    let entries: Vec<_> = found.entries.iter().map(row).collect();
    let mut text = match entries.is_empty() {
        true => language
            .pick(
                "已发布的目录中没有这些数据项",
                "no published entry holds these items",
            )
            .to_owned(),
        false => columns(&entries),
    };
    if !found.sources.is_empty() {
        let heading = language.pick("数源部门", "source departments");
        text.push_str(&format!("\n{heading}\n{}", columns(&rows(&found.sources))));
    }
    if !found.complete {
        text.push('\n');
        text.push_str(language.pick(
            "目录过多，只查看了一部分",
            "only a part of the catalogue was looked through",
        ));
    }
    text.push('\n');
    text.push_str(language.pick(
        "以上只是本节点目录的情况：目录逐级上报，不逐级下发。请用 guantong catalogue search 向各上级检索",
        "this is this node's catalogue alone: entries climb and do not descend; search above with guantong catalogue search",
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_that_it_is_of_this_nodes_catalogue_alone() {
        let found = Already {
            entries: Vec::new(),
            sources: Vec::new(),
            complete: true,
        };
        for (language, only) in [
            (Language::Chinese, "以上只是本节点目录的情况"),
            (Language::English, "this node's catalogue alone"),
        ] {
            let text = told(&found, language);
            assert!(
                text.contains(only) && text.contains("guantong catalogue search"),
                "{text}"
            );
        }
    }
}
