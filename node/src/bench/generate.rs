//! Realistic catalogue entries in any number, the same every time.
//!
//! An entry is a function of its number alone: the number is spread over department, kind of data, street and month, so that neighbours in
//! the file are as different as in a real catalogue and no two of the first 211,680 bear one name; what remains free (who assessed, when, how many
//! records, which conditions) follows from a generator seeded with the number. A line has about 1 KB and 6 or 7 items, and every entry
//! passes `sharing::catalogue::check_entry`. A higher revision of an entry says other numbers and is otherwise the same.

use std::fs::File;
use std::io::{BufWriter, Write};

use identity::CreditCode;
use serde_json::json;
use sharing::catalogue::{
    AssessmentDraft, ConditionsDraft, EntryDraft, EntryId, ItemDraft, NotSharedDraft, NothingDraft,
    TermsDraft, Word,
};
use statute::{Grade, LegalBasis, Method};

use super::GenerateArgs;
use super::vocabulary::{
    CONDITIONS, COUNTY, COUNTY_FULL, CREDIT_PREFIX, Class, DEPARTMENTS, Dataset, Department,
    FAMILIES, GIVEN, NOT_SECRET, RISK_HELD, SCOPES, STREETS,
};
use crate::cli::{CliError, Output};

/// The months that entries are about: January 2012 to December 2025.
const FIRST_YEAR: u64 = 2012;
const MONTHS: u64 = 14 * 12;
/// Step from one number to the next in the space of names: prime to its size, so that every name comes once before any comes twice.
const STRIDE: u64 = 104_729;

/// Whose entries they are.
#[derive(Debug, Clone)]
pub struct Origin {
    /// What every id begins with.
    pub prefix: String,
    /// The one provider of all, with its name; the county's twelve departments when absent.
    pub provider: Option<(CreditCode, String)>,
    /// Version of every entry, from 1.
    pub revision: u32,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            prefix: "440106".to_owned(),
            provider: None,
            revision: 1,
        }
    }
}

/// The entries of one origin, by number.
#[derive(Debug)]
pub struct Entries {
    origin: Origin,
    providers: Vec<(String, String)>,
    items: Vec<Vec<ItemDraft>>,
}

/// splitmix64 (Steele, Lea, Flood 2014): enough to choose words with, and nothing else.
struct Choice(u64);

impl Choice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.below(words.len() as u64)).unwrap_or(0);
        words.get(index).copied().unwrap_or_default()
    }
}

impl Entries {
    /// The entries of an origin.
    pub fn of(origin: Origin) -> Self {
        let provider = |(index, department): (usize, &Department)| match &origin.provider {
            Some((code, name)) => (code.to_string(), name.clone()),
            None => {
                let code = CreditCode::compute(&format!("{CREDIT_PREFIX}DEM{:06}", index + 1));
                // The digits and letters above are of the alphabet, as a test shows.
                let code = code.map_or_else(|_| String::new(), |code| code.to_string());
                (code, format!("{COUNTY_FULL}{}", department.name))
            }
        };
        let providers = DEPARTMENTS.iter().enumerate().map(provider).collect();
        let datasets = DEPARTMENTS
            .iter()
            .flat_map(|department| &department.datasets);
        let items = datasets
            .map(|dataset| dataset.items.split(',').map(item).collect())
            .collect();
        Self {
            origin,
            providers,
            items,
        }
    }

    /// The entry of a number, from 0.
    pub fn entry(&self, number: u64) -> EntryDraft {
        let mut choice = Choice(number.wrapping_mul(2).wrapping_add(1));
        let (place, kinds) = (number.wrapping_mul(STRIDE), self.items.len() as u64);
        let kind = usize::try_from(place % kinds).unwrap_or(0);
        let rest = place / kinds + place % kinds;
        let month = rest / STREETS.len() as u64 % MONTHS;
        let street = STREETS[usize::try_from(rest % STREETS.len() as u64).unwrap_or(0)];
        let department = &DEPARTMENTS[kind / DEPARTMENTS[0].datasets.len()];
        let dataset = &department.datasets[kind % DEPARTMENTS[0].datasets.len()];
        let (provider, provider_name) =
            self.providers[kind / DEPARTMENTS[0].datasets.len()].clone();
        let (year, month) = (FIRST_YEAR + month / 12, month % 12 + 1);
        let records = 40 + choice.below(98_000) + u64::from(self.origin.revision - 1);
        let items = self.items[kind]
            .iter()
            .take(6 + usize::from(choice.below(2) == 0));
        let office = choice.of(&department.offices);
        EntryDraft {
            id: format!("{}/{}/{number:07}", self.origin.prefix, department.letters),
            version: Some(self.origin.revision),
            name: format!("{COUNTY}{street}{}（{year}年{month}月）", dataset.name),
            summary: format!(
                "{street}{year}年{month}月{}的登记数据，约{records}条，由{office}维护。",
                dataset.subject
            ),
            provider,
            provider_name,
            items: items.cloned().collect(),
            format: choice.of(&["CSV", "JSON", "XLSX", "Parquet"]).to_owned(),
            frequency: Some(Word(dataset.frequency)),
            terms: terms(dataset, &mut choice),
            methods: methods(&mut choice),
            grade: None,
            personal_information: matches!(dataset.class, Class::Personal(_)) || is_closed(dataset),
            secrecy_assessment: Some(done(&mut choice, year, &NOT_SECRET)),
            privacy_assessment: privacy(dataset, &mut choice, year),
            collection: None,
        }
    }
}

