//! Schedules: what is done and what goes wrong, in which order. Drawn from a seed; every step carries the chances it needs, so that a schedule
//! from which steps are dropped runs on as before.

use guantong_tests::{Chance, CommitFault, Faults, Line};
use identity::Code;

/// Acts of people in a schedule.
pub const COMMANDS: usize = 200;
/// Troubles that begin in a schedule.
pub const TROUBLES: usize = 24;
/// Steps after which a trouble that lasts is over.
const LASTS_AT_MOST: u64 = 24;

/// Steps for which entries are kept back.
const WITHHELD_FOR: usize = 90;

/// Nodes that are troubled: all of two provinces' lines, and the ministry.
const TROUBLED: [&str; 9] = [
    "mca", "440000", "440100", "440104", "440106", "210000", "210100", "210102", "110101",
];
/// Nodes of which an old backup is restored, or that lie: the line of one county, so that the other province remains honest.
const ONE_LINE: [&str; 2] = ["440106", "440100"];

/// Who may be at fault in a schedule, beside lines, disks and clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nobody: everything converges.
    Honest,
    /// An operator restores an old backup of a county, of the city above it, or of both.
    OldBackups,
    /// Nodes say what they should not and keep back what they should pass on.
    Hostile,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Somebody acts, by these chances.
    Act(u64),
    /// Time passes, milliseconds.
    Wait(i64),
    /// Something goes wrong, or right again.
    Trouble(Turn),
}

/// What goes wrong, or right again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Turn {
    /// A line is bad in one direction, upward or downward.
    Line {
        /// The lower end.
        node: Code,
        /// Whether what goes up is concerned.
        up: bool,
        /// How.
        line: Line,
    },
    /// Both directions are good again.
    LineMended(Code),
    /// Frames on any line are repeated, overtaken, or a line breaks.
    Chances(Faults),
    /// A node is cut off from its parent.
    Cut(Code),
    /// And no more.
    Joined(Code),
    /// A node stops.
    Stop(Code),
    /// And starts.
    Start(Code),
    /// The next commit of a node fails.
    Commit(Code, CommitFault),
    /// A disk is full, or has room again.
    Full(Code, bool),
    /// A bit flips in a row, or in a body.
    Rot {
        /// Whose disk.
        node: Code,
        /// In a body.
        body: bool,
    },
    /// A clock is ahead by so many milliseconds, or behind.
    Clock(Code, i64),
    /// A node comes back with what it held so many records ago.
    Backup(Code, u64),
    /// A node says again what it said to its parent, or its parent to it; so many frames, altered or not.
    Again {
        /// The lower end.
        node: Code,
        /// Whether it goes up.
        up: bool,
        /// How many.
        frames: usize,
        /// Whether each is altered by a bit.
        altered: bool,
    },
    /// A node signs a segment of another's log below it, or a second one of its own.
    Forge {
        /// Who signs.
        by: Code,
        /// Whose log.
        log: Code,
    },
    /// A node acknowledges envelopes and keeps none, or is honest again.
    Lie(Code, bool),
}

/// What happens in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// From which it was drawn.
    pub seed: u64,
    /// Who may be at fault.
    pub kind: Kind,
    /// In order.
    pub steps: Vec<Step>,
}

fn code(text: &str) -> Code {
    text.parse().expect("a code")
}

impl Schedule {
    /// The schedule of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x005c_4ed0_1e00);
        let kind = match seed % 4 {
            2 => Kind::OldBackups,
            3 => Kind::Hostile,
            _ => Kind::Honest,
        };
        let mut steps = Vec::new();
        let mut endings: Vec<(usize, Turn)> = Vec::new();
        for number in 0..COMMANDS {
            if number * TROUBLES / COMMANDS != (number + 1) * TROUBLES / COMMANDS {
                let (begins, ends) = trouble(&mut chance, kind, number * TROUBLES / COMMANDS);
                steps.push(Step::Trouble(begins));
                let lasts = match &begins {
                    // Until something is published that can be kept back.
                    Turn::Line { line, .. } if line.withholds.is_some() => WITHHELD_FOR,
                    _ => 1 + chance.below(LASTS_AT_MOST) as usize,
                };
                endings.extend(ends.map(|ends| (number + lasts, ends)));
            }
            steps.push(Step::Act(chance.below(u64::MAX)));
            steps.push(Step::Wait(passes(&mut chance)));
            let over = |(when, _): &(usize, Turn)| *when <= number;
            let ended = endings.iter().filter(|it| over(it));
            steps.extend(ended.map(|(_, turn)| Step::Trouble(*turn)));
            endings.retain(|it| !over(it));
        }
        Self { seed, kind, steps }
    }

    /// The same without some of its steps.
    pub fn keeping(&self, kept: impl Fn(usize) -> bool) -> Self {
        let steps = self.steps.iter().enumerate();
        let steps = steps.filter(|(at, _)| kept(*at)).map(|(_, step)| *step);
        Self {
            seed: self.seed,
            kind: self.kind,
            steps: steps.collect(),
        }
    }
}

