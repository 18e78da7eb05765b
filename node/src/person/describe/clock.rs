//! Acts about a time limit.

use sharing::clock::ClockAct;

use super::Text;

/// What the person is about to sign.
pub(super) fn step(act: &ClockAct) -> Text {
    match act {
        ClockAct::AskExtension {
            duty,
            days,
            grounds,
            ..
        } => Text::new(
            format!(
                "申请将“{}”的期限延长{days}个工作日；特殊原因：{grounds}",
                duty.zh()
            ),
            format!(
                "ask for {days} more working days to {}; reasons: {grounds}",
                duty.en()
            ),
        ),
        ClockAct::AnswerExtension {
            duty,
            consents,
            grounds,
            ..
        } => {
            let (zh, en) = if *consents {
                ("同意延长", "consent to more time")
            } else {
                ("不同意延长", "do not consent to more time")
            };
            Text::new(
                format!("{zh}“{}”的期限。{grounds}", duty.zh()),
                format!("{en} to {}. {grounds}", duty.en()),
            )
        }
        ClockAct::Justify { duty, grounds, .. } => Text::new(
            format!("就“{}”逾期说明正当理由：{grounds}", duty.zh()),
            format!("state why it was late to {}: {grounds}", duty.en()),
        ),
    }
}
