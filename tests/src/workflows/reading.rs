//! Reading records of use, and orders from above to read them.

use crate::Person;
use sharing::act::ActBody;
use sharing::docket::Case;
use sharing::reading::{ReadingAct, ReadingOrder};
use statute::Role;

use super::{in_docket, is_application};
use crate::scene::{Drawn, Scene};

/// A reading of an application's records or an inspection's, or an order.
pub fn draws(scene: &mut Scene) -> Option<Drawn> {
    let read = |docket| ActBody::Reading(ReadingAct::Read { docket, from: 0 });
    let ordered = scene.docket(|case| matches!(case, Case::Inspection(_)));
    if let Some(view) = ordered.filter(|_| scene.either()) {
        let Case::Inspection(state) = &view.state.case else {
            return None;
        };
        let by = vec![state.by.code()];
        return Some(Drawn::Act {
            body: read(view.id),
            at: by,
        });
    }
    let view = scene.docket(is_application)?;
    if scene.chance.once_in(3) {
        return in_docket(&view, read(view.id));
    }
    let Case::Application(state) = &view.state.case else {
        return None;
    };
    let keeper = state.requester.node.clone();
    let above: Vec<_> = keeper.ancestors().collect();
    let by = scene.pick(&above)?;
    let reader = Person::of_authority(by, Role::AuthorityReviewer, scene.world.now);
    let order = ReadingOrder {
        about: view.id,
        keeper,
        reason: if scene.chance.once_in(4) {
            String::new()
        } else {
            "核查使用情况".into()
        },
        reader: reader.key.verify_key(),
    };
    let body = ActBody::Reading(ReadingAct::Order(order));
    Some(Drawn::Act { body, at: vec![by] })
}
