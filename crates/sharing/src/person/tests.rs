//! Chains with each defect.

use super::*;
use crate::cast::{self, NOW, provider, requester};

fn verify(chain: &PersonChain) -> Result<Doer, PersonError> {
    chain.verify(&requester().node, NOW)
}

/// The operator's chain with one certificate changed and signed again by whoever enrolled it.
fn with_change(index: usize, change: impl FnOnce(&mut PersonCertificate)) -> PersonChain {
    let department = requester();
    let mut chain = department.chain(Role::Operator);
    let mut certificate = chain.0[index]
        .claimed(MAX_PERSON_CERTIFICATE_BYTES)
        .unwrap();
    change(&mut certificate);
    let enroller = [
        Role::AuthorityHead,
        Role::AuthorityHead,
        Role::DepartmentHead,
    ][index];
    chain.0[index] = enrol(&certificate, &department.key(enroller));
    chain
}

#[test]
fn each_role_is_proved_by_the_chain_of_its_enrolment() {
    let department = requester();
    for role in Role::ALL {
        let doer = verify(&department.chain(*role)).unwrap();
        assert_eq!(
            (doer.role, doer.department, doer.node),
            (*role, department.code, department.place.code())
        );
    }
    assert_eq!(
        department.chain(Role::Operator).holder(),
        Some(department.person(Role::Operator))
    );
}

#[test]
fn the_node_cannot_invent_a_person() {
    let department = requester();
    let impostor = cast::node_key(department.place.code());
    let own = authority_head_certificate(
        "节点",
        department.code,
        department.place.code(),
        cast::term(),
        &impostor,
    );
    assert_eq!(verify(&PersonChain(vec![own])), Err(PersonError::WrongRoot));
    let mut chain = department.chain(Role::Operator);
    chain.0[2] = enrol(&department.person(Role::Operator), &impostor);
    assert_eq!(
        verify(&chain),
        Err(PersonError::BadSignature { position: 3 })
    );
}

#[test]
fn a_chain_begins_at_the_authority_head_and_has_one_to_three_links() {
    assert_eq!(verify(&PersonChain(vec![])), Err(PersonError::Length(0)));
    let chain = requester().chain(Role::Operator);
    let four = chain.with(enrol(
        &requester().person(Role::Auditor),
        &requester().key(Role::Operator),
    ));
    assert_eq!(verify(&four), Err(PersonError::Length(4)));
    assert_eq!(
        verify(&PersonChain(chain.0[1..].to_vec())),
        Err(PersonError::WrongRoot)
    );
    assert_eq!(
        verify(&with_change(0, |it| it.role = Role::DepartmentHead)),
        Err(PersonError::WrongRoot)
    );
    assert_eq!(
        verify(&provider().chain(Role::Operator)),
        Err(PersonError::WrongRoot)
    );
}

#[test]
fn a_person_of_another_node_is_refused() {
    let node = provider().place.code();
    let expected = requester().place.code();
    assert_eq!(
        verify(&with_change(2, |it| it.node = node)),
        Err(PersonError::AnotherNode {
            expected,
            found: node
        })
    );
}

#[test]
fn nobody_enrols_beyond_their_office() {
    let department = requester();
    let operator_by_authority = PersonChain(vec![department.authority_head()]).with(enrol(
        &department.person(Role::Operator),
        &department.key(Role::AuthorityHead),
    ));
    let refused = PersonError::MayNotEnrol {
        enroller: Role::AuthorityHead,
        enrolled: Role::Operator,
    };
    assert_eq!(verify(&operator_by_authority), Err(refused));
    let refused = PersonError::MayNotEnrol {
        enroller: Role::DepartmentHead,
        enrolled: Role::Government,
    };
    assert_eq!(
        verify(&with_change(2, |it| it.role = Role::Government)),
        Err(refused)
    );
    let refused = PersonError::MayNotEnrol {
        enroller: Role::Auditor,
        enrolled: Role::Operator,
    };
    assert_eq!(
        verify(&with_change(1, |it| it.role = Role::Auditor)),
        Err(refused)
    );
}

#[test]
fn a_head_enrols_people_of_its_own_department_only() {
    let other = provider().code;
    assert_eq!(
        verify(&with_change(2, |it| it.department = other)),
        Err(PersonError::AnotherDepartment)
    );
    assert!(
        verify(&with_change(1, |it| it.department = other)).is_err(),
        "then its operator is another's"
    );
}

#[test]
fn one_key_has_one_role() {
    let head = requester().key(Role::AuthorityHead).verify_key();
    assert_eq!(
        verify(&with_change(2, |it| it.key = head)),
        Err(PersonError::KeyTwice)
    );
}

#[test]
fn a_term_that_does_not_cover_the_time_is_a_refusal_for_any_link() {
    let over = || {
        Err(PersonError::Refused(
            RefusalReason::TermOver.under(Article::R11),
        ))
    };
    for index in 0..3 {
        let ended = with_change(index, |it| it.term_until = NOW.plus_millis(-1));
        assert_eq!(verify(&ended), over());
        assert!(
            ended.verify(&requester().node, NOW.plus_millis(-1)).is_ok(),
            "the last moment counts"
        );
        assert!(ended.verify_links(&requester().node).is_ok());
        assert_eq!(
            verify(&with_change(index, |it| it.term_from = NOW.plus_millis(1))),
            over()
        );
    }
}

#[test]
fn names_are_bounded_and_terms_run_forward() {
    for name in ["", " \t", "张\n三", &"长".repeat(65)] {
        let chain = with_change(2, |it| it.name = name.into());
        assert!(
            matches!(
                verify(&chain),
                Err(PersonError::Malformed { position: 3, .. })
            ),
            "{name:?}"
        );
    }
    let backward = with_change(1, |it| it.term_from = it.term_until.plus_millis(1));
    assert!(matches!(
        verify(&backward),
        Err(PersonError::Malformed { position: 2, .. })
    ));
    let mut nonsense = requester().chain(Role::Operator);
    nonsense.0[1] = Signed::from_parts(vec![0xff; 9], *nonsense.0[1].signature());
    assert!(matches!(
        verify(&nonsense),
        Err(PersonError::Malformed { position: 2, .. })
    ));
}
