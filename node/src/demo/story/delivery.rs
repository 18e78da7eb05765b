//! Step 3: the granted file goes to the requester through a circuit, sealed end to end; what arrives is verified, its use recorded on
//! both sides (R22, R29).

use std::fs;
use std::time::Instant;

use sharing::application::Phase;
use statute::{Article, Role};

use super::super::Failure;
use super::super::command::{Unsuccessful, text};
use super::super::stage::{Doing, Happened, Stage};
use super::applications::{Applications, at};
use super::cases::REQUESTER;
use super::{code, evidence, facts, step};
use crate::language::Language;

/// The provider's file.
const ENTERPRISES: &str = include_str!("../../../../topology/demo/enterprises.csv");
/// Its name.
const FILE: &str = "天河区企业登记基本信息.csv";

/// Delivers, verifies, uses.
///
/// # Errors
/// [`Failure`].
pub fn tell(stage: &Stage, applications: &Applications) -> Result<(), Failure> {
    let begun = Instant::now();
    let (docket, id) = (
        applications.enterprises,
        applications.enterprises.to_string(),
    );
    let (requester, provider) = (code(REQUESTER)?, code("samr")?);
    let file = stage.layout.work(FILE);
    fs::write(&file, ENTERPRISES).map_err(|error| Failure::new(text(&file), error))?;
    let file = text(&file);
    let provided = |state: &sharing::application::ApplicationState| {
        matches!(state.phase, Phase::Provided { .. })
    };
    let doing = Doing {
        who: stage.person(provider, Role::Operator)?,
        zh: "提供文件；天河区经电路取回，两端密封",
        en: "provides the file; 天河区 fetches it through a circuit sealed end to end",
        article: Article::R22,
        shown: true,
    };
    stage.act(
        doing,
        &["reply", "provide", "--docket", &id, "--file", &file],
        |_| Ok(at(stage, requester, docket, provided)?.and(at(stage, provider, docket, provided)?)),
    )?;
    let rows = received(stage, applications)?;
    let doing = Doing {
        who: stage.person(requester, Role::Operator)?,
        zh: "记录使用情况，供需双方留存",
        en: "records the use, kept by both sides",
        article: Article::R29,
        shown: true,
    };
    let record = [
        "reply",
        "use",
        "--docket",
        &id,
        "--scenario",
        "社会救助家庭经济状况核对",
        "--process",
        "在天河区民政局社会救助核对系统内逐户比对",
        "--result",
        "核对 200 条经营主体登记信息，发现 3 户申请家庭名下有存续企业",
        "--storage",
        "仅存于核对系统，随核对案件归档",
        "--destruction",
        "使用期限届满后销毁",
    ];
    stage.act(doing, &record, |_| {
        let used = |state: &sharing::application::ApplicationState| state.uses == 1;
        Ok(at(stage, requester, docket, used)?.and(at(stage, provider, docket, used)?))
    })?;
    stage.record(Happened {
        step: step::DELIVERY,
        what: stage
            .pick("文件交付与使用", "a file delivered and used")
            .to_owned(),
        outcome: match stage.language() {
            Language::Chinese => format!("{rows} 行逐字节校验一致，使用记录两侧各一条"),
            Language::English => {
                format!("{rows} rows verified byte by byte, its use recorded on both sides")
            }
        },
        article: Article::R22,
        took: begun.elapsed(),
    });
    evidence::tell(stage, docket)
}

/// What the requester's node holds is, byte for byte, what the provider gave.
fn received(stage: &Stage, applications: &Applications) -> Result<usize, Failure> {
    let requester = code(REQUESTER)?;
    let what = stage.pick("核对收到的文件", "compare the file received");
    let state = stage.await_effect(what, super::super::stage::EFFECT, || {
        facts::application(stage, requester, applications.enterprises)
    })?;
    let object = state
        .phase
        .object()
        .ok_or_else(|| Failure::new(what, state.phase.name()))?;
    let site = stage.site(requester)?;
    let bytes = stage.await_effect(what, super::super::stage::EFFECT, || {
        stage
            .client
            .bytes(site, &format!("/api/v1/objects/{}", object.digest))
            .map(Some)
    })?;
    let digest = identity::Digest::object(&bytes);
    if bytes != ENTERPRISES.as_bytes() || digest != object.digest {
        return Err(Failure::new(
            what,
            Unsuccessful::Failed(format!("{digest} != {}", object.digest)),
        ));
    }
    let rows = ENTERPRISES.lines().count().saturating_sub(1);
    stage.screen.remark(&match stage.language() {
        Language::Chinese => format!(
            "收到 {} 字节、{rows} 行，blake3 {} 与提供的一致",
            bytes.len(),
            digest.short()
        ),
        Language::English => format!(
            "{} bytes, {rows} rows, blake3 {} as provided",
            bytes.len(),
            digest.short()
        ),
    });
    Ok(rows)
}
