//! Where it happens: a few departments of the demo's federation, their entries, and what they may draw on.

use std::collections::{BTreeMap, VecDeque};

use crate::stage::{
    application, apply, code, conditional, demo, grant, publish, refuse, reply, share,
};
use crate::{Chance, Department, Person, World, entry};
use federation::core::view::DocketView;
use federation::core::{Answer, Refused, query};
use identity::{Code, CreditCode};
use sharing::act::ActBody;
use sharing::catalogue::{DataItem, Entry};
use sharing::clock::Debtor;
use sharing::correction::{CorrectionAct, CorrectionOutcome, CorrectionRequest};
use sharing::dispute::{NegotiationOutcome, NegotiationStep, Party};
use sharing::docket::{Case, DocketId};
use sharing::private::{Content, Private};
use sharing::public::{PublicRequest, RECEIPT_BYTES, Receipt};
use statute::{ClassTerms, Grade, Profile, Refusal, Role};

/// Nodes whose dockets are drawn from: the parties' and those that hear and supervise.
pub const PLACES: [&str; 7] = [
    "440106", "210102", "440100", "mca", "440000", "210100", "100000",
];

/// Dockets that are remembered as opened or stepped of late: one or two for each workflow.
const MAX_STEPPED: usize = 24;
/// Further moves for which a course is followed: about as many as the longest has steps.
const COURSE_MOVES: u8 = 6;
/// Renewals of certificates until the three years of keeping are over: each after 250 days.
const RENEWALS_OF_RETENTION: u32 = 5;

/// What somebody tries, and the nodes at which it makes most sense: any of them.
pub enum Drawn {
    /// A person's act.
    Act {
        /// What is done.
        body: ActBody,
        /// Where.
        at: Vec<Code>,
    },
    /// What somebody of the public asks.
    Public {
        /// For what.
        request: PublicRequest,
        /// Where.
        at: Vec<Code>,
    },
}

/// The department that answers, where one does and not an authority.
fn department_of(who: Debtor) -> Option<CreditCode> {
    match who {
        Debtor::Department(party) => Some(party.department),
        Debtor::Authority(_) | Debtor::Government(_) => None,
    }
}

/// The departments that a docket concerns.
fn departments(case: &Case) -> Vec<CreditCode> {
    let parties: Vec<&Party> = match case {
        Case::Application(state) => vec![&state.requester, &state.provider],
        Case::Dispute(state) => vec![&state.complainant, &state.respondent],
        Case::Need(state) => state
            .matched()
            .into_iter()
            .chain([&state.department])
            .collect(),
        Case::Correction(_)
        | Case::ReturnFlow(_)
        | Case::Update(_)
        | Case::Supervision(_)
        | Case::Incident(_)
        | Case::Inspection(_)
        | Case::OpenData(_)
        | Case::Complaint(_)
        | Case::Evaluation(_) => {
            let debtors = case.departments().into_iter();
            return debtors.filter_map(department_of).collect();
        }
    };
    parties.into_iter().map(|it| it.department).collect()
}

/// A refusal says why, under which article and what to do, in both languages.
///
/// # Panics
/// When it does not.
pub fn is_reasoned(seed: u64, refusal: &Refusal) {
    let texts = [
        refusal.zh(),
        refusal.en(),
        refusal.article.cite_zh(),
        refusal.what_to_do_zh().to_owned(),
        refusal.what_to_do_en().to_owned(),
    ];
    assert!(
        texts.iter().all(|text| !text.trim().is_empty()),
        "seed {seed}: {refusal:?}: {texts:?}"
    );
}

/// The name of a refusal, without what it is about.
fn name(refused: &Refused) -> String {
    let told = match refused {
        Refused::Lawful(refusal) => format!("{:?}", refusal.reason),
        other => format!("{other:?}"),
    };
    told.chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}

/// One application granted and provided, another refused and fallen out over: so that every workflow has something to begin with.
fn begun(world: &mut World, departments: &[Department], entry: &Entry) {
    let (provider, asking) = (&departments[0], [&departments[2], &departments[3]]);
    let dockets = asking.map(|requester| {
        let wanted = application(world, requester, provider, entry);
        apply(world, requester, wanted)
    });
    world.settle();
    let granting = grant(world, entry);
    reply(world, provider, dockets[0], granting);
    reply(world, provider, dockets[1], refuse());
    let object = world.upload(provider.node, "低保对象.csv", b"code\n1\n");
    let docket = dockets[0];
    let operator = world.staff(provider, Role::Operator);
    let provide = ActBody::Provide { docket, object };
    world
        .act(provider.node, &operator, provide)
        .expect("provided");
    world.settle();
    let operator = world.staff(asking[1], Role::Operator);
    let docket = dockets[1];
    let claim = "拒绝理由不成立".into();
    let step = NegotiationStep {
        statement: "双方意见".into(),
        outcome: NegotiationOutcome::Failed,
    };
    for body in [
        ActBody::RaiseDispute { docket, claim },
        ActBody::Negotiate { docket, step },
    ] {
        world.act(asking[1].node, &operator, body).expect("taken");
        world.settle();
    }
}

