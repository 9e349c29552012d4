//! `/v1/communes/{code}/convention-templates`, `/v1/convention-templates/{id}`

use actix_web::{get, post, web};

use super::dto::{
    ConventionTemplate, ConventionTemplatePage, ConventionTemplateSummary, NewConventionTemplate,
    TemplatePreview, TemplateToPreview,
};
use super::model;
use crate::auth::caller::{Anyone, Caller};
use crate::auth::policy::Role;
use crate::communes;
use crate::conventions::document;
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::TemplateId;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_convention_templates)
        .service(get_convention_template)
        .service(save_convention_template)
        .service(preview_convention_template);
}

/// Who adapts the model.
const MAY_ADAPT: &[Role] = &[Role::Agent];

/// List the versions of a commune's model of articles
///
/// The latest first: conventions are opened with it. Version 0 is the program's own, and always there.
#[utoipa::path(
    tag = "conventions",
    params(("code" = String, Path, description = "INSEE code.", example = "62528"), Paging),
    responses((status = 200, description = "A page of versions.", body = ConventionTemplatePage)),
    security(()),
)]
#[get("/v1/communes/{code}/convention-templates")]
pub async fn list_convention_templates(
    state: web::Data<State>,
    anyone: Anyone,
    code: web::Path<String>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<i32> = state.after(&anyone, paging.0.cursor.as_deref())?;
    let mut session = state.read(&anyone).await?;
    communes::model::find(&mut session.conn, &code).await?;
    let page = model::list(&mut session.conn, &code, after, paging.0.limit()).await?;
    let position = |version: &ConventionTemplateSummary| version.version;
    let reply = state.page(&anyone, page, position, |data, has_more, next_cursor| {
        ConventionTemplatePage {
            data,
            has_more,
            next_cursor,
        }
    })?;
    Ok(reply.public(60))
}

/// Get a version of a model of articles
///
/// Its articles, with their variables.
#[utoipa::path(
    tag = "conventions",
    params(("id" = TemplateId, Path, description = "Identifier of the version.")),
    responses((status = 200, description = "The version.", body = ConventionTemplate)),
    security(()),
)]
#[get("/v1/convention-templates/{id}")]
pub async fn get_convention_template(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<TemplateId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let template = model::find(&mut session.conn, *id).await?;
    Ok(Reply::resource(template.version, &template)?.public(60))
}

/// Save a version of the model of articles
///
/// An agent saves all articles anew. Conventions that are opened from now on have them; those that are open or in force
/// keep what they were opened with.
#[utoipa::path(
    tag = "conventions",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = NewConventionTemplate,
    responses(
        (status = 201, description = "The new version.", body = ConventionTemplate),
        (status = 409, description = "Another version follows that one already, or the commune does not take part yet.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/communes/{code}/convention-templates")]
pub async fn save_convention_template(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Json<NewConventionTemplate>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            communes::model::find(&mut session.conn, &code).await?;
            session.actor.standing_in(&code).permit(MAY_ADAPT)?;
            communes::model::enrolled(&mut session.conn, &code).await?;
            let NewConventionTemplate { follows, articles } = body.0;
            let saved = model::save(session, &code, follows, &articles).await?;
            let location = format!("/v1/convention-templates/{}", saved.id);
            Reply::created(location, saved.version, &saved)
        })
        .await
}

/// Look at articles before they are saved
///
/// The page that a convention would have, made of these articles and of an invented convention of the commune in which
/// every variable has a value. Nothing is saved.
#[utoipa::path(
    tag = "conventions",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = TemplateToPreview,
    responses((status = 200, description = "The page.", body = TemplatePreview)),
)]
#[post("/v1/communes/{code}/convention-templates/preview")]
pub async fn preview_convention_template(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Json<TemplateToPreview>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let commune = communes::model::find(&mut session.conn, &code).await?;
            session.actor.standing_in(&code).permit(MAY_ADAPT)?;
            let sheet = document::sample::sample(&commune.row.name, &code, body.0.articles)?;
            Reply::data(&TemplatePreview {
                html: document::html::page(&sheet),
            })
        })
        .await
}
