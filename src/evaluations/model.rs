//! Evaluations in the database.

use std::collections::HashMap;

use bigdecimal::BigDecimal;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Evaluation, EvaluationPatch, NewEvaluation};
use super::lifecycle::{EVALUATION, EvaluationAction, EvaluationState};
use crate::audit::{self, Beginning, Entry, Subject, Visibility};
use crate::auth::policy::{Role, Standing};
use crate::db::schema::{evaluation_people, evaluations, initiatives as matters};
use crate::figures::{plain, ratio};
use crate::http::error::{ApiError, Code};
use crate::ids::{EvaluationId, InitiativeId, UserId};
use crate::initiatives;
use crate::initiatives::dto::{AgeBand, AgeCount};
use crate::initiatives::lifecycle::InitiativeState;
use crate::initiatives::model::Found;
use crate::lifecycle::Step;
use crate::state::Session;

/// A row of `evaluations`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = evaluations)]
pub struct EvaluationRow {
    pub id: EvaluationId,
    pub commune_code: String,
    pub initiative_id: InitiativeId,
    pub summary: String,
    pub reference_cost_cents: i64,
    pub expected_cost_cents: Option<i64>,
    pub municipal_cost_cents: i64,
    pub staff_minutes: i32,
    pub staff_cost_cents: i64,
    pub official_minutes: i32,
    pub savings_cents: i64,
    pub method: String,
    pub source: String,
    pub what_worked: Option<String>,
    pub obstacles: Option<String>,
    pub advice: Option<String>,
    pub created_by: UserId,
    pub created_at: DateTime<Utc>,
    pub worded_at: DateTime<Utc>,
    pub agreed_by: Option<UserId>,
    pub agreed_at: Option<DateTime<Utc>>,
    pub validated_by: Option<UserId>,
    pub validated_at: Option<DateTime<Utc>>,
    pub version: i32,
}

impl EvaluationRow {
    /// Where it stands.
    pub fn state(&self) -> EvaluationState {
        match self.validated_at {
            None => EvaluationState::Draft,
            Some(_) => EvaluationState::Validated,
        }
    }

    /// Once validated it is as public as its initiative; before, it is between the town hall and the holder's side.
    fn is_readable(&self, standing: &Standing) -> bool {
        self.state() == EvaluationState::Validated
            || standing.is_town_hall()
            || standing.is_on_the_holders_side()
    }

    /// Whether the caller could take this action now, as far as the row tells.
    fn is_open_to(&self, action: EvaluationAction, session: &Session, initiative: &Found) -> bool {
        let me = session.actor.user_id();
        let answers = initiative.row.state == InitiativeState::Completed
            && me != Some(self.created_by)
            && (self.agreed_by.is_none() || me != self.agreed_by);
        match action {
            EvaluationAction::Update => true,
            EvaluationAction::Agree => answers && self.agreed_at.is_none(),
            EvaluationAction::Validate => answers && self.agreed_at.is_some(),
        }
    }

    /// As the caller sees it.
    pub async fn show(
        self,
        session: &mut Session,
        initiative: &Found,
    ) -> Result<Evaluation, ApiError> {
        let allowed_actions = EVALUATION
            .allowed(self.state(), &initiative.standing)
            .into_iter()
            .filter(|action| self.is_open_to(*action, session, initiative))
            .collect();
        let people = people_of(&mut session.conn, vec![self.id])
            .await?
            .remove(&self.id);
        let shown = self.with(people.unwrap_or_default(), &initiative.standing);
        Ok(Evaluation {
            allowed_actions,
            ..shown
        })
    }

    /// The same with the people whom it concerned, and nothing that one may do.
    fn with(self, people: Vec<AgeCount>, standing: &Standing) -> Evaluation {
        let inside = standing.is_town_hall() || standing.is_on_the_holders_side();
        let people = if inside {
            people
        } else {
            AgeCount::for_everybody(people)
        };
        let rate = ratio(
            &BigDecimal::from(self.savings_cents),
            &BigDecimal::from(self.reference_cost_cents),
            4,
        );
        Evaluation {
            id: self.id,
            initiative_id: self.initiative_id,
            state: self.state(),
            allowed_actions: Vec::new(),
            summary: self.summary,
            reference_cost_cents: self.reference_cost_cents,
            expected_cost_cents: self.expected_cost_cents,
            municipal_cost_cents: self.municipal_cost_cents,
            staff_minutes: self.staff_minutes,
            staff_cost_cents: self.staff_cost_cents,
            official_minutes: self.official_minutes,
            savings_cents: self.savings_cents,
            savings_rate: rate.map(|rate| plain(&rate)),
            method: self.method,
            source: self.source,
            what_worked: self.what_worked,
            obstacles: self.obstacles,
            advice: self.advice,
            people,
            created_at: self.created_at,
            agreed_at: self.agreed_at,
            validated_at: self.validated_at,
        }
    }
}

