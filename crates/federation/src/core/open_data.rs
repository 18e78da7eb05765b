//! Open data (Shenyang S24, S25): how own entries are opened to the public, and the files put before everyone. A mark goes into the publication
//! log, so that the opening catalogue of every place above holds it.

use identity::Moment;
use sharing::act::VerifiedAct;
use sharing::catalogue::{Change, EntryId};
use sharing::open_data::{self, OpenDataAct, OpeningMark};
use statute::{Article, Refusal, RefusalReason};

use super::acts::Outcome;
use super::query::{opening_of, published_in};
use super::{Context, Core};
use crate::store::Fault;

impl Core {
    /// S24, S25: whether the mark or the file may stand.
    pub(super) fn judge_open_data(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        said: &OpenDataAct,
    ) -> Result<Outcome, Fault> {
        Ok(match self.opened(ctx, act, said)? {
            Ok(_) => Outcome::Accepted {
                docket: None,
                warnings: Vec::new(),
            },
            Err(refusal) => Outcome::Refused(refusal),
        })
    }

    /// S24, S25: the mark goes into the publication log.
    pub(super) fn carry_open_data(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: &VerifiedAct,
        said: &OpenDataAct,
    ) -> Result<Option<Refusal>, Fault> {
        match self.opened(ctx, act, said)? {
            Ok(mark) => {
                self.publish(ctx, vec![Change::OpeningMarked { mark }])?;
                Ok(None)
            }
            Err(refusal) => Ok(Some(refusal)),
        }
    }

    fn opened(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        said: &OpenDataAct,
    ) -> Result<Result<OpeningMark, Refusal>, Fault> {
        let (law, now): (_, Moment) = (self.law(), ctx.now);
        let held = |entry: &EntryId| {
            let node = act.act().node;
            let published = published_in(&*ctx.txn, &node, entry)?.map(|it| it.entry);
            Ok::<_, Fault>((published, opening_of(&*ctx.txn, &node, entry)?))
        };
        Ok(match said {
            OpenDataAct::Mark {
                entry,
                terms,
                contains,
            } => {
                let (published, before) = held(&entry.id)?;
                let held = (published.as_ref(), before.as_ref());
                open_data::mark(act, (entry, terms, contains), held, &law, now)
            }
            OpenDataAct::Publish { entry, file } => {
                let (published, before) = held(entry)?;
                let held = (published.as_ref(), before.as_ref());
                open_data::publish(act, file, held, &law, now)
            }
            OpenDataAct::Answer { docket, .. } => Err(RefusalReason::UnknownDocket {
                docket: docket.to_string(),
            }
            .under(Article::S26)),
        })
    }
}
