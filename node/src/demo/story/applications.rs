//! Step 2: 天河区 searches, and applies for four entries: one is found incomplete and told once what is missing, one is refused with reasons,
//! the others are granted (R20, R21).

use std::time::Instant;

use identity::{Code, Path};
use sharing::application::{ApplicationState, Phase};
use sharing::docket::DocketId;
use statute::{Article, Role};

use super::super::Failure;
use super::super::client::CallError;
use super::super::command::Unsuccessful;
use super::super::screen::{Line, seconds};
use super::super::stage::{Doing, EFFECT, Happened, Stage};
use super::cases::{CASES, Case, REQUESTER, Reply};
use super::{code, facts, step};
use crate::api::catalogue::{LevelStatus, SearchAnswer};
use crate::console::labels::{due, time};
use crate::language::Language;

/// The applications of the story, by what became of them.
#[derive(Debug, Clone, Copy)]
pub struct Applications {
    /// The unconditional entry of a ministry.
    pub enterprises: DocketId,
    /// The one that was refused.
    pub refused: DocketId,
}

/// Searches and applies.
///
/// # Errors
/// [`Failure`].
pub fn tell(stage: &Stage) -> Result<Applications, Failure> {
    for (query, publisher) in [("企业登记", "samr"), ("农业", "469005")] {
        search(stage, query, code(publisher)?)?;
    }
    let mut dockets = Vec::with_capacity(CASES.len());
    for case in &CASES {
        dockets.push(apply(stage, case)?);
    }
    match dockets.as_slice() {
        [enterprises, _, _, refused] => Ok(Applications {
            enterprises: *enterprises,
            refused: *refused,
        }),
        _ => Err(Failure::new("applications", "four were to be made")),
    }
}

/// 天河区's own node answers at once, the levels above add theirs.
fn search(stage: &Stage, query: &str, publisher: Code) -> Result<(), Failure> {
    let site = stage.site(code(REQUESTER)?)?;
    let who = stage.person(site.code, Role::Operator)?;
    let what = format!("{} “{query}”", stage.pick("检索", "search"));
    let begun = Instant::now();
    let mut took = begun.elapsed();
    let answer = stage.await_effect(&what, EFFECT, || {
        let asked = Instant::now();
        let answer = match stage.commands.at(site, &["catalogue", "search", query]) {
            Ok(answer) => answer,
            Err(Unsuccessful::Unreachable(why) | Unsuccessful::Fault(why)) => {
                return Err(CallError::Unreachable(why));
            }
            Err(unsuccessful) => return Err(CallError::Unexpected(unsuccessful.to_string())),
        };
        took = asked.elapsed();
        let answer: SearchAnswer = serde_json::from_value(answer)
            .map_err(|error| CallError::Unexpected(error.to_string()))?;
        let all = answer
            .levels
            .iter()
            .all(|level| level.status == LevelStatus::Answered)
            && answer.levels.len() == 4;
        Ok((all
            && answer
                .hits
                .iter()
                .any(|hit| hit.publisher.code() == publisher))
        .then_some(answer))
    })?;
    stage.screen.done(&Line {
        who: stage.who(who),
        what: what.clone(),
        article: Some(Article::R20),
        took,
    });
    for level in &answer.levels {
        let node = level.node.rsplit('/').next().unwrap_or_default();
        let name = node
            .parse()
            .map_or_else(|_| node.to_owned(), |node| stage.name(node));
        let as_of = level.as_of.map(time).unwrap_or_default();
        stage.screen.remark(&match stage.language() {
            Language::Chinese => format!(
                "{name}：命中 {}，目录 {} 条，截至 {as_of}",
                level.hits,
                level.catalogue.unwrap_or(0)
            ),
            Language::English => format!(
                "{name}: {} hits of {} entries as of {as_of}",
                level.hits,
                level.catalogue.unwrap_or(0)
            ),
        });
    }
    for hit in answer.hits.iter().take(3) {
        stage.screen.remark(&format!(
            "→ {}《{}》 {}",
            hit.provider_name,
            hit.name,
            stage.pick(hit.class.zh(), hit.class.en())
        ));
    }
    stage.record(Happened {
        step: step::APPLICATIONS,
        what,
        outcome: match stage.language() {
            Language::Chinese => format!(
                "{} 级答复，命中 {} 条",
                answer.levels.len(),
                answer.hits.len()
            ),
            Language::English => format!(
                "{} levels answered, {} hits",
                answer.levels.len(),
                answer.hits.len()
            ),
        },
        article: Article::R20,
        took,
    });
    Ok(())
}

