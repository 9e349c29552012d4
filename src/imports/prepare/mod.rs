//! Items as rows: what they refer to is found, and what the rules of their resource say against them is said.

mod commitments;
mod holders;
mod initiatives;
mod measures;
mod meetings;

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use chrono::{DateTime, Months, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::items::Item;
use super::merge::{Row, Table};
use crate::auth::policy::{Denial, Role};
use crate::clock::plus_days;
use crate::communes::model::CommuneRow;
use crate::db::schema;
use crate::holders::dto::HolderKind;
use crate::http::error::{ApiError, Fault, FaultCode, Text};
use crate::ids::{HolderId, InitiativeId, UserId};
use crate::state::Session;

/// An item that is ready to be merged.
pub struct Ready {
    pub row: Row,
    pub table: &'static Table,
    pub follow: Follow,
}

/// What is done once the row is there.
pub enum Follow {
    Nothing,
    /// A draft is submitted, if that was asked.
    Draft {
        submit: bool,
    },
    /// Something of the past is published, if that was asked.
    Past {
        publish: bool,
    },
    /// A commitment of the past, with what was delivered.
    Settled {
        initiative: InitiativeId,
        delivered: Option<Map<String, Value>>,
    },
}

/// What items refer to, in their commune.
struct Known {
    holders: HashMap<HolderId, HolderKind>,
    holders_named: HashMap<String, HolderId>,
    initiatives: HashMap<InitiativeId, Matter>,
    initiatives_named: HashMap<String, InitiativeId>,
    /// Holders of which whoever brings the items is a member.
    mine: HashSet<HolderId>,
}

struct Matter {
    holder: Option<HolderId>,
    host: Option<HolderId>,
    past: Option<String>,
}

/// The commune, the moment, and who brings the items.
pub struct Scope<'a> {
    pub commune: &'a CommuneRow,
    pub now: DateTime<Utc>,
    pub today: NaiveDate,
    pub me: UserId,
    /// In which role.
    pub role: Role,
}

/// Items as rows, each with its place, or what is wrong with it.
pub async fn prepare(
    session: &mut Session,
    scope: &Scope<'_>,
    items: Vec<(usize, Item)>,
) -> Result<Vec<(usize, Result<Ready, ApiError>)>, ApiError> {
    let known = known(session, scope, &items).await?;
    Ok(items
        .into_iter()
        .map(|(place, item)| {
            let ready = match item {
                Item::Initiative(item) => initiatives::prepare(scope, &known, item.0, item.1),
                Item::Holder(item) => holders::prepare(scope, item.0, item.1),
                Item::Commitment(item) => commitments::prepare(scope, &known, item.0, item.1),
                Item::Meeting(item) => meetings::prepare(scope, &known, item.0, item.1),
                Item::Measure(item) => measures::prepare(scope, item.0, item.1),
            };
            (place, ready)
        })
        .collect())
}

async fn known(
    session: &mut Session,
    scope: &Scope<'_>,
    items: &[(usize, Item)],
) -> Result<Known, ApiError> {
    let (mut bodies, mut bodies_named) = (Vec::new(), Vec::new());
    let (mut matters, mut matters_named) = (Vec::new(), Vec::new());
    for (_, item) in items {
        match item {
            Item::Initiative(item) => {
                bodies.extend(item.0.holder_id.into_iter().chain(item.0.host_id));
                bodies_named.extend(item.1.holder_external_id.as_deref());
                bodies_named.extend(item.1.host_external_id.as_deref());
            }
            Item::Commitment(item) => {
                matters.extend(item.1.initiative_id);
                matters_named.extend(item.1.initiative_external_id.as_deref());
            }
            Item::Meeting(item) => {
                matters.extend(item.0.initiative_id);
                matters_named.extend(item.1.initiative_external_id.as_deref());
            }
            Item::Holder(_) | Item::Measure(_) => {}
        }
    }
    use schema::{holders, initiatives};
    let code = &scope.commune.code;
    let conn = &mut session.conn;
    let bodies: Vec<(HolderId, HolderKind, Option<String>)> = holders::table
        .filter(holders::commune_code.eq(code))
        .filter(
            holders::id
                .eq_any(bodies)
                .or(holders::external_id.eq_any(bodies_named)),
        )
        .select((holders::id, holders::kind, holders::external_id))
        .load(conn)
        .await?;
    type Row = (
        InitiativeId,
        Option<String>,
        Option<HolderId>,
        Option<HolderId>,
        Option<String>,
    );
    let matters: Vec<Row> = initiatives::table
        .filter(initiatives::commune_code.eq(code))
        .filter(
            initiatives::id
                .eq_any(matters)
                .or(initiatives::external_id.eq_any(matters_named)),
        )
        // A draft that a resident writes is not there for the town hall.
        .filter(
            initiatives::submitted_at
                .is_not_null()
                .or(initiatives::entered_by.is_not_null()),
        )
        .select((
            initiatives::id,
            initiatives::external_id,
            initiatives::holder_id,
            initiatives::host_id,
            initiatives::past_state,
        ))
        .load(conn)
        .await?;
    let mine = crate::holders::model::bodies_of(conn, scope.me).await?;
    Ok(Known {
        holders_named: named(bodies.iter().map(|(id, _, name)| (name, *id))),
        holders: bodies.into_iter().map(|(id, kind, _)| (id, kind)).collect(),
        initiatives_named: named(matters.iter().map(|(id, name, ..)| (name, *id))),
        initiatives: matters
            .into_iter()
            .map(|(id, _, holder, host, past)| (id, Matter { holder, host, past }))
            .collect(),
        mine: mine.into_iter().collect(),
    })
}

