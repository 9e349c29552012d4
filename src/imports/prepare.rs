//! Items as rows: what they refer to is found, and what the rules of their resource say against them is said.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use chrono::{DateTime, Months, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::dto::{
    CommitmentExtra, HolderExtra, InitiativeExtra, MeasureExtra, MeetingExtra, PastState,
    SettledState,
};
use super::items::Item;
use super::merge::{Row, Table};
use crate::auth::policy::{Denial, Role};
use crate::clock::{plus_days, start_of};
use crate::commitments::dto::{CommitmentKind, NewCommitment, Side};
use crate::communes::model::CommuneRow;
use crate::db::schema::{holders, initiatives};
use crate::holders::dto::{HolderKind, NewHolder};
use crate::http::error::{ApiError, Fault, FaultCode, Text};
use crate::ids::{
    CommitmentId, FulfilmentId, HolderId, InitiativeId, MeasureId, MeetingId, UserId,
};
use crate::initiatives::dto::{Channel, NewInitiative};
use crate::initiatives::model::searched;
use crate::measures::dto::NewMeasure;
use crate::meetings::dto::NewMeeting;
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

/// Agents enter holders for others, and change them until they have members.
static HOLDERS: Table = Table {
    name: "holders",
    columns: &[
        "id",
        "commune_code",
        "external_id",
        "kind",
        "name",
        "description",
        "siret",
        "rna",
        "address",
        "republican_commitment_on",
        "contact_email",
        "contact_phone",
        "entered_by",
        "created_at",
        "version",
    ],
    changing: &[
        "kind",
        "name",
        "description",
        "siret",
        "rna",
        "address",
        "republican_commitment_on",
        "contact_email",
        "contact_phone",
    ],
    blocked: "CASE WHEN EXISTS (SELECT FROM holder_members AS m
            WHERE (m.holder_id, m.commune_code) = (t.id, t.commune_code) AND m.state = 'active') THEN 'members'
        WHEN t.kind <> {r}.kind THEN 'kind' END",
};

/// Whoever brings an initiative stands on neither side of it, before and after.
macro_rules! blocked_initiative {
    ($rest:literal) => {
        concat!(
            "CASE WHEN EXISTS (SELECT FROM holder_members AS m
                WHERE m.commune_code = t.commune_code AND m.user_id = $2 AND m.state = 'active'
                    AND m.holder_id IN (t.holder_id, t.host_id, {r}.holder_id, {r}.host_id)) THEN 'conflict'
            WHEN EXISTS (SELECT FROM recusals AS m
                WHERE (m.initiative_id, m.commune_code, m.user_id) = (t.id, t.commune_code, $2)
                    AND m.contested_at IS NULL) THEN 'recused' ",
            $rest,
            " END"
        )
    };
}

/// What is in `columns` of every initiative.
macro_rules! initiative_columns {
    () => {
        &[
            "id",
            "commune_code",
            "external_id",
            "state",
            "origin",
            "delivery",
            "title",
            "description",
            "theme",
            "needs",
            "place",
            "latitude",
            "longitude",
            "starts_on",
            "ends_on",
            "building_work",
            "land",
            "requests_money",
            "holder_id",
            "host_id",
            "author_id",
            "channel",
            "entered_by",
            "paper_reference",
            "published_at",
            "submitted_at",
            "submission_number",
            "decided_at",
            "imported_at",
            "past_state",
            "past_decided_on",
            "past_completed_on",
            "past_ended_on",
            "state_changed_at",
            "created_at",
            "version",
            "folded_text",
        ]
    };
}

/// Initiatives that begin here.
static DRAFTS: Table = Table {
    name: "initiatives",
    columns: initiative_columns!(),
    changing: &[
        "origin",
        "delivery",
        "title",
        "description",
        "theme",
        "needs",
        "place",
        "latitude",
        "longitude",
        "starts_on",
        "ends_on",
        "building_work",
        "land",
        "requests_money",
        "holder_id",
        "host_id",
        "folded_text",
    ],
    blocked: blocked_initiative!(
        "WHEN t.imported_at IS NOT NULL THEN 'past' WHEN t.state NOT IN ('draft', 'changes_requested') THEN 'under_way'"
    ),
};

