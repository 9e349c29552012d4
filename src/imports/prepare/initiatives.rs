//! Initiatives: those that begin here, and those whose life was before.

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::{Faults, Follow, Known, Ready, Scope, row};
use crate::clock::{is_past, start_of};
use crate::holders::dto::HolderKind;
use crate::http::error::{ApiError, FaultCode};
use crate::ids::InitiativeId;
use crate::imports::dto::{InitiativeExtra, PastState};
use crate::imports::merge::Table;
use crate::initiatives::dto::{Channel, NewInitiative};
use crate::initiatives::model::searched;

/// Whoever brings an initiative stands on neither side of it, before and after.
macro_rules! blocked_initiative {
    ($rest:literal) => {
        concat!(
            "CASE WHEN EXISTS (SELECT FROM holder_members AS m
                WHERE m.commune_code = t.commune_code AND m.user_id = $2 AND m.state = 'active'
                    AND m.holder_id IN (t.holder_id, t.host_id, r.holder_id, r.host_id)) THEN 'conflict'
            WHEN EXISTS (SELECT FROM recusals AS m
                WHERE (m.initiative_id, m.commune_code, m.user_id) = (t.id, t.commune_code, $2)
                    AND m.contested_at IS NULL) THEN 'recused' ",
            $rest,
            " END"
        )
    };
}

/// What stays as it came.
const FIXED: &[&str] = &[
    "state",
    "author_id",
    "channel",
    "entered_by",
    "paper_reference",
    "published_at",
    "submission_number",
    "imported_at",
    "state_changed_at",
];

/// What it is about, and who carries it.
const CONTENT: &[&str] = &[
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
];

/// The days of a life that was before.
const PATH: &[&str] = &[
    "submitted_at",
    "decided_at",
    "past_state",
    "past_decided_on",
    "past_completed_on",
    "past_ended_on",
];

/// What is searched follows from what is said.
fn fold_again(values: &mut Map<String, Value>) {
    let text = |name: &str| values.get(name).and_then(Value::as_str);
    let rest = ["description", "place", "needs"].map(text);
    let folded = searched(text("title").unwrap_or_default(), rest);
    values.insert("folded_text".to_owned(), json!(folded));
}

/// Initiatives that begin here.
static DRAFTS: Table = Table {
    name: "initiatives",
    fixed: FIXED,
    changing: &[CONTENT],
    kept: CONTENT,
    derive: Some(fold_again),
    blocked: blocked_initiative!(
        "WHEN t.imported_at IS NOT NULL THEN 'past' WHEN t.state NOT IN ('draft', 'changes_requested') THEN 'under_way'"
    ),
};

/// Initiatives whose life was before.
static PAST: Table = Table {
    name: "initiatives",
    fixed: FIXED,
    changing: &[CONTENT, PATH],
    kept: CONTENT,
    derive: Some(fold_again),
    blocked: blocked_initiative!(
        "WHEN t.imported_at IS NULL THEN 'under_way' WHEN t.past_state <> r.past_state OR t.state <> r.past_state THEN 'past'"
    ),
};

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
            Some(day) if !is_past(day, today) => faults.not_past(field),
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

pub fn prepare(
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
    let values = json!({
        "state": extra.state.map_or("draft", PastState::code),
        "origin": new.origin,
        "delivery": new.delivery,
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
    let mut row = row(
        InitiativeId::new(&scope.commune.code, now)?.0,
        scope,
        &extra.external_id,
        values,
    );
    fold_again(&mut row.values);
    let (table, follow) = match extra.state {
        Some(_) => (
            &PAST,
            Follow::Past {
                publish: extra.published,
            },
        ),
        None => (&DRAFTS, Follow::Draft { submit: new.submit }),
    };
    Ok(Ready { row, table, follow })
}
