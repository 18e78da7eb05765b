//! The catalogue: compiled from JSON Lines, approved, submitted, reviewed, published, withdrawn.

use std::path::PathBuf;

use federation::core::view::{NodeView, OwnEntry};
use serde_json::Value;
use sharing::act::{ActBody, MAX_ENTRIES_PER_ACT};
use sharing::application::DirectAct;
use sharing::catalogue::{
    Entry, EntryDraft, EntryId, EntryState, EntryVersion, PublishedEntry, ReviewVerdict,
};
use statute::Collection;

use super::client::{Client, encode};
use super::error::CliError;
use super::output::{columns, listed};
use super::signer::carry_out;
use super::{Global, Output, history, import, source};
use crate::api::List;
use crate::api::catalogue::{LevelStatus, SearchAnswer};
use crate::console::labels;
use crate::language::Language;

/// `guantong catalogue`.
#[derive(Debug, clap::Subcommand)]
pub enum CatalogueCommand {
    /// 从 JSON Lines 编制目录条目 / compile entries from JSON Lines
    Import {
        /// 文件：每行一个 JSON 对象 / one JSON object a line
        file: PathBuf,
        /// 只检查，不提交 / check only
        #[arg(long)]
        check: bool,
    },
    /// 打印一行的 JSON Schema / print the JSON Schema of a line
    Schema,
    /// 列出本节点条目，或已发布条目 / list own entries, or published ones
    List {
        /// 列出已发布的条目 / list what is published
        #[arg(long)]
        published: bool,
        /// 只列某节点发布的 / of one publisher
        #[arg(long, value_name = "CODE", requires = "published")]
        publisher: Option<String>,
        /// 只列某基础数据或者主题数据集合的，如 人口、health / of one collection of base or theme data
        #[arg(long, value_name = "COLLECTION", requires = "published")]
        collection: Option<Collection>,
        /// 从此之后 / after this one
        #[arg(long)]
        after: Option<String>,
        /// 条数 / how many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// 显示一个条目 / show one entry
    Show {
        /// 目录代码 / the entry's id
        id: EntryId,
        /// 发布节点；缺省为本节点条目 / the publisher; an own entry when absent
        #[arg(long, value_name = "CODE")]
        publisher: Option<String>,
    },
    /// 检索：本级与各上级 / search here and at every level above
    Search {
        /// 检索词 / what to look for
        text: String,
        /// 条数 / how many
        #[arg(long, default_value_t = 20)]
        limit: u16,
        /// 等候上级的毫秒数 / milliseconds to wait for the levels above
        #[arg(long, default_value_t = 2_000)]
        wait_ms: u64,
    },
    /// 一个条目的各版本及其变化 / the published versions of an entry and what each changed
    History(history::HistoryArgs),
    /// 列出数源部门 / list the source departments named
    Sources {
        /// 事项 / of one matter
        #[arg(long)]
        matter: Option<sharing::source::Matter>,
    },
    /// 主管部门负责人明确数源部门 / the authority's head names a source department
    NameSource(source::NameArgs),
    /// 拟收集的数据是否已可共享 / whether what is to be collected is shared already
    Already(source::AlreadyArgs),
    /// 部门负责人审核同意 / the department's head approves
    Approve {
        #[command(flatten)]
        which: Which,
    },
    /// 报送主管部门 / submit to the authority
    Submit {
        #[command(flatten)]
        which: Which,
    },
    /// 主管部门审核：发布或退回 / the authority reviews: publishes or returns
    Review {
        #[command(flatten)]
        which: Which,
        /// 通过并发布 / publish
        #[arg(
            long,
            required_unless_present = "return_reason",
            conflicts_with = "return_reason"
        )]
        publish: bool,
        /// 退回，附理由 / return with this reason
        #[arg(long = "return", value_name = "REASON")]
        return_reason: Option<String>,
    },
    /// 将已发布条目的数据文件存放于共享平台，供直接获取 / place a published entry's file on the platform, for whoever takes it
    Place {
        /// 目录代码 / id
        id: EntryId,
        /// 文件 / the file
        file: PathBuf,
    },
    /// 撤销已发布的条目 / withdraw a published entry
    Withdraw {
        /// 目录代码 / id
        id: EntryId,
        /// 理由 / reason
        #[arg(long)]
        reason: String,
    },
}

/// Which own entries.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// 目录代码 / ids
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub ids: Vec<EntryId>,
    /// 处于前一状态的全部条目（一次最多 2000 条） / all entries in the state before, at most 2,000 at once
    #[arg(long)]
    pub all: bool,
}