/// Initiatives whose life was before.
static PAST: Table = Table {
    name: "initiatives",
    columns: initiative_columns!(),
    changing: &[
        "origin",
        "delivery",
        "title",
        "description",
        "theme",
        "needs",
        "place",
        "latitude",
        "longitude",
        "starts_on",
        "ends_on",
        "building_work",
        "land",
        "requests_money",
        "holder_id",
        "host_id",
        "folded_text",
        "submitted_at",
        "decided_at",
        "past_state",
        "past_decided_on",
        "past_completed_on",
        "past_ended_on",
    ],
    blocked: blocked_initiative!(
        "WHEN t.imported_at IS NULL THEN 'under_way' WHEN t.past_state <> {r}.past_state OR t.state <> {r}.past_state THEN 'past'"
    ),
};

static MEETINGS: Table = Table {
    name: "meetings",
    columns: &[
        "id",
        "commune_code",
        "external_id",
        "initiative_id",
        "title",
        "place",
        "held_on",
        "attendance",
        "recorded_by",
        "created_at",
        "version",
    ],
    changing: &["initiative_id", "title", "place", "held_on", "attendance"],
    blocked: "CASE WHEN stands_aside($2, t.initiative_id, t.commune_code) THEN 'conflict' END",
};

static MEASURES: Table = Table {
    name: "measures",
    columns: &[
        "id",
        "commune_code",
        "external_id",
        "indicator",
        "year",
        "value",
        "unit",
        "source",
        "recorded_by",
        "created_at",
        "version",
    ],
    changing: &["indicator", "year", "value", "unit", "source"],
    blocked: "NULL",
};

static COMMITMENTS: Table = Table {
    name: "commitments",
    columns: &[
        "id",
        "commune_code",
        "external_id",
        "initiative_id",
        "side",
        "kind",
        "state",
        "title",
        "description",
        "third_party_name",
        "route",
        "amount_cents",
        "quantity",
        "unit",
        "unit_value_cents",
        "valuation_method",
        "valuation_source",
        "budget_year",
        "due_on",
        "proposed_side",
        "proposed_by",
        "reason",
        "imported_at",
        "state_changed_at",
        "created_at",
        "version",
    ],
    changing: &[
        "initiative_id",
        "side",
        "kind",
        "state",
        "title",
        "description",
        "third_party_name",
        "route",
        "amount_cents",
        "quantity",
        "unit",
        "unit_value_cents",
        "valuation_method",
        "valuation_source",
        "budget_year",
        "due_on",
        "reason",
    ],
    blocked: "'settled'",
};

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
                Item::Initiative(item) => initiative(scope, &known, item.0, item.1),
                Item::Holder(item) => holder(scope, item.0, item.1),
                Item::Commitment(item) => commitment(scope, &known, item.0, item.1),
                Item::Meeting(item) => meeting(scope, &known, item.0, item.1),
                Item::Measure(item) => measure(scope, item.0, item.1),
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
    }
}

fn holder(scope: &Scope<'_>, new: NewHolder, extra: HolderExtra) -> Result<Ready, ApiError> {
    let id = HolderId::new(&scope.commune.code, scope.now)?.0;
    let values = json!({
        "kind": new.kind,
        "name": new.name,
        "description": new.description,
        "siret": new.siret,
        "rna": new.rna,
        "address": new.address,
        "republican_commitment_on": new.republican_commitment_on,
        "contact_email": new.contact_email,
        "contact_phone": new.contact_phone,
        "entered_by": scope.me,
    });
    Ok(Ready {
        row: row(id, scope, &extra.external_id, values),
        table: &HOLDERS,
        follow: Follow::Nothing,
    })
}

