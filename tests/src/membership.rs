//! How a node of a test becomes a member: keys that derive from its code, and the papers of its enrolment.

use federation::core::Me;
use identity::{
    Certificate, Code, EnrolmentRequest, Level, Moment, OpeningKey, Path, Signed, Terms,
};
use statute::{Calendar, Profile};

use crate::cast::{authority_head_key, key};

/// How long members are certified for, days.
pub(crate) const VALID_DAYS: u16 = 300;

/// The node of a code: its keys, the national calendar and profile.
pub(crate) fn me(code: Code) -> Me {
    Me {
        signing: key(&format!("node {code}")),
        opening: vec![OpeningKey::from_seed(
            1,
            key(&format!("sealing {code}")).to_seed(),
        )],
        root: key("root").verify_key(),
        software: "guantong/test".into(),
        calendar: Calendar::national(),
        profile: Profile::national(),
    }
}

/// What a node asks its parent to certify.
pub(crate) fn request(
    me: &Me,
    (code, name, level): (Code, &str, Level),
    transport_key: [u8; 32],
    now: Moment,
) -> Signed<EnrolmentRequest> {
    let request = EnrolmentRequest {
        code,
        name: name.to_owned(),
        level,
        signing_key: me.signing.verify_key(),
        transport_key,
        sealing_key: me.opening[0].sealing_key(now.plus_days(i64::from(VALID_DAYS))),
        authority_head: authority_head_key(code).verify_key(),
        created: now,
    };
    request.sign(&me.signing)
}

/// The root certifies the hub.
pub(crate) fn root_certifies(
    request: &Signed<EnrolmentRequest>,
    now: Moment,
) -> Signed<Certificate> {
    let terms = Terms {
        serial: 1,
        epoch: 0,
        witnesses: Vec::new(),
        valid_from: now.plus_days(-1),
        valid_until: now.plus_days(3_000),
    };
    identity::issue_hub(request, &key("root"), terms).expect("the root certifies the hub")
}

/// Two counties of other provinces, the first by code: outside the line of the place.
pub(crate) fn witnesses(place: &Path, counties: &[&Path]) -> Vec<Code> {
    let province = |path: &Path| path.codes().get(1).copied();
    let mut elsewhere: Vec<Code> = counties
        .iter()
        .filter(|county| province(county) != province(place))
        .map(|county| county.code())
        .collect();
    elsewhere.sort();
    elsewhere.truncate(2);
    elsewhere
}
