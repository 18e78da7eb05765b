//! A suspension (R27, R35) is shown to whoever is suspended, at its own node: the article, the reasons and the date for rectification.

use sharing::application::{GrantEvent, GrantStep};
use sharing::docket::{Case, DocketId};
use statute::Article;

use super::{Context, Core};
use crate::store::Fault;

impl Core {
    /// A step was taken about a grant: where it suspends access, the requester's node shows it.
    pub(super) fn access_suspended(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        done: &GrantEvent,
    ) -> Result<(), Fault> {
        let GrantStep::Suspend {
            reasons,
            rectify_by,
        } = &done.step
        else {
            return Ok(());
        };
        let Some(Case::Application(state)) =
            self.docket_row(ctx, &docket)?.map(|row| row.state.case)
        else {
            return Ok(());
        };
        if Some(&state.requester.node) != self.place() {
            return Ok(());
        }
        let under = done.suspended_under();
        let cited = |cite: fn(Article) -> String, separator| {
            let all: Vec<_> = under.iter().copied().map(cite).collect();
            all.join(separator)
        };
        let (zh, en) = (
            cited(|it| it.cite_zh(), "、"),
            cited(|it| it.cite_en(), ", "),
        );
        let last = statute::beijing_date(rectify_by.as_millis().saturating_sub(1));
        let (name, short) = (&state.entry.entry.name, docket.0.short());
        let who = state.requester.department;
        ctx.finding(
            format!(
                "部门{who}对“{name}”的共享权限已被暂停（案卷{short}，{zh}）：整改期限至{last}；理由：{reasons}"
            ),
            format!(
                "access of department {who} to {name} is suspended (docket {short}, {en}): to be rectified by {last}; reasons: {reasons}"
            ),
            under.first().copied(),
        )
    }
}
