use identity::{Digest, Moment, Path};

use super::*;
use crate::return_flow::sum_tree::sum;
use crate::return_flow::{
    AssignError, Assigned, Leaves, REMAINDER, RemainderGroup, RowFault, SumNode, Unplaced,
};

const DIVISIONS: &[u8] = b"code,name,parent,level\n100000,China,,nation\n110000,Beijing,100000,province\n110101,Dongcheng,110000,county\n\
    440000,Guangdong,100000,province\n440100,Guangzhou,440000,prefecture\n440104,Yuexiu,440100,county\n440106,Tianhe,440100,county\n\
    441900,Dongguan,440000,prefecture\n650000,Xinjiang,100000,province\n660000,XPCC,100000,province\n659001,Shihezi,660000,county\n";

const TABLE: &str = "code,name\n441900003,东城街道\n440106002,石牌街道\n440106001,五山街道\n440106002,\"石牌, 街道\"\n440104001,洪桥街道\n\
    659001001,新城街道\n110101001001,东华门社区\n440000,广东省\n440100,广州市\n100000,中华人民共和国\n999999001,无主\n,空\n440106,天河区\n";

const SECRET: [u8; 32] = [7; 32];

fn divisions() -> Divisions {
    Divisions::from_csv(DIVISIONS).unwrap()
}

fn draft(rows: u64) -> Manifest {
    Manifest {
        source: Path::hub(),
        dataset: "townships".parse().unwrap(),
        delivery: 1,
        at: Moment::from_millis(0),
        query: "all".into(),
        division_column: "code".into(),
        header: String::new(),
        rows,
        assigned: vec![],
        remainder_rows: 0,
        remainder: vec![],
        root: SumNode {
            rows: 0,
            digest: Digest::object(b""),
        },
    }
}

fn built<'t>(table: &'t str, divisions: &'t Divisions) -> Built<'t> {
    let table = Table::parse(table.as_bytes(), "code").unwrap();
    let rows = table.rows();
    build(table, divisions, draft(rows), &SECRET).unwrap()
}

fn area(code: &str) -> Area {
    code.parse().unwrap()
}

fn check(built: &Built<'_>, division: &str, bytes: &[u8]) -> Result<PartVerdict, PartError> {
    let part = built.part(&area(division)).unwrap();
    verify_part(
        built.manifest(),
        &area(division),
        bytes,
        &part.proof,
        &part.salt,
        built.divisions(),
    )
}

fn text(part: &Part) -> &str {
    std::str::from_utf8(&part.bytes).unwrap()
}

#[test]
fn every_division_gets_exactly_its_own_rows() {
    let tree = divisions();
    let built = built(TABLE, &tree);
    let rows = |code: &str| {
        let part = built.part(&area(code)).unwrap();
        let verdict = check(&built, code, &part.bytes).unwrap();
        assert_eq!(
            (verdict.rows, verdict.of, verdict.remainder),
            (part.rows, 13, 2),
            "{code}"
        );
        text(&part)
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        rows("440106"),
        ["440106", "440106001", "440106002", "440106002"]
    );
    assert_eq!(rows("441900"), ["441900003"]);
    assert_eq!(
        rows("440100"),
        [
            "440100",
            "440104001",
            "440106",
            "440106001",
            "440106002",
            "440106002"
        ]
    );
    assert_eq!(rows("440000").len(), 8);
    assert_eq!(rows("660000"), ["659001001"]);
    assert_eq!(rows("650000"), Vec::<String>::new());
    assert_eq!(rows("110101"), ["110101001001"]);
    assert_eq!(rows("100000").len(), 13);
    assert!(built.part(&area("330000")).is_none());
}

#[test]
fn the_manifest_counts_and_names_the_remainder() {
    let tree = divisions();
    let built = built(TABLE, &tree);
    let manifest = built.manifest();
    assert_eq!(
        (manifest.rows, manifest.root.rows, manifest.remainder_rows),
        (13, 13, 2)
    );
    assert_eq!(manifest.header, "code,name");
    let last = built
        .part(&area("110000"))
        .unwrap()
        .proof
        .steps
        .pop()
        .unwrap();
    assert_eq!(
        last.after
            .last()
            .map(|(code, node)| (code.as_str(), node.rows)),
        Some((REMAINDER, 2))
    );
}

#[test]
fn the_order_of_the_table_does_not_matter() {
    let tree = divisions();
    let mut lines: Vec<_> = TABLE.lines().skip(1).collect();
    lines.reverse();
    let reversed = format!("code,name\r\n{}", lines.join("\r\n"));
    let (one, two) = (built(TABLE, &tree), built(&reversed, &tree));
    assert_eq!(one.manifest(), two.manifest());
    assert_eq!(one.part(&area("440000")), two.part(&area("440000")));
}

