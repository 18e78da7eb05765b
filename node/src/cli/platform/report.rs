//! What a pull found, what it did, and what awaits whom.

use serde::Serialize;
use sharing::catalogue::EntryId;

use super::{Unmapped, list, stray_lines, stray_services};
use crate::cli::error::{CliError, Exit};
use crate::language::Language;
use crate::platform::{Mapping, Plan, Translation};

/// What a pull found and did.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    platform: String,
    /// Records that came.
    found: usize,
    /// Entries that stand as they are.
    unchanged: usize,
    /// Compiled for the first time.
    new: Vec<EntryId>,
    /// Compiled in another version.
    changed: Vec<EntryId>,
    pub(super) published: Vec<EntryId>,
    pub(super) withdrawn: Vec<EntryId>,
    pub(super) awaiting: Awaiting,
    /// Drafts that the authority returned.
    returned: Vec<Returned>,
    /// Drafts of what is gone and never was published.
    left: Vec<EntryId>,
    /// Gone as it seems, and kept because a record has no key.
    pub(super) kept: Vec<EntryId>,
    /// Under the prefix and another department's.
    foreign: Vec<EntryId>,
    unmapped: Vec<Unmapped>,
    stray_services: Vec<EntryId>,
}

/// What has to be done by whom, as the key was not at hand.
#[derive(Debug, Default, Serialize)]
pub(super) struct Awaiting {
    /// The department's head approves (R13).
    pub(super) approval: Vec<EntryId>,
    /// The authority reviews (R16).
    pub(super) review: Vec<EntryId>,
    /// The department's head withdraws (R17).
    pub(super) withdrawal: Vec<EntryId>,
}

#[derive(Debug, Serialize)]
pub(super) struct Returned {
    id: EntryId,
    reason: String,
}

impl Report {
    pub(super) fn new(
        mapping: &Mapping,
        came: usize,
        found: &Translation,
        language: Language,
    ) -> Self {
        Self {
            platform: mapping.platform.clone(),
            found: came,
            unchanged: 0,
            new: Vec::new(),
            changed: Vec::new(),
            published: Vec::new(),
            withdrawn: Vec::new(),
            awaiting: Awaiting::default(),
            returned: Vec::new(),
            left: Vec::new(),
            kept: Vec::new(),
            foreign: Vec::new(),
            unmapped: Unmapped::all(&found.defects, language),
            stray_services: stray_services(mapping, found),
        }
    }

    /// What is about to be done.
    pub(super) fn planned(&mut self, plan: &Plan) {
        self.unchanged = plan.unchanged;
        self.new = plan.new.iter().map(|entry| entry.id.clone()).collect();
        self.changed = plan.changed.iter().map(|entry| entry.id.clone()).collect();
        let returned = |(id, reason): &(EntryId, String)| Returned {
            id: id.clone(),
            reason: reason.clone(),
        };
        self.returned = plan.returned.iter().map(returned).collect();
        self.left = plan.left.clone();
        self.foreign = plan.foreign.iter().cloned().collect();
    }

    /// The lines for a person.
    pub(super) fn lines(&self, language: Language) -> String {
        let mut text = format!(
            "{}  {} {}  {} {}\n",
            self.platform,
            language.pick("记录", "records"),
            self.found,
            language.pick("未变", "unchanged"),
            self.unchanged
        );
        for (zh, en, ids) in [
            ("新编制", "compiled anew", &self.new),
            ("变更后编制", "compiled in another version", &self.changed),
            ("已发布", "published", &self.published),
            ("已撤销", "withdrawn", &self.withdrawn),
            (
                "待部门负责人同意（guantong catalogue approve，或本命令加 --head-key）",
                "await the head's approval (guantong catalogue approve, or this command with --head-key)",
                &self.awaiting.approval,
            ),
            (
                "待主管部门审核（guantong catalogue review，或本命令加 --reviewer-key）",
                "await the authority's review (guantong catalogue review, or this command with --reviewer-key)",
                &self.awaiting.review,
            ),
            (
                "平台已无，待部门负责人撤销（guantong catalogue withdraw，或本命令加 --head-key）",
                "gone from the platform, await the head's withdrawal (guantong catalogue withdraw, or this command with --head-key)",
                &self.awaiting.withdrawal,
            ),
            (
                "平台已无，从未发布，草稿搁置",
                "gone from the platform and never published; the drafts are left",
                &self.left,
            ),
            (
                "未撤销：有记录没有键，不能断定已无",
                "not withdrawn: a record has no key, so they may be there",
                &self.kept,
            ),
            (
                "前缀之下的其他部门条目，未处理",
                "another department's under the prefix; nothing was done",
                &self.foreign,
            ),
        ] {
            text += &list(language.pick(zh, en), ids, |id| vec![id.to_string()]);
        }
        let title = language.pick("主管部门退回", "returned by the authority");
        text += &list(title, &self.returned, |it| {
            vec![it.id.to_string(), it.reason.clone()]
        });
        text += &Unmapped::lines(&self.unmapped, language);
        text += &stray_lines(&self.stray_services, language);
        text
    }

    /// Entries that would be gone if every record had a key: the pull was not whole.
    pub(super) fn whole(&self, without_key: usize) -> Result<(), CliError> {
        if self.kept.is_empty() {
            return Ok(());
        }
        let kept = self.kept.len();
        Err(CliError::new(
            Exit::Fault,
            format!("{without_key} 条记录没有键，因此 {kept} 个条目未撤销"),
            format!(
                "{without_key} records have no key, therefore {kept} entries were not withdrawn"
            ),
        )
        .advise(
            "核对映射文件的 fields.key，或请平台补全后再拉取",
            "check fields.key of the mapping, or have the platform give a key, and pull again",
        ))
    }
}
