//! Meetings.

use serde_json::json;

use super::{Faults, Follow, Known, Ready, Scope, row};
use crate::clock::is_past;
use crate::http::error::ApiError;
use crate::ids::MeetingId;
use crate::imports::dto::MeetingExtra;
use crate::imports::merge::Table;
use crate::meetings::dto::NewMeeting;

const COLUMNS: &[&str] = &["initiative_id", "title", "place", "held_on", "attendance"];

static TABLE: Table = Table {
    name: "meetings",
    fixed: &["recorded_by"],
    changing: &[COLUMNS],
    kept: COLUMNS,
    derive: None,
    blocked: "CASE WHEN stands_aside($2, t.initiative_id, t.commune_code) THEN 'conflict' END",
};

pub fn prepare(
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
    if !is_past(new.held_on, scope.today) {
        faults.not_past("held_on");
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
        table: &TABLE,
        follow: Follow::Nothing,
    })
}