fn is_closed(dataset: &Dataset) -> bool {
    matches!(dataset.class, Class::Closed(..))
}

/// `name kind`, or `name kind!` for important data.
fn item(text: &str) -> ItemDraft {
    let (name, kind) = text.split_once(' ').unwrap_or((text, "C50"));
    let important = kind.ends_with('!');
    ItemDraft {
        name: name.to_owned(),
        kind: kind.trim_end_matches('!').to_owned(),
        grade: Word(if important {
            Grade::Important
        } else {
            Grade::General
        }),
    }
}

fn terms(dataset: &Dataset, choice: &mut Choice) -> TermsDraft {
    let mut terms = TermsDraft::default();
    match dataset.class {
        Class::Open => terms.unconditional = Some(NothingDraft {}),
        Class::Limited(purpose) | Class::Personal(purpose) => {
            let conditions = if choice.below(2) == 0 {
                vec![choice.of(&CONDITIONS).to_owned()]
            } else {
                Vec::new()
            };
            terms.conditional = Some(ConditionsDraft {
                scope: vec![choice.of(&SCOPES).to_owned()],
                uses: vec![purpose.to_owned()],
                conditions,
            });
        }
        Class::Closed(reason, instrument, title, provision) => {
            terms.not_shared = Some(NotSharedDraft {
                reason: reason.to_owned(),
                legal_basis: vec![LegalBasis {
                    instrument,
                    title: title.to_owned(),
                    provision: provision.to_owned(),
                }],
            });
        }
    }
    terms
}

fn methods(choice: &mut Choice) -> Vec<Word<Method>> {
    match choice.below(4) {
        0 => vec![Word(Method::FileDownload)],
        1 => vec![Word(Method::ServiceInterface)],
        2 => vec![Word(Method::BatchExchange)],
        _ => vec![Word(Method::ServiceInterface), Word(Method::FileDownload)],
    }
}

fn done(choice: &mut Choice, year: u64, conclusions: &[&str]) -> AssessmentDraft {
    let (month, day) = (choice.below(12) + 1, choice.below(28) + 1);
    AssessmentDraft::Done {
        by: format!("{}{}", choice.of(&FAMILIES), choice.of(&GIVEN)),
        on: format!("{year}-{month:02}-{day:02}"),
        conclusion: choice.of(conclusions).to_owned(),
    }
}

fn privacy(dataset: &Dataset, choice: &mut Choice, year: u64) -> Option<AssessmentDraft> {
    match dataset.class {
        Class::Open | Class::Limited(_) => None,
        Class::Personal(_) | Class::Closed(..) => Some(done(choice, year, &RISK_HELD)),
    }
}

/// `guantong bench generate`.
pub(super) fn run(args: GenerateArgs, output: &Output) -> Result<(), CliError> {
    let origin = origin(&args)?;
    let entries = Entries::of(origin);
    let failed = |error: &dyn std::fmt::Display| CliError::file(&args.out, error.to_string());
    let file = File::create(&args.out).map_err(|error| failed(&error))?;
    let mut writer = BufWriter::with_capacity(1 << 20, file);
    let (mut bytes, mut items, mut line) = (0_u64, 0_u64, Vec::new());
    for number in 0..u64::from(args.entries) {
        let entry = entries.entry(number);
        line.clear();
        serde_json::to_writer(&mut line, &entry).map_err(|error| failed(&error))?;
        line.push(b'\n');
        writer.write_all(&line).map_err(|error| failed(&error))?;
        bytes += line.len() as u64;
        items += entry.items.len() as u64;
    }
    writer.flush().map_err(|error| failed(&error))?;
    let made = json!({
        "out": args.out, "entries": args.entries, "revision": args.revision, "bytes": bytes,
        "bytes_per_entry": bytes / u64::from(args.entries), "items": items,
    });
    output.print(&made, |language| {
        format!(
            "{} {} · {bytes} B · {} {items}\n{}",
            args.entries,
            language.pick("条目录", "entries"),
            language.pick("数据项", "items"),
            args.out.display(),
        )
    });
    Ok(())
}

