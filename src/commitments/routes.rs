//! `/v1/initiatives/{id}/commitments`, `/v1/commitments/{id}`

use actix_web::{get, post, web};
use chrono::NaiveDate;

use super::balance::model::{self as balance, Position, Tally};
use super::dto::{
    Commitment, CommitmentFilter, CommitmentList, CommitmentPage, EndUpkeep, NewCommitment,
};
use super::hand_overs::model as hand_overs;
use super::lifecycle::{CommitmentAction as Action, CommitmentState};
use super::model::{self, CommitmentRow};
use super::view;
use crate::auth::caller::{Anyone, Caller, Request};
use crate::auth::policy::{Role, Standing};
use crate::communes;
use crate::conventions;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{CommitmentId, InitiativeId};
use crate::initiatives::dto::Reason;
use crate::initiatives::lifecycle::InitiativeState;
use crate::initiatives::model::{self as initiatives, Found};
use crate::lifecycle::Step;
use crate::state::{Session, State};

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_commitments)
        .service(list_commune_commitments)
        .service(propose_commitment)
        .service(get_commitment)
        .service(accept_commitment)
        .service(decline_commitment)
        .service(withdraw_commitment)
        .service(mark_commitment_unfulfilled)
        .service(end_upkeep);
}

/// While these states last, both sides put commitments on the table; later it takes an amendment.
const NEGOTIABLE: &[InitiativeState] = &[
    InitiativeState::Draft,
    InitiativeState::Submitted,
    InitiativeState::InReview,
    InitiativeState::ChangesRequested,
    InitiativeState::Accepted,
    // For an amendment.
    InitiativeState::InProgress,
    InitiativeState::Completed,
];

/// List the commitments of an initiative
///
/// The two columns, with what was delivered of each, the balance of the sides and where their convention stands. Others
/// than the holder and the town hall see what a convention binds.
#[utoipa::path(
    tag = "commitments",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    responses((status = 200, description = "The commitments.", body = CommitmentList)),
    security((), ("password" = [])),
)]
#[get("/v1/initiatives/{id}/commitments")]
pub async fn list_commitments(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<InitiativeId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let found = initiatives::find(&mut session, *id).await?;
    let data = view::show_all(&mut session, *id, &found.standing).await?;
    let reply = Reply::data(&CommitmentList {
        balance: balance::balance(&data),
        convention: conventions::list::binding(&mut session.conn, *id).await?,
        data,
    })?;
    Ok(reply.public_to(&anyone, 30))
}

/// List the commitments of a commune
///
/// What both sides have bound themselves to in its published initiatives, with what was delivered, the latest first; the
/// same for every reader. What is still negotiated stands with the initiative.
#[utoipa::path(
    tag = "commitments",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), CommitmentFilter, Paging),
    responses((status = 200, description = "A page of commitments.", body = CommitmentPage)),
    security(()),
)]
#[get("/v1/communes/{code}/commitments")]
pub async fn list_commune_commitments(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
    filter: Query<CommitmentFilter>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&anyone, paging.0.cursor.as_deref())?;
    let mut session = state.read(&anyone).await?;
    communes::model::find(&mut session.conn, &code).await?;
    let (today, limit) = (session.today(), paging.0.limit());
    let page =
        balance::page_of_commune(&mut session.conn, &code, &filter.0, today, after, limit).await?;
    let position = |(row, _): &(CommitmentRow, Tally)| (row.created_at, row.id);
    let reply = state.page(&anyone, page, position, |items, has_more, next_cursor| {
        CommitmentPage {
            data: items
                .into_iter()
                .map(|(row, tally)| row.show(tally, today, &Standing::default()))
                .collect(),
            has_more,
            next_cursor,
        }
    })?;
    Ok(reply.public(30))
}

/// Propose a commitment
///
/// Either side puts it on the table, for itself or as a wish to the other; the other side accepts or declines it.
#[utoipa::path(
    tag = "commitments",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    request_body = NewCommitment,
    responses(
        (status = 201, description = "The commitment, proposed.", body = Commitment),
        (status = 409, description = "Too late for it, or by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/commitments")]