/// The days of a path: each that its state needs, no other, in order, none to come.
fn check_path(faults: &mut Faults, state: PastState, extra: &InitiativeExtra, today: NaiveDate) {
    let [decided, completed, ended] = state.days();
    let mut last = None;
    for (field, day, needed) in [
        ("submitted_on", extra.submitted_on, true),
        ("decided_on", extra.decided_on, decided),
        ("completed_on", extra.completed_on, completed),
        ("ended_on", extra.ended_on, ended),
    ] {
        let pointer = format!("/{field}");
        match day {
            None if needed => faults.missing(field),
            Some(_) if !needed => faults.add(
                &pointer,
                FaultCode::Inconsistent,
                "Ce jour n'existe pas dans cet état.",
                "There is no such day in this state.",
            ),
            Some(day) if day > today => faults.add(
                &pointer,
                FaultCode::OutOfRange,
                "Le passé n'est pas à venir.",
                "The past is not to come.",
            ),
            Some(day) if Some(day) < last => faults.add(
                &pointer,
                FaultCode::Inconsistent,
                "Ce jour précède celui de l'étape d'avant.",
                "This day comes before that of the step before.",
            ),
            _ => {}
        }
        last = day.or(last);
    }
}

fn initiative(
    scope: &Scope<'_>,
    known: &Known,
    new: NewInitiative,
    extra: InitiativeExtra,
) -> Result<Ready, ApiError> {
    let mut faults = Faults::default();
    let holder = faults.referred(
        "holder",
        (new.holder_id, extra.holder_external_id.as_ref()),
        &known.holders,
        &known.holders_named,
    );
    let host = faults.referred(
        "host",
        (new.host_id, extra.host_external_id.as_ref()),
        &known.holders,
        &known.holders_named,
    );
    if host.is_some_and(|host| {
        known
            .holders
            .get(&host)
            .is_some_and(|kind| !HolderKind::LEGAL_PERSONS.contains(kind))
    }) {
        faults.add(
            "/host_id",
            FaultCode::Inconsistent,
            "Une structure porteuse est une personne morale.",
            "A host organisation is a legal person.",
        );
    }
    if host.is_some() && host == holder {
        faults.add(
            "/host_id",
            FaultCode::Inconsistent,
            "La structure porteuse est une autre que le porteur.",
            "The host organisation is another one than the holder.",
        );
    }
    if new.submit || extra.state.is_some() {
        if new.description.is_none() {
            faults.missing("description");
        }
        if new.theme.is_none() {
            faults.missing("theme");
        }
        if new.holder_id.is_none() && extra.holder_external_id.is_none() {
            faults.missing("holder_external_id");
        }
    }
    match extra.state {
        Some(state) => {
            check_path(&mut faults, state, &extra, scope.today);
            if new.submit {
                faults.add(
                    "/submit",
                    FaultCode::Inconsistent,
                    "Ce qui a déjà un état n'est plus à déposer.",
                    "What has a state already is not submitted any more.",
                );
            }
        }
        None => {
            for (field, is_there) in [
                ("submitted_on", extra.submitted_on.is_some()),
                ("decided_on", extra.decided_on.is_some()),
                ("completed_on", extra.completed_on.is_some()),
                ("ended_on", extra.ended_on.is_some()),
                ("published", extra.published),
            ] {
                if is_there {
                    faults.add(
                        &format!("/{field}"),
                        FaultCode::Inconsistent,
                        "Seulement avec state : ce qui commence ici suit son chemin ici.",
                        "Only with state: what begins here goes its way here.",
                    );
                }
            }
        }
    }
    faults.none()?;
    known.apart(holder, host)?;

    let now = scope.now;
    let (decided, completed, ended) = (extra.decided_on, extra.completed_on, extra.ended_on);
    let begin = |day: Option<NaiveDate>| day.map(start_of);
    let last = ended.or(completed).or(decided);
    let channel = new
        .on_behalf
        .as_ref()
        .map_or(Channel::Paper, |entry| entry.channel.into());
    let rest = [&new.description, &new.place, &new.needs].map(Option::as_deref);
    let folded = searched(&new.title, rest);
    let values = json!({
        "state": extra.state.map_or("draft", PastState::code),
        "origin": new.origin,
        "delivery": new.delivery,
        "folded_text": folded,
        "title": new.title,
        "description": new.description,
        "theme": new.theme,
        "needs": new.needs,
        "place": new.place,
        "latitude": new.location.map(|location| location.latitude),
        "longitude": new.location.map(|location| location.longitude),
        "starts_on": new.starts_on,
        "ends_on": new.ends_on,
        "building_work": new.building_work,
        "land": new.land,
        "requests_money": new.requests_money,
        "holder_id": holder,
        "host_id": host,
        "author_id": scope.me,
        "channel": channel,
        "entered_by": scope.me,
        "paper_reference": new.on_behalf.and_then(|entry| entry.paper_reference),
        "published_at": (extra.state.is_some() && extra.published).then_some(now),
        "submitted_at": begin(extra.submitted_on),
        "submission_number": i32::from(extra.state.is_some()),
        "decided_at": begin(decided),
        "imported_at": extra.state.map(|_| now),
        "past_state": extra.state,
        "past_decided_on": decided,
        "past_completed_on": completed,
        "past_ended_on": ended,
        "state_changed_at": begin(last).unwrap_or(now),
    });
    let id = InitiativeId::new(&scope.commune.code, now)?.0;
    let (table, follow) = match extra.state {
        Some(_) => (
            &PAST,
            Follow::Past {
                publish: extra.published,
            },
        ),
        None => (&DRAFTS, Follow::Draft { submit: new.submit }),
    };
    Ok(Ready {
        row: row(id, scope, &extra.external_id, values),
        table,
        follow,
    })
}

