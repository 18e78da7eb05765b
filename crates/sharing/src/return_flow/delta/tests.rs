use proptest::prelude::*;

use super::*;

const BASE: &str = "id,name\n1,a\n2,b\n3,c\n3,c\n";

fn between(base: &str, whole: &str, key: Option<&str>) -> Delta {
    let delta = Delta::between(base.as_bytes(), whole.as_bytes(), key);
    delta.unwrap().expect("one order")
}

fn counts(whole: &str, key: Option<&str>) -> (u64, u64, u64) {
    let delta = between(BASE, whole, key);
    assert_eq!(delta.apply(BASE.as_bytes()).unwrap(), whole.as_bytes());
    let Changes {
        inserts,
        updates,
        deletes,
    } = delta.counts();
    (inserts, updates, deletes)
}

#[test]
fn inserts_updates_and_deletes_are_told_apart_by_key() {
    assert_eq!(counts(BASE, Some("id")), (0, 0, 0));
    let updated = "id,name\n1,a\n2,z\n3,c\n3,c\n";
    assert_eq!(counts(updated, Some("id")), (0, 1, 0));
    assert_eq!(counts(updated, None), (1, 0, 1));
    assert_eq!(counts("id,name\n0,x\n2,b\n3,c\n", Some("id")), (1, 0, 2));
    assert_eq!(counts("id,name\n", None), (0, 0, 4));
}

#[test]
fn a_difference_builds_on_its_own_base_and_leads_to_its_own_part() {
    let delta = between(BASE, "id,name\n1,a\n", None);
    let other = delta.apply(b"id,name\n1,a\n").unwrap_err();
    assert!(matches!(other, DeltaError::OtherBase { .. }));
    let mut doctored = delta.clone();
    doctored.changes.push(Change::Insert {
        at: 0,
        row: "9,x".into(),
    });
    let led = doctored.apply(BASE.as_bytes()).unwrap_err();
    assert!(matches!(led, DeltaError::OtherWhole { .. }));
    for change in [Change::Delete { at: 4 }, Change::Delete { at: 1 }] {
        let mut doctored = delta.clone();
        doctored.changes.push(change);
        let row = doctored.apply(BASE.as_bytes()).unwrap_err();
        assert!(matches!(row, DeltaError::Row(_)));
    }
    let none = Delta::between(BASE.as_bytes(), b"id,title\n1,a\n", None);
    assert_eq!(none, Ok(None), "another header: the whole part is sent");
    let turned = Delta::between(BASE.as_bytes(), b"id,name\n2,b\n1,a\n", None);
    assert_eq!(turned, Ok(None), "another order: the whole part is sent");
    assert!(Delta::decode(b"x").is_err());
}

fn part(rows: &[(u8, u8)]) -> String {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    let lines = rows.iter().map(|(id, name)| format!("{id:03},{name:03}\n"));
    std::iter::once("id,name\n".to_owned())
        .chain(lines)
        .collect()
}

proptest! {
    #[test]
    fn whatever_changes_the_difference_leads_to_the_whole_part(
        base in prop::collection::vec((0u8..12, 0u8..3), 0..40),
        whole in prop::collection::vec((0u8..12, 0u8..3), 0..40),
        keyed in any::<bool>(),
    ) {
        let (base, whole) = (part(&base), part(&whole));
        let delta = between(&base, &whole, keyed.then_some("id"));
        let travelled = Delta::decode(&delta.encode()).unwrap();
        prop_assert_eq!(&travelled, &delta);
        prop_assert_eq!(travelled.apply(base.as_bytes()).unwrap(), whole.into_bytes());
    }
}
