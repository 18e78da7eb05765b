//! The provider's side of an application, and the requester's answers in it: R21, R22, R29.

use std::path::PathBuf;

use federation::core::view::DocketDetail;
use jiff::civil::Date;
use sharing::act::ActBody;
use sharing::application::{GrantTerms, Material, MissingItem, Phase, Reply, UseTexts};
use sharing::docket::{Case, DocketId};
use statute::Method;

use super::apply::method;
use super::args::{DocketArg, date, end_of, material, missing};
use super::client::Client;
use super::error::CliError;
use super::signer::carry_out_with;
use super::{Global, Output};
use crate::person;

/// `guantong reply`.
#[derive(Debug, clap::Subcommand)]
pub enum ReplyCommand {
    /// 一次性告知需要补充的全部材料 / tell, once, everything that is missing
    Missing {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 缺什么，如 使用范围=请说明… / what is missing, such as scope=…
        #[arg(long = "missing", value_parser = missing, required = true, value_name = "KIND=WHAT")]
        items: Vec<MissingItem>,
    },
    /// 申请方补充材料 / the requester supplements
    Supplement {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 材料 / materials
        #[arg(long = "material", value_parser = material, required_unless_present = "until", value_name = "KIND=TEXT")]
        materials: Vec<Material>,
        /// 使用时限（当日终了） / period of use: until the end of this day
        #[arg(long, value_parser = date, value_name = "DATE")]
        until: Option<Date>,
    },
    /// 拟定答复：同意或不予共享 / propose the reply: grant or refuse
    Propose(ProposeArgs),
    /// 提供方共享工作机构负责人同意所拟答复 / the head of the provider's sharing office consents to the reply
    Consent {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
    },
    /// 提供数据文件 / put the granted file at the requester's disposal
    Provide {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 文件 / the file
        #[arg(long)]
        file: PathBuf,
    },
    /// 申请方记录使用情况 / the requester records a use
    Use {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 使用场景 / scenario
        #[arg(long)]
        scenario: String,
        /// 使用过程 / process
        #[arg(long)]
        process: String,
        /// 应用成效 / result
        #[arg(long)]
        result: String,
        /// 存储情况 / storage
        #[arg(long)]
        storage: String,
        /// 销毁情况 / destruction
        #[arg(long)]
        destruction: String,
    },
}

/// The proposed reply.
#[derive(Debug, clap::Args)]
pub struct ProposeArgs {
    /// 案卷 / docket
    #[arg(long)]
    pub docket: DocketArg,
    /// 同意共享 / grant
    #[arg(long, conflicts_with_all = ["reasons", "basis"], required_unless_present = "reasons")]
    pub grant: bool,
    /// 同意的数据项；缺省为所申请的全部 / items granted; all that was asked for when absent
    #[arg(long = "item", requires = "grant", value_name = "NAME")]
    pub items: Vec<String>,
    /// 用途；缺省为申请所述场景，目录列明用途的取其中所申请的 / purpose; as asked for when absent, of the uses that the catalogue lists
    #[arg(long, requires = "grant")]
    pub purpose: Option<String>,
    /// 使用期限（当日终了）；缺省为所申请的使用时限 / until the end of this day; as asked for when absent
    #[arg(long, value_parser = date, value_name = "DATE")]
    pub until: Option<Date>,
    /// 共享方式；缺省为所申请的 / way of sharing; as asked for when absent
    #[arg(long, value_parser = method, requires = "grant")]
    pub method: Option<Method>,
    /// 使用条件：只能取自目录所列 / conditions of use: only some that the catalogue lists
    #[arg(long = "condition", requires = "grant", value_name = "TEXT")]
    pub conditions: Vec<String>,
    /// 不予共享的理由 / reasons of a refusal
    #[arg(long, requires = "basis")]
    pub reasons: Option<String>,
    /// 不予共享的依据 / legal basis of a refusal
    #[arg(long, requires = "reasons")]
    pub basis: Option<String>,
}

