//! Keeping the node's entries in step with a platform: one pull, compared with what the node holds, carried out as far as the keys at hand go.

use std::path::PathBuf;

use federation::core::view::OwnEntry;
use sharing::act::{ActBody, MAX_ENTRIES_PER_ACT};
use sharing::catalogue::{EntryId, EntryVersion, ReviewVerdict};
use statute::{ActKind, RefusalReason};

use super::report::Report;
use super::{load, records, refused};
use crate::api::{List, MAX_PAGE};
use crate::cli::args::now;
use crate::cli::catalogue::standing_version;
use crate::cli::client::{Client, encode};
use crate::cli::error::CliError;
use crate::cli::signer::Signer;
use crate::cli::{Global, Output, acts};
use crate::person;
use crate::platform::plan::{Plan, PlanError, plan};
use crate::platform::{Mapping, translate};

/// Most pages of own entries read: three million, as many as the nation's catalogue has.
const MAX_HELD_PAGES: usize = 6_000;

/// `guantong platform pull`.
#[derive(Debug, clap::Args)]
pub struct PullArgs {
    #[command(flatten)]
    which: super::Which,
    /// 部门负责人的密钥：同意与撤销 / the department head's key: approves, withdraws
    #[arg(long, value_name = "FILE")]
    head_key: Option<PathBuf>,
    /// 部门负责人的口令文件；缺省同 --passphrase-file / the head's passphrase; that of --passphrase-file when absent
    #[arg(long, value_name = "FILE", requires = "head_key")]
    head_passphrase_file: Option<PathBuf>,
    /// 主管部门审核人的密钥：审核发布 / the authority reviewer's key: reviews and publishes
    #[arg(long, value_name = "FILE")]
    reviewer_key: Option<PathBuf>,
    /// 审核人的口令文件；缺省同 --passphrase-file / the reviewer's passphrase; that of --passphrase-file when absent
    #[arg(long, value_name = "FILE", requires = "reviewer_key")]
    reviewer_passphrase_file: Option<PathBuf>,
    /// 平台确已清空：撤销其全部条目 / the platform is rightly empty: withdraw all its entries
    #[arg(long)]
    allow_empty: bool,
}

pub(super) fn run(global: &Global, args: &PullArgs, output: &Output) -> Result<(), CliError> {
    if global.prepare.is_some() {
        return Err(CliError::usage(
            "拉取需要多份文书，不能用 --prepare",
            "a pull makes several documents and cannot be done with --prepare",
        )
        .advise(
            "先用操作员密钥拉取；其余用 guantong catalogue approve、review、withdraw 的 --prepare",
            "pull with the operator's key; for the rest use --prepare of guantong catalogue approve, review and withdraw",
        ));
    }
    let mapping = load(&args.which.mapping)?;
    let client = Client::of(global, output.language())?;
    let hands = Hands::open(global, args, &client, &mapping)?;
    let records = records(&mapping, output)?;
    let found = translate(&mapping, &records);
    let held = held(&client, &mapping)?;
    let provider = mapping.provider.code;
    let mut plan = plan(&found, &held, provider, args.allow_empty).map_err(empty)?;
    let mut report = Report::new(&mapping, records.len(), &found, output.language());
    if found.without_key > 0 {
        report.kept = std::mem::take(&mut plan.withdraw);
    }
    hands.carry_out(plan, &mapping, &mut report, output)?;
    output.print(&report, |language| report.lines(language));
    report.whole(found.without_key)
}

fn empty(error: PlanError) -> CliError {
    let PlanError::Empty { held } = error;
    CliError::fault(
        format!("平台没有给出任何条目，而本节点现有 {held} 条"),
        format!("the platform gave nothing where {held} entries stand"),
    )
    .advise(
        "未撤销任何条目；请平台检查其接口；确已清空时加 --allow-empty",
        "nothing was removed; have the platform looked at; if it is rightly empty, add --allow-empty",
    )
}

/// The node's own entries under the platform's prefix.
fn held(client: &Client, mapping: &Mapping) -> Result<Vec<OwnEntry>, CliError> {
    let mut held = Vec::new();
    let mut after = mapping.prefix.with_slash();
    for _ in 0..MAX_HELD_PAGES {
        let page: List<OwnEntry> = client.get(&format!(
            "/catalogue/own?limit={MAX_PAGE}&after={}",
            encode(&after)
        ))?;
        let count = page.items.len();
        held.extend(
            page.items
                .into_iter()
                .take_while(|own| mapping.prefix.holds(&own.entry.id)),
        );
        match page.next {
            Some(next) if count > 0 && next.starts_with(&mapping.prefix.with_slash()) => {
                after = next;
            }
            Some(_) | None => return Ok(held),
        }
    }
    Err(CliError::fault(
        "本节点在此前缀下的条目过多",
        "the node holds too many entries under the prefix",
    ))
}

/// Those who sign, as far as their keys are at hand.
struct Hands<'a> {
    client: &'a Client,
    operator: Signer,
    head: Option<Signer>,
    reviewer: Option<Signer>,
}

