//! Acts that prove themselves, and those that do not.

use identity::{BadSignature, Domain, SigningKey, VerifyError};
use statute::Role;

use super::*;
use crate::cast::{self, NOW, provider, requester};
use crate::person::PersonError;

fn body() -> ActBody {
    ActBody::Apply {
        application: cast::application(),
    }
}

fn at(moment: Moment) -> SignedAct {
    let department = requester();
    let act = Act {
        nonce: [2; 16],
        at: moment,
        node: department.place.code(),
        body: body(),
    };
    SignedAct {
        act: Signed::sign(&act, Domain::Act, &department.key(Role::Operator)),
        signer: department.chain(Role::Operator),
    }
}

fn verify(act: &SignedAct) -> Result<VerifiedAct, ActError> {
    act.verify(&requester().node, NOW)
}

#[test]
fn an_act_says_who_did_what_in_which_role() {
    let signed = requester().sign(Role::Operator, body());
    let act = verify(&signed).unwrap();
    assert_eq!(act.act().body, body());
    assert_eq!(act.id(), signed.id());
    assert_eq!(act.signed(), &signed);
    assert_eq!(
        (act.doer().role, act.doer().department),
        (Role::Operator, requester().code)
    );
}

#[test]
fn two_equal_intentions_are_two_acts() {
    let first = requester().sign(Role::Operator, body());
    assert_eq!(first.id(), requester().sign(Role::Operator, body()).id());
    assert_ne!(first.id(), at(NOW).id());
}

#[test]
fn the_signature_is_the_holders_in_the_domain_of_acts() {
    let department = requester();
    let mut forged = at(NOW);
    let with = |key: &SigningKey, domain| {
        let act = Act {
            nonce: [2; 16],
            at: NOW,
            node: department.place.code(),
            body: body(),
        };
        Signed::sign(&act, domain, key)
    };
    let bad = Err(ActError::Signature(VerifyError::Signature(BadSignature)));
    forged.act = with(&cast::node_key(department.place.code()), Domain::Act);
    assert_eq!(verify(&forged), bad, "the node's own key signs no act");
    forged.act = with(&department.key(Role::Operator), Domain::Event);
    assert_eq!(verify(&forged), bad);
    forged = at(NOW);
    forged.signer = department.chain(Role::SharingOfficeHead);
    assert_eq!(verify(&forged), bad);
}

#[test]
fn an_act_is_void_at_any_other_node() {
    let department = requester();
    let act = Act {
        nonce: [2; 16],
        at: NOW,
        node: provider().place.code(),
        body: body(),
    };
    let elsewhere = SignedAct {
        act: Signed::sign(&act, Domain::Act, &department.key(Role::Operator)),
        signer: department.chain(Role::Operator),
    };
    let (addressed, member) = (provider().place.code(), department.place.code());
    assert_eq!(
        verify(&elsewhere),
        Err(ActError::AnotherNode { addressed, member })
    );
    assert_eq!(
        at(NOW).verify(&provider().node, NOW),
        Err(ActError::Person(PersonError::WrongRoot))
    );
}

#[test]
fn the_time_of_signing_lies_within_bounds() {
    let ahead = NOW.plus_millis(MAX_ACT_AHEAD_MS);
    assert!(verify(&at(ahead)).is_ok());
    let further = ahead.plus_millis(1);
    assert_eq!(
        verify(&at(further)),
        Err(ActError::Ahead {
            at: further,
            now: NOW
        })
    );
    let old = NOW.plus_millis(-MAX_ACT_AGE_MS);
    assert!(verify(&at(old)).is_ok());
    let older = old.plus_millis(-1);
    assert_eq!(
        verify(&at(older)),
        Err(ActError::TooOld {
            at: older,
            now: NOW
        })
    );
    assert_eq!(
        verify(&at(Moment::MIN)),
        Err(ActError::TooOld {
            at: Moment::MIN,
            now: NOW
        })
    );
}

#[test]
fn only_the_role_that_the_law_names_is_entitled() {
    for role in Role::ALL {
        let result = verify(&requester().sign(*role, body()));
        match role {
            Role::Operator => assert!(result.is_ok()),
            other => {
                let reason = RefusalReason::RoleNotEntitled {
                    role: *other,
                    act: ActKind::Apply,
                };
                assert_eq!(result, Err(ActError::Refused(reason.under(Article::R20))));
            }
        }
    }
}

#[test]
fn after_the_term_of_office_an_act_is_refused_and_as_evidence_it_still_holds() {
    let end = cast::term().1;
    let act = at(end);
    let over = RefusalReason::TermOver.under(Article::R11);
    assert_eq!(
        act.verify(&requester().node, end.plus_days(1)),
        Err(ActError::Refused(over))
    );
    assert!(act.verify(&requester().node, end).is_ok());
}

#[test]
fn lists_and_texts_are_bounded() {
    let entry = cast::entry(cast::unconditional()).version_ref();
    let many = ActBody::SubmitEntries {
        entries: vec![entry.clone(); MAX_ENTRIES_PER_ACT + 1],
    };
    let long = RefusalReason::TooLong {
        found: MAX_ENTRIES_PER_ACT + 1,
        limit: MAX_ENTRIES_PER_ACT,
    };
    assert_eq!(
        verify(&requester().sign(Role::Operator, many)),
        Err(ActError::Refused(long.under(Article::R16)))
    );
    let wordy = ActBody::WithdrawEntry {
        entry,
        reason: "长".repeat(MAX_ACT_TEXT_CHARS + 1),
    };
    let long = RefusalReason::TooLong {
        found: MAX_ACT_TEXT_CHARS + 1,
        limit: MAX_ACT_TEXT_CHARS,
    };
    let refused = verify(&requester().sign(Role::DepartmentHead, wordy));
    assert_eq!(refused, Err(ActError::Refused(long.under(Article::R17))));
}
