//! The story in six steps: one file for each.

mod applications;
mod cases;
mod catalogue;
mod delivery;
mod dispute;
mod evidence;
mod facts;
mod health;
mod returns;

use std::time::Instant;

use identity::Code;

use super::Failure;
use super::screen::seconds;
use super::stage::Stage;
use crate::language::Language;

pub use health::addresses;

/// Characters of a day such as `2026-03-05`.
const DAY_CHARS: usize = 10;

/// Step of the story in which something happened.
mod step {
    pub const CATALOGUE: u8 = 1;
    pub const APPLICATIONS: u8 = 2;
    pub const DELIVERY: u8 = 3;
    pub const RETURN_FLOW: u8 = 4;
    pub const DISPUTE: u8 = 5;
    pub const HEALTH: u8 = 6;
}

/// A node of the story by its code. Codes that are none do not occur: a test reads them all.
fn code(text: &str) -> Result<Code, Failure> {
    text.parse().map_err(|error| Failure::new(text, error))
}

/// The day a year from now: until when data is asked for.
fn in_a_year() -> String {
    crate::runtime::driver::now()
        .plus_days(365)
        .to_string()
        .chars()
        .take(DAY_CHARS)
        .collect()
}

/// Tells the whole story.
///
/// # Errors
/// [`Failure`] of the first step that failed.
pub fn tell(stage: &Stage) -> Result<(), Failure> {
    let begun = Instant::now();
    heading(
        stage,
        "第一步  编目、审核、发布，逐级汇聚到国家枢纽（R12-R16）",
        "Step 1  compiled, reviewed, published, and up to the hub (R12-R16)",
    );
    catalogue::tell(stage)?;
    heading(
        stage,
        "第二步  检索、申请、答复（R20、R21）",
        "Step 2  searches, applications, replies (R20, R21)",
    );
    let applications = applications::tell(stage)?;
    heading(
        stage,
        "第三步  文件交付，端到端加密，使用留痕（R22、R29）",
        "Step 3  a file delivered, sealed end to end, its use recorded (R22, R29)",
    );
    delivery::tell(stage, &applications)?;
    heading(
        stage,
        "第四步  数据回流：各得其所，一行不缺（R24）",
        "Step 4  return flow: to each its own rows, none missing (R24)",
    );
    returns::tell(stage)?;
    heading(
        stage,
        "第五步  争议：协商不成，自动报共同的上级（R28）",
        "Step 5  a dispute goes by itself to the common superior (R28)",
    );
    dispute::tell(stage, &applications)?;
    heading(
        stage,
        "第六步  枢纽所见各节点运行状况",
        "Step 6  the health of every node as the hub sees it",
    );
    health::tell(stage)?;
    heading(stage, "结果", "What happened");
    stage.show_happened();
    stage.screen.line(&match stage.language() {
        Language::Chinese => format!("\n  全部完成，用时 {}", seconds(begun.elapsed())),
        Language::English => format!("\n  complete after {}", seconds(begun.elapsed())),
    });
    Ok(())
}

fn heading(stage: &Stage, zh: &str, en: &str) {
    stage.screen.heading(stage.pick(zh, en));
}

#[cfg(test)]
mod tests {
    use super::super::roster::Roster;
    use super::*;

    #[test]
    fn every_node_of_the_story_is_in_the_federation() {
        let roster = Roster::load().unwrap();
        let named = cases::nodes()
            .into_iter()
            .chain(returns::nodes())
            .chain(dispute::nodes());
        for node in named {
            assert!(roster.place(code(node).unwrap()).is_some(), "{node}");
        }
    }

    #[test]
    fn a_day_is_written_as_the_commands_read_it() {
        assert!(in_a_year().parse::<jiff::civil::Date>().is_ok());
    }
}