pub(super) fn run(global: &Global, command: ReplyCommand, output: &Output) -> Result<(), CliError> {
    let of = |docket: &DocketArg| docket.resolve(global, output);
    let mut contents = Vec::new();
    let body = match command {
        ReplyCommand::Missing { docket, items } => ActBody::TellMissing {
            docket: of(&docket)?,
            missing: items,
        },
        ReplyCommand::Supplement {
            docket,
            materials,
            until,
        } => ActBody::Supplement {
            docket: of(&docket)?,
            materials,
            until: until.map(end_of),
        },
        ReplyCommand::Propose(args) => propose(global, output, args)?,
        ReplyCommand::Consent { docket } => {
            let docket = of(&docket)?;
            let state = application(global, output, docket)?;
            let Phase::ReplyProposed { document, .. } = state.phase else {
                return Err(CliError::usage(
                    "此案卷没有待同意的答复",
                    "no reply awaits consent in this docket",
                )
                .advise(
                    "用 guantong docket show 查看案卷状态",
                    "see guantong docket show",
                ));
            };
            ActBody::ConsentToReply { docket, document }
        }
        ReplyCommand::Provide { docket, file } => {
            let docket = of(&docket)?;
            let object = Client::of(global, output.language())?.put_object(&file)?;
            ActBody::Provide { docket, object }
        }
        ReplyCommand::Use {
            docket,
            scenario,
            process,
            result,
            storage,
            destruction,
        } => {
            let texts = UseTexts {
                scenario,
                process,
                result,
                storage,
                destruction,
            };
            let content = person::private(texts.text())?;
            let record = texts.record(&content);
            contents.push(content);
            let docket = of(&docket)?;
            ActBody::RecordUse { docket, record }
        }
    };
    carry_out_with(global, output, body, &contents).map(drop)
}

fn application(
    global: &Global,
    output: &Output,
    docket: DocketId,
) -> Result<sharing::application::ApplicationState, CliError> {
    let detail: DocketDetail =
        Client::of(global, output.language())?.get(&format!("/dockets/{docket}"))?;
    match detail.docket.state.case {
        Case::Application(state) => Ok(*state),
        _ => Err(CliError::usage(
            "此案卷不是共享申请",
            "this docket is no application",
        )),
    }
}

fn propose(global: &Global, output: &Output, args: ProposeArgs) -> Result<ActBody, CliError> {
    let docket = args.docket.resolve(global, output)?;
    if let (Some(reasons), Some(basis)) = (args.reasons, args.basis) {
        return Ok(ActBody::ProposeReply {
            docket,
            reply: Reply::Refuse { reasons, basis },
        });
    }
    let state = application(global, output, docket)?;
    let until = args.until.map(end_of).or(state.application.until);
    let until =
        until.ok_or_else(|| CliError::usage("同意共享须有 --until", "a grant needs --until"))?;
    let purpose = args.purpose.unwrap_or_else(|| asked_for(&state));
    let asked = state.application;
    let items = if args.items.is_empty() {
        asked.items
    } else {
        args.items
    };
    let terms = GrantTerms {
        items,
        purpose,
        until,
        method: args.method.unwrap_or(asked.method),
        conditions: args.conditions,
    };
    Ok(ActBody::ProposeReply {
        docket,
        reply: Reply::Grant { terms },
    })
}

/// The purpose that was asked for: a scenario among the uses that the catalogue lists, the only use listed, or the scenario as it stands.
fn asked_for(state: &sharing::application::ApplicationState) -> String {
    let listed = statute::purpose::listed_uses(&state.entry.entry.terms);
    let stated = state.application.scenarios();
    let among = |line: &&&str| listed.iter().any(|it| it.trim() == line.trim());
    let only = match listed {
        [only] => Some(only.as_str()),
        [] | [..] => None,
    };
    let asked = stated.iter().find(among).copied().or(only);
    asked
        .or(stated.first().copied())
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::Cli;

    #[test]
    fn a_reply_is_a_grant_or_a_refusal_with_reasons_and_basis() {
        let docket = "ab".repeat(32);
        let parse = |rest: &str| {
            Cli::try_parse_from(
                format!("guantong reply propose --docket {docket} {rest}").split_whitespace(),
            )
        };
        assert!(parse("--grant --until 2027-03-01").is_ok() && parse("--grant").is_ok());
        assert!(parse("--reasons 理由 --basis 依据").is_ok());
        for wrong in [
            "",
            "--reasons 理由",
            "--grant --until 2027-03-01 --reasons 理由 --basis 依据",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
