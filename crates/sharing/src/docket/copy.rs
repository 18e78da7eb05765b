//! Copies of a docket, verified and grown without trusting its home.

use identity::{Certificate, Code, Domain, Moment, Signed, VerifyKey};

use super::{
    DocketCopy, DocketError, DocketEvent, DocketState, Fork, MAX_DOCKET_EVENTS, MAX_EVENT_BYTES,
    Tip, verify_event,
};
use crate::person::PersonError;

impl DocketCopy {
    /// The state and events of the docket, if its home is a member at `at` (now, or for old evidence when it was made), its events are whole, in
    /// order, signed by it and follow from one another, and every act of a person in them proves itself.
    ///
    /// `members` gives the membership certificates of other nodes, verified by the caller: acts of people of a node it does not know are
    /// carried by the home's word alone. A node that hears a dispute knows both parties' certificates.
    ///
    /// # Errors
    /// The first [`DocketError`] met.
    pub fn verify(
        &self,
        root: &VerifyKey,
        at: Moment,
        members: &dyn Fn(Code) -> Option<Certificate>,
    ) -> Result<(DocketState, Vec<DocketEvent>), DocketError> {
        if self.events.len() > MAX_DOCKET_EVENTS {
            return Err(DocketError::TooMany(self.events.len()));
        }
        let home = self.home.verify_historic(root, at)?;
        let mut state: Option<DocketState> = None;
        let mut tip = None;
        let mut opened: Vec<DocketEvent> = Vec::with_capacity(self.events.len());
        for signed in &self.events {
            let event = verify_event(tip, signed, home.place(), home.signing_key())?;
            same_docket(opened.first(), &event)?;
            acts_hold(&event, home.certificate(), members)?;
            if !event.body.rests_on_its_act(state.as_ref()) {
                return Err(DocketError::AltersAct(event.sequence));
            }
            state = Some(DocketState::evolve(state, &event)?);
            tip = Some(Tip::of(event.sequence, signed));
            opened.push(event);
        }
        state.map(|state| (state, opened)).ok_or(DocketError::Empty)
    }

    /// The newest event.
    pub fn tip(&self) -> Option<Tip> {
        let sequence = u32::try_from(self.events.len().checked_sub(1)?).ok()?;
        self.events.last().map(|event| Tip::of(sequence, event))
    }

    /// Adds the next event of a copy that was verified before. `home` is the home's verified certificate.
    ///
    /// # Errors
    /// As [`verify_event`], but a contradiction is [`DocketError::Forked`] with both events as proof, wherever in the docket it lies.
    pub fn take(
        &mut self,
        event: &Signed<DocketEvent>,
        home: &Certificate,
    ) -> Result<DocketEvent, DocketError> {
        let forked = |known: &Signed<DocketEvent>| {
            DocketError::Forked(Box::new(Fork {
                known: known.clone(),
                other: event.clone(),
            }))
        };
        match verify_event(self.tip(), event, &home.place, &home.signing_key) {
            Ok(opened) => {
                let first = self
                    .events
                    .first()
                    .and_then(|first| first.claimed(MAX_EVENT_BYTES).ok());
                same_docket(first.as_ref(), &opened)?;
                self.events.push(event.clone());
                Ok(opened)
            }
            Err(DocketError::Known(sequence)) => match self.events.get(sequence as usize) {
                Some(known) if known.digest(Domain::Event) != event.digest(Domain::Event) => {
                    Err(forked(known))
                }
                Some(_) | None => Err(DocketError::Known(sequence)),
            },
            Err(DocketError::Fork {
                sequence,
                known,
                found,
            }) => match self.events.last() {
                Some(last) => Err(forked(last)),
                None => Err(DocketError::Fork {
                    sequence,
                    known,
                    found,
                }),
            },
            Err(error) => Err(error),
        }
    }
}

fn same_docket(first: Option<&DocketEvent>, event: &DocketEvent) -> Result<(), DocketError> {
    match first {
        Some(first) if first.docket != event.docket => Err(DocketError::WrongDocket {
            expected: first.docket,
            found: event.docket,
        }),
        Some(_) | None => Ok(()),
    }
}

/// Every act of a person whose node is known holds at the time the home recorded it.
fn acts_hold(
    event: &DocketEvent,
    home: &Certificate,
    members: &dyn Fn(Code) -> Option<Certificate>,
) -> Result<(), DocketError> {
    for act in event.body.acts() {
        let bad = |error| DocketError::Act {
            sequence: event.sequence,
            error,
        };
        let holder = act
            .signer
            .holder()
            .ok_or_else(|| bad(PersonError::Length(act.signer.0.len()).into()))?;
        let other = if holder.node == home.code() {
            None
        } else {
            members(holder.node)
        };
        let member = if holder.node == home.code() {
            Some(home)
        } else {
            other.as_ref()
        };
        if let Some(member) = member {
            act.verify(member, event.at).map_err(bad)?;
        }
    }
    Ok(())
}
