//! Acts of reading.

use sharing::reading::ReadingAct;

use super::Text;

/// What the person is about to sign.
pub(super) fn act(act: &ReadingAct) -> Text {
    match act {
        ReadingAct::Order(order) => {
            let (about, keeper) = (order.about.0.short(), &order.keeper);
            Text::new(
                format!(
                    "责成查阅 {keeper} 案卷 {about} 的使用记录，查阅人公钥 {}，理由：{}",
                    order.reader, order.reason
                ),
                format!(
                    "order a reading of the records of use of docket {about} at {keeper} by the holder of {}, because: {}",
                    order.reader, order.reason
                ),
            )
        }
        ReadingAct::Read { docket, from } => {
            let docket = docket.0.short();
            Text::new(
                format!("案卷 {docket}：查阅第 {from} 项起的使用记录，查阅情况将予记录"),
                format!(
                    "docket {docket}: read the records of use from event {from} on; the reading is recorded"
                ),
            )
        }
    }
}