fn named<'a, T>(found: impl Iterator<Item = (&'a Option<String>, T)>) -> HashMap<String, T> {
    found
        .filter_map(|(name, id)| Some((name.clone()?, id)))
        .collect()
}

/// Faults that are collected, so that all come at once.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, pointer: &str, code: FaultCode, fr: &'static str, en: &'static str) {
        self.0.push(Fault::at(pointer, code, Text::new(fr, en)));
    }

    fn missing(&mut self, field: &str) {
        let pointer = format!("/{field}");
        self.add(
            &pointer,
            FaultCode::Required,
            "Ce champ est nécessaire ici.",
            "This field is required here.",
        );
    }

    fn not_past(&mut self, field: &str) {
        let pointer = format!("/{field}");
        self.add(
            &pointer,
            FaultCode::OutOfRange,
            "Un jour du passé : au plus tôt en 1900, au plus tard aujourd'hui.",
            "A day of the past: in 1900 at the earliest, today at the latest.",
        );
    }

    fn none(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ApiError::invalid(self.0))
        }
    }

    /// What an item refers to, by its id here or by its name there.
    fn referred<I: Copy + Eq + Hash, T>(
        &mut self,
        field: &str,
        (id, name): (Option<I>, Option<&String>),
        there: &HashMap<I, T>,
        names: &HashMap<String, I>,
    ) -> Option<I> {
        let by_name = format!("/{field}_external_id");
        if id.is_some() && name.is_some() {
            self.add(
                &by_name,
                FaultCode::Inconsistent,
                "Soit l'identifiant d'ici, soit celui de votre système.",
                "Either the id here or that of your system.",
            );
            return None;
        }
        let (found, pointer) = match (id, name) {
            (Some(id), _) => (
                there.contains_key(&id).then_some(id),
                format!("/{field}_id"),
            ),
            (None, Some(name)) => (names.get(name).copied(), by_name),
            (None, None) => return None,
        };
        if found.is_none() {
            self.add(
                &pointer,
                FaultCode::NotFound,
                "Rien dans la commune n'a cet identifiant.",
                "Nothing of the commune has this id.",
            );
        }
        found
    }
}

impl Known {
    /// Nobody acts for the commune where they stand on the other side.
    fn apart(&self, holder: Option<HolderId>, host: Option<HolderId>) -> Result<(), ApiError> {
        if [holder, host]
            .into_iter()
            .flatten()
            .any(|body| self.mine.contains(&body))
        {
            return Err(Denial::ConflictOfInterest.into());
        }
        Ok(())
    }
}

fn row(id: Uuid, scope: &Scope<'_>, external_id: &str, mut values: Value) -> Row {
    let mut values = values
        .as_object_mut()
        .map(std::mem::take)
        .unwrap_or_default();
    values.insert("id".to_owned(), json!(id));
    values.insert("commune_code".to_owned(), json!(scope.commune.code));
    values.insert("external_id".to_owned(), json!(external_id));
    values.insert("created_at".to_owned(), json!(scope.now));
    values.insert("version".to_owned(), json!(1));
    Row {
        external_id: external_id.to_owned(),
        values,
        given: HashSet::new(),
    }
}

/// What silence would mean, and by when the commune answers, of what is submitted today.
pub fn clock(scope: &Scope<'_>) -> (NaiveDate, Option<NaiveDate>) {
    (
        plus_days(scope.today, i64::from(scope.commune.reply_delay_days)),
        scope.today.checked_add_months(Months::new(2)),
    )
}
