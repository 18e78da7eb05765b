//! Where it happens: a few departments of the demo's federation, their entries, and what they may draw on.

use federation::core::view::DocketView;
use federation::core::{Refused, query};
use guantong_tests::stage::{
    application, apply, code, conditional, demo, grant, publish, refuse, reply,
};
use guantong_tests::{Chance, Department, Person, World, entry};
use identity::Code;
use sharing::act::ActBody;
use sharing::catalogue::Entry;
use sharing::dispute::{NegotiationOutcome, NegotiationStep};
use sharing::docket::{Case, DocketId};
use sharing::private::{Content, Private};
use statute::{ClassTerms, Role};

use crate::invariants;

/// Nodes whose dockets are drawn from: the parties' and those that hear and supervise.
const PLACES: [&str; 7] = [
    "440106", "210102", "440100", "mca", "440000", "210100", "100000",
];

/// An act, and the nodes at which it makes most sense.
pub struct Drawn {
    /// The act.
    pub body: ActBody,
    /// Any of these.
    pub at: Vec<Code>,
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

/// The run.
pub struct Scene {
    /// The federation.
    pub world: World,
    /// What is drawn.
    pub chance: Chance,
    /// Who takes part.
    pub departments: Vec<Department>,
    /// Published entries, each as it was last compiled.
    pub entries: Vec<Entry>,
    /// Applications drafted.
    pub drafts: Vec<DocketId>,
}

impl Scene {
    /// Two providers, three that want data, one source of a return flow.
    pub fn new(seed: u64) -> Self {
        let mut world = demo(seed);
        let hosted = |node, number, name| Department::hosted(code(node), number, name);
        let departments = vec![
            hosted("210102", 1, "民政局"),
            hosted("440106", 1, "市场监督管理局"),
            hosted("440106", 2, "民政局"),
            hosted("440100", 3, "民政局"),
            hosted("mca", 1, "民政部"),
        ];
        let terms = [conditional(), ClassTerms::Unconditional];
        let mut entries = Vec::new();
        for (department, terms) in departments.iter().zip(terms) {
            let entry = entry(department, 1, "低保对象信息", terms, world.now);
            publish(&mut world, department, vec![entry.clone()]);
            entries.push(entry);
        }
        world.settle();
        begun(&mut world, &departments, &entries[0]);
        Self {
            world,
            chance: Chance::new(seed ^ 0x5eed),
            departments,
            entries,
            drafts: Vec::new(),
        }
    }

    /// One of several; none of none.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let bound = u64::try_from(from.len()).ok().filter(|bound| *bound > 0)?;
        from.get(self.chance.below(bound) as usize).cloned()
    }

    /// True once in two.
    pub fn either(&mut self) -> bool {
        self.chance.once_in(2)
    }

    /// A docket as some node holds it, of the kind that is wanted.
    pub fn docket(&mut self, wanted: fn(&Case) -> bool) -> Option<DocketView> {
        let mut held = Vec::new();
        for place in PLACES {
            let dockets = query::dockets(self.world.read(code(place)), None, 200).expect("memory");
            held.extend(dockets.into_iter().filter(|view| wanted(&view.state.case)));
        }
        self.pick(&held)
    }

    /// Personal content, wherever it may come to be said.
    pub fn private(&mut self, text: &str) -> Private {
        let mut salt = [0; 32];
        self.chance.fill(&mut salt);
        let content = Content::new(salt, text.to_owned()).expect("a text");
        for place in PLACES {
            self.world.confide(code(place), &content);
        }
        content.private()
    }

    /// Someone does it: mostly in the role that the law names, at a node where it makes sense; now and then anybody anywhere.
    pub fn perform(&mut self, seed: u64, drawn: Drawn) -> bool {
        let nodes: Vec<Code> = PLACES.iter().map(|place| code(place)).collect();
        let likely = !self.chance.once_in(6) && !drawn.at.is_empty();
        let node = self.pick(if likely { &drawn.at } else { &nodes });
        let roles = statute::required_role(drawn.body.kind()).0;
        let anyone = self.chance.once_in(8);
        let role = self.pick(if anyone { Role::ALL } else { roles });
        let (node, role) = (node.expect("a node"), role.expect("a role"));
        let person = self.person(node, role);
        let drafted = matches!(drawn.body, ActBody::Apply { .. });
        match self.world.act(node, &person, drawn.body) {
            Ok(answer) => {
                self.drafts.extend(answer.docket.filter(|_| drafted));
                true
            }
            Err(Refused::Lawful(refusal)) => {
                invariants::is_reasoned(seed, &refusal);
                false
            }
            Err(Refused::NotAuthentic(_)) => false,
            Err(other) => panic!("seed {seed}: {node}: {other}"),
        }
    }

    fn person(&mut self, node: Code, role: Role) -> Person {
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
                let chosen = self.pick(&here);
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