#[test]
fn a_source_that_miscounts_its_table_commits_to_nothing() {
    let tree = divisions();
    let table = Table::parse(TABLE.as_bytes(), "code").unwrap();
    let refused = build(table, &tree, draft(14), &SECRET).unwrap_err();
    assert_eq!(
        refused,
        BuildError::CountMismatch {
            stated: 14,
            found: 13
        }
    );
}

#[test]
fn an_omitted_row_is_noticed() {
    let tree = divisions();
    let built = built(TABLE, &tree);
    for division in ["440106", "440100", "440000", "100000", "110000", "659001"] {
        let part = built.part(&area(division)).unwrap();
        let lines: Vec<_> = text(&part).lines().collect();
        for left_out in 1..lines.len() {
            let kept: Vec<_> = lines
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != left_out)
                .map(|(_, line)| *line)
                .collect();
            let expected = part.rows;
            assert_eq!(
                check(&built, division, kept.join("\n").as_bytes()),
                Err(PartError::CountMismatch {
                    expected,
                    found: expected - 1
                })
            );
        }
    }
}

#[test]
fn an_added_row_of_ones_own_is_noticed() {
    let tree = divisions();
    let built = built(TABLE, &tree);
    let mut bytes = built.part(&area("440106")).unwrap().bytes;
    bytes.extend_from_slice("440106099,假街道\n".as_bytes());
    assert_eq!(
        check(&built, "440106", &bytes),
        Err(PartError::CountMismatch {
            expected: 4,
            found: 5
        })
    );
}

#[test]
fn a_foreign_row_is_named() {
    let tree = divisions();
    let built = built(TABLE, &tree);
    for (row, code) in [
        ("440104001,洪桥街道", "440104001"),
        ("100000,x", "100000"),
        ("999999001,无主", "999999001"),
        (",空", ""),
    ] {
        let mut bytes = built.part(&area("440106")).unwrap().bytes;
        bytes.extend_from_slice(format!("{row}\n").as_bytes());
        assert_eq!(
            check(&built, "440106", &bytes),
            Err(PartError::Foreign {
                row: 5,
                code: code.into()
            })
        );
    }
}

#[test]
fn an_altered_row_is_noticed() {
    let tree = divisions();
    let built = built(TABLE, &tree);
    let part = built.part(&area("440100")).unwrap();
    let altered = text(&part).replace("五山", "六山");
    assert_eq!(
        check(&built, "440100", altered.as_bytes()),
        Err(PartError::DigestMismatch)
    );
    // Exchanged for another of its own division, or moved between two divisions of the subtree.
    let moved = text(&part).replace("440104001,洪桥街道", "440104002,洪桥街道");
    assert_eq!(
        check(&built, "440100", moved.as_bytes()),
        Err(PartError::DigestMismatch)
    );
    let sorted = text(&part).replace(
        "440104001,洪桥街道\n440106,天河区",
        "440106,天河区\n440106,洪桥街道",
    );
    assert_eq!(
        check(&built, "440100", sorted.as_bytes()),
        Err(PartError::DigestMismatch)
    );
}

#[test]
fn rows_out_of_order_and_another_header_are_noticed() {
    let tree = divisions();
    let built = built(TABLE, &tree);
    let part = built.part(&area("440106")).unwrap();
    let lines: Vec<_> = text(&part).lines().collect();
    let swapped = [lines[0], lines[1], lines[3], lines[2], lines[4]].join("\n");
    assert_eq!(
        check(&built, "440106", swapped.as_bytes()),
        Err(PartError::Unsorted { row: 3 })
    );
    let renamed = text(&part).replacen("name", "title", 1);
    assert_eq!(
        check(&built, "440106", renamed.as_bytes()),
        Err(PartError::HeaderMismatch {
            found: "code,title".into()
        })
    );
    assert!(matches!(
        check(&built, "440106", b"name\nx\n"),
        Err(PartError::Table(TableError::NoColumn(_)))
    ));
}

