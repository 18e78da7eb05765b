//! Supervision: a breach is found and its correction ordered, reported, judged, circulated (R29, R39 to R41).

use federation::core::view::{DocketDetail, NodeView};
use identity::{CreditCode, Path};
use jiff::civil::Date;
use sharing::act::ActBody;
use sharing::clock::Lapse;
use sharing::dispute::Party;
use sharing::docket::Case;
use sharing::supervision::{About, Accused, Order, SupervisionAct};
use statute::{Article, Duty, EscalationGround};

use super::args::{DocketArg, date, end_of};
use super::client::Client;
use super::docket::list_of;
use super::enroll::credit;
use super::error::{CliError, Exit};
use super::signer::carry_out;
use super::{Global, Output};

/// `guantong supervise`.
#[derive(Debug, clap::Subcommand)]
pub enum SuperviseCommand {
    /// 认定违反规定并责令改正 / find a breach and order its correction
    Order(OrderArgs),
    /// 责任单位报告改正情况 / the accused reports what was done
    Report {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 改正情况 / what was done
        #[arg(long)]
        done: String,
    },
    /// 认可改正 / accept the correction
    Accept {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
    },
    /// 退回报告，另定期限 / reject the report and set a new date
    Reject {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 理由 / reasons
        #[arg(long)]
        reasons: String,
        /// 改正期限（当日终了） / to be corrected by the end of this day
        #[arg(long, value_parser = date, value_name = "DATE")]
        correct_by: Date,
    },
    /// 通报 / circulate a notice
    Circulate {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 通报内容 / the notice
        #[arg(long)]
        text: String,
        /// 通报至的节点路径，可多次 / path of a node to which it goes, at or below this one
        #[arg(long = "to", value_name = "PATH")]
        to: Vec<Path>,
    },
    /// 拒不改正或者情节严重的，建议给予处分 / recommend discipline
    Escalate {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 情形 / ground: refuses-to-correct, serious
        #[arg(long, value_parser = ground)]
        ground: EscalationGround,
        /// 理由 / reasons
        #[arg(long)]
        reasons: String,
    },
    /// 责令改正案卷 / orders known here
    List,
}

/// What is ordered, and against whom.
#[derive(Debug, clap::Args)]
pub struct OrderArgs {
    /// 本节点的部门，统一社会信用代码 / a department of this node, by its credit code
    #[arg(
        long,
        value_parser = credit,
        conflicts_with = "authority",
        required_unless_present = "authority"
    )]
    pub department: Option<CreditCode>,
    /// 主管部门所在节点路径 / the path of the node whose authority it is
    #[arg(long, value_name = "PATH")]
    pub authority: Option<Path>,
    /// 违反的条款项，如 R39(4) / the item breached
    #[arg(long, value_parser = article, value_name = "ARTICLE")]
    pub breach: Article,
    /// 所涉逾期的案卷 / the docket in which a duty is overdue
    #[arg(long, requires = "duty", value_name = "DOCKET")]
    pub about: Option<DocketArg>,
    /// 逾期的义务 / the duty that is overdue
    #[arg(long, requires = "about", value_parser = duty)]
    pub duty: Option<Duty>,
    /// 认定事实 / what was found
    #[arg(long)]
    pub facts: String,
    /// 责令事项 / what is to be done
    #[arg(long)]
    pub measures: String,
    /// 改正期限（当日终了） / to be corrected by the end of this day
    #[arg(long, value_parser = date, value_name = "DATE")]
    pub correct_by: Date,
}

fn article(text: &str) -> Result<Article, String> {
    text.parse()
        .map_err(|error: statute::ArticleError| error.to_string())
}

fn duty(text: &str) -> Result<Duty, String> {
    text.parse()
        .map_err(|error: statute::UnknownTerm| error.in_both())
}

fn ground(text: &str) -> Result<EscalationGround, String> {
    text.parse()
        .map_err(|error: statute::UnknownTerm| error.in_both())
}

