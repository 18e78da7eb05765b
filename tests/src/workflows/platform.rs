//! What is taken straight from the platform, and what a department could join from all that it holds.

use crate::stage::application;
use federation::core::query;
use sharing::act::ActBody;
use sharing::aggregation::AggregationAct;
use sharing::application::DirectAct;
use statute::Profile;

use crate::scene::{Drawn, Scene};

/// An entry's data is placed, and taken by anybody.
pub fn draws_direct(scene: &mut Scene) -> Option<Drawn> {
    let (entries, departments) = (scene.entries.clone(), scene.departments.clone());
    // The third is shared unconditionally where nobody needs to apply.
    let entry = if scene.either() {
        entries[2].clone()
    } else {
        scene.pick(&entries)?
    };
    let provider = departments.iter().find(|it| it.code == entry.provider)?;
    if scene.chance.once_in(3) {
        let object = scene.world.upload(provider.node, "站点.csv", b"code\n1\n");
        let entry = entry.version_ref();
        let body = ActBody::Direct(DirectAct::Place { entry, object });
        let at = vec![provider.node];
        return Some(Drawn::Act { body, at });
    }
    let requester = scene.pick(&departments)?;
    let mut application = application(&scene.world, &requester, provider, &entry);
    let days = if scene.chance.once_in(5) { -1 } else { 30 };
    application.until = Some(scene.world.now.plus_days(days));
    let body = ActBody::Direct(DirectAct::Take { application });
    let at = vec![requester.node];
    Some(Drawn::Act { body, at })
}

/// The authority answers on a draft's risk as it is computed now, or on another.
pub fn draws_aggregation(scene: &mut Scene) -> Option<Drawn> {
    let rules = Profile::national().aggregation();
    let mut drafts = Vec::new();
    for department in &scene.departments {
        let read = scene.world.read(department.node);
        let risks = query::risks(read, None, &rules, scene.world.now).expect("memory");
        drafts.extend(risks.into_iter().filter_map(|risk| {
            let draft = risk.draft?;
            Some((department.node, draft, risk.exposure.digest()))
        }));
    }
    let (node, draft, exposure) = scene.pick(&drafts)?;
    let stale = scene.chance.once_in(4);
    let act = AggregationAct {
        draft,
        exposure: if stale { draft.0 } else { exposure },
        consents: scene.either(),
        grounds: if scene.chance.once_in(4) {
            String::new()
        } else {
            "仅限救助核对".into()
        },
    };
    let body = ActBody::Aggregation(act);
    Some(Drawn::Act {
        body,
        at: vec![node],
    })
}
