//! Who signs: the people of a place, and posting what they signed.

use federation::core::{CallSide, Caller, ReadWhat};
use federation::service::CallHead;
use sharing::public::{PublicRequest, Receipt};

use super::*;

impl World {
    /// The head of a place's authority.
    pub fn authority_head(&self, node: Code) -> Person {
        Person::authority_head(node, credit_code(node.as_str(), 1), self.now)
    }

    /// Someone of the authority itself.
    pub fn authority(&self, node: Code, role: Role) -> Person {
        Person::of_authority(node, role, self.now)
    }

    /// A department hosted on a node.
    pub fn department(&self, node: Code, number: u32, name: &str) -> Department {
        Department::hosted(node, number, name)
    }

    /// Someone of a department.
    pub fn staff(&self, department: &Department, role: Role) -> Person {
        Person::of(department, role, self.clock(department.node))
    }

    /// Signs an act on the person's side.
    pub fn sign(&mut self, node: Code, person: &Person, body: ActBody) -> SignedAct {
        let mut nonce = [0; 16];
        self.chance.fill(&mut nonce);
        person.sign(node, self.clock(node), nonce, body)
    }

    /// A person's act at a node, with its answer.
    ///
    /// # Errors
    /// The node's [`Refused`].
    pub fn act(&mut self, node: Code, person: &Person, body: ActBody) -> Result<Answer, Refused> {
        let signed = self.sign(node, person, body);
        self.post(node, &signed)
    }

    /// Posts a signed act, again after each crash, as an operator's command does.
    ///
    /// # Errors
    /// The node's [`Refused`].
    pub fn post(&mut self, node: Code, signed: &SignedAct) -> Result<Answer, Refused> {
        self.ask_until_answered(node, |token| Input::Act {
            token,
            act: Box::new(signed.clone()),
        })
    }

    /// What somebody of the public asks at a node, under their receipt.
    ///
    /// # Errors
    /// The node's [`Refused`].
    pub fn public(
        &mut self,
        node: Code,
        receipt: &Receipt,
        request: PublicRequest,
    ) -> Result<Answer, Refused> {
        self.ask_until_answered(node, |token| Input::Public {
            token,
            receipt: receipt.commitment(),
            request: Box::new(request.clone()),
        })
    }

    /// A call of a service begins at an end of it, for a department of this very node.
    ///
    /// # Errors
    /// The node's [`Refused`].
    pub fn begins_call(
        &mut self,
        node: Code,
        side: CallSide,
        head: &CallHead,
    ) -> Result<Answer, Refused> {
        self.ask_until_answered(node, |token| Input::CallBegun {
            token,
            side,
            from: None,
            head: Box::new(head.clone()),
        })
    }

    /// A program of whoever operates a node asks for a file in its object store.
    ///
    /// # Errors
    /// The node's [`Refused`].
    pub fn read_object(
        &mut self,
        node: Code,
        object: identity::Digest,
        by: &Caller,
    ) -> Result<Answer, Refused> {
        self.ask_until_answered(node, |token| Input::ContentRead {
            token,
            what: ReadWhat::Object { digest: object },
            by: by.clone(),
        })
    }

    fn ask_until_answered(
        &mut self,
        node: Code,
        input: impl Fn(Token) -> Input,
    ) -> Result<Answer, Refused> {
        for _ in 0..1_000 {
            if !self.is_up(node) {
                return Err(Refused::Fault("the node does not run".into()));
            }
            let token = self.token();
            self.input(node, input(token));
            if let Some(answer) = self.answers.remove(&token) {
                return answer;
            }
        }
        panic!("{node} crashed a thousand times over one request");
    }
}
