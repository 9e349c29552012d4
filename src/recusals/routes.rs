//! `/v1/initiatives/{id}/recusals`

use actix_web::{get, post, web};

use super::dto::{NewRecusal, Recusal, RecusalList};
use super::model::{self, RecusalRow};
use crate::auth::caller::Caller;
use crate::auth::policy::Role;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{InitiativeId, RecusalId};
use crate::initiatives;
use crate::initiatives::lifecycle::{INITIATIVE, InitiativeAction};
use crate::initiatives::model::Remark;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes.service(list_recusals).service(recuse);
}

/// List who stands aside
///
/// For agents and elected officials of the commune who do not stand aside themselves. Others see in the history that
/// somebody does, not who and not why.
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
    // Who stands aside may still read that they do.
    found.standing.permit(&[Role::TownHall])?;
    let data = model::list(&mut session.conn, *id).await?;
    Reply::data(&RecusalList { data })
}

/// Stand aside
///
/// An agent or elected official says that they have a conflict of interest in this matter; with `mandate_id` an agent
/// records it for them. From then on nobody of them acts for the commune here: `conflict_of_interest`, at every step.
/// It is not taken back.
#[utoipa::path(
    tag = "recusals",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    request_body = NewRecusal,
    responses(
        (status = 201, description = "The recusal.", body = Recusal),
        (status = 409, description = "The person stands aside already, it is a draft, or who records it is a member of the holder or host.", body = Problem, content_type = "application/problem+json"),
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
            let row = RecusalRow {
                id: RecusalId::new(commune, session.now)?,
                commune_code: commune.clone(),
                initiative_id: *id,
                user_id,
                grounds: body.0.grounds,
                text: body.0.text,
                recorded_by: Some(caller).filter(|caller| *caller != user_id),
                recused_at: session.now,
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