pub(super) fn run(
    global: &Global,
    command: CatalogueCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        CatalogueCommand::Import { file, check } => import::run(global, output, &file, check),
        CatalogueCommand::Schema => {
            output.plain(import::ENTRY_SCHEMA.as_bytes());
            Ok(())
        }
        CatalogueCommand::List {
            published: false,
            after,
            limit,
            ..
        } => list_own(global, output, after, limit),
        CatalogueCommand::List {
            publisher,
            collection,
            after,
            limit,
            ..
        } => {
            let collection = collection.map(|it| match it {
                Collection::Base(it) => it.id(),
                Collection::Theme(it) => it.id(),
            });
            list_published(
                global,
                output,
                [publisher.as_deref(), collection],
                after,
                limit,
            )
        }
        CatalogueCommand::Show { id, publisher } => show(global, output, &id, publisher),
        CatalogueCommand::Search {
            text,
            limit,
            wait_ms,
        } => search(global, output, &text, limit, wait_ms),
        CatalogueCommand::History(args) => history::run(global, output, &args),
        CatalogueCommand::Sources { matter } => source::list(global, output, matter.as_ref()),
        CatalogueCommand::NameSource(args) => source::name(global, output, args),
        CatalogueCommand::Already(args) => source::already(global, output, &args),
        CatalogueCommand::Approve { which } => {
            step(global, output, which, EntryState::Draft, |entries| {
                ActBody::ApproveEntries { entries }
            })
        }
        CatalogueCommand::Submit { which } => {
            step(global, output, which, EntryState::Approved, |entries| {
                ActBody::SubmitEntries { entries }
            })
        }
        CatalogueCommand::Review {
            which,
            publish: _,
            return_reason,
        } => {
            let verdict = return_reason.map_or(ReviewVerdict::Publish, |reason| {
                ReviewVerdict::Return { reason }
            });
            step(global, output, which, EntryState::Submitted, |entries| {
                ActBody::ReviewEntries { entries, verdict }
            })
        }
        CatalogueCommand::Place { id, file } => {
            let client = Client::of(global, output.language())?;
            let entry = standing_version(&client, &id)?;
            let object = client.put_object(&file)?;
            let place = DirectAct::Place { entry, object };
            carry_out(global, output, ActBody::Direct(place)).map(drop)
        }
        CatalogueCommand::Withdraw { id, reason } => {
            let entry = standing_version(&Client::of(global, output.language())?, &id)?;
            carry_out(global, output, ActBody::WithdrawEntry { entry, reason }).map(drop)
        }
    }
}

fn version(client: &Client, id: &EntryId) -> Result<EntryVersion, CliError> {
    Ok(own(client, id)?.entry.version_ref())
}

fn own(client: &Client, id: &EntryId) -> Result<OwnEntry, CliError> {
    client.get(&format!("/catalogue/own/{}", encode(id.as_str())))
}

/// The version that stands published and can be withdrawn, even where a newer one is under way.
pub(super) fn standing_version(client: &Client, id: &EntryId) -> Result<EntryVersion, CliError> {
    let own = own(client, id)?;
    let node: NodeView = client.get("/node")?;
    match (own.published, node.place) {
        (Some(published), Some(place)) if published != own.entry.version => {
            let path = format!(
                "/catalogue/published/{}/{}",
                place.code(),
                encode(id.as_str())
            );
            let published: PublishedEntry = client.get(&path)?;
            Ok(published.entry.version_ref())
        }
        _ => Ok(own.entry.version_ref()),
    }
}

fn step(
    global: &Global,
    output: &Output,
    which: Which,
    before: EntryState,
    body: impl FnOnce(Vec<EntryVersion>) -> ActBody,
) -> Result<(), CliError> {
    if which.ids.len() > MAX_ENTRIES_PER_ACT {
        return Err(CliError::usage(
            format!("一次最多 {MAX_ENTRIES_PER_ACT} 条"),
            format!("at most {MAX_ENTRIES_PER_ACT} entries at once"),
        ));
    }
    let client = Client::of(global, output.language())?;
    let entries = if which.all {
        all_in(&client, before)?
    } else {
        which
            .ids
            .iter()
            .map(|id| version(&client, id))
            .collect::<Result<_, _>>()?
    };
    if entries.is_empty() {
        let state = |language| labels::entry_state(before, language);
        return Err(CliError::usage(
            format!("没有处于“{}”的条目", state(Language::Chinese)),
            format!("no entry is in the state \"{}\"", state(Language::English)),
        ));
    }
    carry_out(global, output, body(entries)).map(drop)
}

/// Own entries in one state, as many as fit an act.
fn all_in(client: &Client, state: EntryState) -> Result<Vec<EntryVersion>, CliError> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let page: List<OwnEntry> = client.get(&format!(
            "/catalogue/own?limit={}{after}",
            crate::api::MAX_PAGE
        ))?;
        found.extend(
            page.items
                .iter()
                .filter(|own| own.state == state)
                .map(|own| own.entry.version_ref()),
        );
        match page.next {
            Some(next) if found.len() < MAX_ENTRIES_PER_ACT => {
                after = format!("&after={}", encode(&next))
            }
            _ => break,
        }
    }
    found.truncate(MAX_ENTRIES_PER_ACT);
    Ok(found)
}

