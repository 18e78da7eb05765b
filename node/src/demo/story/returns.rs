//! Step 4: return flow (回流). 民政部's tables of divisions and townships go back to every province, city and county: to each its own rows, sealed
//! to it by the source, with a proof that none is missing (R24).

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use identity::{Code, Level};
use serde_json::Value;
use sharing::docket::DocketId;
use sharing::return_flow::SubscriptionState;
use statute::{Article, Role};

use super::super::Failure;
use super::super::client::CallError;
use super::super::command::text;
use super::super::prepare::chain_file;
use super::super::screen::Line;
use super::super::stage::{Doing, EFFECT, Happened, Stage};
use super::{code, facts, step};
use crate::language::Language;

/// The source.
pub const SOURCE: &str = "mca";
/// When they are returned anew.
const SCHEDULE: &str = "monthly:28@18:00";
/// Whose part is exported and verified offline.
const SAMPLE: &str = "440106";

/// One table.
struct Dataset {
    id: &'static str,
    zh: &'static str,
    en: &'static str,
    csv: &'static str,
    column: &'static str,
    query: &'static str,
}

const DATASETS: [Dataset; 2] = [
    Dataset {
        id: "divisions",
        zh: "县级以上行政区划",
        en: "divisions down to the county",
        csv: include_str!("../../../../topology/data/divisions.csv"),
        column: "code",
        query: "全国县级以上行政区划代码，2024 年末",
    },
    Dataset {
        id: "townships",
        zh: "乡级行政区划",
        en: "townships",
        csv: include_str!("../../../../topology/data/townships.csv"),
        column: "code",
        query: "全国乡级行政区划代码，2023 年年中",
    },
];

