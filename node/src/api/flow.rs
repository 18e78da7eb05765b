//! Return flow at its recipient: which parts arrived, with what anyone needs to verify them offline.

use axum::extract::State;
use federation::core::query;
use federation::core::view::DocketDetail;
use federation::store::{Fault, Read};
use identity::{Code, Path, codec};
use serde::{Deserialize, Serialize};
use sharing::act::ObjectRef;
use sharing::docket::{DocketBody, DocketId};
use sharing::return_flow::{Area, PartNotice, ReturnFlowEvent, Subscription};

use super::Api;
use super::extract::{List, Page, Params, to_base64};
use super::problem::Problem;

/// Most dockets read for one list: [`super::MAX_PAGE`] pages of one subscription each.
const MAX_DOCKETS_READ: usize = 2_000;

/// One delivery of one subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedPart {
    /// The subscription.
    pub docket: DocketId,
    /// The node that returns: the docket's home.
    pub source: Path,
    /// The subscriber.
    pub recipient: Path,
    /// Which dataset.
    pub dataset: String,
    /// Which delivery.
    pub delivery: u64,
    /// Whose dataset: the source.
    pub origin: Code,
    /// Whose rows.
    pub area: Area,
    /// The rows.
    pub part: ObjectRef,
    /// Rows as the recipient verified them; `None` until it has.
    pub rows: Option<u64>,
    /// What the recipient found wanting.
    pub finding: Option<String>,
    /// Whether the rows are in this node's object store.
    pub held: bool,
    /// Base64 of the codec's bytes of the `PartNotice`: manifest, proof, salt.
    pub notice: String,
}

pub(super) async fn parts(
    State(api): State<Api>,
    Params(page): Params<Page>,
) -> Result<List<ReceivedPart>, Problem> {
    let limit = page.limit();
    let mut items = api.read(move |read| received(read, limit)).await?;
    for item in &mut items {
        item.held = api.backend().has_object(&item.part.digest);
    }
    Ok(List::whole(items))
}

/// The newest deliveries of the subscriptions known here.
fn received(read: &dyn Read, limit: usize) -> Result<Vec<ReceivedPart>, Fault> {
    let mut parts = Vec::new();
    let mut after = None;
    let mut seen = 0;
    while parts.len() < limit && seen < MAX_DOCKETS_READ {
        let page = query::dockets(read, after, super::MAX_PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen += page.len();
        for view in page
            .iter()
            .filter(|view| matches!(view.state.case, sharing::docket::Case::ReturnFlow(_)))
        {
            if let Some(detail) = query::docket(read, view.id)? {
                parts.extend(deliveries(&detail));
            }
        }
    }
    parts.truncate(limit);
    Ok(parts)
}

/// The deliveries of one subscription, in order.
pub fn deliveries(detail: &DocketDetail) -> Vec<ReceivedPart> {
    let mut parts: Vec<ReceivedPart> = Vec::new();
    let mut subscriber: Option<(&Path, &Subscription)> = None;
    for event in &detail.events {
        let DocketBody::ReturnFlow(body) = &event.body else {
            continue;
        };
        match body {
            ReturnFlowEvent::Subscribed {
                recipient,
                subscription,
                ..
            } => {
                subscriber = Some((recipient, subscription));
            }
            ReturnFlowEvent::Delivering { delivery, notice } => {
                if let Some((recipient, subscription)) = subscriber {
                    parts.push(part(detail, recipient, subscription, *delivery, notice));
                }
            }
            ReturnFlowEvent::Delivered { delivery, rows, .. } => {
                for part in parts.iter_mut().filter(|part| part.delivery == *delivery) {
                    part.rows = Some(*rows);
                }
            }
            ReturnFlowEvent::Disputed { delivery, finding } => {
                for part in parts.iter_mut().filter(|part| part.delivery == *delivery) {
                    part.finding = Some(finding.clone());
                }
            }
        }
    }
    parts
}

fn part(
    detail: &DocketDetail,
    recipient: &Path,
    subscription: &Subscription,
    delivery: u64,
    notice: &PartNotice,
) -> ReceivedPart {
    ReceivedPart {
        docket: detail.docket.id,
        source: detail.docket.home.clone(),
        recipient: recipient.clone(),
        dataset: subscription.dataset.to_string(),
        delivery,
        origin: subscription.origin,
        area: notice.area.clone(),
        part: notice.part.clone(),
        rows: None,
        finding: None,
        held: false,
        notice: to_base64(&codec::encode(notice)),
    }
}
