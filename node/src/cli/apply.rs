//! Applying for an entry: the operator drafts, the head of the sharing office consents to exactly that document (R20).

use federation::core::view::{DraftView, PersonView};
use identity::{Code, CreditCode, Path};
use jiff::civil::Date;
use sharing::act::ActBody;
use sharing::application::{Application, DirectAct, Material};
use sharing::catalogue::{EntryId, PublishedEntry};
use statute::Method;

use super::args::{DocketArg, code, date, end_of, material};
use super::client::{Client, encode};
use super::enroll::credit;
use super::error::CliError;
use super::output::listed;
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::List;
use crate::api::catalogue::SearchAnswer;
use crate::console::labels;

/// `guantong apply`.
#[derive(Debug, clap::Subcommand)]
pub enum ApplyCommand {
    /// 经办人拟制申请 / the operator drafts an application
    #[command(visible_alias = "submit")]
    Draft(DraftArgs),
    /// 共享工作机构负责人同意，申请随即发出 / the head of the sharing office consents, and it goes out
    Consent {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
    },
    /// 待同意的申请 / drafts that await consent
    List,
    /// 直接获取无条件共享数据（地方规定许可的） / take what is shared unconditionally, where a local profile lets it be taken
    Take(DraftArgs),
}

/// What is applied for.
#[derive(Debug, clap::Args)]
pub struct DraftArgs {
    /// 提供节点 / the providing node
    #[arg(long, value_parser = code, value_name = "CODE")]
    pub publisher: Code,
    /// 目录代码 / the entry's id
    #[arg(long)]
    pub entry: EntryId,
    /// 申请部门统一社会信用代码；缺省为签名人的部门 / the applying department's credit code; the signer's when absent
    #[arg(long, value_parser = credit)]
    pub requester: Option<CreditCode>,
    /// 申请部门名称；缺省为登记的名称 / its name; as enrolled when absent
    #[arg(long)]
    pub requester_name: Option<String>,
    /// 数据项；缺省为全部 / items; all when absent
    #[arg(long = "item", value_name = "NAME")]
    pub items: Vec<String>,
    /// 申请材料，如 使用依据=… / materials, such as basis=…
    #[arg(long = "material", value_parser = material, value_name = "KIND=TEXT")]
    pub materials: Vec<Material>,
    /// 使用时限（当日终了） / period of use: until the end of this day
    #[arg(long, value_parser = date, value_name = "DATE")]
    pub until: Option<Date>,
    /// 共享方式；缺省为条目的第一种 / way of sharing; the entry's first when absent
    #[arg(long, value_parser = method)]
    pub method: Option<Method>,
    /// 在上级检索此条目所用的词；缺省为目录代码 / words to find the entry with above; its id when absent
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// 提供节点的路径，如 100000/mca / the provider's path
    #[arg(long, value_name = "PATH", requires = "entry_version")]
    pub provider: Option<Path>,
    /// 条目版本 / the entry's version
    #[arg(long, value_name = "N", requires = "provider")]
    pub entry_version: Option<u32>,
}

pub(super) fn method(text: &str) -> Result<Method, String> {
    text.parse()
        .map_err(|error: statute::UnknownTerm| error.in_both())
}

pub(super) fn run(global: &Global, command: ApplyCommand, output: &Output) -> Result<(), CliError> {
    match command {
        ApplyCommand::Draft(args) => {
            let application = compose(global, output, args)?;
            carry_out(global, output, ActBody::Apply { application }).map(drop)
        }
        ApplyCommand::Take(what) => {
            let application = compose(global, output, what)?;
            if application.until.is_none() {
                return Err(CliError::usage(
                    "直接获取须有 --until",
                    "what is taken needs --until",
                ));
            }
            let take = DirectAct::Take { application };
            carry_out(global, output, ActBody::Direct(take)).map(drop)
        }
        ApplyCommand::Consent { docket } => {
            let docket = docket.resolve(global, output)?;
            let drafts = drafts(global, output)?;
            let found = drafts
                .items
                .into_iter()
                .find(|draft| draft.docket == docket)
                .ok_or_else(|| {
                    CliError::usage(
                        format!("没有待同意的申请 {docket}"),
                        format!("no draft {docket} awaits consent"),
                    )
                    .advise("用 guantong apply list 查看", "see guantong apply list")
                })?;
            carry_out(
                global,
                output,
                ActBody::ConsentToApply {
                    docket,
                    document: found.document,
                },
            )
            .map(drop)
        }
        ApplyCommand::List => {
            let drafts = drafts(global, output)?;
            output.print(&drafts, |language| {
                let rows: Vec<Vec<String>> = drafts
                    .items
                    .iter()
                    .map(|draft| {
                        let application = &draft.application;
                        vec![
                            draft.docket.to_string(),
                            application.requester_name.clone(),
                            String::from(application.entry.clone()),
                            draft.by.clone(),
                            labels::time(draft.at),
                        ]
                    })
                    .collect();
                listed(
                    &rows,
                    language,
                    ("没有待同意的申请。", "No draft awaits consent."),
                )
            });
            Ok(())
        }
    }
}