pub async fn propose_commitment(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    body: Json<NewCommitment>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let found = initiatives::lock(session, *id).await?;
            let role = found
                .standing
                .permit(&[Role::Holder, Role::Host, Role::Agent])?;
            if !NEGOTIABLE.contains(&found.row.state) {
                return Err(ApiError {
                    state: Some(found.row.state.code()),
                    ..ApiError::new(Code::WrongState)
                });
            }
            let row = model::propose(session, &found.row, role, &body.0).await?;
            let shown = row.show(Tally::default(), session.today(), &found.standing);
            Reply::created(format!("/v1/commitments/{}", row.id), row.version, &shown)
        })
        .await
}

/// Get a commitment
///
/// What was promised, its value, and how much of it was delivered.
#[utoipa::path(
    tag = "commitments",
    params(("id" = CommitmentId, Path, description = "Identifier of the commitment.")),
    responses((status = 200, description = "The commitment.", body = Commitment)),
    security((), ("password" = [])),
)]
#[get("/v1/commitments/{id}")]
pub async fn get_commitment(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<CommitmentId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let (found, row) = find(&mut session, *id).await?;
    answer(&mut session, &row, &found.standing).await
}

async fn answer(session: &mut Session, row: &CommitmentRow, standing: &Standing) -> Answer {
    let today = session.today();
    let tally = balance::of_commitment(&mut session.conn, row.id, today).await?;
    Reply::resource(row.version, &row.show(tally, today, standing))
}

/// A commitment that the caller may read, with its initiative and what they are to the commitment, as who owes it stands
/// today; 404 otherwise.
pub async fn find(
    session: &mut Session,
    id: CommitmentId,
) -> Result<(Found, CommitmentRow), ApiError> {
    let row = model::find(&mut session.conn, id).await?;
    let found = initiatives::find(session, row.initiative_id).await?;
    let today = session.today();
    readable(session, found, row, today).await
}

/// The initiative first, then the commitment: the order in which everything is locked.
pub async fn lock(
    session: &mut Session,
    id: CommitmentId,
) -> Result<(Found, CommitmentRow), ApiError> {
    let today = session.today();
    lock_as_of(session, id, today).await
}

/// The same, with what the caller is to the commitment as who owed it on a day stands.
pub async fn lock_as_of(
    session: &mut Session,
    id: CommitmentId,
    day: NaiveDate,
) -> Result<(Found, CommitmentRow), ApiError> {
    let initiative = model::find(&mut session.conn, id).await?.initiative_id;
    let found = initiatives::lock(session, initiative).await?;
    let row = model::lock(&mut session.conn, id).await?;
    readable(session, found, row, day).await
}

async fn readable(
    session: &mut Session,
    mut found: Found,
    row: CommitmentRow,
    day: NaiveDate,
) -> Result<(Found, CommitmentRow), ApiError> {
    if !row.is_readable(&found.standing) {
        return Err(ApiError::not_found());
    }
    let keeper = hand_overs::keeper(&mut session.conn, row.id, day).await?;
    found.standing = hand_overs::standing(session, &found.standing, &row, keeper).await?;
    Ok((found, row))
}

/// Takes an action: right, state, version, then the work.
async fn act<F>(
    state: &State,
    request: &Request,
    id: CommitmentId,
    if_match: IfMatch,
    action: Action,
    work: F,
) -> Answer
where
    F: AsyncFnOnce(&mut Session, &mut CommitmentRow, Step<CommitmentState>) -> Result<(), ApiError>
        + 'static,
{
    state
        .write(request, async move |session| {
            let (found, mut row) = lock(session, id).await?;
            let step = row.step(action, &found.standing)?;
            if_match.check(row.version)?;
            work(session, &mut row, step).await?;
            answer(session, &row, &found.standing).await
        })
        .await
}

/// Accept a commitment
///
/// The side that did not propose it. Money of the commune is reserved in the year's envelope.
#[utoipa::path(
    tag = "commitments",
    params(("id" = CommitmentId, Path, description = "Identifier of the commitment."), IfMatchHeader),
    responses(
        (status = 200, description = "The commitment, accepted.", body = Commitment),
        (status = 409, description = "Not in this state, by who proposed it, by someone on both sides, beyond the envelope, or a subsidy for a body without SIRET.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/commitments/{id}/accept")]
