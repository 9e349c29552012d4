//! `/v1/initiatives/{id}/recusals`

use actix_web::{get, post, web};

use super::dto::{NewRecusal, Recusal, RecusalList};
use super::model::{self, RecusalRow};
use crate::audit::{self, Entry, Subject, Visibility};
use crate::auth::caller::Caller;
use crate::auth::policy::Role;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{InitiativeId, RecusalId};
use crate::initiatives;
use crate::initiatives::dto::{Initiative, Reason};
use crate::initiatives::lifecycle::{INITIATIVE, InitiativeAction};
use crate::initiatives::model::Remark;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_recusals)
        .service(recuse)
        .service(contest_recusal);
}

/// List who stands aside
///
/// For agents and elected officials of the commune, also those who stand aside. Others see in the history that somebody
/// does, not who and not why.
#[utoipa::path(
    tag = "recusals",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    responses(
        (status = 200, description = "The recusals.", body = RecusalList),
    ),
)]
#[get("/v1/initiatives/{id}/recusals")]
pub async fn list_recusals(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
) -> Answer {
    let mut session = state.read(&caller).await?;
    let found = initiatives::model::find(&mut session, *id).await?;
    found.standing.permit(&[Role::TownHall])?;
    let data = model::list(&mut session.conn, *id).await?;
    Reply::data(&RecusalList { data })
}

/// Stand aside
///
/// An agent or elected official says that they have a conflict of interest in this matter; with `mandate_id` an agent
/// records it for them. From then on nobody of them acts for the commune here: `conflict_of_interest`, at every step.
/// It is not taken back; what an agent recorded the person may contest within eight days.
#[utoipa::path(
    tag = "recusals",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    request_body = NewRecusal,
    responses(
        (status = 201, description = "The recusal.", body = Recusal),
        (status = 409, description = "The person stands aside already or has contested that they do, it is a draft, or who records it is a member of the holder or host.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/recusals")]
pub async fn recuse(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    body: Json<NewRecusal>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let found = initiatives::model::lock(session, *id).await?;
            if body.0.mandate_id.is_some() {
                found.standing.permit(&[Role::Agent])?;
            }
            let action = InitiativeAction::Recuse;
            let step = INITIATIVE.step(found.row.state, action, &found.standing)?;
            let caller = session.actor.person()?.id;
            let commune = &found.row.commune_code;
            let user_id = match body.0.mandate_id {
                Some(mandate) => {
                    let today = session.today();
                    model::holder_of(&mut session.conn, mandate, commune, today).await?
                }
                None => caller,
            };
            if user_id != caller {
                model::refuse_again(&mut session.conn, *id, user_id).await?;
            }
            let row = RecusalRow {
                id: RecusalId::new(commune, session.now)?,
                commune_code: commune.clone(),
                initiative_id: *id,
                user_id,
                grounds: body.0.grounds,
                text: body.0.text,
                recorded_by: Some(caller).filter(|caller| *caller != user_id),
                recused_at: session.now,
                contested_at: None,
                contest_reason: None,
            };
            model::insert(&mut session.conn, &row).await?;
            initiatives::model::record(session, &found.row, step, action, Remark::PUBLIC).await?;
            let made = model::list(&mut session.conn, *id)
                .await?
                .into_iter()
                .find(|recusal| recusal.id == row.id)
                .ok_or_else(|| ApiError::internal("a recusal that was not written"))?;
            Reply::created(format!("/v1/initiatives/{id}/recusals"), 1, &made)
        })
        .await
}

/// Contest a recusal
///
/// The agent or elected official in whose name an agent recorded that they stand aside says that it is not so: within
/// eight days, with a reason for the town hall. From then on it keeps them from nothing.
#[utoipa::path(
    tag = "recusals",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "The initiative, with what the caller may do again.", body = Initiative),
        (status = 409, description = "It is a draft, nobody recorded a recusal in the caller's name, or it is too late.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/contest_recusal")]
pub async fn contest_recusal(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<Reason>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let found = initiatives::model::lock(session, *id).await?;
            let action = InitiativeAction::ContestRecusal;
            let step = INITIATIVE.step(found.row.state, action, &found.standing)?;
            if_match.check(found.row.version)?;
            let recusal = model::contest(session, *id, &body.0.reason).await?;
            let entry = Entry {
                commune: &found.row.commune_code,
                initiative: Some(*id),
                subject: Subject::Recusal,
                subject_id: recusal.0,
                action: action.code(),
                states: None,
                // Why is for the town hall, in the list.
                reason: None,
                role: step.role,
                visibility: Visibility::Public,
            };
            audit::record(session, entry).await?;
            let (version, initiative) =
                initiatives::view::show(&session.conn, &session.actor, *id).await?;
            Reply::resource(version, &initiative)
        })
        .await
}
