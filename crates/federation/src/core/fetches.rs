//! Fetches: what was put at this node's disposal is brought here, verified, confirmed; a failure is tried again, less and less often.

use std::collections::BTreeMap;

use identity::{Moment, Path};
use sharing::act::ObjectRef;
use sharing::application::ApplicationEvent;
use sharing::correction::{CorrectionEvent, CorrectionOutcome};
use sharing::docket::{DocketBody, DocketId, MAX_EVENT_BYTES};
use sharing::return_flow::{PartNotice, ReturnFlowEvent};
use statute::Article;

use super::clock::elapsed;
use super::project::wanted_key;
use super::tables::{View, WantedRow, decode_row};
use super::{Context, Core, Effect, FetchedPart, Record, Shelf};
use crate::store::{Fault, Table};
use crate::wire::Payload;

/// Fetches started again in one tick.
const RESUME_AT_ONCE: usize = 64;
/// Pause after a first failed fetch, milliseconds; doubled with each further one.
const FETCH_AGAIN_MS: i64 = 2_500;
/// Longest pause between two tries, milliseconds: an hour.
const MAX_FETCH_PAUSE_MS: i64 = 3_600_000;
/// Failed fetches remembered; beyond, all are tried afresh.
const MAX_FAILURES_KEPT: usize = 4_096;

/// Fetches in this run, by the key of what is wanted.
#[derive(Debug, Default)]
pub(super) struct Fetches {
    failed: BTreeMap<Vec<u8>, Failure>,
    /// How far the last look at what is wanted came.
    cursor: Option<Vec<u8>>,
}

/// A fetch that failed.
#[derive(Debug, Clone, Copy)]
struct Failure {
    times: u32,
    /// When, and for how long it then rests, milliseconds.
    at: Moment,
    pause_ms: i64,
}

impl Core {
    pub(super) fn fetch(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        object: &ObjectRef,
        part: Option<&PartNotice>,
    ) -> Result<(), Fault> {
        let Some(row) = self.docket_row(ctx, &docket)? else {
            return Ok(());
        };
        let Some(home) = self.known_member(ctx, &row.home.code())? else {
            return Ok(());
        };
        ctx.effects.push(Effect::Fetch {
            from: home.chain().clone(),
            docket,
            object: object.clone(),
            shelf: Shelf::Objects,
            part: part.cloned().map(Box::new),
        });
        Ok(())
    }

