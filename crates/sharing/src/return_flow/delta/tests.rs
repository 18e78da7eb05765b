use proptest::prelude::*;

use super::*;
use crate::return_flow::Divisions;

const BASE: &str = "id,name\n1,a\n2,b\n3,c\n3,c\n";

fn compared(base: &str, whole: &str, key: Option<&str>) -> Result<Option<Delta>, TableError> {
    let tree = Divisions::from_csv(b"code,parent\n100000,\n").unwrap();
    let sorting = Sorting::new(&tree, &[]).unwrap();
    let parts = (base.as_bytes(), whole.as_bytes());
    Delta::between(parts, ("id", key), &sorting)
}

fn between(base: &str, whole: &str, key: Option<&str>) -> Delta {
    compared(base, whole, key).unwrap().expect("one order")
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
    let row = "9,x".into();
    doctored.changes.insert(0, Change::Insert { at: 0, row });
    let led = doctored.apply(BASE.as_bytes()).unwrap_err();
    assert!(matches!(led, DeltaError::OtherWhole { .. }));
    for change in [Change::Delete { at: 4 }, Change::Delete { at: 1 }] {
        let mut doctored = delta.clone();
        doctored.changes.push(change);
        let row = doctored.apply(BASE.as_bytes()).unwrap_err();
        assert!(matches!(row, DeltaError::Row(_)));
    }
    let none = compared(BASE, "id,title\n1,a\n", None);
    assert_eq!(none, Ok(None), "another header: the whole part is sent");
    let turned = compared(BASE, "id,name\n2,b\n1,a\n", None);
    assert_eq!(turned, Ok(None), "another order: the whole part is sent");
    assert_eq!(Delta::decode(b"x"), Err(DeltaError::BrokenOff));
    assert_eq!(Delta::decode(b""), Err(DeltaError::BrokenOff));
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

#[test]
fn a_difference_longer_than_a_section_travels_in_several() {
    let rows = |of: &str| {
        (0..20_000)
            .map(|row| format!("{row:06},{of}{row}\n"))
            .collect()
    };
    let (base, whole): (String, String) = (rows("a long name of "), rows("a longer name of "));
    let (base, whole) = (format!("id,name\n{base}"), format!("id,name\n{whole}"));
    let delta = between(&base, &whole, Some("id"));
    assert_eq!(delta.counts().updates, 20_000);
    let travelled = delta.encode();
    let mut rest = travelled.as_slice();
    let mut sections = 0;
    while let Some(section) = section(&mut rest).unwrap() {
        assert!(section.len() <= MAX_SECTION_BYTES);
        sections += 1;
    }
    assert!(sections > 3, "{sections}");
    assert!(
        Delta::decode(&travelled)
            .unwrap()
            .apply(base.as_bytes())
            .unwrap()
            == whole.into_bytes()
    );
    // Sections of another difference do not belong to it.
    let other = between(&base, "id,name\n000000,x\n", None).encode();
    let mixed = Delta::decode(&[travelled, other].concat());
    assert!(matches!(mixed, Err(DeltaError::OtherWhole { .. })));
}
