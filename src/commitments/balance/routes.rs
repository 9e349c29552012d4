//! `/v1/conventions/{id}/balance`, `/v1/initiatives/{id}/balance`, `/v1/communes/{code}/balance`

use actix_web::{get, web};

use super::dto::Balance;
use super::model::{self as balances, balance};
use crate::auth::caller::{Anyone, Request};
use crate::auth::policy::Standing;
use crate::commitments::view;
use crate::communes;
use crate::conventions;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{ConventionId, InitiativeId};
use crate::initiatives;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(get_convention_balance)
        .service(get_initiative_balance)
        .service(get_commune_balance);
}

fn answer(request: &Request, balance: &Balance) -> Answer {
    let reply = Reply::data(balance)?;
    Ok(if request.user.is_none() {
        reply.public(30)
    } else {
        reply
    })
}

/// Get the balance of a convention
///
/// What each side promises in this version and has delivered of it.
#[utoipa::path(
    tag = "commitments",
    params(("id" = ConventionId, Path, description = "Identifier of the version.")),
    responses((status = 200, description = "The balance.", body = Balance)),
    security((), ("password" = [])),
)]
#[get("/v1/conventions/{id}/balance")]
pub async fn get_convention_balance(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<ConventionId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let found = conventions::model::find(&mut session, *id).await?;
    let shown = conventions::view::commitments(&mut session, &found).await?;
    answer(&anyone, &balance(&shown))
}

/// Get the balance of an initiative
///
/// What each side promises for it and has delivered. Others than the holder and the town hall see what a convention
/// binds.
#[utoipa::path(
    tag = "commitments",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    responses((status = 200, description = "The balance.", body = Balance)),
    security((), ("password" = [])),
)]
#[get("/v1/initiatives/{id}/balance")]
pub async fn get_initiative_balance(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<InitiativeId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let found = initiatives::model::find(&mut session, *id).await?;
    let shown = view::show_all(&mut session, *id, &found.standing).await?;
    answer(&anyone, &balance(&shown))
}

/// Get the balance of a commune
///
/// What each side has promised in the conventions of all published initiatives and has delivered of it: the same for
/// every reader.
#[utoipa::path(
    tag = "commitments",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    responses((status = 200, description = "The balance.", body = Balance)),
    security(()),
)]
#[get("/v1/communes/{code}/balance")]
pub async fn get_commune_balance(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    communes::model::find(&mut session.conn, &code).await?;
    let today = session.today();
    let rows = balances::of_commune(&mut session.conn, &code, today).await?;
    let nobody = Standing::default();
    let shown: Vec<_> = rows
        .iter()
        .map(|(row, tally)| row.show(*tally, today, &nobody))
        .collect();
    Ok(Reply::data(&balance(&shown))?.public(30))
}