fn origin(args: &GenerateArgs) -> Result<Origin, CliError> {
    let wrong =
        |error: &dyn std::fmt::Display| CliError::usage(error.to_string(), error.to_string());
    let longest = format!("{}/MZ/{:07}", args.prefix, args.entries);
    longest.parse::<EntryId>().map_err(|error| wrong(&error))?;
    let provider = match (&args.department, &args.provider_name) {
        (Some(code), Some(name)) => Some((
            code.parse()
                .map_err(|error| wrong(&error as &identity::CreditCodeError))?,
            name.clone(),
        )),
        _ => None,
    };
    Ok(Origin {
        prefix: args.prefix.clone(),
        provider,
        revision: args.revision,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use sharing::catalogue::check_entry;
    use statute::ShareClass;

    use super::*;

    /// Numbers from the whole range, every kind of data among them.
    fn sample() -> impl Iterator<Item = u64> {
        (0..400).chain((1_000..100_000).step_by(997))
    }

    #[test]
    fn every_entry_is_lawful_and_without_a_warning() {
        let entries = Entries::of(Origin::default());
        for number in sample() {
            let entry = entries.entry(number).into_entry().unwrap();
            assert_eq!(check_entry(&entry), Ok(vec![]), "{number}");
        }
    }

    #[test]
    fn an_entry_depends_on_its_number_alone() {
        let (one, other) = (
            Entries::of(Origin::default()),
            Entries::of(Origin::default()),
        );
        for number in [0, 1, 77_777, 99_999] {
            assert_eq!(one.entry(number), other.entry(number));
        }
        let line = serde_json::to_string(&one.entry(12_345)).unwrap();
        let digest = blake3::hash(line.as_bytes()).to_hex().to_string();
        assert_eq!(
            &digest[..16],
            "5a823343f7a1df9c",
            "what is measured must stay comparable: {line}"
        );
    }

    #[test]
    fn a_line_has_about_a_kilobyte_and_six_or_seven_items() {
        let entries = Entries::of(Origin::default());
        let lines: Vec<String> = sample()
            .map(|number| serde_json::to_string(&entries.entry(number)).unwrap())
            .collect();
        let mean = lines.iter().map(String::len).sum::<usize>() / lines.len();
        assert!((900..=1_250).contains(&mean), "{mean}");
        let counts: BTreeSet<usize> = sample()
            .map(|number| entries.entry(number).items.len())
            .collect();
        assert_eq!(counts, BTreeSet::from([6, 7]));
    }

    #[test]
    fn no_two_entries_have_one_name_or_id() {
        let entries = Entries::of(Origin::default());
        let all: Vec<EntryDraft> = (0..100_000).map(|number| entries.entry(number)).collect();
        let ids: BTreeSet<&str> = all.iter().map(|entry| entry.id.as_str()).collect();
        let names: BTreeSet<&str> = all.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!((ids.len(), names.len()), (100_000, 100_000));
    }

    #[test]
    fn all_three_classes_and_all_departments_occur() {
        let entries = Entries::of(Origin::default());
        let mut classes: BTreeMap<ShareClass, usize> = BTreeMap::new();
        let mut providers = BTreeSet::new();
        for number in sample() {
            let entry = entries.entry(number).into_entry().unwrap();
            *classes.entry(entry.terms.class()).or_default() += 1;
            providers.insert(entry.provider_name);
        }
        assert_eq!((classes.len(), providers.len()), (3, DEPARTMENTS.len()));
        assert!(classes[&ShareClass::NotShared] < classes[&ShareClass::Conditional]);
    }

    #[test]
    fn one_provider_and_the_next_revision_can_be_asked_for() {
        let provider: CreditCode = "11440106DEM000001Q".parse().unwrap();
        let mut origin = Origin {
            prefix: "440106/B".to_owned(),
            provider: Some((provider, "广州市天河区民政局".to_owned())),
            revision: 1,
        };
        let first = Entries::of(origin.clone()).entry(3).into_entry().unwrap();
        origin.revision = 2;
        let second = Entries::of(origin).entry(3).into_entry().unwrap();
        assert_eq!(
            (&first.id, first.provider, &first.provider_name),
            (&second.id, provider, &second.provider_name)
        );
        assert_eq!((first.version, second.version), (1, 2));
        assert_ne!(first.summary, second.summary);
        assert_eq!(first.items, second.items);
    }
}
