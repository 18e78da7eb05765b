//! Codes, paths and the ways between them.

use super::*;
use proptest::prelude::*;

fn code(text: &str) -> Code {
    text.parse().unwrap()
}

fn path(text: &str) -> Path {
    text.parse().unwrap()
}

fn texts(codes: &[Code]) -> Vec<&str> {
    codes.iter().map(Code::as_str).collect()
}

#[test]
fn division_codes_and_labels_are_codes() {
    for text in ["100000", "440106", "mps", "mca", "samr", "abcdefghijkl"] {
        assert_eq!(code(text).to_string(), text);
    }
    assert!(code("440106").is_division() && code("mps").is_label());
    assert_eq!(code("100000"), Code::HUB);
}

#[test]
fn anything_else_is_refused_by_kind() {
    assert_eq!("a".parse::<Code>(), Err(CodeError::Length(1)));
    assert_eq!("".parse::<Code>(), Err(CodeError::Length(0)));
    assert_eq!("abcdefghijklm".parse::<Code>(), Err(CodeError::Length(13)));
    for text in ["44010", "4401060", "044010"] {
        assert_eq!(text.parse::<Code>(), Err(CodeError::Division(text.into())));
    }
    for text in ["MPS", "44a106", "m-s", "公安", "ab\0"] {
        assert_eq!(text.parse::<Code>(), Err(CodeError::Alphabet(text.into())));
    }
}

#[test]
fn a_path_that_breaks_a_rule_is_refused() {
    assert_eq!(Path::new(vec![]), Err(PathError::Empty));
    assert_eq!(
        "440000/440100".parse::<Path>(),
        Err(PathError::NotFromHub(code("440000")))
    );
    assert_eq!(
        "100000/440000/440000".parse::<Path>(),
        Err(PathError::Repeated(code("440000")))
    );
    let deep = "100000/aa/bb/cc/dd/ee/ff/gg";
    assert_eq!(path(deep).depth(), 8);
    assert_eq!(path(deep).child(code("hh")), Err(PathError::TooDeep(9)));
    assert_eq!(
        format!("{deep}/hh").parse::<Path>(),
        Err(PathError::TooDeep(9))
    );
}

#[test]
fn reading_a_path_checks_it() {
    let here = path("100000/440000/440100/440106");
    let bytes = crate::codec::encode(&here);
    assert_eq!(crate::codec::decode(&bytes, 64), Ok(here.clone()));
    let json = serde_json::to_string(&here).unwrap();
    assert_eq!(json, r#"["100000","440000","440100","440106"]"#);
    assert_eq!(serde_json::from_str::<Path>(&json).unwrap(), here);
    assert!(serde_json::from_str::<Path>("[]").is_err());
    assert!(serde_json::from_str::<Path>(r#"["100000","100000"]"#).is_err());
    let codes = crate::codec::encode(&vec![code("mps")]);
    assert!(crate::codec::decode::<Path>(&codes, 64).is_err());
}

#[test]
fn a_county_reaches_a_ministry_over_the_hub() {
    let county = path("100000/440000/440100/440106");
    let ministry = path("100000/mps");
    assert_eq!(
        texts(&Path::route(&county, &ministry)),
        ["440106", "440100", "440000", "100000", "mps"]
    );
    assert_eq!(Path::common_superior(&county, &ministry), Code::HUB);
    assert_eq!(county.next_hop(&ministry), Some(code("440100")));
    assert_eq!(Path::hub().next_hop(&county), Some(code("440000")));
    assert_eq!(county.next_hop(&county), None);
}

#[test]
fn superiors_are_found_within_a_line_and_across_lines() {
    let tianhe = path("100000/440000/440100/440106");
    let yuexiu = path("100000/440000/440100/440104");
    let heping = path("100000/210000/210100/210102");
    let dongcheng = path("100000/110000/110101");
    assert_eq!(Path::common_superior(&tianhe, &yuexiu), code("440100"));
    assert_eq!(Path::common_superior(&tianhe, &heping), Code::HUB);
    assert_eq!(Path::common_superior(&tianhe, &dongcheng), Code::HUB);
    let province = path("100000/440000");
    assert_eq!(Path::common_superior(&tianhe, &province), code("440000"));
    assert!(province.is_ancestor_of(&tianhe));
    assert!(!province.is_ancestor_of(&province));
    assert!(!province.is_ancestor_of(&heping));
    assert_eq!(texts(&Path::route(&tianhe, &tianhe)), ["440106"]);
    assert_eq!(
        texts(&tianhe.ancestors().collect::<Vec<_>>()),
        ["440100", "440000", "100000"]
    );
    assert_eq!(Path::hub().parent(), None);
    assert_eq!(province.parent(), Some(Path::hub()));
}

fn any_path() -> impl Strategy<Value = Path> {
    proptest::collection::vec(0_usize..3, 0..7).prop_map(|choices| {
        let mut here = Path::hub();
        let mut name = String::from("n");
        for choice in choices {
            name.push(['a', 'b', 'c'][choice]);
            here = here.child(code(&name)).unwrap();
        }
        here
    })
}

proptest! {
    #[test]
    fn hop_by_hop_is_the_route(from in any_path(), to in any_path()) {
        let mut here = from.clone();
        let mut hops = vec![here.code()];
        while let Some(next) = here.next_hop(&to) {
            here = match here.parent() {
                Some(parent) if parent.code() == next => parent,
                _ => here.child(next).unwrap(),
            };
            hops.push(next);
        }
        prop_assert_eq!(&hops, &Path::route(&from, &to));
        hops.reverse();
        prop_assert_eq!(hops, Path::route(&to, &from));
    }

    #[test]
    fn the_common_superior_is_the_same_from_both_sides(a in any_path(), b in any_path()) {
        let superior = Path::common_superior(&a, &b);
        prop_assert_eq!(superior, Path::common_superior(&b, &a));
        prop_assert!(a.contains(superior) && b.contains(superior));
    }

    #[test]
    fn any_text_is_parsed_without_panic(text in ".{0,20}") {
        let _ = text.parse::<Code>();
        let _ = text.parse::<Path>();
    }
}