/// The entries: wages of persons on conditions, data shared unconditionally under the national rules and under the city's, and what is grave to join
/// with the first.
fn published(world: &mut World, departments: &[Department]) -> Vec<Entry> {
    let unconditional = || ClassTerms::Unconditional;
    let mut entries = vec![
        entry(&departments[0], 1, "低保对象信息", conditional(), world.now),
        entry(
            &departments[1],
            1,
            "个体工商户信息",
            unconditional(),
            world.now,
        ),
        entry(
            &departments[0],
            2,
            "公交站点信息",
            unconditional(),
            world.now,
        ),
        entry(&departments[0], 3, "救助病史信息", conditional(), world.now),
    ];
    let named = ["公民身份号码", "姓名", "工资"];
    let joined = ["公民身份号码", "家庭住址", "病史"];
    for (at, items) in [(0, named), (3, joined)] {
        let item = |name: &str| DataItem {
            name: name.to_owned(),
            kind: "C50".into(),
            grade: Grade::General,
        };
        entries[at].items.extend(items.map(item));
    }
    for entry in &entries {
        let of = departments.iter().find(|it| it.code == entry.provider);
        publish(world, of.expect("its department"), vec![entry.clone()]);
    }
    world.settle();
    entries
}

/// A correction asked for and answered longer ago than what was said in it is kept.
fn corrected_long_ago(world: &mut World, departments: &[Department], entry: &Entry) {
    let (asking, provider) = (&departments[2], &departments[0]);
    let (about, _) = share(world, asking, provider, entry);
    let ask = CorrectionAct::Ask(CorrectionRequest {
        about,
        items: vec!["名称".into()],
        wrong: world.private(asking.node, "第一户名称有误"),
        evidence: world.private(asking.node, "营业执照"),
    });
    let operator = world.staff(asking, Role::Operator);
    let asked = world.act(asking.node, &operator, ActBody::Correction(ask));
    let docket = asked.expect("asked").docket.expect("a docket");
    world.settle();
    let outcome = CorrectionOutcome::Upheld {
        reasons: world.private(provider.node, "与登记一致"),
    };
    let answer = CorrectionAct::Answer { docket, outcome };
    let operator = world.staff(provider, Role::Operator);
    world
        .act(provider.node, &operator, ActBody::Correction(answer))
        .expect("answered");
    world.settle();
    world.pass(RENEWALS_OF_RETENTION);
}

/// The run.
#[derive(Debug)]
pub struct Scene {
    /// The federation.
    pub world: World,
    /// What is drawn.
    pub chance: Chance,
    /// Who takes part.
    pub departments: Vec<Department>,
    /// Entries, each as it stands published.
    pub entries: Vec<Entry>,
    /// Applications drafted.
    pub drafts: Vec<DocketId>,
    /// How often each reason was given for which an act was refused.
    pub refused: BTreeMap<String, u64>,
    /// Acts that were accepted, each with where and by what it can be found again.
    pub accepted: Vec<(Code, Answer)>,
    /// Whether this move goes straight on: the next step of a course that is under way, by the right person at the right place.
    pub straight: bool,
    /// The workflow whose course is followed, and for how many more moves.
    course: Option<(usize, u8)>,
    /// The dockets that were opened or stepped last.
    stepped: VecDeque<DocketId>,
}

impl Scene {
    /// Two providers, three that want data, one source of a return flow. 沈阳市 and 和平区 run under their own rules. In one run of several an old case
    /// waits for its personal content to be erased.
    pub fn new(seed: u64) -> Self {
        Self::begin(demo(seed), seed, seed.is_multiple_of(4))
    }

