//! Reading records of use, ordering a reading, and seeing who read what (R29, R36).

use federation::core::view::ReadingView;
use identity::Path;
use sharing::act::ActBody;
use sharing::docket::Case;
use sharing::reading::{ReadingAct, ReadingOrder};

use super::args::{DocketArg, public_key};
use super::client::Client;
use super::docket::list_of;
use super::error::CliError;
use super::output::listed;
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::List;
use crate::console::reading;

/// `guantong reading`.
#[derive(Debug, clap::Subcommand)]
pub enum ReadingCommand {
    /// 查阅使用记录；查阅情况先予记录 / read the records of use; that they are read is recorded first
    Uses {
        /// 案卷：共享申请或者查阅案卷 / docket: an application's or an inspection's
        docket: DocketArg,
        /// 自第几项起 / from which event on
        #[arg(long, default_value_t = 0)]
        from: u32,
    },
    /// 上级主管部门责成查阅 / a superior authority orders a reading
    Order {
        /// 共享申请案卷 / the application's docket
        #[arg(long)]
        docket: DocketArg,
        /// 需求部门所在节点路径 / path of the requester's node
        #[arg(long, value_name = "PATH")]
        keeper: Path,
        /// 理由 / reason
        #[arg(long)]
        reason: String,
        /// 查阅人公钥或者密钥文件 / public key or key file of whoever is to read
        #[arg(long, value_name = "KEY")]
        reader: String,
    },
    /// 查阅案卷 / inspections known here
    Inspections,
    /// 何人何时查阅了何内容 / who read what, and when
    List {
        /// 从此序号之后 / after the reading of this number
        #[arg(long)]
        after: Option<u64>,
        /// 条数 / how many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
}

pub(super) fn run(
    global: &Global,
    command: ReadingCommand,
    output: &Output,
) -> Result<(), CliError> {
    let act = match command {
        ReadingCommand::Uses { docket, from } => ReadingAct::Read {
            docket: docket.resolve(global, output)?,
            from,
        },
        ReadingCommand::Order {
            docket,
            keeper,
            reason,
            reader,
        } => ReadingAct::Order(ReadingOrder {
            about: docket.resolve(global, output)?,
            keeper,
            reason,
            reader: public_key(&reader)?,
        }),
        ReadingCommand::Inspections => {
            return list_of(global, output, |case| matches!(case, Case::Inspection(_)));
        }
        ReadingCommand::List { after, limit } => return list(global, output, after, limit),
    };
    carry_out(global, output, ActBody::Reading(act)).map(drop)
}

fn list(
    global: &Global,
    output: &Output,
    after: Option<u64>,
    limit: usize,
) -> Result<(), CliError> {
    let after = after.map_or_else(String::new, |number| format!("&after={number}"));
    let client = Client::of(global, output.language())?;
    let found: List<ReadingView> = client.get(&format!("/readings?limit={limit}{after}"))?;
    output.print(&found, |language| {
        let rows = found.items.iter().map(|it| reading::reading(it, language));
        listed(
            &rows.collect::<Vec<_>>(),
            language,
            ("没有查阅记录。", "Nothing was read."),
        )
    });
    Ok(())
}
