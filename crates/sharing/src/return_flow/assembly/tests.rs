use identity::{Digest, Moment, Path};
use proptest::prelude::*;

use super::*;
use crate::return_flow::{
    Assigned, Intake, Leaves, Reception, Sorting, Span, SumNode, Table, build, pass_on,
};

const DIVISIONS: &[u8] = b"code,parent\n100000,\n110000,100000\n110101,110000\n440000,100000\n440100,440000\n440104,440100\n\
    440106,440100\n441900,440000\n660000,100000\n659001,660000\n";
const SECRET: [u8; 32] = [7; 32];

fn divisions() -> Divisions {
    let tree = Divisions::from_csv(DIVISIONS).unwrap();
    tree.with_retired(b"code,to\n110103,110101\n371200,\n")
        .unwrap()
}

fn draft(rows: u64, assigned: &[Assigned]) -> Manifest {
    Manifest {
        source: Path::hub(),
        dataset: "townships".parse().unwrap(),
        delivery: 1,
        at: Moment::from_millis(0),
        query: "all".into(),
        division_column: "code".into(),
        header: "code,name".into(),
        rows,
        assigned: assigned.to_vec(),
        remainder_rows: 0,
        remainder: vec![],
        root: SumNode {
            rows: 0,
            digest: Digest::object(b""),
        },
    }
}

/// Rows in tree order, each with its key.
fn sorted(table: &str, sorting: &Sorting<'_>) -> Vec<(RowKey, String)> {
    let mut rows = Vec::new();
    let mut intake = Intake::new("code");
    let read = intake.read(table.as_bytes(), true, |field, row| {
        rows.push((sorting.key(field), row.to_owned()));
    });
    assert_eq!(read, Ok(table.len()));
    rows.sort_by(|(a, x), (b, y)| (a.order(), x).cmp(&(b.order(), y)));
    rows
}

/// Codes of every kind: of places with and without places below, townships, villages, unknown, retired, malformed and none.
fn code() -> impl Strategy<Value = String> {
    "(100000|440000|440100|440106|441900|659001|110101|110103|371200|999999)(00[12](00[12])?)?|x|"
}

fn area() -> impl Strategy<Value = Area> {
    "(100000|440000|440100|440106|441900|660000|110101)(00[123](00[123])?)?"
        .prop_map(|code| code.parse().unwrap())
}

proptest! {
    #[test]
    fn what_is_assembled_row_by_row_is_what_is_built_in_memory(
        rows in prop::collection::vec((code(), "[ab]{0,9}"), 0..40),
        areas in prop::collection::vec(area(), 1..6),
        assigns in any::<bool>(),
    ) {
        let tree = divisions();
        let assigned = [Assigned { code: "110103".into(), to: "110101".into() }];
        let assigned = assigned.get(..usize::from(assigns)).unwrap();
        let lines: String = rows.iter().map(|(code, name)| format!("{code},{name}\n")).collect();
        let table = format!("code,name\n{lines}");
        let parsed = Table::parse(table.as_bytes(), "code").unwrap();
        let model = build(parsed, &tree, draft(rows.len() as u64, assigned), &SECRET).unwrap();

        let sorting = Sorting::new(&tree, assigned).unwrap();
        let mut assembly = Assembly::new(draft(rows.len() as u64, assigned), &tree, &SECRET, &areas).unwrap();
        let mut came = Vec::new();
        for (key, row) in sorted(&table, &sorting) {
            let leaf = assembly.push(key, &row).unwrap();
            came.push((key, row, leaf));
        }
        let whole = assembly.whole().unwrap();
        prop_assert_eq!(whole.manifest(), model.manifest());
        for area in &areas {
            let part = model.part(area).unwrap();
            let span = Span::of(area, &tree).unwrap();
            let mut bytes = String::from("code,name\n");
            let mut leaves = Vec::new();
            for (_, row, leaf) in came.iter().filter(|(key, _, _)| span.holds(*key)) {
                bytes.push_str(row);
                bytes.push('\n');
                leaves.extend_from_slice(leaf);
            }
            prop_assert_eq!(bytes.as_bytes(), part.bytes.as_slice());
            prop_assert_eq!(leaves.clone(), Leaves::of(&model, area).unwrap().encode());
            let given = whole.certificate(area).unwrap();
            prop_assert_eq!((given.rows, &given.proof, given.salt), (part.rows, &part.proof, part.salt));

            // Its recipient passes on what lies in it, as from memory.
            let proved = (&part.proof, &part.salt);
            let mut reception = Reception::new(whole.manifest(), area, proved, &tree, &areas).unwrap();
            reception.header("code,name");
            let mut again = Vec::new();
            let mut intake = Intake::new("code");
            intake.read(&part.bytes, true, |field, row| {
                again.extend(reception.row(field, row).unwrap().1);
            }).unwrap();
            prop_assert_eq!(again, leaves);
            let (verdict, held) = reception.whole().unwrap();
            prop_assert_eq!(verdict.rows, part.rows);
            let passed = pass_on(whole.manifest(), area, &part.bytes, &part.proof, &part.salt, &tree).unwrap();
            for below in &areas {
                let model = passed.part(below).map(|part| (part.rows, part.proof, part.salt));
                let found = held.certificate(below).filter(|_| model.is_some());
                prop_assert_eq!(found.map(|it| (it.rows, it.proof, it.salt)), model);
            }
        }
    }
}

#[test]
fn rows_that_are_not_in_order_or_not_as_many_as_counted_are_refused() {
    let tree = divisions();
    let sorting = Sorting::new(&tree, &[]).unwrap();
    let (one, two) = (sorting.key(b"440106"), sorting.key(b"110101"));
    let areas: [Area; 0] = [];
    let begin = || Assembly::new(draft(2, &[]), &tree, &SECRET, &areas).unwrap();
    let mut turned = begin();
    turned.push(one, "440106,a").unwrap();
    assert_eq!(turned.push(two, "110101,b"), Err(BuildError::Order(2)));
    let mut short = begin();
    short.push(two, "110101,b").unwrap();
    let refused = short.whole().map(|_| ()).unwrap_err();
    let (stated, found) = (2, 1);
    assert_eq!(refused, BuildError::CountMismatch { stated, found });
}
