//! The source department (数源部门) of a matter: where several departments would collect the same, the authority names the one that collects and
//! shares for all (R19). And the question that comes before collecting: is what is wanted shared already (R19, R40(1))?

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use identity::{CreditCode, Moment, Path};
use serde::{Deserialize, Serialize};
use statute::rule::{self, Rule};
use statute::{ActKind, Article, Refusal, RefusalReason};

use crate::act::{Deed, VerifiedAct};
use crate::catalogue::{Entry, MAX_ITEMS, PublishedEntry};
use crate::docket::DocketId;

/// Most characters of a [`Matter`]: those of an entry's name.
pub const MAX_MATTER_CHARS: usize = 200;

/// What several departments would collect data on (事项), such as `婚姻登记`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Matter(String);

/// Why a text names no matter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "事项名称应为 1 至 {MAX_MATTER_CHARS} 个字，且不含控制字符 (a matter has a name of 1 to {MAX_MATTER_CHARS} printable characters)"
)]
pub struct MatterError;

impl FromStr for Matter {
    type Err = MatterError;

    fn from_str(text: &str) -> Result<Self, MatterError> {
        let length = text.chars().count();
        let blank = text.trim().is_empty() || text.trim() != text;
        if blank || length > MAX_MATTER_CHARS || text.chars().any(char::is_control) {
            return Err(MatterError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Matter {
    type Error = MatterError;

    fn try_from(text: String) -> Result<Self, MatterError> {
        text.parse()
    }
}

impl From<Matter> for String {
    fn from(matter: Matter) -> String {
        matter.0
    }
}

impl Matter {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What an authority does about who collects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SourceAct {
    /// Its head names the source department of a matter; a later naming replaces an earlier one (R19).
    Name {
        /// Of what.
        matter: Matter,
        /// Which department.
        department: CreditCode,
        /// The node that hosts it.
        node: Path,
    },
}

impl Deed for SourceAct {
    fn kind(&self) -> ActKind {
        match self {
            Self::Name { .. } => ActKind::NameSource,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        match self {
            Self::Name { .. } => None,
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Name { matter, .. } => vec![matter.as_str()],
        }
    }
}

/// A source department as its authority named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSource {
    /// Of what.
    pub matter: Matter,
    /// Which department.
    pub department: CreditCode,
    /// The node that hosts it.
    pub node: Path,
    /// When it was named.
    pub at: Moment,
}

impl NamedSource {
    /// Whether the authority of `place` may name it: an authority decides for its own place and what lies below (R19, R8).
    pub fn is_within(&self, place: &Path) -> bool {
        self.node == *place || place.is_ancestor_of(&self.node)
    }
}

/// What the act of an authority's head names, at the node of `here`.
///
/// # Errors
/// `NotYourDepartment` under R19 when the department is hosted outside that authority's place.
pub fn name(
    act: &VerifiedAct,
    said: &SourceAct,
    here: &Path,
    now: Moment,
) -> Result<NamedSource, Refusal> {
    let SourceAct::Name {
        matter,
        department,
        node,
    } = said;
    let named = NamedSource {
        matter: matter.clone(),
        department: *department,
        node: node.clone(),
        at: now,
    };
    let within = act.doer().node == here.code() && named.is_within(here);
    if within || rule::is_off(Rule::Source) {
        Ok(named)
    } else {
        Err(RefusalReason::NotYourDepartment.under(Article::R19))
    }
}

/// The names of items in a text, with commas between: `，` and `、` as well as `,`.
pub fn names_of(text: &str) -> Vec<String> {
    let names = text.split([',', '，', '、']).map(str::trim);
    let names = names.filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// A published entry that holds some of what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The entry, with its class and its provider.
    pub entry: PublishedEntry,
    /// Which of the wanted items it holds, in the order in which they were asked.
    pub covers: Vec<String>,
    /// Whether that is all of them.
    pub whole: bool,
}

/// What of the wanted items an entry holds; none when it holds nothing of them. Items are told by their names, spaces aside. At most
/// [`MAX_ITEMS`] are looked for.
pub fn coverage(entry: &PublishedEntry, wanted: &[String]) -> Option<Coverage> {
    let held: BTreeSet<&str> = entry
        .entry
        .items
        .iter()
        .map(|item| item.name.trim())
        .collect();
    let asked: Vec<&str> = wanted.iter().take(MAX_ITEMS).map(|it| it.trim()).collect();
    let covers: Vec<String> = asked
        .iter()
        .filter(|name| held.contains(**name))
        .map(|name| (*name).to_owned())
        .collect();
    let whole = covers.len() == asked.len();
    (!covers.is_empty()).then(|| Coverage {
        entry: entry.clone(),
        covers,
        whole,
    })
}

/// Which of the wanted items an entry does not hold, told as in [`coverage`].
pub fn lacking(entry: &Entry, wanted: &[String]) -> Vec<String> {
    let held: BTreeSet<&str> = entry.items.iter().map(|item| item.name.trim()).collect();
    let lacks = |name: &&String| !held.contains(name.trim());
    wanted.iter().filter(lacks).cloned().collect()
}

/// Puts first what covers most; of two that cover as much, the one with fewer items beside (R40(1): what is shared need not be collected).
pub fn rank(found: &mut Vec<Coverage>, limit: usize) {
    found.sort_by(|a, b| {
        let key = |it: &Coverage| (usize::MAX - it.covers.len(), it.entry.entry.items.len());
        key(a)
            .cmp(&key(b))
            .then_with(|| a.entry.entry.id.cmp(&b.entry.entry.id))
    });
    found.truncate(limit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::ActBody;
    use crate::cast::{self, GUANGZHOU, HEPING, NOW, TIANHE};
    use statute::Role;

    fn naming(at: &str, node: &str) -> Result<NamedSource, Refusal> {
        let authority = cast::Department::new(at, "11440100000000001");
        let said = SourceAct::Name {
            matter: "婚姻登记".parse().unwrap(),
            department: cast::requester().code,
            node: cast::path(node),
        };
        let act = authority.act(Role::AuthorityHead, ActBody::Source(said.clone()));
        name(&act, &said, &cast::path(at), NOW)
    }

    #[test]
    fn an_authority_names_sources_in_its_own_place_and_below_and_nowhere_else() {
        assert_eq!(
            naming(GUANGZHOU, TIANHE).map(|named| named.node),
            Ok(cast::path(TIANHE))
        );
        assert!(naming(GUANGZHOU, GUANGZHOU).is_ok());
        let refused = RefusalReason::NotYourDepartment.under(Article::R19);
        assert_eq!(naming(GUANGZHOU, HEPING), Err(refused.clone()));
        assert_eq!(naming(TIANHE, GUANGZHOU), Err(refused));
    }

    #[test]
    fn a_matter_has_a_printable_name() {
        for wrong in ["", " ", " 婚姻登记", "婚姻\0登记"] {
            assert_eq!(wrong.parse::<Matter>(), Err(MatterError));
        }
        assert!("长".repeat(MAX_MATTER_CHARS + 1).parse::<Matter>().is_err());
    }

    #[test]
    fn what_covers_most_with_least_beside_comes_first() {
        let wanted: Vec<String> = ["经营者姓名", "字号名称"].map(Into::into).into();
        let whole = cast::published(cast::conditional());
        let mut part = whole.clone();
        part.entry.items.truncate(1);
        let mut broad = whole.clone();
        let extra = crate::catalogue::DataItem {
            name: "住所".into(),
            kind: "C200".into(),
            grade: statute::Grade::General,
        };
        broad.entry.items.push(extra);
        let mut found: Vec<_> = [&part, &broad, &whole]
            .into_iter()
            .filter_map(|entry| coverage(entry, &wanted))
            .collect();
        rank(&mut found, 3);
        let order: Vec<_> = found.iter().map(|it| (&it.entry, it.whole)).collect();
        assert_eq!(order, [(&whole, true), (&broad, true), (&part, false)]);
        assert_eq!(found[0].covers, wanted);
        assert_eq!(coverage(&whole, &["身份证号".to_owned()]), None);
        assert_eq!(lacking(&whole.entry, &wanted), Vec::<String>::new());
        assert_eq!(lacking(&part.entry, &wanted), ["经营者姓名"]);
        assert_eq!(names_of("经营者姓名， 字号名称、"), wanted);
    }
}
