//! Acts about the node itself.

use sharing::node_act::NodeAct;
use statute::YearNotice;

use super::{Text, time};

/// What the person is about to sign.
pub(super) fn done(act: &NodeAct) -> Text {
    match act {
        NodeAct::InstallCalendar { text } => match YearNotice::parse(text) {
            Ok(notice) => Text::new(
                format!(
                    "装入{}年节假日安排：《{}》（{}）",
                    notice.year(),
                    notice.title(),
                    notice.number()
                ),
                format!(
                    "install the holidays of {}: {} ({})",
                    notice.year(),
                    notice.title(),
                    notice.number()
                ),
            ),
            Err(error) => Text::new(
                format!("装入节假日安排（文件无法解读：{error}）"),
                format!("install a holiday notice (unreadable: {error})"),
            ),
        },
        NodeAct::EndEnrolment { person, ending } => Text::new(
            format!(
                "终止密钥 {person} 的人员登记，自 {} 起；原因：{}",
                time(ending.at),
                ending.reason.zh()
            ),
            format!(
                "end the enrolment of key {person} from {} on; reason: {}",
                time(ending.at),
                ending.reason.en()
            ),
        ),
    }
}
