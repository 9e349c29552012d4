//! Evaluations in the database.

use bigdecimal::BigDecimal;
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{Evaluation, EvaluationPatch, NewEvaluation};
use super::lifecycle::{EVALUATION, EvaluationAction, EvaluationState};
use crate::audit::{self, Beginning, Entry, Subject, Visibility};
use crate::auth::policy::{Role, Standing};
use crate::db::schema::evaluations;
use crate::figures::{plain, ratio};
use crate::http::error::{ApiError, Code};
use crate::ids::{EvaluationId, InitiativeId, UserId};
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
    pub municipal_cost_cents: i64,
    pub staff_minutes: i32,
    pub staff_cost_cents: i64,
    pub official_minutes: i32,
    pub savings_cents: i64,
    pub method: String,
    pub source: String,
    pub created_by: UserId,
    pub created_at: DateTime<Utc>,
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

    /// As the caller sees it.
    pub fn show(self, standing: &Standing) -> Evaluation {
        let rate = ratio(
            &BigDecimal::from(self.savings_cents),
            &BigDecimal::from(self.reference_cost_cents),
            4,
        );
        Evaluation {
            id: self.id,
            initiative_id: self.initiative_id,
            state: self.state(),
            allowed_actions: EVALUATION.allowed(self.state(), standing),
            summary: self.summary,
            reference_cost_cents: self.reference_cost_cents,
            municipal_cost_cents: self.municipal_cost_cents,
            staff_minutes: self.staff_minutes,
            staff_cost_cents: self.staff_cost_cents,
            official_minutes: self.official_minutes,
            savings_cents: self.savings_cents,
            savings_rate: rate.map(|rate| plain(&rate)),
            method: self.method,
            source: self.source,
            created_at: self.created_at,
            validated_at: self.validated_at,
        }
    }
}

/// The evaluation of an initiative that the caller may read; 404 when there is none for them.
pub async fn find(
    conn: &mut AsyncPgConnection,
    initiative: &Found,
) -> Result<EvaluationRow, ApiError> {
    let row: EvaluationRow = evaluations::table
        .filter(evaluations::initiative_id.eq(initiative.row.id))
        .filter(evaluations::commune_code.eq(&initiative.row.commune_code))
        .select(EvaluationRow::as_select())
        .first(conn)
        .await?;
    if row.is_readable(&initiative.standing) {
        Ok(row)
    } else {
        Err(ApiError::not_found())
    }
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
            evaluations::municipal_cost_cents.eq(new.municipal_cost_cents),
            evaluations::staff_minutes.eq(new.staff_minutes),
            evaluations::staff_cost_cents.eq(new.staff_cost_cents),
            evaluations::official_minutes.eq(new.official_minutes),
            evaluations::method.eq(new.method),
            evaluations::source.eq(new.source),
            evaluations::created_by.eq(session.actor.person()?.id),
            evaluations::created_at.eq(session.now),
        ))
        .execute(&mut session.conn)
        .await?;
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

/// Changes an evaluation whose initiative the caller holds locked.
pub async fn change(
    session: &mut Session,
    initiative: &Found,
    row: &EvaluationRow,
    step: Step<EvaluationState>,
    patch: &EvaluationPatch,
) -> Result<(), ApiError> {
    diesel::update(evaluations::table.find((row.id, &row.commune_code)))
        .set((patch, evaluations::version.eq(evaluations::version + 1)))
        .execute(&mut session.conn)
        .await?;
    let action = EvaluationAction::Update.code();
    write_down(session, initiative, row.id, action, None, step.role).await
}

/// Who wrote or changed an evaluation does not validate it.
pub async fn refuse_authors(session: &mut Session, row: &EvaluationRow) -> Result<(), ApiError> {
    let me = session.actor.person()?.id;
    if row.created_by == me
        || audit::has_acted(&mut session.conn, row.id.0, &row.commune_code, me).await?
    {
        return Err(ApiError::because(
            Code::ConflictOfInterest,
            "Nul ne valide le bilan qu'il a rédigé.",
            "Nobody validates the evaluation that they wrote.",
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
        actor: session.actor.user_id(),
        role,
        // What is not validated yet is between the two sides.
        visibility: if states.is_some() {
            Visibility::Public
        } else {
            Visibility::Parties
        },
    };
    audit::record(&mut session.conn, session.now, entry).await
}
