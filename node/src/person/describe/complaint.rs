//! Acts about complaints of the public.

use sharing::clock::Debtor;
use sharing::complaint::ComplaintAct;

use super::Text;

/// What the person is about to sign.
pub(super) fn step(act: &ComplaintAct) -> Text {
    match act {
        ComplaintAct::PassOn { to, note, .. } => {
            let Text { zh, en } = whom(to);
            let note = note.map_or_else(String::new, |note| format!("：{note}"));
            Text::new(
                format!("将投诉举报转{zh}处理{note}"),
                format!("pass the complaint on to {en}{note}"),
            )
        }
        ComplaintAct::Answer { answer, .. } => Text::new(
            format!("答复投诉举报：{answer}"),
            format!("answer the complaint: {answer}"),
        ),
    }
}

fn whom(to: &Debtor) -> Text {
    let node = to.node().code();
    match to {
        Debtor::Department(party) => {
            let department = party.department;
            Text::new(
                format!("{node}的部门{department}"),
                format!("department {department} of {node}"),
            )
        }
        Debtor::Authority(_) => Text::new(
            format!("{node}主管部门"),
            format!("the authority of {node}"),
        ),
        Debtor::Government(_) => Text::new(
            format!("{node}人民政府"),
            format!("the government of {node}"),
        ),
    }
}
