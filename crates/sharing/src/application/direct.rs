//! Straight from the platform (直接获取): under a local profile that says so, what is shared unconditionally is taken without an application and without
//! a reply. What is taken is used within the purpose that was stated, recorded and disposed of like any other grant. Shenyang S20; R20, R25, R29.

use serde::{Deserialize, Serialize};
use statute::{ActKind, ApplicationMaterial, Duty, Profile, Refusal, RefusalReason, RequiredField};

use super::{Application, ApplicationEvent, GrantTerms, rules};
use crate::act::{Deed, ObjectRef, Opens, VerifiedAct};
use crate::catalogue::{Entry, EntryState, EntryVersion};
use crate::docket::{DocketId, Opening};

/// What is done where no application is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DirectAct {
    /// The requester takes an entry that is shared unconditionally.
    Take {
        /// What is taken, on what basis, for what and until when.
        application: Application,
    },
    /// The provider puts the data of a published entry on the platform, for whoever takes it from now on. It replaces what was there.
    Place {
        /// Exactly this version of the entry.
        entry: EntryVersion,
        /// The object, by content.
        object: ObjectRef,
    },
}

impl Deed for DirectAct {
    fn kind(&self) -> ActKind {
        match self {
            Self::Take { .. } => ActKind::TakeDirectly,
            Self::Place { .. } => ActKind::PlaceOnPlatform,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        match self {
            Self::Take { .. } | Self::Place { .. } => None,
        }
    }

    fn opens(&self) -> Option<Opens> {
        match self {
            Self::Take { application, .. } => Some(Opens::At(application.provider_node.code())),
            Self::Place { .. } => None,
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            // Bounded by the rules of an application.
            Self::Take { .. } => Vec::new(),
            Self::Place { object, .. } => vec![&object.name],
        }
    }
}

/// S20: what is shared unconditionally is granted to whoever takes it, for the purpose that it states.
///
/// # Errors
/// `ApplicationRequired` under R20 where the profile does not let it be taken or the entry is not shared unconditionally; `MissingField` without
/// basis, purpose or a period that lies ahead; those of an application for what is asked and who asks.
pub(crate) fn take(
    act: &VerifiedAct,
    application: &Application,
    opening: &Opening<'_>,
) -> Result<ApplicationEvent, Refusal> {
    rules::requester_states_its_need(act, application)?;
    let published = rules::entry_may_be_applied_for(application, opening.published)?;
    let class = published.entry.terms.class();
    let article = statute::check_may_take_directly(class, opening.law.profile)?;
    rules::within_the_entry(application, published)?;
    let stated = |kind| {
        let mut texts = application.materials.iter().filter(|it| it.kind == kind);
        texts
            .find(|it| !it.text.trim().is_empty())
            .map(|it| it.text.clone())
    };
    let missing = |kind| {
        let fields = vec![RequiredField::Application(kind)];
        RefusalReason::MissingField { fields }.under(article)
    };
    let basis = ApplicationMaterial::Basis;
    stated(basis).ok_or_else(|| missing(basis))?;
    let scenario = ApplicationMaterial::Scenario;
    let purpose = stated(scenario).ok_or_else(|| missing(scenario))?;
    let ahead = application.until.filter(|until| *until > opening.now);
    let until = ahead.ok_or_else(|| missing(ApplicationMaterial::Period))?;
    Ok(ApplicationEvent::Taken {
        act: act.signed().clone(),
        requester_node: opening.from.clone(),
        entry: published.clone(),
        terms: GrantTerms {
            items: application.items.clone(),
            purpose,
            until,
            method: application.method,
            conditions: Vec::new(),
        },
        term: opening.law.term(Duty::Provide, opening.now),
        profile: opening.law.profile.clone(),
    })
}

/// R22, S20: the provider places the data of exactly the version that stands published, and only what may be taken without an application: all
/// else is applied for (R20), and granted before it is provided.
///
/// # Errors
/// `NotYourDepartment`, `EntryNotPublished` under R22; `ApplicationRequired` under R20 where the entry is not shared unconditionally or the profile
/// does not let it be taken.
pub fn place(
    act: &VerifiedAct,
    entry: &EntryVersion,
    held: Option<(&Entry, EntryState)>,
    profile: &Profile,
) -> Result<(), Refusal> {
    let article = statute::required_role(ActKind::PlaceOnPlatform).1;
    let published = held
        .filter(|(held, state)| *state == EntryState::Published && held.version_ref() == *entry)
        .ok_or_else(|| RefusalReason::EntryNotPublished.under(article))?;
    if published.0.provider != act.doer().department {
        return Err(RefusalReason::NotYourDepartment.under(article));
    }
    statute::check_may_take_directly(published.0.terms.class(), profile).map(drop)
}