pub(super) fn run(
    global: &Global,
    command: SuperviseCommand,
    output: &Output,
) -> Result<(), CliError> {
    let of = |docket: &DocketArg| docket.resolve(global, output);
    let act = match command {
        SuperviseCommand::Order(args) => SupervisionAct::Order(order(global, output, args)?),
        SuperviseCommand::Report { docket, done } => SupervisionAct::Report {
            docket: of(&docket)?,
            done,
        },
        SuperviseCommand::Accept { docket } => SupervisionAct::Accept {
            docket: of(&docket)?,
        },
        SuperviseCommand::Reject {
            docket,
            reasons,
            correct_by,
        } => SupervisionAct::Reject {
            docket: of(&docket)?,
            reasons,
            correct_by: end_of(correct_by),
        },
        SuperviseCommand::Circulate { docket, text, to } => SupervisionAct::Circulate {
            docket: of(&docket)?,
            text,
            to,
        },
        SuperviseCommand::Escalate {
            docket,
            ground,
            reasons,
        } => SupervisionAct::Escalate {
            docket: of(&docket)?,
            ground,
            reasons,
        },
        SuperviseCommand::List => {
            let orders = |case: &Case| matches!(case, Case::Supervision(_));
            return list_of(global, output, orders);
        }
    };
    carry_out(global, output, ActBody::Supervision(act)).map(drop)
}

fn order(global: &Global, output: &Output, args: OrderArgs) -> Result<Order, CliError> {
    let client = Client::of(global, output.language())?;
    let against = match (args.department, args.authority) {
        (Some(department), _) => {
            let view: NodeView = client.get("/node")?;
            let node = view.place.ok_or_else(|| {
                CliError::new(
                    Exit::Unreachable,
                    "节点尚未入网",
                    "the node is not enrolled",
                )
            })?;
            Accused::Department(Party { department, node })
        }
        (None, Some(node)) => Accused::Authority(node),
        (None, None) => {
            return Err(CliError::usage(
                "请指明部门或者主管部门",
                "name a department or an authority",
            ));
        }
    };
    let about = match (&args.about, args.duty) {
        (Some(docket), Some(duty)) => {
            let docket = docket.resolve(global, output)?;
            let detail: DocketDetail = client.get(&format!("/dockets/{docket}"))?;
            let lapses = &detail.docket.state.clock.lapses;
            Some(About {
                docket,
                duty,
                arises: newest(lapses, duty)?.arises,
            })
        }
        (Some(_), None) | (None, _) => None,
    };
    Ok(Order {
        against,
        breach: args.breach,
        about,
        facts: args.facts,
        measures: args.measures,
        correct_by: end_of(args.correct_by),
    })
}

/// The newest lapse of a duty: which of several is meant is its beginning.
fn newest(lapses: &[Lapse], duty: Duty) -> Result<&Lapse, CliError> {
    let found = lapses.iter().rev().find(|lapse| lapse.duty == duty);
    found.ok_or_else(|| {
        CliError::usage(
            format!("该案卷中“{}”没有逾期", duty.zh()),
            format!("in this docket it is not overdue to {}", duty.en()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::Moment;
    use sharing::clock::Debtor;

    #[test]
    fn the_newest_lapse_of_a_duty_is_meant() {
        let lapse = |days| Lapse {
            duty: Duty::Provide,
            arises: Moment::default().plus_days(days),
            due: Moment::default().plus_days(days + 1),
            who: Debtor::Authority(Path::hub()),
            justification: None,
            order: None,
        };
        let lapses = [lapse(1), lapse(5)];
        assert_eq!(newest(&lapses, Duty::Provide).unwrap(), &lapses[1]);
        assert_eq!(
            newest(&lapses, Duty::Correct).unwrap_err().exit,
            Exit::Usage
        );
    }
}