    /// As [`Scene::new`] in any federation with the same places; whether an old case waits for the erasure of its content.
    pub fn begin(mut world: World, seed: u64, old_case: bool) -> Self {
        for node in ["210100", "210102"] {
            world.runs_under(code(node), &Profile::shenyang());
        }
        let hosted = |node, number, name| Department::hosted(code(node), number, name);
        let departments = vec![
            hosted("210102", 1, "民政局"),
            hosted("440106", 1, "市场监督管理局"),
            hosted("440106", 2, "民政局"),
            hosted("440100", 3, "民政局"),
            hosted("mca", 1, "民政部"),
        ];
        let entries = published(&mut world, &departments);
        if old_case {
            corrected_long_ago(&mut world, &departments, &entries[0]);
        }
        begun(&mut world, &departments, &entries[0]);
        let wanted = application(&world, &departments[2], &departments[0], &entries[3]);
        let operator = world.staff(&departments[2], Role::Operator);
        let draft = ActBody::Apply {
            application: wanted,
        };
        let drafted = world.act(departments[2].node, &operator, draft);
        let drafts = drafted.expect("drafted").docket.into_iter().collect();
        Self {
            world,
            chance: Chance::new(seed ^ 0x5eed),
            departments,
            entries,
            drafts,
            refused: BTreeMap::new(),
            accepted: Vec::new(),
            straight: false,
            course: None,
            stepped: VecDeque::new(),
        }
    }

    /// As this one stands, under another seed; every node starts anew on its disk.
    pub fn branch(&self, seed: u64) -> Self {
        Self {
            world: self.world.branch(seed),
            chance: Chance::new(seed ^ 0x5eed),
            departments: self.departments.clone(),
            entries: self.entries.clone(),
            drafts: self.drafts.clone(),
            refused: BTreeMap::new(),
            accepted: Vec::new(),
            straight: false,
            course: None,
            stepped: self.stepped.clone(),
        }
    }

    /// What came of it: an answer, or a refusal that says why.
    fn taken(&mut self, seed: u64, node: Code, outcome: Result<Answer, Refused>) -> Option<Answer> {
        match outcome {
            Ok(answer) => {
                self.accepted.push((node, answer.clone()));
                Some(answer)
            }
            Err(refused) => {
                if let Refused::Lawful(refusal) = &refused {
                    is_reasoned(seed, refusal);
                }
                *self.refused.entry(name(&refused)).or_default() += 1;
                None
            }
        }
    }