    /// Fetches that a restart or a failure left open: some each time, all in turn, each failed one less and less often.
    pub(super) fn resume_fetches(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let after = self.fetches.cursor.take();
        let open = ctx
            .txn
            .raw_scan(Table::Objects, b"", after.as_deref(), RESUME_AT_ONCE)?;
        if open.len() == RESUME_AT_ONCE {
            self.fetches.cursor = open.last().map(|(key, _)| key.clone());
        }
        for (key, bytes) in open {
            if self.rests(&key, ctx.now) {
                continue;
            }
            let wanted: WantedRow = decode_row(Table::Objects, &bytes)?;
            let event = self.stored_event(ctx, &wanted.docket, wanted.sequence)?;
            let Ok(event) = event.claimed(MAX_EVENT_BYTES) else {
                continue;
            };
            let private = event.body.private();
            if let Some(private) = private
                .into_iter()
                .find(|it| key == wanted_key(&event.docket, &it.digest))
            {
                self.fetch_content(ctx, &event, private)?;
                continue;
            }
            match &event.body {
                DocketBody::Application(ApplicationEvent::Providing { object, .. })
                | DocketBody::Correction(CorrectionEvent::Answered {
                    outcome:
                        CorrectionOutcome::Corrected {
                            object: Some(object),
                            ..
                        },
                    ..
                }) => {
                    self.fetch(ctx, event.docket, object, None)?;
                }
                DocketBody::ReturnFlow(ReturnFlowEvent::Delivering { notice, .. })
                    if self.manifest_holds(ctx, event.docket, notice)? =>
                {
                    self.fetch(ctx, event.docket, &notice.part, Some(notice))?;
                }
                // Nothing else asks for an object; what a wrong manifest names was answered when it came.
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether something that failed is not to be tried again yet.
    pub(super) fn rests(&self, key: &[u8], now: Moment) -> bool {
        let tried = self.fetches.failed.get(key);
        tried.is_some_and(|failure| !elapsed(Some(failure.at), now, failure.pause_ms))
    }

    /// Notes a failed fetch; says whether the operator is to be told: the first time, the second, the fourth, and so on.
    pub(super) fn fetch_failed(&mut self, key: Vec<u8>, now: Moment) -> bool {
        if self.fetches.failed.len() >= MAX_FAILURES_KEPT {
            self.fetches.failed.clear();
        }
        let times = self
            .fetches
            .failed
            .get(&key)
            .map_or(0, |failure| failure.times)
            + 1;
        let pause_ms = FETCH_AGAIN_MS
            .saturating_mul(1 << times.min(10))
            .min(MAX_FETCH_PAUSE_MS);
        let at = now;
        let failure = Failure {
            times,
            at,
            pause_ms,
        };
        self.fetches.failed.insert(key, failure);
        times.is_power_of_two()
    }

    /// The driver's word on a fetch.
    pub(super) fn fetched(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        object: &ObjectRef,
        outcome: Result<FetchedPart, String>,
    ) -> Result<(), Fault> {
        if let Ok(FetchedPart::Content) = outcome {
            self.fetches
                .failed
                .remove(&wanted_key(&docket, &object.digest));
            return self.content_fetched(ctx, docket, object);
        }
        let key = wanted_key(&docket, &object.digest);
        if ctx.txn.raw(Table::Objects, &key)?.is_none() {
            return Ok(());
        }
        let at = ctx.now;
        if outcome.is_ok() {
            self.fetches.failed.remove(&key);
        }
        match outcome {
            // Tried again by the clock; the operator sees why, though not every time.
            Err(_) if !self.fetch_failed(key, at) => Ok(()),
            Err(reason) => ctx.finding(
                format!("案卷{}的数据未能取回，将重试：{reason}", docket.0.short()),
                format!(
                    "data of docket {} could not be fetched, will be tried again: {reason}",
                    docket.0.short()
                ),
                Some(Article::R22),
            ),
            // Taken above.
            Ok(FetchedPart::Content) => Ok(()),
            Ok(FetchedPart::File) => {
                ctx.record(&Record::Fetched {
                    docket,
                    object: object.digest,
                    at,
                })?;
                let Some(row) = self.docket_row(ctx, &docket)? else {
                    return Ok(());
                };
                self.queue(
                    ctx,
                    row.home.code(),
                    Payload::ObjectReceived {
                        docket,
                        object: object.digest,
                        at,
                    },
                )
            }
            Ok(FetchedPart::Part { delivery, rows }) => {
                ctx.record(&Record::Fetched {
                    docket,
                    object: object.digest,
                    at,
                })?;
                self.part_outcome(ctx, docket, delivery, rows)
            }
        }
    }

    pub(super) fn part_outcome(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        delivery: u64,
        rows: Result<u64, String>,
    ) -> Result<(), Fault> {
        let Some(row) = self.docket_row(ctx, &docket)? else {
            return Ok(());
        };
        let at = ctx.now;
        let (rows, finding) = match rows {
            Ok(rows) => (rows, None),
            Err(finding) => {
                ctx.finding(
                    format!(
                        "案卷{}第{delivery}次回流数据核验不符：{finding}",
                        docket.0.short()
                    ),
                    format!(
                        "delivery {delivery} of docket {} found wanting: {finding}",
                        docket.0.short()
                    ),
                    Some(Article::R39_5),
                )?;
                (0, Some(finding))
            }
        };
        self.queue(
            ctx,
            row.home.code(),
            Payload::PartVerified {
                docket,
                delivery,
                rows,
                finding,
                at,
            },
        )
    }

    /// An object was served whole to the other end of a circuit: on record here, as its use is on record there.
    pub(super) fn served(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        object: &ObjectRef,
        to: Path,
    ) -> Result<(), Fault> {
        let at = ctx.now;
        ctx.record(&Record::Served {
            docket,
            object: object.digest,
            to,
            at,
        })
    }
}