/// The people whom these evaluations concern, by age.
async fn people_of(
    conn: &mut AsyncPgConnection,
    ids: Vec<EvaluationId>,
) -> QueryResult<HashMap<EvaluationId, Vec<AgeCount>>> {
    let communes: Vec<String> = ids.iter().map(|id| id.commune()).collect();
    let counted: Vec<(EvaluationId, AgeBand, i32)> = evaluation_people::table
        .filter(evaluation_people::evaluation_id.eq_any(ids))
        .filter(evaluation_people::commune_code.eq_any(communes))
        .select((
            evaluation_people::evaluation_id,
            evaluation_people::age_band,
            evaluation_people::people,
        ))
        .load(conn)
        .await?;
    let mut people: HashMap<_, Vec<AgeCount>> = HashMap::new();
    for (id, age_band, count) in counted {
        let count = AgeCount {
            age_band,
            people: count,
        };
        people.entry(id).or_default().push(count);
    }
    for counts in people.values_mut() {
        counts.sort_unstable_by_key(|count| count.age_band);
    }
    Ok(people)
}

/// These evaluations, as far as everybody may read them.
pub async fn public(
    conn: &mut AsyncPgConnection,
    ids: Vec<EvaluationId>,
) -> QueryResult<Vec<Evaluation>> {
    let communes: Vec<String> = ids.iter().map(|id| id.commune()).collect();
    let rows: Vec<EvaluationRow> = evaluations::table
        .inner_join(
            matters::table.on(matters::id
                .eq(evaluations::initiative_id)
                .and(matters::commune_code.eq(evaluations::commune_code))),
        )
        .filter(evaluations::id.eq_any(&ids))
        .filter(evaluations::commune_code.eq_any(communes))
        .filter(evaluations::validated_at.is_not_null())
        .filter(matters::published_at.is_not_null())
        .select(EvaluationRow::as_select())
        .load(conn)
        .await?;
    let mut people = people_of(conn, ids).await?;
    let show = |row: EvaluationRow| {
        let people = people.remove(&row.id).unwrap_or_default();
        row.with(people, &Standing::default())
    };
    Ok(rows.into_iter().map(show).collect())
}

/// The evaluation of an initiative that the caller may read; 404 when there is none for them.
pub async fn find(
    conn: &mut AsyncPgConnection,
    initiative: &Found,
) -> Result<EvaluationRow, ApiError> {
    let row = of(conn, initiative.row.id).await?;
    if row.is_readable(&initiative.standing) {
        Ok(row)
    } else {
        Err(ApiError::not_found())
    }
}

async fn of(conn: &mut AsyncPgConnection, id: InitiativeId) -> QueryResult<EvaluationRow> {
    evaluations::table
        .filter(evaluations::initiative_id.eq(id))
        .filter(evaluations::commune_code.eq(id.commune()))
        .select(EvaluationRow::as_select())
        .first(conn)
        .await
}

/// Writes the evaluation of an initiative that the caller holds locked.
pub async fn create(
    session: &mut Session,
    initiative: &Found,
    role: Role,
    new: NewEvaluation,
) -> Result<(), ApiError> {
    let id = EvaluationId::new(&initiative.row.commune_code, session.now)?;
    diesel::insert_into(evaluations::table)
        .values((
            evaluations::id.eq(id),
            evaluations::commune_code.eq(&initiative.row.commune_code),
            evaluations::initiative_id.eq(initiative.row.id),
            evaluations::summary.eq(new.summary),
            evaluations::reference_cost_cents.eq(new.reference_cost_cents),
            evaluations::expected_cost_cents.eq(new.expected_cost_cents),
            evaluations::municipal_cost_cents.eq(new.municipal_cost_cents),
            evaluations::staff_minutes.eq(new.staff_minutes),
            evaluations::staff_cost_cents.eq(new.staff_cost_cents),
            evaluations::official_minutes.eq(new.official_minutes),
            evaluations::method.eq(new.method),
            evaluations::source.eq(new.source),
            evaluations::what_worked.eq(new.what_worked),
            evaluations::obstacles.eq(new.obstacles),
            evaluations::advice.eq(new.advice),
            evaluations::created_by.eq(session.actor.person()?.id),
            evaluations::created_at.eq(session.now),
            evaluations::worded_at.eq(session.now),
        ))
        .execute(&mut session.conn)
        .await?;
    count_people(session, id, &new.people).await?;
    write_down(
        session,
        initiative,
        id,
        Beginning::Create.code(),
        None,
        role,
    )
    .await
}