/// One application from draft to reply.
fn apply(stage: &Stage, case: &Case) -> Result<DocketId, Failure> {
    let begun = Instant::now();
    let (requester, provider) = (code(REQUESTER)?, code(case.provider)?);
    stage.screen.line("");
    let docket = draft(stage, case, requester)?;
    consent(stage, docket, requester, provider)?;
    if let Some((what, supplied)) = case.missing {
        tell_missing(stage, docket, provider, requester, what, supplied)?;
    }
    let outcome = reply(stage, case, docket, provider, requester)?;
    stage.record(Happened {
        step: step::APPLICATIONS,
        what: format!(
            "{} {}",
            stage.pick("天河区申请", "天河区 applies for"),
            stage.pick(case.zh, case.en)
        ),
        outcome,
        article: Article::R21,
        took: begun.elapsed(),
    });
    Ok(docket)
}

fn draft(stage: &Stage, case: &Case, requester: Code) -> Result<DocketId, Failure> {
    let who = stage.person(requester, Role::Operator)?;
    let (credit, provider) = (
        who.department.to_string(),
        path(stage, code(case.provider)?)?.to_string(),
    );
    let mut args = vec![
        "apply",
        "draft",
        "--publisher",
        case.provider,
        "--entry",
        case.entry,
        "--method",
        "file-download",
    ];
    args.extend([
        "--provider",
        &provider,
        "--entry-version",
        "1",
        "--requester",
        &credit,
        "--requester-name",
        &who.department_name,
    ]);
    for item in case.items {
        args.extend(["--item", item]);
    }
    for material in case.stated {
        args.extend(["--material", material]);
    }
    let until = super::in_a_year();
    args.extend(["--until", &until]);
    let (zh, en) = (
        format!("拟定申请：{}", case.zh),
        format!("drafts an application for {}", case.en),
    );
    let doing = Doing {
        who,
        zh: &zh,
        en: &en,
        article: Article::R20,
        shown: true,
    };
    stage.act(doing, &args, |answer| Ok(answer.docket))
}

/// The consent sends the application on its way; its effect is that both ends have the docket.
fn consent(
    stage: &Stage,
    docket: DocketId,
    requester: Code,
    provider: Code,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let who = stage.person(requester, Role::SharingOfficeHead)?;
    let doing = Doing {
        who,
        zh: "同意提出申请，签名",
        en: "consents to the application and signs",
        article: Article::R20,
        shown: true,
    };
    let id = docket.to_string();
    let state = stage.act(doing, &["apply", "consent", "--docket", &id], |_| {
        let home = facts::application(stage, provider, docket)?;
        Ok(facts::application(stage, requester, docket)?.and(home))
    })?;
    let due = match &state.phase {
        Phase::Received { term } => due(term.due),
        other => other.name().to_owned(),
    };
    let (from, to) = (path(stage, requester)?, path(stage, provider)?);
    let hops: Vec<String> = Path::route(&from, &to)
        .into_iter()
        .map(|hop| hop.to_string())
        .collect();
    let superior = stage.name(Path::common_superior(&from, &to));
    let took = seconds(begun.elapsed());
    stage.screen.remark(&match stage.language() {
        Language::Chinese => {
            format!(
                "经 {}，共同上级 {superior}；{} 受理并回告，答复期限 {due}，{took}",
                hops.join(" → "),
                stage.name(provider)
            )
        }
        Language::English => {
            format!(
                "by {}, common superior {superior}; {} has it, reply due {due}, {took}",
                hops.join(" → "),
                stage.name(provider)
            )
        }
    });
    Ok(())
}

fn path(stage: &Stage, node: Code) -> Result<Path, Failure> {
    let place = stage
        .roster
        .place(node)
        .ok_or_else(|| Failure::new(node.to_string(), "no such node"))?;
    Ok(place.path.clone())
}

