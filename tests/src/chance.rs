//! The one source of chance: a seed, hashed forward.

use identity::{Digest, Domain};

/// A reproducible stream of numbers and bytes.
#[derive(Debug, Clone)]
pub struct Chance {
    seed: u64,
    drawn: u64,
}

impl Chance {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The next thirty-two bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        self.drawn += 1;
        *Digest::of_parts(
            Domain::Id,
            &[
                b"chance",
                &self.seed.to_be_bytes(),
                &self.drawn.to_be_bytes(),
            ],
        )
        .as_bytes()
    }

    /// Fills a slice.
    pub fn fill(&mut self, target: &mut [u8]) {
        for piece in target.chunks_mut(32) {
            let bytes = self.bytes();
            piece.copy_from_slice(&bytes[..piece.len()]);
        }
    }

    /// A number below `bound` (which is not zero).
    pub fn below(&mut self, bound: u64) -> u64 {
        let bytes = self.bytes();
        u64::from_be_bytes([
            bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
        ]) % bound
    }

    /// True once in `times` on average; never when zero.
    pub fn once_in(&mut self, times: u64) -> bool {
        times != 0 && self.below(times) == 0
    }
}