/// Mostly seconds, sometimes a working day, seldom more than a time limit; never so long in all that an envelope expires.
fn passes(chance: &mut Chance) -> i64 {
    const DAY_MS: i64 = 86_400_000;
    match chance.below(200) {
        0 => 11 * DAY_MS,
        1..6 => DAY_MS,
        6..60 => 1,
        _ => 4_000,
    }
}

/// The trouble of this number, and what ends it where it lasts. The first ones go through all kinds, the others are drawn.
fn trouble(chance: &mut Chance, kind: Kind, number: usize) -> (Turn, Option<Turn>) {
    let node = code(TROUBLED[chance.below(TROUBLED.len() as u64) as usize]);
    let lined = code(ONE_LINE[chance.below(ONE_LINE.len() as u64) as usize]);
    let up = chance.once_in(2);
    let on_the_line = |line| {
        let begins = Turn::Line { node, up, line };
        (begins, Some(Turn::LineMended(node)))
    };
    let drawn = chance.below(20);
    let at_once = |turn| (turn, None);
    let frames = 1 + chance.below(12) as usize;
    match (kind, number % 6, drawn) {
        (Kind::OldBackups, 4, _) => {
            return at_once(Turn::Backup(lined, 1 + chance.below(60)));
        }
        (Kind::Hostile, 1, ..8) => {
            let log = lined;
            let by = if drawn < 4 { lined } else { code("440100") };
            return at_once(Turn::Forge { by, log });
        }
        (Kind::Hostile, 1, _) => {
            let altered = up;
            return at_once(Turn::Again {
                node: lined,
                up: drawn.is_multiple_of(2),
                frames,
                altered,
            });
        }
        (Kind::Hostile, 4, ..6) => {
            return (Turn::Lie(lined, true), Some(Turn::Lie(lined, false)));
        }
        (Kind::Hostile, 4, ..12) => {
            let withholds = Some(code("440106"));
            let line = Line {
                withholds,
                ..Line::default()
            };
            let begins = Turn::Line {
                node: code("440100"),
                up: true,
                line,
            };
            return (begins, Some(Turn::LineMended(code("440100"))));
        }
        (Kind::Hostile, 4, _) => {
            // A flood: ten times what a line carries at once.
            let frames = 300 + 30 * frames;
            return at_once(Turn::Again {
                node: lined,
                up: true,
                frames,
                altered: drawn.is_multiple_of(2),
            });
        }
        (Kind::Honest | Kind::OldBackups | Kind::Hostile, ..) => {}
    }
    match drawn {
        0 => on_the_line(Line {
            loses_one_in: 4,
            ..Line::default()
        }),
        // In one direction nothing arrives at all.
        1 => on_the_line(Line {
            loses_one_in: 1,
            ..Line::default()
        }),
        2 => on_the_line(Line {
            delay_ms: 9_000,
            ..Line::default()
        }),
        3 => on_the_line(Line {
            delay_ms: 1,
            jitter_ms: 20_000,
            ..Line::default()
        }),
        4 | 5 => {
            let faults = Faults {
                repeat_frame: 8,
                overtake_frame: 8,
                break_link: 40,
                ..Faults::default()
            };
            (
                Turn::Chances(faults),
                Some(Turn::Chances(Faults::default())),
            )
        }
        6 | 7 => (Turn::Cut(node), Some(Turn::Joined(node))),
        8 => (Turn::Stop(node), Some(Turn::Start(node))),
        9 => at_once(Turn::Commit(node, CommitFault::CrashBefore)),
        10 => at_once(Turn::Commit(node, CommitFault::Torn)),
        11 => at_once(Turn::Commit(node, CommitFault::TablesBehind)),
        12 => at_once(Turn::Commit(node, CommitFault::CrashAfter)),
        13 => at_once(Turn::Commit(node, CommitFault::WriteFails)),
        14 => (Turn::Full(node, true), Some(Turn::Full(node, false))),
        15 | 16 => at_once(Turn::Rot { node, body: up }),
        // Within what neighbours bear of each other, and beyond.
        17 => {
            let ahead = chance.below(8 * 3_600_000) as i64 - 4 * 3_600_000;
            (Turn::Clock(node, ahead), Some(Turn::Clock(node, 0)))
        }
        18 => {
            let ahead = chance.below(240_000) as i64 - 120_000;
            (Turn::Clock(node, ahead), Some(Turn::Clock(node, 0)))
        }
        _ => at_once(Turn::Again {
            node,
            up,
            frames,
            altered: false,
        }),
    }
}
