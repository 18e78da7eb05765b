//! Updates of the catalogue that a change makes due (R17). What follows are the steps of `catalogue`, and `docket` shows where an update stands.

use federation::core::view::OwnEntry;
use jiff::civil::Date;
use sharing::act::ActBody;
use sharing::catalogue::EntryId;
use sharing::update::UpdateAct;
use statute::{ChangeCause, UnknownTerm};

use super::args::{date, start_of};
use super::client::{Client, encode};
use super::error::CliError;
use super::signer::carry_out;
use super::{Global, Output};

/// `guantong update`.
#[derive(Debug, clap::Subcommand)]
pub enum UpdateCommand {
    /// 报告需要更新目录的变化：自变化之日起10个工作日内完成更新 / report a change that makes an update due within ten working days of it
    Report {
        /// 目录代码 / the entry's id
        id: EntryId,
        /// 变化发生之日 / the day of the change
        #[arg(long, value_parser = date, value_name = "DATE")]
        changed_on: Date,
        /// 更新事由 / cause: law-changed, duties-changed, other
        #[arg(long, value_parser = cause)]
        cause: ChangeCause,
        /// 说明：哪项规定或者决定，更新什么 / which provision or decision, and what is to be updated
        #[arg(long)]
        text: String,
    },
}

fn cause(text: &str) -> Result<ChangeCause, String> {
    text.parse().map_err(|error: UnknownTerm| error.in_both())
}

pub(super) fn run(
    global: &Global,
    command: UpdateCommand,
    output: &Output,
) -> Result<(), CliError> {
    let UpdateCommand::Report {
        id,
        changed_on,
        cause,
        text,
    } = command;
    let client = Client::of(global, output.language())?;
    let own: OwnEntry = client.get(&format!("/catalogue/own/{}", encode(id.as_str())))?;
    let body = ActBody::Update(UpdateAct::Report {
        provider: own.entry.provider,
        entry: id,
        changed_on: start_of(changed_on),
        cause,
        text,
    });
    carry_out(global, output, body).map(drop)
}
