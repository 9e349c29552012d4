//! `/v1/commitments/{id}/hand_overs`, `/v1/hand_overs/{id}/{action}`: upkeep that somebody else takes over.

use actix_web::{get, post, web};
use diesel_async::RunQueryDsl;

use super::dto::{NewUpkeepHandOver, UpkeepHandOver, UpkeepHandOverList};
use super::model::{self as hand_overs, HandOverRow, Relation};
use crate::audit::Beginning;
use crate::auth::caller::{Anyone, Caller, Request};
use crate::auth::policy::Role;
use crate::commitments::lifecycle::{
    CommitmentAction, CommitmentState, HAND_OVER, HandOverAction as Action, HandOverState,
};
use crate::commitments::model::may_hand_over;
use crate::commitments::routes;
use crate::db::schema::upkeep_hand_overs;
use crate::holders;
use crate::http::error::{ApiError, FaultCode};
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{CommitmentId, HandOverId};
use crate::initiatives::dto::Reason;
use crate::lifecycle::Step;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_hand_overs)
        .service(offer_hand_over)
        .service(get_hand_over)
        .service(accept_hand_over)
        .service(refuse_hand_over)
        .service(withdraw_hand_over);
}

/// List the hand-overs of an upkeep
///
/// Who was asked to take it over, and what they said. Others than those whom it concerns see who has taken it over.
#[utoipa::path(
    tag = "commitments",
    params(("id" = CommitmentId, Path, description = "Identifier of the commitment.")),
    responses((status = 200, description = "The hand-overs, the oldest first.", body = UpkeepHandOverList)),
    security((), ("password" = [])),
)]
#[get("/v1/commitments/{id}/hand_overs")]
pub async fn list_hand_overs(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<CommitmentId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let (found, commitment) = routes::find(&mut session, *id).await?;
    let rows = hand_overs::of_commitment(&mut session.conn, *id).await?;
    let names = rows.iter().map(|row| row.holder_id).collect();
    let names = holders::model::summaries(&session.conn, names).await?;
    let mut data = Vec::new();
    for row in rows {
        let relation = Relation::new(&mut session, &row, &found.standing).await?;
        let holder = names.get(&row.holder_id).cloned();
        if let Some(holder) = holder.filter(|_| row.is_readable(&relation)) {
            data.push(row.show(commitment.side, holder, &relation));
        }
    }
    Reply::data(&UpkeepHandOverList { data })
}

/// Offer to hand over an upkeep
///
/// The side that owes it names another holder of the commune and the day from which that one is to owe it. What was
/// signed does not change, and neither does the party to the convention.
#[utoipa::path(
    tag = "commitments",
    params(("id" = CommitmentId, Path, description = "Identifier of the commitment.")),
    request_body = NewUpkeepHandOver,
    responses(
        (status = 201, description = "The hand-over, to be accepted.", body = UpkeepHandOver),
        (status = 409, description = "Not binding, no upkeep, an initiative that is not public, offered to somebody already, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/commitments/{id}/hand_overs")]
pub async fn offer_hand_over(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<CommitmentId>,
    body: Json<NewUpkeepHandOver>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let (found, commitment) = routes::lock(session, *id).await?;
            let step = commitment.step(CommitmentAction::HandOver, &found.standing)?;
            let role = may_hand_over(commitment.side, &found.standing)?;
            let Some(upkeep) = commitment.upkeep() else {
                return Err(ApiError::requirement(
                    "Ce n'est pas un entretien.",
                    "This is no upkeep.",
                ));
            };
            // Who takes it over is to see it.
            if found.row.published_at.is_none() {
                return Err(ApiError::requirement(
                    "L'initiative n'est pas publique.",
                    "The initiative is not public.",
                ));
            }
            let new = body.0;
            let today = session.today();
            if new.starts_on < upkeep.starts_on.max(today) || new.starts_on > upkeep.ends_on {
                return Err(ApiError::fault(
                    "/starts_on",
                    FaultCode::OutOfRange,
                    "D'aujourd'hui au dernier jour de l'entretien.",
                    "From today until the last day of the upkeep.",
                ));
            }
            let unknown = || {
                ApiError::fault(
                    "/holder_id",
                    FaultCode::NotFound,
                    "Aucun autre porteur de la commune n'a cet identifiant.",
                    "No other holder of the commune has this id.",
                )
            };
            let keeper = hand_overs::keeper(&mut session.conn, *id, today).await?;
            let owes = keeper.or(found.row.holder_id);
            if new.holder_id.commune() != commitment.commune_code || Some(new.holder_id) == owes {
                return Err(unknown());
            }
            // A group that nobody sees yet gives its identifier to whom it wants to help.
            let holder = holders::model::summaries(&session.conn, vec![new.holder_id])
                .await?
                .remove(&new.holder_id)
                .ok_or_else(unknown)?;
            let row = HandOverRow {
                id: HandOverId::new(&commitment.commune_code, session.now)?,
                commune_code: commitment.commune_code.clone(),
                commitment_id: commitment.id,
                holder_id: new.holder_id,
                starts_on: new.starts_on,
                state: HandOverState::Offered,
                reason: new.reason,
                offered_by: session.actor.person()?.id,
                on_behalf: role == Role::AgentOnBehalf,
                offered_at: session.now,
                answered_by: None,
                answered_at: None,
                answer_reason: None,
                version: 1,
            };
            diesel::insert_into(upkeep_hand_overs::table)
                .values(&row)
                .execute(&mut session.conn)
                .await?;
            hand_overs::record(
                session,
                &commitment,
                &row,
                Beginning::Propose.code(),
                None,
                step.role,
                Some(&row.reason),
            )
            .await?;
            let relation = Relation::new(session, &row, &found.standing).await?;
            let shown = row.show(commitment.side, holder, &relation);
            Reply::created(format!("/v1/hand_overs/{}", row.id), row.version, &shown)
        })
        .await
}

