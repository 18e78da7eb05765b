//! The tree of administrative divisions by which a table is split. Parents are given, never read off the shape of a code: 118 counties
//! hang on a province, twelve cities 6590xx on 660000, and four prefectures have no counties.

mod index;

use std::collections::BTreeMap;

use self::index::Index;
use super::table::{RowCode, Table, TableError};

/// Most divisions in one tree; the country has 3,215 down to the county.
pub const MAX_DIVISIONS: usize = 10_000;
/// Most levels below the top: province, prefecture, county, and room for one more.
pub const MAX_DIVISION_DEPTH: usize = 4;
/// Name of the rows that no division claims, as a child of the top in the Merkle sum tree.
pub const REMAINDER: &str = "remainder";

/// Six digits.
pub(super) type SixDigits = [u8; 6];

/// One division. Divisions stand in pre-order, so a subtree is a range.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    code: SixDigits,
    parent: Option<usize>,
    /// One past the last place of the subtree.
    end: usize,
}

/// A tree of divisions, children in code order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divisions {
    places: Vec<Place>,
    index: Index,
    /// Codes that were once divisions, with what became of them.
    retired: BTreeMap<SixDigits, Option<SixDigits>>,
}

/// Why a list of divisions is no tree. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DivisionsError {
    /// The table of divisions cannot be read.
    #[error("the table of divisions cannot be read: {0}")]
    Table(#[from] TableError),
    /// More than [`MAX_DIVISIONS`].
    #[error("more than {MAX_DIVISIONS} divisions")]
    TooMany,
    /// A code is not six digits.
    #[error("division code {0:?} is not six digits")]
    NotSixDigits(String),
    /// A code stands twice.
    #[error("division {0} stands twice")]
    Repeated(String),
    /// No division is without a parent, or there is none at all.
    #[error("no division stands at the top")]
    NoTop,
    /// Two divisions are without a parent.
    #[error("both {0} and {1} stand at the top")]
    TwoTops(String, String),
    /// A parent is not among the divisions.
    #[error("the parent {parent} of {code} is not among the divisions")]
    UnknownParent {
        /// The child.
        code: String,
        /// The parent it names.
        parent: String,
    },
    /// A division is not below the top.
    #[error("division {0} is its own ancestor")]
    Cycle(String),
    /// More than [`MAX_DIVISION_DEPTH`] levels below the top.
    #[error("division {0} lies more than {MAX_DIVISION_DEPTH} levels below the top")]
    TooDeep(String),
}

