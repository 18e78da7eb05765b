//! The person's side: encrypted key files, the chain that says who signs, and signing acts. A node never runs this code;
//! it belongs to the commands a person gives on their own machine.

pub mod describe;
mod entry;
mod keys;

use identity::{Code, Domain, Moment, Signed, SigningKey};
use sharing::act::{Act, ActBody, SignedAct};
use sharing::person::PersonChain;
use sharing::private::Content;

pub use entry::{Incomplete, complete};
pub(crate) use keys::write_private;
pub use keys::{
    PASSPHRASE_VARIABLE, PersonError, chain_path, create_key, load_chain, load_key, open_key,
    passphrase, random_bytes, save_chain,
};

/// The act of a person at a node, with a fresh nonce.
///
/// # Errors
/// [`PersonError::Entropy`] when the system gives no random bytes.
pub fn act(node: Code, at: Moment, body: ActBody) -> Result<Act, PersonError> {
    Ok(Act {
        nonce: random_bytes()?,
        at,
        node,
        body,
    })
}

/// Personal content with a salt of its own.
///
/// # Errors
/// [`PersonError::Entropy`], [`PersonError::Content`].
pub fn private(text: String) -> Result<Content, PersonError> {
    Ok(Content::new(random_bytes()?, text)?)
}

/// Signs an act with the person's own key.
pub fn sign(act: &Act, key: &SigningKey, signer: PersonChain) -> SignedAct {
    SignedAct {
        act: Signed::sign(act, Domain::Act, key),
        signer,
    }
}
