//! Personal content that is to be erased: when its time is over and before, all of it or what was erased already.

use identity::Digest;
use sharing::act::ActBody;
use sharing::docket::Case;
use sharing::erasure::ErasureAct;
use statute::ErasureGround;

use super::in_docket;
use crate::scene::{Drawn, Scene};

/// One content of a docket, or all that are left.
pub fn draws(scene: &mut Scene) -> Option<Drawn> {
    let view = scene.docket(|case| matches!(case, Case::Correction(_)))?;
    let items = view.state.personal.items.iter();
    let left = items.filter(|item| item.erased.is_none());
    let left: Vec<Digest> = left.map(|item| item.private.digest).collect();
    let all: Vec<Digest> = view
        .state
        .personal
        .items
        .iter()
        .map(|item| item.private.digest)
        .collect();
    let contents = if scene.chance.once_in(3) || left.is_empty() {
        vec![scene.pick(&all)?]
    } else {
        left
    };
    let ground = if scene.either() {
        ErasureGround::RetentionOver
    } else {
        ErasureGround::SubjectRequest
    };
    let docket = view.id;
    let act = ErasureAct::Erase {
        docket,
        contents,
        ground,
    };
    in_docket(&view, ActBody::Erasure(act))
}