/// What every recipient is to receive, counted here from the tables themselves: rows by recipient and dataset.
type Expected = BTreeMap<(Code, &'static str), u64>;

/// Subscribes, returns, verifies.
///
/// # Errors
/// [`Failure`].
pub fn tell(stage: &Stage) -> Result<(), Failure> {
    let begun = Instant::now();
    let recipients = recipients(stage);
    let expected = expected(&recipients)?;
    subscribe(stage, &recipients)?;
    for dataset in &DATASETS {
        publish(stage, dataset)?;
    }
    let what = stage.pick(
        "各级收到并核验自己的部分",
        "every level has received and verified its own part",
    );
    let source = code(SOURCE)?;
    let waited = Instant::now();
    let delivered = stage.await_effect(what, EFFECT, || {
        all_delivered(stage, source, expected.len())
    })?;
    let who = format!(
        "{} {}",
        recipients.len(),
        stage.pick("个省、市、县级节点", "provinces, cities, counties")
    );
    stage.screen.done(&Line {
        who,
        what: what.to_owned(),
        article: Some(Article::R24),
        took: waited.elapsed(),
    });
    compare(stage, &recipients, &expected, &delivered)?;
    offline(stage, &delivered)?;
    let rows: u64 = expected.values().sum();
    stage.record(Happened {
        step: step::RETURN_FLOW,
        what: stage
            .pick("民政部两张表的回流", "return of two tables of 民政部")
            .to_owned(),
        outcome: match stage.language() {
            Language::Chinese => format!("{} 份 {rows} 行，逐份证明不缺不多", expected.len()),
            Language::English => {
                format!("{} parts, {rows} rows, each proved whole", expected.len())
            }
        },
        article: Article::R24,
        took: begun.elapsed(),
    });
    Ok(())
}

/// Who receives: every province, city and county.
fn recipients(stage: &Stage) -> Vec<Code> {
    let local = |level: Level| matches!(level, Level::Province | Level::Prefecture | Level::County);
    stage
        .roster
        .nodes
        .iter()
        .filter(|place| local(place.level))
        .map(|place| place.code())
        .collect()
}

/// How many subscriptions there are to be.
pub fn subscriptions(stage: &Stage) -> usize {
    recipients(stage).len() * DATASETS.len()
}

fn subscribe(stage: &Stage, recipients: &[Code]) -> Result<(), Failure> {
    let begun = Instant::now();
    let source = code(SOURCE)?;
    let wanted: Vec<(Code, &Dataset)> = recipients
        .iter()
        .flat_map(|recipient| DATASETS.iter().map(move |dataset| (*recipient, dataset)))
        .collect();
    stage.side_by_side(&wanted, |(recipient, dataset)| {
        let doing = Doing {
            who: stage.person(*recipient, Role::Operator)?,
            zh: "订阅本级数据的回流",
            en: "subscribes to its own rows",
            article: Article::R24,
            shown: false,
        };
        let area = recipient.to_string();
        stage
            .act(
                doing,
                &[
                    "return-flow",
                    "subscribe",
                    "--source",
                    SOURCE,
                    "--dataset",
                    dataset.id,
                    "--area",
                    &area,
                    "--schedule",
                    SCHEDULE,
                ],
                |answer| Ok(answer.docket),
            )
            .map(drop)
    })?;
    let what = stage.pick(
        "订阅本级数据的回流，到达数源",
        "subscribed to their own rows; the source has it",
    );
    let count = wanted.len();
    stage.await_effect(what, EFFECT, || {
        Ok((facts::subscriptions(stage, source)?.len() >= count).then_some(()))
    })?;
    let who = format!(
        "{} {}",
        recipients.len(),
        stage.pick("个省、市、县级节点", "provinces, cities, counties")
    );
    stage.screen.done(&Line {
        who,
        what: what.to_owned(),
        article: Some(Article::R24),
        took: begun.elapsed(),
    });
    Ok(())
}

fn publish(stage: &Stage, dataset: &Dataset) -> Result<(), Failure> {
    let file = stage.layout.work(&format!("{}.csv", dataset.id));
    fs::write(&file, dataset.csv).map_err(|error| Failure::new(text(&file), error))?;
    let (file, source) = (text(&file), code(SOURCE)?);
    let rows = dataset.csv.lines().count().saturating_sub(1);
    let zh = format!("回流《{}》{rows} 行，按行政区划拆分、逐一密封", dataset.zh);
    let en = format!(
        "returns {} ({rows} rows), split by division and sealed to each",
        dataset.en
    );
    let doing = Doing {
        who: stage.person(source, Role::Operator)?,
        zh: &zh,
        en: &en,
        article: Article::R24,
        shown: true,
    };
    let args = [
        "return-flow",
        "publish",
        "--dataset",
        dataset.id,
        "--file",
        &file,
        "--column",
        dataset.column,
        "--query",
        dataset.query,
    ];
    stage.act(doing, &args, |_| {
        let of = facts::subscriptions(stage, source)?;
        Ok(of
            .iter()
            .filter(|(_, state)| state.subscription.dataset.as_str() == dataset.id)
            .all(|(_, state)| state.newest > 0)
            .then_some(()))
    })
}

type Delivered = Vec<(DocketId, SubscriptionState)>;

fn all_delivered(
    stage: &Stage,
    source: Code,
    expected: usize,
) -> Result<Option<Delivered>, CallError> {
    let all = facts::subscriptions(stage, source)?;
    if let Some(why) = all.iter().find_map(|(_, state)| finding(state)) {
        return Err(CallError::Unexpected(why));
    }
    let done = all
        .iter()
        .filter(|(_, state)| state.delivered.is_some())
        .count();
    Ok((done >= expected).then_some(all))
}

fn finding(state: &SubscriptionState) -> Option<String> {
    use sharing::return_flow::workflow::OpenDelivery;
    state.open.values().find_map(|open| match open {
        OpenDelivery::Delivering(_) => None,
        OpenDelivery::Disputed(_, finding) => Some(format!("{}: {finding}", state.recipient)),
    })
}

/// What was delivered is, recipient by recipient, what the tables hold.
fn compare(
    stage: &Stage,
    recipients: &[Code],
    expected: &Expected,
    delivered: &Delivered,
) -> Result<(), Failure> {
    let mut rows = Vec::with_capacity(recipients.len());
    for recipient in recipients {
        let mut row = vec![recipient.to_string(), stage.name(*recipient)];
        for dataset in &DATASETS {
            let wanted = expected
                .get(&(*recipient, dataset.id))
                .copied()
                .unwrap_or(0);
            let found = delivered
                .iter()
                .find(|(_, state)| {
                    state.recipient.code() == *recipient
                        && state.subscription.dataset.as_str() == dataset.id
                })
                .and_then(|(_, state)| state.delivered)
                .map(|part| part.rows);
            if found != Some(wanted) {
                let why = format!("{} {}: {found:?} ≠ {wanted}", recipient, dataset.id);
                return Err(Failure::new(stage.pick("回流行数", "rows returned"), why));
            }
            row.push(wanted.to_string());
        }
        row.push(
            stage
                .pick("一行不少，无他人之行", "none missing, none foreign")
                .to_owned(),
        );
        rows.push(row);
    }
    let header = [
        stage.pick("接收方", "recipient"),
        stage.pick("名称", "name"),
        stage.pick(DATASETS[0].zh, DATASETS[0].en),
        stage.pick(DATASETS[1].zh, DATASETS[1].en),
        stage.pick("接收方的核验", "verified by the recipient"),
    ];
    stage.screen.table(&header, &rows);
    Ok(())
}

/// One part with its notice, out of the node and verified with nothing but the source's chain and the root's key.
fn offline(stage: &Stage, delivered: &Delivered) -> Result<(), Failure> {
    let begun = Instant::now();
    let sample = code(SAMPLE)?;
    let what = stage.pick(
        "取出本级乡级区划，离线核验清单签名与证明",
        "takes its townships out and verifies manifest and proof offline",
    );
    let found = delivered.iter().find(|(_, state)| {
        state.recipient.code() == sample && state.subscription.dataset.as_str() == DATASETS[1].id
    });
    let (docket, _) = found.ok_or_else(|| Failure::new(what, "no such subscription"))?;
    let site = stage.site(sample)?;
    let (docket, folder) = (docket.to_string(), text(&stage.layout.work("return-flow")));
    let fetched = stage.repeat(what, site, || {
        stage.commands.at(
            site,
            &[
                "return-flow",
                "fetch",
                "--docket",
                &docket,
                "--out",
                &folder,
            ],
        )
    })?;
    let path = |name: &str| {
        let found = fetched.get(name).and_then(Value::as_str).map(str::to_owned);
        found.ok_or_else(|| Failure::new(what, format!("{name}: {fetched}")))
    };
    let (notice, part) = (path("notice")?, path("part")?);
    let divisions = text(&stage.layout.work(&format!("{}.csv", DATASETS[0].id)));
    let chain = text(&stage.layout.work(&chain_file(code(SOURCE)?)));
    let root = text(&stage.layout.dir.join("root/root.pub"));
    let args = [
        "return-flow",
        "verify",
        "--notice",
        &notice,
        "--part",
        &part,
        "--divisions",
        &divisions,
        "--chain",
        &chain,
        "--root",
        &root,
    ];
    let verified = stage
        .commands
        .offline(&args)
        .map_err(|why| Failure::new(what, why))?;
    let who = stage.who(stage.person(sample, Role::Operator)?);
    stage.screen.done(&Line {
        who,
        what: what.to_owned(),
        article: Some(Article::R24),
        took: begun.elapsed(),
    });
    let (rows, signer) = (
        verified.get("snapshot_rows").and_then(Value::as_u64),
        verified.get("signed_by").and_then(Value::as_str),
    );
    if let (Some(rows), Some(signer)) = (rows, signer) {
        stage.screen.remark(&match stage.language() {
            Language::Chinese => {
                format!("清单由 {signer} 签名，快照 {rows} 行；本级部分与清单的和树根相符")
            }
            Language::English => {
                format!("manifest signed by {signer} over {rows} rows; this part leads to its root")
            }
        });
    }
    Ok(())
}

/// Counts the rows of every recipient: those of its own division and of all below it.
fn expected(recipients: &[Code]) -> Result<Expected, Failure> {
    let mut parents: BTreeMap<&str, &str> = BTreeMap::new();
    for line in DATASETS[0].csv.lines().skip(1) {
        let mut fields = line.split(',');
        if let (Some(code), Some(_), Some(parent)) = (fields.next(), fields.next(), fields.next()) {
            parents.insert(code, parent);
        }
    }
    let mut expected: Expected = BTreeMap::new();
    for dataset in &DATASETS {
        for line in dataset.csv.lines().skip(1) {
            let division = line
                .get(..6)
                .ok_or_else(|| Failure::new(dataset.id, line))?;
            let mut next = Some(division);
            while let Some(code) = next.filter(|code| !code.is_empty()) {
                if let Some(recipient) = recipients
                    .iter()
                    .find(|recipient| recipient.as_str() == code)
                {
                    *expected.entry((*recipient, dataset.id)).or_default() += 1;
                }
                next = parents.get(code).copied();
            }
        }
    }
    Ok(expected)
}

/// The nodes that occur here.
#[cfg(test)]
pub fn nodes() -> [&'static str; 2] {
    [SOURCE, SAMPLE]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipients_rows_are_its_own_and_those_below_it() {
        let codes: Vec<Code> = ["440000", "440100", "440106", "469005"]
            .iter()
            .map(|code| code.parse().unwrap())
            .collect();
        let expected = expected(&codes).unwrap();
        assert_eq!(expected[&(codes[2], "divisions")], 1);
        assert_eq!(expected[&(codes[1], "divisions")], 12);
        assert!(expected[&(codes[0], "divisions")] > 100);
        assert_eq!(expected[&(codes[2], "townships")], 21);
        assert!(expected[&(codes[3], "townships")] >= 17);
        assert_eq!(expected.len(), 8);
    }
}