/// Counts anew whom it concerned.
async fn count_people(
    session: &mut Session,
    id: EvaluationId,
    people: &[AgeCount],
) -> Result<(), ApiError> {
    AgeCount::each_once(people, "/people")?;
    let known = evaluation_people::table
        .filter(evaluation_people::evaluation_id.eq(id))
        .filter(evaluation_people::commune_code.eq(id.commune()));
    diesel::delete(known).execute(&mut session.conn).await?;
    let rows: Vec<_> = people
        .iter()
        .map(|count| {
            (
                evaluation_people::evaluation_id.eq(id),
                evaluation_people::commune_code.eq(id.commune()),
                evaluation_people::age_band.eq(count.age_band),
                evaluation_people::people.eq(count.people),
            )
        })
        .collect();
    diesel::insert_into(evaluation_people::table)
        .values(rows)
        .execute(&mut session.conn)
        .await?;
    Ok(())
}

/// Changes an evaluation whose initiative the caller holds locked. The holder's side agreed to other words, if it did.
pub async fn change(
    session: &mut Session,
    initiative: &Found,
    row: &EvaluationRow,
    step: Step<EvaluationState>,
    patch: &EvaluationPatch,
) -> Result<(), ApiError> {
    diesel::update(evaluations::table.find((row.id, &row.commune_code)))
        .set((
            patch,
            evaluations::worded_at.eq(session.now),
            evaluations::agreed_by.eq(None::<UserId>),
            evaluations::agreed_at.eq(None::<DateTime<Utc>>),
            evaluations::version.eq(evaluations::version + 1),
        ))
        .execute(&mut session.conn)
        .await?;
    if let Some(people) = &patch.people {
        count_people(session, row.id, people).await?;
    }
    let action = EvaluationAction::Update.code();
    write_down(session, initiative, row.id, action, None, step.role).await
}

/// Who wrote or changed an evaluation neither agrees for the holder nor validates it, and nobody does both.
pub async fn refuse_authors(session: &mut Session, row: &EvaluationRow) -> Result<(), ApiError> {
    let me = session.actor.person()?.id;
    let wording = [Beginning::Create.code(), EvaluationAction::Update.code()];
    if row.created_by == me
        || row.agreed_by == Some(me)
        || audit::has_acted(&mut session.conn, row.id.0, &row.commune_code, me, &wording).await?
    {
        return Err(ApiError::because(
            Code::ConflictOfInterest,
            "Nul ne se prononce sur un bilan qu'il a rédigé, ni pour les deux côtés.",
            "Nobody answers an evaluation that they wrote, nor for both sides.",
        ));
    }
    Ok(())
}

/// What is evaluated for good is done.
pub fn require_completed(initiative: &Found) -> Result<(), ApiError> {
    if initiative.row.state == InitiativeState::Completed {
        return Ok(());
    }
    Err(ApiError::requirement(
        "L'initiative n'est pas encore réalisée.",
        "The initiative is not completed yet.",
    ))
}

/// Records that the holder's side agrees, by somebody or by silence, with an evaluation whose initiative the caller holds
/// locked.
pub async fn agree(
    session: &mut Session,
    initiative: &Found,
    row: &EvaluationRow,
    role: Role,
) -> Result<(), ApiError> {
    let by = (role != Role::Clock).then(|| session.actor.user_id());
    let changed = diesel::update(evaluations::table.find((row.id, &row.commune_code)))
        .filter(evaluations::agreed_at.is_null())
        .set((
            evaluations::agreed_by.eq(by.flatten()),
            evaluations::agreed_at.eq(session.now),
            evaluations::version.eq(evaluations::version + 1),
        ))
        .execute(&mut session.conn)
        .await?;
    if changed != 1 {
        return Err(ApiError::new(Code::WrongState));
    }
    let action = EvaluationAction::Agree.code();
    write_down(session, initiative, row.id, action, None, role).await
}