/// Get a hand-over
///
/// Others than those whom it concerns see it once it is accepted.
#[utoipa::path(
    tag = "commitments",
    params(("id" = HandOverId, Path, description = "Identifier of the hand-over.")),
    responses((status = 200, description = "The hand-over.", body = UpkeepHandOver)),
    security((), ("password" = [])),
)]
#[get("/v1/hand_overs/{id}")]
pub async fn get_hand_over(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<HandOverId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let row = hand_overs::find(&mut session.conn, *id).await?;
    let (found, commitment) = routes::find(&mut session, row.commitment_id).await?;
    let relation = Relation::new(&mut session, &row, &found.standing).await?;
    if !row.is_readable(&relation) {
        return Err(ApiError::not_found());
    }
    let holder = holders::model::find_row(&session.conn, row.holder_id).await?;
    let shown = row.show(commitment.side, (&holder).into(), &relation);
    Reply::resource(row.version, &shown)
}

/// Takes an action on a hand-over: initiative, commitment and hand-over are locked in this order.
async fn act(
    state: &State,
    request: &Request,
    id: HandOverId,
    if_match: IfMatch,
    action: Action,
    reason: Option<String>,
) -> Answer {
    state
        .write(request, async move |session: &mut Session| {
            let commitment = hand_overs::find(&mut session.conn, id).await?.commitment_id;
            let (found, commitment) = routes::lock(session, commitment).await?;
            let mut row = hand_overs::lock(&mut session.conn, id).await?;
            let relation = Relation::new(session, &row, &found.standing).await?;
            if !row.is_readable(&relation) {
                return Err(ApiError::not_found());
            }
            let role = relation.permit(action, commitment.side)?;
            let step = HAND_OVER.step(row.state, action, &relation.standing)?;
            if_match.check(row.version)?;
            if action == Action::Accept && commitment.state != CommitmentState::Binding {
                return Err(ApiError::requirement(
                    "L'entretien a pris fin.",
                    "The upkeep has ended.",
                ));
            }
            let step = Step { role, ..step };
            hand_overs::answer(session, &commitment, &mut row, step, action, reason).await?;
            let holder = holders::model::find_row(&session.conn, row.holder_id).await?;
            let shown = row.show(commitment.side, (&holder).into(), &relation);
            Reply::resource(row.version, &shown)
        })
        .await
}

/// Accept a hand-over
///
/// A member who may sign for the holder that takes over; an agent for a holder without members. From its day on that
/// holder owes the upkeep: its members record what is done and end it.
#[utoipa::path(
    tag = "commitments",
    params(("id" = HandOverId, Path, description = "Identifier of the hand-over."), IfMatchHeader),
    responses(
        (status = 200, description = "The hand-over, accepted.", body = UpkeepHandOver),
        (status = 409, description = "Not in this state, the upkeep has ended, by who offered it, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/hand_overs/{id}/accept")]
pub async fn accept_hand_over(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<HandOverId>,
    if_match: IfMatch,
) -> Answer {
    act(&state, &caller, *id, if_match, Action::Accept, None).await
}

/// Refuse a hand-over
///
/// Who could accept it, with a reason.
#[utoipa::path(
    tag = "commitments",
    params(("id" = HandOverId, Path, description = "Identifier of the hand-over."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The hand-over, refused.", body = UpkeepHandOver),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/hand_overs/{id}/refuse")]
pub async fn refuse_hand_over(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<HandOverId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    let reason = Some(body.0.reason);
    act(&state, &caller, *id, if_match, Action::Refuse, reason).await
}

/// Withdraw a hand-over
///
/// The side that owes takes its offer back.
#[utoipa::path(
    tag = "commitments",
    params(("id" = HandOverId, Path, description = "Identifier of the hand-over."), IfMatchHeader),
    responses(
        (status = 200, description = "The hand-over, withdrawn.", body = UpkeepHandOver),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/hand_overs/{id}/withdraw")]
pub async fn withdraw_hand_over(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<HandOverId>,
    if_match: IfMatch,
) -> Answer {
    act(&state, &caller, *id, if_match, Action::Withdraw, None).await
}
