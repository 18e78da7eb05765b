//! Evidence: a docket, exported as a file that anyone verifies offline with the root's public key.

use std::time::Instant;

use sharing::docket::DocketId;
use statute::{Article, Role};

use super::super::Failure;
use super::super::client::CallError;
use super::super::command::{Unsuccessful, text};
use super::super::screen::Line;
use super::super::stage::{EFFECT, Happened, Stage};
use super::{code, step};
use crate::language::Language;

/// Exports a docket's evidence at the provider's node and verifies it with nothing but the file and the root's key.
///
/// # Errors
/// [`Failure`].
pub fn tell(stage: &Stage, docket: DocketId) -> Result<(), Failure> {
    let begun = Instant::now();
    let provider = stage.site(code("samr")?)?;
    let id = docket.to_string();
    let file = text(&stage.layout.work("evidence.json"));
    let root = text(&stage.layout.dir.join("root/root.pub"));
    let what = stage.pick(
        "导出证据并离线验证",
        "evidence exported and verified offline",
    );
    stage.await_effect(what, EFFECT, || {
        match stage.commands.at(
            provider,
            &["evidence", "export", "--docket", &id, "--out", &file],
        ) {
            Ok(_) => Ok(Some(())),
            Err(Unsuccessful::Refused(why)) => Err(CallError::Unexpected(why)),
            // Until a checkpoint covers its last event there is no evidence of it.
            Err(
                Unsuccessful::Failed(why)
                | Unsuccessful::Fault(why)
                | Unsuccessful::Unreachable(why),
            ) => Err(CallError::NotFound(why)),
        }
    })?;
    let verified = stage
        .commands
        .offline(&["evidence", "verify", &file, "--root", &root]);
    verified.map_err(|why| Failure::new(what, why))?;
    let who = stage.who(stage.person(provider.code, Role::Operator)?);
    stage.screen.done(&Line {
        who,
        what: what.to_owned(),
        article: Some(Article::R29),
        took: begun.elapsed(),
    });
    stage.record(Happened {
        step: step::DELIVERY,
        what: what.to_owned(),
        outcome: match stage.language() {
            Language::Chinese => "签名、证书链、账本包含证明、检查点均有效".to_owned(),
            Language::English => "signature, chain, inclusion and checkpoint hold".to_owned(),
        },
        article: Article::R29,
        took: begun.elapsed(),
    });
    Ok(())
}