#[test]
fn a_doctored_proof_does_not_hide_rows() {
    let tree = divisions();
    let built = built(TABLE, &tree);
    let part = built.part(&area("440106")).unwrap();
    let short = part
        .bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .and_then(|end| part.bytes[..end].iter().rposition(|byte| *byte == b'\n'));
    let short = &part.bytes[..=short.unwrap()];
    let verify = |change: &dyn Fn(&mut Proof)| {
        let mut proof = part.proof.clone();
        change(&mut proof);
        verify_part(
            built.manifest(),
            &area("440106"),
            short,
            &proof,
            &part.salt,
            &tree,
        )
    };
    assert_eq!(
        verify(&|_| ()),
        Err(PartError::CountMismatch {
            expected: 4,
            found: 3
        })
    );
    // Counted as a sibling's or an ancestor's own instead: the count fits, the digest does not.
    assert_eq!(
        verify(&|proof| proof.steps[0].before[0].1.rows += 1),
        Err(PartError::DigestMismatch)
    );
    assert_eq!(
        verify(&|proof| proof.steps[2].own.rows += 1),
        Err(PartError::DigestMismatch)
    );
    // Put under a division that does not exist.
    let nobody = (
        "440199".to_owned(),
        SumNode {
            rows: 1,
            digest: Digest::object(b""),
        },
    );
    assert_eq!(
        verify(&|proof| proof.steps[0].before.push(nobody.clone())),
        Err(PartError::ProofShape {
            division: "440100".into()
        })
    );
    assert_eq!(
        verify(&|proof| {
            proof.steps.pop();
        }),
        Err(PartError::ProofShape {
            division: "100000".into()
        })
    );
    assert_eq!(
        verify(&|proof| proof.steps.push(proof.steps[0].clone())),
        Err(PartError::ProofShape {
            division: "440100".into()
        })
    );
    assert_eq!(
        verify(&|proof| proof.steps[1].own.rows = u64::MAX),
        Err(PartError::ProofCounts {
            division: "440000".into()
        })
    );
    assert_eq!(
        verify(&|proof| proof.steps[2].after.last_mut().unwrap().1.rows = 3),
        Err(PartError::ManifestCounts)
    );
}

#[test]
fn another_delivery_division_or_manifest_does_not_verify() {
    let tree = divisions();
    let one = built(TABLE, &tree);
    let table = Table::parse(TABLE.as_bytes(), "code").unwrap();
    let other = build(table, &tree, draft(13), &[8; 32]).unwrap();
    let part = one.part(&area("440106")).unwrap();
    let verify = |manifest: &Manifest, division: &str, salt: &[u8; 32]| {
        verify_part(
            manifest,
            &area(division),
            &part.bytes,
            &part.proof,
            salt,
            &tree,
        )
    };
    assert!(verify(one.manifest(), "440106", &part.salt).is_ok());
    assert_eq!(
        verify(other.manifest(), "440106", &part.salt),
        Err(PartError::DigestMismatch)
    );
    assert_eq!(
        verify(
            one.manifest(),
            "440106",
            &other.part(&area("440106")).unwrap().salt
        ),
        Err(PartError::DigestMismatch)
    );
    assert!(matches!(
        verify(one.manifest(), "440104", &part.salt),
        Err(PartError::ProofShape { .. })
    ));
    assert_eq!(
        verify(one.manifest(), "330000", &part.salt),
        Err(PartError::UnknownDivision("330000".into()))
    );
    let miscounted = Manifest {
        rows: 12,
        ..one.manifest().clone()
    };
    assert_eq!(
        verify(&miscounted, "440106", &part.salt),
        Err(PartError::ManifestCounts)
    );
}

#[test]
fn a_salt_opens_the_subtree_and_nothing_beside_it() {
    let tree = divisions();
    let built = built(TABLE, &tree);
    let salt = |code: &str| built.part(&area(code)).unwrap().salt;
    assert_eq!(derive(&salt("440100"), "440106"), salt("440106"));
    assert_ne!(salt("440104"), salt("440106"));
    assert_ne!(derive(&salt("440104"), "440106"), salt("440106"));
    // Two divisions with the same single row have digests that tell nothing of it.
    let same = "code,name\n440104001,x\n441900001,x\n";
    let same = super::tests::built(same, &tree);
    let leaf = |code: &str| same.committed.tree.at(tree.find(code).unwrap()).node.digest;
    assert_ne!(leaf("440104"), leaf("441900"));
}

