//! Complaints of the public: an authority passes them on or answers (R37).

use identity::{CreditCode, Path};
use sharing::act::ActBody;
use sharing::clock::Debtor;
use sharing::complaint::ComplaintAct;
use sharing::dispute::Party;
use sharing::docket::Case;
use sharing::private::Content;

use super::args::DocketArg;
use super::docket::list_of;
use super::error::CliError;
use super::signer::carry_out_with;
use super::{Global, Output};
use crate::person;

/// `guantong complaint`.
#[derive(Debug, clap::Subcommand)]
pub enum ComplaintCommand {
    /// 列出投诉举报 / list complaints
    List,
    /// 转办：给本级或者其他节点的部门、主管部门、人民政府 / pass on to a department, an authority or a government, here or elsewhere
    PassOn(PassOnArgs),
    /// 答复；投诉人凭回执码查看 / answer: whoever complained reads it with the receipt
    Answer {
        /// 案卷 / the docket
        #[arg(long)]
        docket: DocketArg,
        /// 处理结果 / what came of it
        #[arg(long)]
        text: String,
    },
}

/// To whom.
#[derive(Debug, clap::Args)]
pub struct PassOnArgs {
    /// 案卷 / the docket
    #[arg(long)]
    docket: DocketArg,
    /// 所在节点，如 100000/440000/440100 / the place, from the hub down
    #[arg(long, value_name = "PLACE")]
    to: Path,
    /// 转给该处的这个部门；不写则转给主管部门 / to this department there; without it to the authority
    #[arg(long, value_name = "CODE", conflicts_with = "government")]
    department: Option<CreditCode>,
    /// 转给该处人民政府 / to the people's government there
    #[arg(long)]
    government: bool,
    /// 说明，作为个人内容不进入账本 / what the next one should know; personal content, kept out of the ledger
    #[arg(long, default_value = "")]
    note: String,
}

impl PassOnArgs {
    /// The act, and the personal content in it.
    fn act(
        self,
        global: &Global,
        output: &Output,
    ) -> Result<(ComplaintAct, Vec<Content>), CliError> {
        let to = match (self.department, self.government) {
            (Some(department), _) => Debtor::Department(Party {
                department,
                node: self.to,
            }),
            (None, true) => Debtor::Government(self.to),
            (None, false) => Debtor::Authority(self.to),
        };
        let note = match self.note.trim() {
            "" => None,
            _ => Some(person::private(self.note)?),
        };
        let act = ComplaintAct::PassOn {
            docket: self.docket.resolve(global, output)?,
            to,
            note: note.as_ref().map(Content::private),
        };
        Ok((act, note.into_iter().collect()))
    }
}

pub(super) fn run(
    global: &Global,
    command: ComplaintCommand,
    output: &Output,
) -> Result<(), CliError> {
    let (act, contents) = match command {
        ComplaintCommand::List => {
            return list_of(global, output, |case| matches!(case, Case::Complaint(_)));
        }
        ComplaintCommand::PassOn(args) => args.act(global, output)?,
        ComplaintCommand::Answer { docket, text } => {
            let answer = ComplaintAct::Answer {
                docket: docket.resolve(global, output)?,
                answer: text,
            };
            (answer, Vec::new())
        }
    };
    carry_out_with(global, output, ActBody::Complaint(act), &contents).map(drop)
}