fn drafts(global: &Global, output: &Output) -> Result<List<DraftView>, CliError> {
    Client::of(global, output.language())?.get(&format!("/drafts?limit={}", crate::api::MAX_PAGE))
}

/// The applying department: as stated, or the signer's as it is enrolled here.
fn requester(
    global: &Global,
    client: &Client,
    code: Option<CreditCode>,
    name: Option<String>,
) -> Result<(CreditCode, String), CliError> {
    if let (Some(code), Some(name)) = (&code, &name) {
        return Ok((*code, name.clone()));
    }
    let people: List<PersonView> =
        client.get(&format!("/people?limit={}", crate::api::MAX_PAGE))?;
    let key = global
        .key
        .as_deref()
        .map(crate::person::load_key)
        .transpose()?
        .map(|file| file.public);
    let enrolled = people.items.into_iter().find(|person| match &code {
        Some(code) => person.certificate.department == *code,
        None => Some(person.certificate.key) == key,
    });
    let enrolled = enrolled.ok_or_else(|| {
        CliError::usage("无从得知申请部门", "the applying department is not known").advise(
            "用 --requester、--requester-name 指明，或先登记签名人",
            "name it with --requester and --requester-name, or enrol the signer first",
        )
    })?;
    Ok((
        enrolled.certificate.department,
        name.unwrap_or(enrolled.department_name),
    ))
}

/// What is known of an entry before it is applied for.
struct Known {
    provider_node: Path,
    version: u32,
    items: Vec<String>,
    method: Option<Method>,
}

/// The entry as this node's catalogue has it, as `--provider` and `--entry-version` state it, or as a level above finds it.
fn known(client: &Client, args: &DraftArgs) -> Result<Option<Known>, CliError> {
    let id = String::from(args.entry.clone());
    let here = client.get::<PublishedEntry>(&format!(
        "/catalogue/published/{}/{}",
        args.publisher,
        encode(&id)
    ));
    match here {
        Ok(found) => {
            let items = found
                .entry
                .items
                .iter()
                .map(|item| item.name.clone())
                .collect();
            let method = found.entry.methods.first().copied();
            return Ok(Some(Known {
                provider_node: found.publisher,
                version: found.entry.version,
                items,
                method,
            }));
        }
        Err(error) if error.exit != super::Exit::Usage => return Err(error),
        // It is not in this node's catalogue: entries climb, they do not descend.
        Err(_) => {}
    }
    if let (Some(provider), Some(version)) = (&args.provider, args.entry_version) {
        return Ok(Some(Known {
            provider_node: provider.clone(),
            version,
            items: Vec::new(),
            method: None,
        }));
    }
    let text = args.search.as_deref().unwrap_or(&id);
    let answer: SearchAnswer = client.get(&format!(
        "/catalogue/search?q={}&limit=100&wait_ms=5000",
        encode(text)
    ))?;
    Ok(found_above(answer, args.publisher, &args.entry))
}

/// The entry among the hits of a search.
fn found_above(answer: SearchAnswer, publisher: Code, entry: &EntryId) -> Option<Known> {
    let hit = answer
        .hits
        .into_iter()
        .find(|hit| hit.publisher.code() == publisher && hit.id == *entry)?;
    Some(Known {
        provider_node: hit.publisher,
        version: hit.version,
        items: hit.items,
        method: hit.method,
    })
}

