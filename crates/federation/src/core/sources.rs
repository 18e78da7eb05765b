//! Source departments (R19): an authority's head names one, and the naming climbs with the publication log.

use identity::Path;
use sharing::act::VerifiedAct;
use sharing::catalogue::Change;
use sharing::source::{self, NamedSource, SourceAct};
use statute::Refusal;

use super::acts::Outcome;
use super::{Context, Core};
use crate::store::Fault;

impl Core {
    /// R19: whether the naming may stand.
    pub(super) fn judge_source(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        said: &SourceAct,
    ) -> Outcome {
        match self.place().map(|here| named(here, ctx, act, said)) {
            Some(Ok(_)) => Outcome::Accepted {
                docket: None,
                warnings: Vec::new(),
            },
            Some(Err(refusal)) => Outcome::Refused(refusal),
            None => Outcome::Invalid("本节点没有证书 (no certificate)".into()),
        }
    }

    /// R19: the naming goes into the publication log.
    pub(super) fn name_source(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: &VerifiedAct,
        said: &SourceAct,
    ) -> Result<(), Fault> {
        match self.place().map(|here| named(here, ctx, act, said)) {
            Some(Ok(source)) => self.publish(ctx, vec![Change::SourceNamed { source }]),
            Some(Err(_)) | None => Ok(()),
        }
    }
}

fn named(
    here: &Path,
    ctx: &Context<'_, '_>,
    act: &VerifiedAct,
    said: &SourceAct,
) -> Result<NamedSource, Refusal> {
    source::name(act, said, here, ctx.now)
}