/// How long the holder's side may think about an evaluation of what is completed.
const SILENCE: TimeDelta = TimeDelta::days(30);

/// Agrees for those who have been silent for thirty days since the evaluation got its words and the initiative was
/// completed. Returns for how many.
pub async fn agree_by_silence(session: &mut Session) -> Result<usize, ApiError> {
    let before = session.now - SILENCE;
    let silent: Vec<InitiativeId> = evaluations::table
        .inner_join(
            matters::table.on(matters::id
                .eq(evaluations::initiative_id)
                .and(matters::commune_code.eq(evaluations::commune_code))),
        )
        .filter(evaluations::agreed_at.is_null())
        .filter(evaluations::worded_at.le(before))
        .filter(matters::state.eq(InitiativeState::Completed))
        .filter(matters::state_changed_at.le(before))
        .order(evaluations::worded_at)
        .limit(100)
        .select(evaluations::initiative_id)
        .load(&mut session.conn)
        .await?;
    let count = silent.len();
    for id in silent {
        let row = initiatives::model::lock_row(&mut session.conn, id).await?;
        let initiative = Found {
            row,
            standing: Standing::default(),
        };
        let row = of(&mut session.conn, id).await?;
        // Somebody may have answered or changed it just now.
        if row.agreed_at.is_none() && row.worded_at <= before {
            agree(session, &initiative, &row, Role::Clock).await?;
        }
    }
    Ok(count)
}

/// Once is enough.
pub fn require_unanswered(row: &EvaluationRow) -> Result<(), ApiError> {
    if row.agreed_at.is_none() {
        return Ok(());
    }
    Err(ApiError::because(
        Code::AlreadyExists,
        "Le porteur a déjà donné son accord.",
        "The holder has agreed already.",
    ))
}

/// What only the holder's side can give.
pub fn require_agreed(row: &EvaluationRow) -> Result<(), ApiError> {
    if row.agreed_at.is_some() {
        return Ok(());
    }
    Err(ApiError::requirement(
        "Le porteur n'a pas encore donné son accord.",
        "The holder has not agreed yet.",
    ))
}

/// Validates an evaluation whose initiative the caller holds locked.
pub async fn validate(
    session: &mut Session,
    initiative: &Found,
    row: &EvaluationRow,
    step: Step<EvaluationState>,
) -> Result<(), ApiError> {
    let changed = diesel::update(evaluations::table.find((row.id, &row.commune_code)))
        .filter(evaluations::validated_at.is_null())
        .set((
            evaluations::validated_by.eq(session.actor.person()?.id),
            evaluations::validated_at.eq(session.now),
            evaluations::version.eq(evaluations::version + 1),
        ))
        .execute(&mut session.conn)
        .await?;
    if changed != 1 {
        return Err(ApiError::new(Code::WrongState));
    }
    let action = EvaluationAction::Validate.code();
    let states = Some((step.from.code(), step.to.code()));
    write_down(session, initiative, row.id, action, states, step.role).await
}

/// An initiative is closed on a validated evaluation.
pub async fn require_validated(session: &mut Session, initiative: &Found) -> Result<(), ApiError> {
    let validated: bool = diesel::select(exists(
        evaluations::table
            .filter(evaluations::initiative_id.eq(initiative.row.id))
            .filter(evaluations::commune_code.eq(&initiative.row.commune_code))
            .filter(evaluations::validated_at.is_not_null()),
    ))
    .get_result(&mut session.conn)
    .await?;
    if validated {
        Ok(())
    } else {
        Err(ApiError::requirement(
            "Aucun bilan n'a été validé.",
            "No evaluation has been validated.",
        ))
    }
}

async fn write_down(
    session: &mut Session,
    initiative: &Found,
    id: EvaluationId,
    action: &'static str,
    states: Option<(&'static str, &'static str)>,
    role: Role,
) -> Result<(), ApiError> {
    let entry = Entry {
        commune: &initiative.row.commune_code,
        initiative: Some(initiative.row.id),
        subject: Subject::Evaluation,
        subject_id: id.0,
        action,
        states,
        reason: None,
        role,
        // What is not validated yet is between the two sides.
        visibility: if states.is_some() {
            Visibility::Public
        } else {
            Visibility::Parties
        },
    };
    audit::record(session, entry).await
}