/// R21: what is missing is told once, all of it; the requester supplements.
fn tell_missing(
    stage: &Stage,
    docket: DocketId,
    provider: Code,
    requester: Code,
    what: &str,
    supplied: &str,
) -> Result<(), Failure> {
    let id = docket.to_string();
    let (missing, material) = (format!("basis={what}"), format!("basis={supplied}"));
    let who = stage.person(provider, Role::Operator)?;
    let doing = Doing {
        who,
        zh: "发现缺少使用依据，一次性告知补充",
        en: "finds the legal basis missing and tells it, once",
        article: Article::R21,
        shown: true,
    };
    stage.act(
        doing,
        &["reply", "missing", "--docket", &id, "--missing", &missing],
        |_| {
            at(stage, requester, docket, |state| {
                matches!(state.phase, Phase::Incomplete { .. })
            })
        },
    )?;
    stage.screen.remark(what);
    let who = stage.person(requester, Role::Operator)?;
    let doing = Doing {
        who,
        zh: "补充使用依据",
        en: "supplies the legal basis",
        article: Article::R21,
        shown: true,
    };
    stage.act(
        doing,
        &[
            "reply",
            "supplement",
            "--docket",
            &id,
            "--material",
            &material,
        ],
        |_| {
            at(stage, provider, docket, |state| {
                state.told_missing_once && matches!(state.phase, Phase::Received { .. })
            })
        },
    )?;
    stage.screen.remark(supplied);
    Ok(())
}

/// R20, R21: proposed by the operator, consented to by the head of the sharing office, known to the requester.
fn reply(
    stage: &Stage,
    case: &Case,
    docket: DocketId,
    provider: Code,
    requester: Code,
) -> Result<String, Failure> {
    let id = docket.to_string();
    let mut args = vec!["reply", "propose", "--docket", &id];
    let (zh, en) = match &case.reply {
        Reply::Grant {
            purpose,
            conditions,
        } => {
            args.extend(["--grant", "--purpose", purpose]);
            for condition in *conditions {
                args.extend(["--condition", condition]);
            }
            ("拟同意共享", "proposes to grant")
        }
        Reply::Refuse { reasons, basis } => {
            args.extend(["--reasons", reasons, "--basis", basis]);
            (
                "拟不予共享，写明理由和依据",
                "proposes to refuse, with reasons and basis",
            )
        }
    };
    let who = stage.person(provider, Role::Operator)?;
    stage.act(
        Doing {
            who,
            zh,
            en,
            article: Article::R21,
            shown: true,
        },
        &args,
        |_| {
            at(stage, provider, docket, |state| {
                matches!(state.phase, Phase::ReplyProposed { .. })
            })
        },
    )?;
    let who = stage.person(provider, Role::SharingOfficeHead)?;
    let (zh, en) = match &case.reply {
        Reply::Grant { .. } => ("同意该答复：准予共享", "consents to the reply: granted"),
        Reply::Refuse { .. } => ("同意该答复：不予共享", "consents to the reply: refused"),
    };
    stage.act(
        Doing {
            who,
            zh,
            en,
            article: Article::R20,
            shown: true,
        },
        &["reply", "consent", "--docket", &id],
        |_| at(stage, requester, docket, |state| state.phase.is_answered()),
    )?;
    Ok(match &case.reply {
        Reply::Grant { conditions, .. } => {
            let told = if case.missing.is_some() {
                stage.pick("一次告知补正后", "after one supplement, ")
            } else {
                ""
            };
            let conditions = if conditions.is_empty() {
                ""
            } else {
                stage.pick("（附目录所列条件）", " (on catalogued conditions)")
            };
            format!("{told}{}{conditions}", stage.pick("准予共享", "granted"))
        }
        Reply::Refuse { reasons, .. } => {
            stage.screen.remark(reasons);
            stage
                .pick("不予共享，理由已答复", "refused, with reasons")
                .to_owned()
        }
    })
}

/// Whether a node's copy of an application has come so far.
pub fn at(
    stage: &Stage,
    node: Code,
    docket: DocketId,
    there: impl Fn(&ApplicationState) -> bool,
) -> Result<Option<()>, CallError> {
    Ok(facts::application(stage, node, docket)?
        .filter(there)
        .map(drop))
}
