//! Acts about personal content whose time is over.

use sharing::erasure::ErasureAct;

use super::Text;

/// What the person is about to sign.
pub(super) fn step(act: &ErasureAct) -> Text {
    let ErasureAct::Erase {
        contents, ground, ..
    } = act;
    let which: Vec<String> = contents.iter().map(identity::Digest::short).collect();
    Text::new(
        format!(
            "在所有持有节点删除个人内容 {}，不可恢复；理由：{}",
            which.join("、"),
            ground.zh()
        ),
        format!(
            "erase personal content {} at every holder, for ever; ground: {}",
            which.join(", "),
            ground.en()
        ),
    )
}