pub async fn accept_commitment(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<CommitmentId>,
    if_match: IfMatch,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Accept,
        async |session, row, step| model::advance(session, row, step, Action::Accept, None).await,
    )
    .await
}

/// Decline a commitment
///
/// The side that did not propose it, with a reason.
#[utoipa::path(
    tag = "commitments",
    params(("id" = CommitmentId, Path, description = "Identifier of the commitment."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The commitment, declined.", body = Commitment),
        (status = 409, description = "Not in this state, by who proposed it, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/commitments/{id}/decline")]
pub async fn decline_commitment(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<CommitmentId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::Decline,
        async move |session, row, step| {
            model::advance(session, row, step, Action::Decline, Some(&body.0.reason)).await
        },
    )
    .await
}

/// Withdraw a commitment
///
/// The side that proposed it, until a convention is open for signature with it.
#[utoipa::path(
    tag = "commitments",
    params(("id" = CommitmentId, Path, description = "Identifier of the commitment."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The commitment, withdrawn.", body = Commitment),
        (status = 409, description = "Not in this state, held by a convention, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/commitments/{id}/withdraw")]
pub async fn withdraw_commitment(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<CommitmentId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    act(&state, &caller, *id, if_match, Action::Withdraw, async move |session, row, step| {
        if model::is_in_a_convention(&mut session.conn, row).await? {
            return Err(ApiError::requirement(
                "Une convention ouverte à la signature le contient : elle doit d'abord être rouverte.",
                "A convention that is open for signature holds it: it is to be reopened first.",
            ));
        }
        model::advance(session, row, step, Action::Withdraw, Some(&body.0.reason)).await
    })
    .await
}

/// Mark a commitment unfulfilled
///
/// An agent settles it: it will not be done, or not wholly.
#[utoipa::path(
    tag = "commitments",
    params(("id" = CommitmentId, Path, description = "Identifier of the commitment."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The commitment, settled.", body = Commitment),
        (status = 409, description = "Not in this state, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/commitments/{id}/mark_unfulfilled")]
pub async fn mark_commitment_unfulfilled(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<CommitmentId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::MarkUnfulfilled,
        async move |session, row, step| {
            model::advance(
                session,
                row,
                step,
                Action::MarkUnfulfilled,
                Some(&body.0.reason),
            )
            .await
        },
    )
    .await
}

/// End an upkeep
///
/// The side that owes it, or an agent for it. On its last day or later it is fulfilled; before, it is fulfilled in part
/// and needs a reason.
#[utoipa::path(
    tag = "commitments",
    params(("id" = CommitmentId, Path, description = "Identifier of the commitment."), IfMatchHeader),
    request_body = EndUpkeep,
    responses(
        (status = 200, description = "The commitment with the end of its upkeep.", body = Commitment),
        (status = 409, description = "Not in this state, no upkeep, not begun, or not by someone on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/commitments/{id}/end_upkeep")]
pub async fn end_upkeep(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<CommitmentId>,
    if_match: IfMatch,
    body: Json<EndUpkeep>,
) -> Answer {
    act(
        &state,
        &caller,
        *id,
        if_match,
        Action::EndUpkeep,
        async move |session, row, step| {
            let today = session.today();
            let Some((starts_on, ends_on)) = row.upkeep_starts_on.zip(row.upkeep_ends_on) else {
                return Err(ApiError::requirement(
                    "Ce n'est pas un entretien.",
                    "This is no upkeep.",
                ));
            };
            if today < starts_on {
                return Err(ApiError::requirement(
                    "L'entretien n'a pas commencé.",
                    "The upkeep has not begun.",
                ));
            }
            row.upkeep_ended_on = Some(today);
            let step = if today < ends_on {
                Step {
                    to: CommitmentState::PartiallyFulfilled,
                    ..step
                }
            } else {
                step
            };
            let reason = body.0.reason.as_deref();
            if step.to == CommitmentState::PartiallyFulfilled && reason.is_none() {
                return Err(ApiError::fault(
                    "/reason",
                    crate::http::error::FaultCode::Required,
                    "Nécessaire avant le terme.",
                    "Needed before the end.",
                ));
            }
            model::advance(session, row, step, Action::EndUpkeep, reason).await
        },
    )
    .await
}