impl<'a> Hands<'a> {
    /// Opens the keys and sees before anything is done that each is of a person entitled to what it is to sign.
    fn open(
        global: &Global,
        args: &PullArgs,
        client: &'a Client,
        mapping: &Mapping,
    ) -> Result<Self, CliError> {
        let signer = |key: &Option<PathBuf>, passphrase: &Option<PathBuf>| {
            let Some(key) = key else { return Ok(None) };
            let global = Global {
                key: Some(key.clone()),
                passphrase_file: passphrase.clone().or(global.passphrase_file.clone()),
                ..global.clone()
            };
            Signer::open(&global, client).map(Some)
        };
        let operator = Signer::open(global, client)?;
        entitled(&operator, ActKind::CompileEntry, Some(mapping))?;
        let head = signer(&args.head_key, &args.head_passphrase_file)?;
        if let Some(head) = &head {
            entitled(head, ActKind::ApproveEntry, Some(mapping))?;
        }
        let reviewer = signer(&args.reviewer_key, &args.reviewer_passphrase_file)?;
        if let Some(reviewer) = &reviewer {
            entitled(reviewer, ActKind::ReviewEntry, None)?;
        }
        Ok(Self {
            client,
            operator,
            head,
            reviewer,
        })
    }

    fn act(&self, signer: &Signer, body: ActBody) -> Result<(), CliError> {
        let act = person::act(signer.node()?, now(), body)?;
        self.client
            .act(&person::sign(&act, &signer.key, signer.chain.clone()))
            .map(drop)
    }

    /// One step of the catalogue's life for many entries, in as few acts as hold them.
    fn step(
        &self,
        signer: &Signer,
        entries: &[EntryVersion],
        body: impl Fn(Vec<EntryVersion>) -> ActBody,
    ) -> Result<(), CliError> {
        entries
            .chunks(MAX_ENTRIES_PER_ACT)
            .try_for_each(|entries| self.act(signer, body(entries.to_vec())))
    }

    /// Compile, approve, submit, review, withdraw: each as far as its key is at hand. What was done when one fails stays done, and the next
    /// pull goes on from there.
    fn carry_out(
        &self,
        plan: Plan,
        mapping: &Mapping,
        report: &mut Report,
        output: &Output,
    ) -> Result<(), CliError> {
        report.planned(&plan);
        let compile: Vec<_> = plan.new.into_iter().chain(plan.changed).collect();
        let compiled = compile.iter().map(|entry| entry.version_ref());
        let approve: Vec<EntryVersion> = plan.approve.into_iter().chain(compiled).collect();
        let told = |zh: &str, en: &str, count: usize| {
            if count > 0 {
                output.note(
                    &format!("{zh} {count} 条"),
                    &format!("{en} {count} entries"),
                );
            }
        };
        told("编制", "compiling", compile.len());
        for entries in acts(compile) {
            self.act(&self.operator, ActBody::CompileEntries { entries })?;
        }
        let mut submit = plan.submit;
        match &self.head {
            Some(head) => {
                told("部门负责人同意", "the head approves", approve.len());
                self.step(head, &approve, |entries| ActBody::ApproveEntries {
                    entries,
                })?;
                submit.extend(approve);
            }
            None => report.awaiting.approval = ids(&approve),
        }
        told("报送", "submitting", submit.len());
        self.step(&self.operator, &submit, |entries| ActBody::SubmitEntries {
            entries,
        })?;
        let review: Vec<EntryVersion> = plan.review.into_iter().chain(submit).collect();
        match &self.reviewer {
            Some(reviewer) => {
                told("审核发布", "publishing", review.len());
                self.step(reviewer, &review, |entries| ActBody::ReviewEntries {
                    entries,
                    verdict: ReviewVerdict::Publish,
                })?;
                report.published = ids(&review);
            }
            None => report.awaiting.review = ids(&review),
        }
        match &self.head {
            Some(head) => {
                told("撤销", "withdrawing", plan.withdraw.len());
                for id in plan.withdraw {
                    let entry = standing_version(self.client, &id)?;
                    let reason = format!("原平台“{}”已不再提供此目录", mapping.platform);
                    self.act(head, ActBody::WithdrawEntry { entry, reason })?;
                    report.withdrawn.push(id);
                }
            }
            None => report.awaiting.withdrawal = plan.withdraw,
        }
        Ok(())
    }
}

/// Whether the person may do such acts, and for the provider where it is the department's own act.
fn entitled(signer: &Signer, kind: ActKind, provider: Option<&Mapping>) -> Result<(), CliError> {
    let Some(person) = signer.chain.holder() else {
        return signer.node().map(drop);
    };
    statute::may(person.role, kind).map_err(|refusal| refused(&refusal))?;
    match provider {
        Some(mapping) if mapping.provider.code != person.department => {
            let article = statute::required_role(kind).1;
            Err(refused(&RefusalReason::NotYourDepartment.under(article)))
        }
        Some(_) | None => Ok(()),
    }
}

fn ids(versions: &[EntryVersion]) -> Vec<EntryId> {
    versions.iter().map(|version| version.id.clone()).collect()
}
