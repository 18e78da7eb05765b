//! Lines: what happens to a frame between two nodes.

use federation::wire::Frame;

use super::*;

/// Frames that are kept for those who say them again.
const MAX_OVERHEARD: usize = 64;

/// What is wrong with a line in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Line {
    /// One frame in so many is lost; all of them with one, none with zero.
    pub loses_one_in: u64,
    /// How late each frame is, milliseconds.
    pub delay_ms: i64,
    /// How much later than that some are, milliseconds at most: they overtake each other.
    pub jitter_ms: u64,
    /// The log whose segments are not passed on.
    pub withholds: Option<Code>,
}

impl World {
    /// What is wrong with the line from one node to another from now on, in this direction.
    pub fn set_line(&mut self, from: Code, to: Code, line: Line) {
        self.lines.insert((from, to), line);
    }

    /// The line is good again in this direction. What was lost on it is said anew on a new link.
    pub fn mend_line(&mut self, from: Code, to: Code) {
        self.lines.remove(&(from, to));
        let gapped: Vec<LinkId> = self
            .gapped
            .iter()
            .copied()
            .filter(|link| {
                let wire = self.wires.get(link);
                wire.is_none_or(|wire| (wire.owner, wire.other) == (from, to))
            })
            .collect();
        for link in gapped {
            self.gapped.remove(&link);
            self.drop_link(link);
        }
    }

    /// All lines are good again.
    pub(super) fn mend_lines(&mut self) {
        self.lines.clear();
        for link in std::mem::take(&mut self.gapped) {
            self.drop_link(link);
        }
        let late = std::mem::take(&mut self.late);
        self.frames.extend(late.into_values());
    }

    /// From now on what is said is kept for a while, for [`World::say_again`].
    pub fn overhears(&mut self) {
        self.overheard = Some(VecDeque::new());
    }

    /// Puts a frame on its way.
    pub(super) fn send(&mut self, link: LinkId, frame: &Frame) {
        if self.chance.once_in(self.faults.break_link) {
            self.count(Trouble::LinkBroken);
            return self.drop_link(link);
        }
        let Some(wire) = self.wires.get(&link).copied() else {
            return;
        };
        let ends = (wire.owner, wire.other);
        let line = self.lines.get(&ends).copied().unwrap_or_default();
        let withheld = line.withholds.is_some_and(|log| speaks_of(frame, log));
        if withheld || self.chance.once_in(line.loses_one_in) {
            self.gapped.insert(link);
            return self.count(if withheld {
                Trouble::Withheld
            } else {
                Trouble::FrameLost
            });
        }
        let (far, bytes) = (wire.far, codec::encode(frame));
        if self.captured.len() < MAX_CAPTURED {
            self.captured.push(bytes.clone());
        }
        if let Some(overheard) = &mut self.overheard {
            overheard.push_back((ends.0, ends.1, bytes.clone()));
            if overheard.len() > MAX_OVERHEARD {
                overheard.pop_front();
            }
        }
        if (line.delay_ms, line.jitter_ms) != (0, 0) {
            self.count(Trouble::FrameDelayed);
            let jitter = self.chance.below(line.jitter_ms + 1) as i64;
            let when = self.now.plus_millis(line.delay_ms + jitter);
            self.next_late += 1;
            self.late.insert((when, self.next_late), (far, bytes));
            return;
        }
        if self.chance.once_in(self.faults.repeat_frame) {
            self.count(Trouble::FrameRepeated);
            self.frames.push_back((far, bytes.clone()));
        }
        self.frames.push_back((far, bytes));
        if self.chance.once_in(self.faults.overtake_frame) {
            self.overtake(far);
        }
    }

    /// The newest frame on a link arrives before the one sent before it.
    fn overtake(&mut self, far: LinkId) {
        let mut on_link = (0..self.frames.len())
            .rev()
            .filter(|at| self.frames[*at].0 == far);
        if let (Some(newest), Some(before)) = (on_link.next(), on_link.next()) {
            self.frames.swap(newest, before);
            self.count(Trouble::FrameOvertaken);
        }
    }

    /// Late frames whose time has come arrive.
    pub(super) fn deliver_late(&mut self) {
        let next = (self.now.plus_millis(1), 0);
        let still_late = self.late.split_off(&next);
        let due = std::mem::replace(&mut self.late, still_late);
        self.frames.extend(due.into_values());
    }
}

/// Whether a frame carries segments of this log.
fn speaks_of(frame: &Frame, log: Code) -> bool {
    match frame {
        Frame::SyncSegments { publisher, .. } => publisher
            .claimed()
            .is_ok_and(|certificate| certificate.place.code() == log),
        _ => false,
    }
}