#[test]
fn what_was_received_is_passed_on_down_to_the_village_under_the_sources_own_root() {
    let tree = divisions();
    let nation = built(TABLE, &tree);
    let part = nation.part(&area("440000")).unwrap();
    let pass = |part: &[u8], from: &str, of: &Part| {
        pass_on(
            nation.manifest(),
            &area(from),
            part,
            &of.proof,
            &of.salt,
            &tree,
        )
        .map(|held| {
            [
                "440106",
                "440106001",
                "440106002",
                "440106009",
                "440106001001",
            ]
            .map(|below| (below, held.part(&area(below))))
        })
    };
    let county = nation.part(&area("440106")).unwrap();
    for (from, of) in [("440000", &part), ("440106", &county)] {
        for (below, passed) in pass(&of.bytes, from, of).unwrap() {
            let passed = passed.unwrap();
            // The same as from the source itself, to the byte.
            assert_eq!(
                passed,
                nation.part(&area(below)).unwrap(),
                "{below} by way of {from}"
            );
            assert!(check(&nation, below, &passed.bytes).is_ok(), "{below}");
        }
    }
    let rows = |code: &str| nation.part(&area(code)).unwrap().rows;
    assert_eq!(
        [rows("440106001"), rows("440106002"), rows("440106009")],
        [1, 2, 0]
    );
    // Nobody passes on what does not hold, nor what is not its own.
    let short = text(&county).lines().take(2).collect::<Vec<_>>().join("\n");
    assert!(pass(short.as_bytes(), "440106", &county).is_err());
    let held = pass_on(
        nation.manifest(),
        &area("440106"),
        &county.bytes,
        &county.proof,
        &county.salt,
        &tree,
    );
    let held = held.unwrap();
    for other in ["440104", "440104001", "440100", "110101"] {
        assert_eq!(held.part(&area(other)), None, "{other}");
    }
}

#[test]
fn a_township_without_rows_is_proved_to_have_none() {
    let tree = divisions();
    let built = built(TABLE, &tree);
    for none in [
        "440106009",
        "440106009001",
        "440106001001",
        "110101001009",
        "650000001",
    ] {
        let part = built.part(&area(none)).unwrap();
        assert_eq!(part.rows, 0);
        assert!(check(&built, none, &part.bytes).is_ok(), "{none}");
    }
    // A source that hides the only row of a township is found out: the township stands in the county's node.
    let part = built.part(&area("440106001")).unwrap();
    let empty = "code,name\n";
    assert_eq!(
        check(&built, "440106001", empty.as_bytes()),
        Err(PartError::CountMismatch {
            expected: 1,
            found: 0
        })
    );
    let verify = |change: &dyn Fn(&mut Proof)| {
        let mut proof = part.proof.clone();
        change(&mut proof);
        let of = &area("440106001");
        verify_part(
            built.manifest(),
            of,
            empty.as_bytes(),
            &proof,
            &part.salt,
            &tree,
        )
    };
    let hidden = |code: &str| {
        let node = SumNode {
            rows: 1,
            digest: Digest::object(b""),
        };
        (code.to_owned(), node)
    };
    assert_eq!(
        verify(&|proof| proof.steps[0].after.push(hidden("440106099"))),
        Err(PartError::DigestMismatch)
    );
    // Listed beside itself, or not as a township at all.
    for twin in ["440106001", "440106", "44010600x"] {
        assert_eq!(
            verify(&|proof| proof.steps[0].after.insert(0, hidden(twin))),
            Err(PartError::ProofShape {
                division: "440106".into()
            }),
            "{twin}"
        );
    }
}

#[test]
fn the_remainder_is_named_by_reason_and_settled_by_what_the_source_assigns() {
    let tree = divisions()
        .with_retired(b"code,to\n110103,110101\n371200,\n")
        .unwrap();
    let table =
        "code,name\n110103001,a\n110103,b\n371200,c\n999999001,d\n999999,e\n,f\nabc,g\n110101,h\n";
    let build = |assigned: Vec<Assigned>| {
        let table = Table::parse(table.as_bytes(), "code").unwrap();
        let draft = Manifest {
            assigned,
            ..draft(8)
        };
        super::build(table, &tree, draft, &SECRET)
    };
    let first = build(vec![]).unwrap();
    let group = |why, rows| RemainderGroup { why, rows };
    let expected = [
        group(Unplaced::Null, 1),
        group(Unplaced::Malformed, 1),
        group(
            Unplaced::Unknown {
                code: "999999".into(),
            },
            2,
        ),
        group(
            Unplaced::Retired {
                code: "371200".into(),
            },
            1,
        ),
        group(
            Unplaced::Changed {
                code: "110103".into(),
                to: "110101".into(),
            },
            2,
        ),
    ];
    assert_eq!(first.manifest().remainder, expected);
    assert_eq!(first.manifest().remainder_rows, 7);
    assert_eq!(first.part(&area("110101")).unwrap().rows, 1);
    // Settled: the rows reach whom the source names, and everyone can see that they do.
    let settle = |code: &str, to: &str| Assigned {
        code: code.into(),
        to: to.into(),
    };
    let second = build(vec![settle("110103", "110101")]).unwrap();
    assert_eq!(second.manifest().remainder_rows, 5);
    let part = second.part(&area("110101")).unwrap();
    assert_eq!(text(&part), "code,name\n110101,h\n110103,b\n110103001,a\n");
    assert!(check(&second, "110101", &part.bytes).is_ok());
    // Nobody's rows are assigned away.
    let refused = |assigned| build(assigned).unwrap_err();
    assert_eq!(
        refused(vec![settle("110101", "440106")]),
        BuildError::Assigned(AssignError::OfToday("110101".into()))
    );
    assert_eq!(
        refused(vec![settle("110103", "110104")]),
        BuildError::Assigned(AssignError::NoDivision("110104".into()))
    );
    let diverted = Manifest {
        assigned: vec![settle("110101", "440106")],
        ..second.manifest().clone()
    };
    assert_eq!(
        verify_part(
            &diverted,
            &area("110101"),
            &part.bytes,
            &part.proof,
            &part.salt,
            &tree
        ),
        Err(PartError::Assigned(AssignError::OfToday("110101".into())))
    );
    // A remainder that its groups do not add up to is no remainder.
    let unnamed = Manifest {
        remainder: vec![],
        ..second.manifest().clone()
    };
    assert_eq!(
        verify_part(
            &unnamed,
            &area("110101"),
            &part.bytes,
            &part.proof,
            &part.salt,
            &tree
        ),
        Err(PartError::ManifestCounts)
    );
}