    /// One of several; none of none.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let bound = u64::try_from(from.len()).ok().filter(|bound| *bound > 0)?;
        from.get(self.chance.below(bound) as usize).cloned()
    }

    /// Which of so many workflows is next: one whose course is followed, or any.
    pub fn next_workflow(&mut self, many: usize) -> usize {
        if let Some((at, left)) = self.course {
            self.course = left.checked_sub(1).map(|left| (at, left));
            return at;
        }
        let at = self.chance.below(many as u64) as usize;
        self.straight = self.chance.once_in(4);
        self.course = self.straight.then_some((at, COURSE_MOVES));
        at
    }

    /// Once in so many true, unless this move goes straight on.
    pub fn strays(&mut self, once_in: u64) -> bool {
        !self.straight && self.chance.once_in(once_in)
    }

    /// True once in two.
    pub fn either(&mut self) -> bool {
        self.chance.once_in(2)
    }

    /// A docket as some node holds it, of the kind that is wanted: as often as not one that was stepped of late, so that courses come to their end.
    pub fn docket(&mut self, wanted: fn(&Case) -> bool) -> Option<DocketView> {
        let first = self.chance.below(PLACES.len() as u64) as usize;
        let running = self.straight || self.either();
        for place in PLACES.iter().cycle().skip(first).take(PLACES.len()) {
            let dockets = query::dockets(self.world.read(code(place)), None, 200).expect("memory");
            let mut held: Vec<DocketView> = dockets
                .into_iter()
                .filter(|view| wanted(&view.state.case))
                .collect();
            let stepped = |view: &DocketView| self.stepped.contains(&view.id);
            if running && held.iter().any(stepped) {
                held.retain(stepped);
            }
            let open = |view: &DocketView| view.state.case.is_open();
            if self.straight && held.iter().any(open) {
                held.retain(open);
            }
            let last = |view: &DocketView| self.stepped.iter().rposition(|it| *it == view.id);
            let newest = held.iter().max_by_key(|view| last(view));
            if let Some(view) = newest.filter(|view| self.straight && last(view).is_some()) {
                return Some(view.clone());
            }
            if !held.is_empty() {
                return self.pick(&held);
            }
        }
        None
    }

    /// Personal content, wherever it may come to be said.
    pub fn private(&mut self, text: &str) -> Private {
        self.content(text).private()
    }

    /// As [`Self::private`], with the content.
    pub fn content(&mut self, text: &str) -> Content {
        let mut salt = [0; 32];
        self.chance.fill(&mut salt);
        let content = Content::new(salt, text.to_owned()).expect("a text");
        for place in PLACES {
            self.world.confide(code(place), &content);
        }
        content
    }

    /// Someone does it: mostly in the role that the law names, at a node where it makes sense; now and then anybody anywhere.
    pub fn perform(&mut self, seed: u64, drawn: Drawn) -> bool {
        match drawn {
            Drawn::Act { body, at } => {
                let node = self.place(&at);
                let roles = statute::required_role(body.kind()).0;
                let anyone = self.strays(8);
                let role = self.pick(if anyone { Role::ALL } else { roles });
                let stepped = body.docket();
                let view = stepped.and_then(|docket| self.held(node, docket));
                let person = self.person(node, role.expect("a role"), view.as_ref());
                let drafted = matches!(body, ActBody::Apply { .. });
                let reviewed = matches!(body, ActBody::ReviewEntries { .. });
                let outcome = self.world.act(node, &person, body);
                let answer = self.taken(seed, node, outcome);
                let draft = answer.as_ref().and_then(|answer| answer.docket);
                self.drafts.extend(draft.filter(|_| drafted));
                let opened = draft.filter(|_| !drafted);
                if let Some(docket) = stepped.filter(|_| answer.is_some()).or(opened) {
                    self.stepped.push_back(docket);
                    if self.stepped.len() > MAX_STEPPED {
                        self.stepped.pop_front();
                    }
                }
                if reviewed {
                    self.look_up_entries();
                }
                answer.is_some()
            }
            Drawn::Public { request, at } => {
                let node = self.place(&at);
                let mut secret = [0; RECEIPT_BYTES];
                self.chance.fill(&mut secret);
                let outcome = self.world.public(node, &Receipt::new(secret), request);
                self.taken(seed, node, outcome).is_some()
            }
        }
    }

    /// The entries as they stand published now.
    fn look_up_entries(&mut self) {
        for entry in &mut self.entries {
            let mut departments = self.departments.iter();
            let of = departments.find(|it| it.code == entry.provider);
            let node = of.expect("its department").node;
            let found = query::published_entry(self.world.read(node), node, &entry.id);
            if let Some(published) = found.expect("memory") {
                *entry = published.entry;
            }
        }
    }

    fn place(&mut self, likely: &[Code]) -> Code {
        let anywhere = self.strays(6) || likely.is_empty();
        let nodes = PLACES.map(code);
        let chosen = self.pick(if anywhere { &nodes } else { likely });
        chosen.expect("a node")
    }

    fn held(&self, node: Code, docket: DocketId) -> Option<DocketView> {
        let held = query::docket(self.world.read(node), docket).expect("memory");
        held.map(|detail| detail.docket)
    }

    /// Who acts: mostly of a department that the docket concerns.
    fn person(&mut self, node: Code, role: Role, view: Option<&DocketView>) -> Person {
        let now = self.world.now;
        match role {
            Role::AuthorityHead => self.world.authority_head(node),
            Role::AuthorityReviewer | Role::Government | Role::Auditor => {
                Person::of_authority(node, role, now)
            }
            Role::DepartmentHead | Role::SharingOfficeHead | Role::Operator => {
                let here: Vec<Department> = self
                    .departments
                    .iter()
                    .filter(|department| department.node == node)
                    .cloned()
                    .collect();
                let concerned = view.map_or_else(Vec::new, |view| departments(&view.state.case));
                let concerns = |it: &&Department| concerned.contains(&it.code);
                let of_it: Vec<Department> = here.iter().filter(concerns).cloned().collect();
                let anyone = of_it.is_empty() || self.strays(6);
                let chosen = self.pick(if anyone { &here } else { &of_it });
                let department = chosen.unwrap_or_else(|| Department::hosted(node, 9, "某局"));
                Person::of(&department, role, now)
            }
        }
    }

    /// Mostly seconds, sometimes days, seldom a time limit.
    pub fn time_passes(&mut self) {
        const DAY_MS: i64 = 86_400_000;
        let millis = match self.chance.below(60) {
            0 => 12 * DAY_MS,
            1..4 => DAY_MS,
            4..20 => 1,
            _ => 4_000,
        };
        self.world.step(millis);
    }
}