/// What silence would mean, and by when the commune answers, of what is submitted today.
pub fn clock(scope: &Scope<'_>) -> (NaiveDate, Option<NaiveDate>) {
    (
        plus_days(scope.today, i64::from(scope.commune.reply_delay_days)),
        scope.today.checked_add_months(Months::new(2)),
    )
}

fn meeting(
    scope: &Scope<'_>,
    known: &Known,
    new: NewMeeting,
    extra: MeetingExtra,
) -> Result<Ready, ApiError> {
    let mut faults = Faults::default();
    let initiative = faults.referred(
        "initiative",
        (new.initiative_id, extra.initiative_external_id.as_ref()),
        &known.initiatives,
        &known.initiatives_named,
    );
    if new.held_on > scope.today {
        faults.add(
            "/held_on",
            FaultCode::OutOfRange,
            "Une réunion s'enregistre une fois tenue.",
            "A meeting is recorded once it was held.",
        );
    }
    faults.none()?;
    if let Some(matter) = initiative.and_then(|id| known.initiatives.get(&id)) {
        known.apart(matter.holder, matter.host)?;
    }
    let id = MeetingId::new(&scope.commune.code, scope.now)?.0;
    let values = json!({
        "initiative_id": initiative,
        "title": new.title,
        "place": new.place,
        "held_on": new.held_on,
        "attendance": new.attendance,
        "recorded_by": scope.me,
    });
    Ok(Ready {
        row: row(id, scope, &extra.external_id, values),
        table: &MEETINGS,
        follow: Follow::Nothing,
    })
}

fn measure(scope: &Scope<'_>, new: NewMeasure, extra: MeasureExtra) -> Result<Ready, ApiError> {
    let id = MeasureId::new(&scope.commune.code, scope.now)?.0;
    let values = json!({
        "indicator": extra.indicator,
        "year": extra.year,
        "value": new.value,
        "unit": new.unit,
        "source": new.source,
        "recorded_by": scope.me,
    });
    Ok(Ready {
        row: row(id, scope, &extra.external_id, values),
        table: &MEASURES,
        follow: Follow::Nothing,
    })
}