fn list_own(
    global: &Global,
    output: &Output,
    after: Option<String>,
    limit: usize,
) -> Result<(), CliError> {
    let after = after.map_or_else(String::new, |after| format!("&after={}", encode(&after)));
    let list: List<OwnEntry> = Client::of(global, output.language())?
        .get(&format!("/catalogue/own?limit={limit}{after}"))?;
    output.print(&list, |language| {
        let rows: Vec<Vec<String>> = list
            .items
            .iter()
            .map(|own| {
                let state = labels::entry_state(own.state, language).to_owned();
                let returned = own.returned.as_ref().map_or_else(String::new, |why| {
                    format!("{}{why}", language.pick("退回：", "returned: "))
                });
                vec![
                    String::from(own.entry.id.clone()),
                    format!("v{}", own.entry.version),
                    state,
                    own.entry.name.clone(),
                    own.entry.provider_name.clone(),
                    returned,
                ]
            })
            .collect();
        listed(
            &rows,
            language,
            ("本节点没有目录条目。", "This node has no entry."),
        )
    });
    Ok(())
}

fn list_published(
    global: &Global,
    output: &Output,
    [publisher, collection]: [Option<&str>; 2],
    after: Option<String>,
    limit: usize,
) -> Result<(), CliError> {
    let asked = [
        ("publisher", publisher),
        ("collection", collection),
        ("after", after.as_deref()),
    ];
    let asked: String = asked
        .iter()
        .filter_map(|(name, value)| value.map(|value| format!("&{name}={}", encode(value))))
        .collect();
    let path = format!("/catalogue/published?limit={limit}{asked}");
    let list: List<PublishedEntry> = Client::of(global, output.language())?.get(&path)?;
    output.print(&list, |language| {
        let rows: Vec<_> = list
            .items
            .iter()
            .map(|entry| row(entry, language))
            .collect();
        let none = ("没有已发布的目录条目。", "No entry is published.");
        listed(&rows, language, none)
    });
    Ok(())
}

fn row(published: &PublishedEntry, language: Language) -> Vec<String> {
    let entry = &published.entry;
    let class = entry.terms.class();
    vec![
        published.publisher.code().to_string(),
        String::from(entry.id.clone()),
        format!("v{}", entry.version),
        entry.name.clone(),
        entry.provider_name.clone(),
        language.pick(class.zh(), class.en()).to_owned(),
    ]
}

fn show(
    global: &Global,
    output: &Output,
    id: &EntryId,
    publisher: Option<String>,
) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    let id = encode(&String::from(id.clone()));
    let value: Value = match publisher {
        None => client.get(&format!("/catalogue/own/{id}"))?,
        Some(publisher) => {
            client.get(&format!("/catalogue/published/{}/{id}", encode(&publisher)))?
        }
    };
    let entry: Option<Entry> = value
        .get("entry")
        .and_then(|entry| serde_json::from_value(entry.clone()).ok());
    output.print(&value, |_| match entry {
        Some(entry) => serde_json::to_string_pretty(&EntryDraft::from(&entry)).unwrap_or_default(),
        None => value.to_string(),
    });
    Ok(())
}

fn search(
    global: &Global,
    output: &Output,
    text: &str,
    limit: u16,
    wait_ms: u64,
) -> Result<(), CliError> {
    let path = format!(
        "/catalogue/search?q={}&limit={limit}&wait_ms={wait_ms}",
        encode(text)
    );
    let answer: SearchAnswer = Client::of(global, output.language())?.get(&path)?;
    output.print(&answer, |language| {
        let rows: Vec<Vec<String>> = answer
            .hits
            .iter()
            .map(|hit| {
                let class = language.pick(hit.class.zh(), hit.class.en()).to_owned();
                vec![
                    hit.publisher.code().to_string(),
                    String::from(hit.id.clone()),
                    hit.name.clone(),
                    hit.provider_name.clone(),
                    class,
                ]
            })
            .collect();
        let levels: Vec<Vec<String>> = answer
            .levels
            .iter()
            .map(|level| {
                let status = match level.status {
                    LevelStatus::Answered => language.pick("已答复", "answered"),
                    LevelStatus::Unreachable => language.pick("未答复", "no answer"),
                };
                let as_of = level.as_of.map_or_else(String::new, |at| {
                    format!("{} {}", language.pick("截至", "as of"), labels::time(at))
                });
                let known = level
                    .catalogue
                    .map_or_else(String::new, |n| format!("{} / {n}", level.hits));
                vec![level.node.clone(), status.to_owned(), known, as_of]
            })
            .collect();
        let none = ("没有找到相符的目录条目。", "No entry matches.");
        let found = listed(&rows, language, none);
        format!("{}\n\n{}", found.trim_end(), columns(&levels))
    });
    Ok(())
}
