//! Items as they come: each is read and checked alone, so that one that is wrong stops no other.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use validator::Validate;

use super::dto::{
    CommitmentExtra, HolderExtra, ITEMS_MAX, ImportResource, InitiativeExtra, MeasureExtra,
    MeetingExtra,
};
use crate::commitments::dto::NewCommitment;
use crate::holders::dto::NewHolder;
use crate::http::error::{ApiError, Fault};
use crate::http::extract::{broken_schema, read_json, schema_of, typed};
use crate::initiatives::dto::NewInitiative;
use crate::measures::dto::NewMeasure;
use crate::meetings::dto::NewMeeting;

/// Largest body of a bulk request, in bytes.
pub const BULK_LIMIT: usize = 4 * 1024 * 1024;

/// An item with the fields of a new resource, and those of an import.
pub enum Item {
    Initiative(Box<(NewInitiative, InitiativeExtra)>),
    Holder(Box<(NewHolder, HolderExtra)>),
    Commitment(Box<(NewCommitment, CommitmentExtra)>),
    Meeting(Box<(NewMeeting, MeetingExtra)>),
    Measure(Box<(NewMeasure, MeasureExtra)>),
}

/// An item that was read, or what is wrong with it.
pub struct Checked {
    /// The name that the partner's system gives it, if that can be read.
    pub external_id: Option<String>,
    /// The fields that it has.
    pub given: HashSet<String>,
    pub item: Result<Item, ApiError>,
}

/// The body of a bulk request: as JSON, and what its schema finds wrong. Only the handler knows what the items are.
pub struct Bulk {
    items: Vec<Value>,
    faults: Vec<Vec<Fault>>,
    pub validate_only: bool,
}

impl FromRequest for Bulk {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let (body, content_type) = read_json(&request, payload, BULK_LIMIT).await?;
            Self::read(schema_of(&request, &content_type)?, body)
        })
    }
}

impl Bulk {
    /// Rows of a file, by the schema of the bulk operation.
    pub fn of_rows(schema: &Validator, rows: Vec<Value>) -> Result<Self, ApiError> {
        Self::read(schema, json!({"items": rows}))
    }

    /// Faults of an item are that item's; others refuse the whole.
    fn read(schema: &Validator, mut body: Value) -> Result<Self, ApiError> {
        let mut of_the_whole = Vec::new();
        let mut of_items = Vec::new();
        for fault in broken_schema(schema, &body) {
            match place(&fault.pointer) {
                Some((place, pointer)) => of_items.push((
                    place,
                    Fault {
                        pointer: format!("#{pointer}"),
                        ..fault
                    },
                )),
                None => of_the_whole.push(fault),
            }
        }
        if !of_the_whole.is_empty() {
            return Err(ApiError::invalid(of_the_whole));
        }
        let items = match body.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        let mut faults: Vec<Vec<Fault>> = items.iter().map(|_| Vec::new()).collect();
        for (place, fault) in of_items {
            if let Some(faults) = faults.get_mut(place) {
                faults.push(fault);
            }
        }
        Ok(Self {
            items,
            faults,
            validate_only: body.get("validate_only") == Some(&Value::Bool(true)),
        })
    }

    /// The items, each read and checked.
    pub fn checked(self, resource: ImportResource) -> Vec<Checked> {
        let faulty = self.items.into_iter().zip(self.faults);
        faulty
            .map(|(item, faults)| check(resource, item, faults))
            .collect()
    }
}

/// Where in the list an item's fault is, and the rest of its pointer.
fn place(pointer: &str) -> Option<(usize, &str)> {
    let rest = pointer.strip_prefix("#/items/")?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (place, rest) = rest.split_at(end);
    Some((place.parse().ok()?, rest))
}

fn check(resource: ImportResource, item: Value, faults: Vec<Fault>) -> Checked {
    let external_id = item
        .get("external_id")
        .and_then(Value::as_str)
        .filter(|_| faults.iter().all(|fault| fault.pointer != "#/external_id"))
        .map(str::to_owned);
    let Value::Object(fields) = item else {
        return Checked {
            external_id: None,
            given: HashSet::new(),
            item: Err(ApiError::invalid(faults)),
        };
    };
    let given = fields.keys().cloned().collect();
    let item = match resource {
        ImportResource::Initiatives => {
            let extra = &[
                "external_id",
                "holder_external_id",
                "host_external_id",
                "state",
                "submitted_on",
                "decided_on",
                "completed_on",
                "ended_on",
                "published",
            ];
            both(fields, extra, faults).map(|item| Item::Initiative(Box::new(item)))
        }
        ImportResource::Holders => {
            both(fields, &["external_id"], faults).map(|item| Item::Holder(Box::new(item)))
        }
        ImportResource::Commitments => {
            let extra = &[
                "external_id",
                "initiative_id",
                "initiative_external_id",
                "state",
                "delivered_cents",
                "delivered_quantity",
                "delivered_on",
                "evidence",
            ];
            both(fields, extra, faults).map(|item| Item::Commitment(Box::new(item)))
        }
        ImportResource::Meetings => {
            let extra = &["external_id", "initiative_external_id"];
            both(fields, extra, faults).map(|item| Item::Meeting(Box::new(item)))
        }
        ImportResource::Measures => {
            let extra = &["external_id", "indicator", "year"];
            both(fields, extra, faults).map(|item| Item::Measure(Box::new(item)))
        }
    };
    Checked {
        external_id,
        given,
        item,
    }
}

/// An item as its two parts; the schema has seen that nothing else is in it.
fn both<N: DeserializeOwned + Validate, X: DeserializeOwned>(
    mut fields: Map<String, Value>,
    names: &[&str],
    faults: Vec<Fault>,
) -> Result<(N, X), ApiError> {
    let mut extra = Map::new();
    for name in names {
        if let Some((name, value)) = fields.remove_entry(*name) {
            extra.insert(name, value);
        }
    }
    let extra = typed::<Unruled<X>>(&Value::Object(extra), Vec::new());
    let new = typed::<N>(&Value::Object(fields), faults)?;
    Ok((new, extra?.0))
}

/// A part without rules besides its schema.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Unruled<T>(T);

impl<T> Validate for Unruled<T> {
    fn validate(&self) -> Result<(), validator::ValidationErrors> {
        Ok(())
    }
}

/// So many at a time, for whoever brings more.
pub const CHUNK: usize = ITEMS_MAX;
