//! Which target a run is of, and what every decoder owes.

use std::sync::OnceLock;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A target: a name, and what is done with the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// The variable that names the target of this run.
const VARIABLE: &str = "GUANTONG_FUZZ_TARGET";

static CHOSEN: OnceLock<fn(&[u8])> = OnceLock::new();

/// Gives the bytes to the target that the environment names.
///
/// # Panics
/// When it names none of them.
pub fn run(targets: &[Target], bytes: &[u8]) {
    let chosen = CHOSEN.get_or_init(|| {
        let wanted = std::env::var(VARIABLE).unwrap_or_default();
        let found = targets.iter().find(|(name, _)| *name == wanted);
        let names: Vec<&str> = targets.iter().map(|(name, _)| *name).collect();
        found
            .unwrap_or_else(|| panic!("{VARIABLE} names one of {names:?}, not {wanted:?}"))
            .1
    });
    chosen(bytes);
}

/// What was decoded comes back from its own encoding: no two readers take one value for two.
pub fn decoded<T>(bytes: &[u8], max: usize) -> Option<T>
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let value: T = identity::codec::decode(bytes, max).ok()?;
    let again = identity::codec::encode(&value);
    assert_eq!(
        identity::codec::decode::<T>(&again, identity::codec::MAX_ENCODED).as_ref(),
        Ok(&value)
    );
    Some(value)
}