fn commitment(
    scope: &Scope<'_>,
    known: &Known,
    new: NewCommitment,
    extra: CommitmentExtra,
) -> Result<Ready, ApiError> {
    let mut faults = Faults::default();
    let initiative = faults.referred(
        "initiative",
        (extra.initiative_id, extra.initiative_external_id.as_ref()),
        &known.initiatives,
        &known.initiatives_named,
    );
    if extra.initiative_id.is_none() && extra.initiative_external_id.is_none() {
        faults.missing("initiative_external_id");
    }
    let matter = initiative.and_then(|id| known.initiatives.get(&id));
    if let Some(matter) = matter {
        if !matches!(matter.past.as_deref(), Some("completed" | "closed")) {
            faults.add(
                "/initiative_external_id",
                FaultCode::Inconsistent,
                "Seulement d'une initiative importée comme réalisée ou clôturée.",
                "Only of an initiative that was imported as completed or closed.",
            );
        }
        if new.side == Side::Host && matter.host.is_none() {
            faults.add(
                "/side",
                FaultCode::Inconsistent,
                "L'initiative n'a pas de structure porteuse.",
                "The initiative has no host organisation.",
            );
        }
    }
    let is_money = new.kind == CommitmentKind::Financial;
    let nothing = extra.state == SettledState::Unfulfilled;
    for (field, is_there, belongs) in [
        ("delivered_cents", extra.delivered_cents.is_some(), is_money),
        (
            "delivered_quantity",
            extra.delivered_quantity.is_some(),
            !is_money,
        ),
        ("delivered_on", extra.delivered_on.is_some(), true),
    ] {
        if is_there && (nothing || !belongs) {
            faults.add(
                &format!("/{field}"),
                FaultCode::Inconsistent,
                "Cela ne va pas avec le reste.",
                "This does not go with the rest.",
            );
        } else if !is_there && belongs && !nothing {
            faults.missing(field);
        }
    }
    if extra.delivered_on.is_some_and(|day| day > scope.today) {
        faults.add(
            "/delivered_on",
            FaultCode::OutOfRange,
            "Le passé n'est pas à venir.",
            "The past is not to come.",
        );
    }
    faults.none()?;
    let Some((initiative, matter)) = initiative.zip(matter) else {
        return Err(ApiError::not_found());
    };
    known.apart(matter.holder, matter.host)?;

    let id = CommitmentId::new(&scope.commune.code, scope.now)?;
    let valuation = new.valuation.as_ref();
    let values = json!({
        "initiative_id": initiative,
        "side": new.side,
        "kind": new.kind,
        "state": extra.state,
        "title": new.title,
        "description": new.description,
        "third_party_name": new.third_party_name,
        "route": new.route,
        "amount_cents": new.amount_cents,
        "quantity": valuation.map(|valuation| &valuation.quantity),
        "unit": valuation.map(|valuation| &valuation.unit),
        "unit_value_cents": valuation.map(|valuation| valuation.unit_value_cents),
        "valuation_method": valuation.map(|valuation| valuation.method),
        "valuation_source": valuation.and_then(|valuation| valuation.source.as_ref()),
        "budget_year": new.budget_year,
        "due_on": new.due_on,
        "proposed_side": if new.side == Side::Commune { "commune" } else { "holder" },
        "proposed_by": scope.me,
        "imported_at": scope.now,
        "state_changed_at": extra.delivered_on.or(new.due_on).map(start_of),
    });
    let delivered = extra.delivered_on.map(|day| {
        json!({
            "id": FulfilmentId::new(&scope.commune.code, scope.now).map(|id| id.0).ok(),
            "commune_code": scope.commune.code,
            "commitment_id": id,
            "state": "recorded",
            "done_on": day,
            "amount_cents": extra.delivered_cents,
            "quantity": extra.delivered_quantity,
            "unit_value_cents": valuation.map(|valuation| valuation.unit_value_cents),
            "evidence": extra.evidence.as_deref().unwrap_or("Import"),
            "recorded_by": scope.me,
            "recorded_side": new.side,
            "on_behalf": new.side != Side::Commune,
            "recorded_at": scope.now,
            "version": 1,
        })
    });
    Ok(Ready {
        row: row(id.0, scope, &extra.external_id, values),
        table: &COMMITMENTS,
        follow: Follow::Settled {
            initiative,
            delivered: delivered.and_then(|value| value.as_object().cloned()),
        },
    })
}