/// Every item asked for is one of the entry's, where they are known.
fn items_are_listed(asked: &[String], listed: &[String]) -> Result<(), CliError> {
    let foreign: Vec<&str> = asked
        .iter()
        .filter(|item| !listed.contains(item))
        .map(String::as_str)
        .collect();
    if listed.is_empty() || foreign.is_empty() {
        return Ok(());
    }
    let (foreign, listed) = (foreign.join("、"), listed.join("、"));
    Err(CliError::usage(
        format!("该条目没有数据项“{foreign}”"),
        format!("the entry has no item {foreign}"),
    )
    .advise(
        format!("数据项有：{listed}"),
        format!("its items are: {listed}"),
    ))
}

/// The application that the arguments describe, completed from what is known of the entry and of whoever signs.
fn compose(global: &Global, output: &Output, args: DraftArgs) -> Result<Application, CliError> {
    let client = Client::of(global, output.language())?;
    let id = String::from(args.entry.clone());
    let known = known(&client, &args)?.ok_or_else(|| {
        CliError::usage(
            format!("本级与各上级都没有找到 {} 发布的 {id}", args.publisher),
            format!("neither this node nor a level above found {id} of {}", args.publisher),
        )
        .advise(
            "用 guantong catalogue search 查找；或用 --search 给出检索词，或用 --provider、--entry-version 指明",
            "look for it with guantong catalogue search; give its words with --search, or name it with --provider and --entry-version",
        )
    })?;
    items_are_listed(&args.items, &known.items)?;
    let items = if args.items.is_empty() {
        known.items
    } else {
        args.items
    };
    if items.is_empty() {
        return Err(
            CliError::usage("没有指明数据项", "no item is named").advise(
                "本级目录没有此条目，检索结果也没有列出其数据项，用 --item 逐一指明",
                "it is not in this node's catalogue and the search did not list its items; name each with --item",
            ),
        );
    }
    let (requester, requester_name) =
        requester(global, &client, args.requester, args.requester_name)?;
    Ok(Application {
        requester,
        requester_name,
        provider_node: known.provider_node,
        entry: args.entry,
        entry_version: known.version,
        items,
        materials: args.materials,
        until: args.until.map(end_of),
        method: args.method.or(known.method).unwrap_or(Method::FileDownload),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_only_a_level_above_knows_is_applied_for_with_all_its_items() {
        let hit = |publisher: &str| federation::wire::SearchHit {
            publisher: publisher.parse().unwrap(),
            id: "mps/RK/0001".parse().unwrap(),
            version: 3,
            name: "人口".to_owned(),
            provider_name: "公安部".to_owned(),
            class: statute::ShareClass::Unconditional,
            score: 1,
            method: Some(Method::ALL[0]),
            items: vec!["姓名".to_owned()],
        };
        let found = |entry: &str| {
            let answer = SearchAnswer {
                q: entry.to_owned(),
                hits: vec![hit("100000/mca"), hit("100000/mps")],
                levels: Vec::new(),
            };
            found_above(answer, "mps".parse().unwrap(), &entry.parse().unwrap())
        };
        let known = found("mps/RK/0001").unwrap();
        assert_eq!(known.provider_node.to_string(), "100000/mps");
        assert_eq!((known.version, known.method), (3, Some(Method::ALL[0])));
        assert_eq!(known.items, ["姓名"]);
        assert!(found("mps/RK/0002").is_none());
    }

    #[test]
    fn an_item_that_the_entry_has_not_is_wrong_use_and_the_others_are_named() {
        let listed = ["姓名".to_owned(), "住址".to_owned()];
        assert!(items_are_listed(&listed[1..], &listed).is_ok());
        assert!(items_are_listed(&["x".to_owned()], &[]).is_ok());
        let error = items_are_listed(&["年龄".to_owned()], &listed).unwrap_err();
        assert_eq!(error.exit, super::super::Exit::Usage);
        assert!(
            error.what.zh.contains("年龄") && error.what_to_do.unwrap().zh.contains("姓名、住址")
        );
    }
}