pub(super) fn six_digits(code: &str) -> Result<SixDigits, DivisionsError> {
    match SixDigits::try_from(code.as_bytes()) {
        Ok(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(digits),
        _ => Err(DivisionsError::NotSixDigits(
            code.chars().take(32).collect(),
        )),
    }
}

/// Digits as text; the digits are ASCII by construction.
fn text(code: &[u8]) -> String {
    code.iter().map(|digit| char::from(*digit)).collect()
}

impl Divisions {
    /// Builds the tree from codes, each with its parent's code; exactly one division has no parent.
    ///
    /// # Errors
    /// [`DivisionsError`] names what makes the list no tree.
    pub fn new<C, P>(list: impl IntoIterator<Item = (C, Option<P>)>) -> Result<Self, DivisionsError>
    where
        C: AsRef<str>,
        P: AsRef<str>,
    {
        let mut parents: BTreeMap<SixDigits, Option<SixDigits>> = BTreeMap::new();
        for (code, parent) in list {
            if parents.len() == MAX_DIVISIONS {
                return Err(DivisionsError::TooMany);
            }
            let digits = six_digits(code.as_ref())?;
            let parent = parent
                .map(|parent| six_digits(parent.as_ref()))
                .transpose()?;
            if parents.insert(digits, parent).is_some() {
                return Err(DivisionsError::Repeated(text(&digits)));
            }
        }
        let mut top: Option<SixDigits> = None;
        // The map is in code order, so every list of children is too.
        let mut children: BTreeMap<SixDigits, Vec<SixDigits>> = BTreeMap::new();
        for (code, parent) in &parents {
            match (parent, top) {
                (Some(parent), _) if !parents.contains_key(parent) => {
                    return Err(DivisionsError::UnknownParent {
                        code: text(code),
                        parent: text(parent),
                    });
                }
                (Some(parent), _) => children.entry(*parent).or_default().push(*code),
                (None, Some(first)) => {
                    return Err(DivisionsError::TwoTops(text(&first), text(code)));
                }
                (None, None) => top = Some(*code),
            }
        }
        let tree = Self::in_order(top.ok_or(DivisionsError::NoTop)?, &children)?;
        match parents.keys().find(|code| tree.index.place(code).is_none()) {
            Some(lost) => Err(DivisionsError::Cycle(text(lost))),
            None => Ok(tree),
        }
    }

    /// Lays the tree out in pre-order.
    fn in_order(
        top: SixDigits,
        children: &BTreeMap<SixDigits, Vec<SixDigits>>,
    ) -> Result<Self, DivisionsError> {
        let mut places: Vec<Place> = Vec::new();
        let mut stack = vec![(top, None, 0usize)];
        while let Some((code, parent, depth)) = stack.pop() {
            if depth > MAX_DIVISION_DEPTH {
                return Err(DivisionsError::TooDeep(text(&code)));
            }
            let here = places.len();
            places.push(Place {
                code,
                parent,
                end: here + 1,
            });
            for child in children.get(&code).into_iter().flatten().rev() {
                stack.push((*child, Some(here), depth + 1));
            }
        }
        for place in (1..places.len()).rev() {
            if let Some(parent) = places[place].parent {
                places[parent].end = places[parent].end.max(places[place].end);
            }
        }
        Ok(Self {
            index: Index::of(&places),
            places,
            retired: BTreeMap::new(),
        })
    }

    /// Reads the tree from a CSV table with the columns `code` and `parent` (empty at the top).
    ///
    /// # Errors
    /// [`DivisionsError`] names what makes the table no tree.
    pub fn from_csv(table: &[u8]) -> Result<Self, DivisionsError> {
        Self::new(
            Table::pairs(table, "code", "parent")?
                .into_iter()
                .map(|(code, parent)| {
                    let parent = if parent.is_empty() {
                        None
                    } else {
                        Some(parent)
                    };
                    (code, parent)
                }),
        )
    }

    /// The same tree, with the codes that were once divisions: a CSV table with the columns `code` and `to`, the division in whose area it lies
    /// now, empty where it was divided among several.
    ///
    /// # Errors
    /// [`DivisionsError`] when a code is a division of today, or what it became is none.
    pub fn with_retired(mut self, table: &[u8]) -> Result<Self, DivisionsError> {
        for (code, to) in Table::pairs(table, "code", "to")? {
            if self.retired.len() == MAX_DIVISIONS {
                return Err(DivisionsError::TooMany);
            }
            let digits = six_digits(&code)?;
            let to = match to.as_str() {
                "" => None,
                to if self.contains(to) => Some(six_digits(to)?),
                _ => return Err(DivisionsError::UnknownParent { code, parent: to }),
            };
            if self.contains(&code) || self.retired.insert(digits, to).is_some() {
                return Err(DivisionsError::Repeated(code));
            }
        }
        Ok(self)
    }

    /// What became of a code that was once a division: the division it lies in now, if one took it over whole; nothing if it was never one.
    pub(super) fn retired(&self, code: &SixDigits) -> Option<Option<String>> {
        self.retired
            .get(code)
            .map(|to| to.map(|digits| text(&digits)))
    }

    /// Number of divisions.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Never true: a tree has a top.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Code of the division at the top.
    pub fn top(&self) -> String {
        self.code(0)
    }

    /// Whether the division is in the tree.
    pub fn contains(&self, code: &str) -> bool {
        self.find(code).is_some()
    }

    /// Code of the parent of a division, if it is in the tree and not the top.
    pub fn parent_of(&self, code: &str) -> Option<String> {
        let place = self.places.get(self.find(code)?)?;
        place.parent.map(|parent| self.code(parent))
    }

    /// The division that a row's code belongs to: the division it names with six digits, or in whose area its first six digits lie
    /// when it has nine (township) or twelve (village). In the prefectures without counties those six digits are the prefecture's.
    pub fn owner(&self, code: &str) -> Option<String> {
        self.owner_place(&RowCode::parse(code.as_bytes()))
            .map(|place| self.code(place))
    }

    pub(super) fn owner_place(&self, code: &RowCode) -> Option<usize> {
        self.index.place(&code.county()?)
    }

    pub(super) fn find(&self, code: &str) -> Option<usize> {
        self.index.place(code.as_bytes().try_into().ok()?)
    }

    pub(super) fn code(&self, place: usize) -> String {
        self.places
            .get(place)
            .map_or_else(|| REMAINDER.to_owned(), |place| text(&place.code))
    }

    pub(super) fn parent(&self, place: usize) -> Option<usize> {
        self.places.get(place)?.parent
    }

    /// One past the last place of a subtree; the top's holds the remainder too, whose place is [`Divisions::len`].
    pub(super) fn end(&self, place: usize) -> usize {
        match self.places.get(place) {
            Some(_) if place == 0 => self.places.len() + 1,
            Some(found) => found.end,
            None => place + 1,
        }
    }

    /// The children of a place in order; the remainder is the last child of the top.
    pub(super) fn children(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        let end = if place < self.places.len() {
            self.end(place)
        } else {
            place
        };
        let first = place + 1;
        std::iter::successors(Some(first), |child| Some(self.end(*child)))
            .take_while(move |child| *child < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &[u8] = b"code,name,parent,level\n100000,China,,nation\n440000,Guangdong,100000,province\n440100,Guangzhou,440000,prefecture\n\
        440106,Tianhe,440100,county\n440104,Yuexiu,440100,county\n441900,Dongguan,440000,prefecture\n110000,Beijing,100000,province\n\
        110101,Dongcheng,110000,county\n660000,XPCC,100000,province\n659001,Shihezi,660000,county\n";

    fn tree() -> Divisions {
        Divisions::from_csv(TREE).unwrap()
    }

    #[test]
    fn parents_are_the_given_ones() {
        let tree = tree();
        assert_eq!(tree.top(), "100000");
        assert_eq!(tree.len(), 10);
        assert_eq!(tree.parent_of("659001").as_deref(), Some("660000"));
        assert_eq!(tree.parent_of("110101").as_deref(), Some("110000"));
        assert_eq!(tree.parent_of("100000"), None);
    }

    #[test]
    fn townships_and_villages_belong_to_the_division_of_their_first_six_digits() {
        let tree = tree();
        assert_eq!(tree.owner("440106001").as_deref(), Some("440106"));
        assert_eq!(tree.owner("440106001002").as_deref(), Some("440106"));
        assert_eq!(tree.owner("441900003").as_deref(), Some("441900"));
        assert_eq!(tree.owner("440000000000").as_deref(), Some("440000"));
        assert_eq!(tree.owner("659001001").as_deref(), Some("659001"));
        for nobody in ["441901003", "44010", "4401060", "", "44010x", "999999"] {
            assert_eq!(tree.owner(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn children_stand_in_code_order_with_the_remainder_last() {
        let tree = tree();
        let names = |code: &str| {
            tree.children(tree.find(code).unwrap())
                .map(|p| tree.code(p))
                .collect::<Vec<_>>()
        };
        assert_eq!(names("100000"), ["110000", "440000", "660000", REMAINDER]);
        assert_eq!(names("440000"), ["440100", "441900"]);
        assert_eq!(names("440100"), ["440104", "440106"]);
        assert!(names("440104").is_empty());
        assert_eq!(tree.children(tree.len()).count(), 0);
    }

    #[test]
    fn a_code_that_was_once_a_division_says_what_it_became() {
        let today = tree();
        let tree = today
            .clone()
            .with_retired(b"code,to\n110103,110101\n371200,\n")
            .unwrap();
        assert_eq!(tree.retired(b"110103"), Some(Some("110101".into())));
        assert_eq!(tree.retired(b"371200"), Some(None));
        assert_eq!(tree.retired(b"110101"), None);
        assert_eq!(
            tree.owner("110103001"),
            None,
            "nobody's until it is settled"
        );
        for (bad, why) in [
            ("110101,440106", DivisionsError::Repeated("110101".into())),
            (
                "110103,110102",
                DivisionsError::UnknownParent {
                    code: "110103".into(),
                    parent: "110102".into(),
                },
            ),
        ] {
            let table = format!("code,to\n{bad}\n");
            assert_eq!(today.clone().with_retired(table.as_bytes()), Err(why));
        }
    }

    #[test]
    fn what_is_no_tree_is_refused_by_name() {
        let build =
            |list: &[(&str, Option<&str>)]| Divisions::new(list.iter().copied()).unwrap_err();
        assert_eq!(build(&[]), DivisionsError::NoTop);
        assert_eq!(
            build(&[("10000", None)]),
            DivisionsError::NotSixDigits("10000".into())
        );
        assert_eq!(
            build(&[("100000", None), ("100000", None)]),
            DivisionsError::Repeated("100000".into())
        );
        assert_eq!(
            build(&[("100000", None), ("200000", None)]),
            DivisionsError::TwoTops("100000".into(), "200000".into())
        );
        assert_eq!(
            build(&[("100000", None), ("110000", Some("120000"))]),
            DivisionsError::UnknownParent {
                code: "110000".into(),
                parent: "120000".into()
            }
        );
        assert_eq!(
            build(&[
                ("100000", None),
                ("110000", Some("120000")),
                ("120000", Some("110000"))
            ]),
            DivisionsError::Cycle("110000".into())
        );
        let deep = [
            ("1", None),
            ("2", Some("1")),
            ("3", Some("2")),
            ("4", Some("3")),
            ("5", Some("4")),
            ("6", Some("5")),
        ];
        let deep = deep.map(|(c, p): (&str, Option<&str>)| {
            (format!("{c}00000"), p.map(|p| format!("{p}00000")))
        });
        assert_eq!(
            Divisions::new(deep),
            Err(DivisionsError::TooDeep("600000".into()))
        );
    }
}