#[test]
fn the_row_that_was_omitted_added_altered_or_misdirected_is_named() {
    let tree = divisions();
    let built = built(TABLE, &tree);
    let of = area("440106");
    let part = built.part(&of).unwrap();
    let leaves = Leaves::decode(&Leaves::of(&built, &of).unwrap().encode()).unwrap();
    let compare = |rows: &str| {
        let proof = (&part.proof, &part.salt);
        leaves.compare(built.manifest(), &of, rows.as_bytes(), proof, &tree)
    };
    let named = |rows: &str| compare(rows).unwrap().named;
    assert_eq!(named(text(&part)), []);
    let omitted = text(&part).replace("440106001,五山街道\n", "");
    let code = || "440106001".to_owned();
    assert_eq!(
        named(&omitted),
        [RowFault::Omitted {
            committed: 2,
            code: code()
        }]
    );
    let added = text(&part).replace("440106001,", "440106001,假街道\n440106001,");
    assert_eq!(
        named(&added),
        [RowFault::Added {
            row: 2,
            code: code()
        }]
    );
    let altered = text(&part).replace("五山", "六山");
    assert_eq!(
        named(&altered),
        [RowFault::Altered {
            row: 2,
            committed: 2,
            code: code()
        }]
    );
    let misdirected = format!("{}440104001,洪桥街道\n", text(&part));
    let other = RowFault::Misdirected {
        row: 5,
        code: "440104001".into(),
    };
    assert_eq!(named(&misdirected), [other]);
    // Rows in another order are the same rows, and the leaves of another delivery are no leaves of this one.
    let mut lines: Vec<_> = text(&part).lines().collect();
    lines.swap(1, 3);
    assert_eq!(named(&lines.join("\n")), []);
    let table = Table::parse(TABLE.as_bytes(), "code").unwrap();
    let foreign = build(table, &tree, draft(13), &[8; 32]).unwrap();
    let foreign = Leaves::of(&foreign, &of).unwrap();
    let proof = (&part.proof, &part.salt);
    assert_eq!(
        foreign.compare(built.manifest(), &of, &part.bytes, proof, &tree),
        Err(PartError::DigestMismatch)
    );
    assert_eq!(Leaves::decode(b"x"), None);
}

#[test]
fn counts_that_overflow_are_refused() {
    let full = SumNode {
        rows: u64::MAX,
        digest: Digest::object(b""),
    };
    let one = SumNode {
        rows: 1,
        digest: Digest::object(b""),
    };
    assert_eq!(sum("100000", one, &[("110000".into(), full)]), None);
}

#[test]
fn a_large_table_is_split_and_checked() {
    let tree = divisions();
    let mut table = String::from("code,name\n");
    for number in 0..20_000u32 {
        let county = ["440104", "440106", "110101", "659001", "441900"][number as usize % 5];
        table.push_str(&format!(
            "{county}{:03}{:03},village {number}\n",
            number / 1000,
            number % 1000
        ));
    }
    let built = built(&table, &tree);
    let total: u64 = ["110000", "440000", "650000", "660000"]
        .iter()
        .map(|code| {
            let part = built.part(&area(code)).unwrap();
            check(&built, code, &part.bytes).unwrap().rows
        })
        .sum();
    assert_eq!(total, 20_000);
}
