//! `/v1/conventions`, `/v1/initiatives/{id}/conventions`

use actix_web::{get, patch, post, web};

use super::content::ConventionContent;
use super::drafting;
use super::dto::{Convention, ConventionFilter, ConventionList, ConventionPage};
use super::input::{ConventionPatch, NewConvention};
use super::lifecycle::{CONVENTION, ConventionAction, ConventionState};
use super::list::{self, Position};
use super::view::Fingerprint;
use super::{model, naming, view};
use crate::audit::dto::HistoryPage;
use crate::audit::{self, Of};
use crate::auth::caller::{Anyone, Caller};
use crate::auth::policy::Role;
use crate::authorities;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{ConventionId, InitiativeId};
use crate::initiatives;
use crate::initiatives::lifecycle::InitiativeState;
use crate::state::State;

pub fn configure(routes: &mut Routes) {
    routes
        .service(list_conventions)
        .service(list_initiative_conventions)
        .service(create_convention)
        .service(get_convention)
        .service(update_convention)
        .service(get_convention_content)
        .service(get_convention_history);
}

/// Who drafts.
const MAY_DRAFT: &[Role] = &[Role::Agent];

/// List conventions
///
/// Everybody sees those that are or were in force, of published initiatives. Agents and elected officials who name
/// their commune see its drafts, open and cancelled ones too.
#[utoipa::path(
    tag = "conventions",
    params(ConventionFilter, Paging),
    responses((status = 200, description = "A page of conventions.", body = ConventionPage)),
    security((), ("password" = [])),
)]
#[get("/v1/conventions")]
pub async fn list_conventions(
    state: web::Data<State>,
    anyone: Anyone,
    filter: Query<ConventionFilter>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&anyone, paging.0.cursor.as_deref())?;
    let mut session = state.read(&anyone).await?;
    let limit = paging.0.limit();
    let found = list::list(&mut session.conn, &session.actor, &filter.0, after, limit).await?;
    let reply = state.page(
        &anyone,
        found,
        |item| (item.created_at, item.id),
        |data, has_more, next_cursor| ConventionPage {
            data,
            has_more,
            next_cursor,
        },
    )?;
    Ok(reply.public_to(&anyone, 30))
}

/// List the conventions of an initiative
///
/// All versions that the caller may read, the oldest first. Drafts, open and cancelled ones are for the holder, the
/// host and the town hall.
#[utoipa::path(
    tag = "conventions",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    responses((status = 200, description = "The versions.", body = ConventionList)),
    security((), ("password" = [])),
)]
#[get("/v1/initiatives/{id}/conventions")]
pub async fn list_initiative_conventions(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<InitiativeId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    let found = initiatives::model::find(&mut session, *id).await?;
    let inside = found.standing.is_town_hall() || found.standing.is_on_the_holders_side();
    let data = list::of_initiative(&mut session.conn, *id, inside).await?;
    Reply::data(&ConventionList { data })
}

/// Draft a convention
///
/// An agent drafts version 1 for an accepted initiative. It holds every commitment that is proposed or accepted, or
/// those that are chosen.
#[utoipa::path(
    tag = "conventions",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    request_body = NewConvention,
    responses(
        (status = 201, description = "The draft.", body = Convention),
        (status = 409, description = "The initiative is not accepted, it has a convention already, or the caller is a member of the holder or host.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/initiatives/{id}/conventions")]
pub async fn create_convention(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    body: Json<NewConvention>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let initiative = initiatives::model::lock(session, *id).await?;
            let role = initiative.standing.permit(MAY_DRAFT)?;
            if initiative.row.state != InitiativeState::Accepted {
                return Err(ApiError {
                    state: Some(initiative.row.state.code()),
                    ..ApiError::new(Code::WrongState)
                });
            }
            let draft = drafting::draft(session, &initiative, role, body.0).await?;
            let (version, convention) = view::show(session, draft.id).await?;
            let location = format!("/v1/conventions/{}", draft.id);
            Reply::created(location, version, &convention)
        })
        .await
}

/// Get a convention
///
/// With its terms, its commitments, what each side gives, who has signed, and what the caller may do now. Names of
/// natural persons are for the parties and the town hall.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version.")),
    responses((status = 200, description = "The convention.", body = Convention)),
    security((), ("password" = [])),
)]
#[get("/v1/conventions/{id}")]
pub async fn get_convention(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<ConventionId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    if anyone.user.is_some() {
        return view::reply(&mut session, *id).await;
    }
    // Looked up before the rest: at worst the answer is newer than its tag says.
    let shown = Fingerprint::find(&mut session.conn, *id).await?;
    let etag = shown.tag(session.today())?;
    if anyone.has(&etag) {
        return Ok(Reply::unchanged(etag).public(30));
    }
    let (_, convention) = view::show(&mut session, *id).await?;
    Ok(Reply {
        etag: Some(etag),
        ..Reply::data(&convention)?.public(30)
    })
}

/// Change a convention
///
/// An agent changes terms, signatories and the commitments that it holds, while it is a draft; of an amendment also the
/// terms of commitments that are binding. `practical_information` is not signed and changes at any time.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version."), IfMatchHeader),
    request_body(content = ConventionPatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The convention as it is now.", body = Convention),
        (status = 409, description = "What is signed changes only in a draft, or the caller is a member of the holder or host.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[patch("/v1/conventions/{id}")]
pub async fn update_convention(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ConventionId>,
    if_match: IfMatch,
    body: Json<ConventionPatch>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let mut found = model::lock(session, *id).await?;
            let action = ConventionAction::Update;
            let step = CONVENTION.step(found.row.state, action, found.standing())?;
            if_match.check(found.row.version)?;
            let mut patch = body.0;
            if found.row.state != ConventionState::Draft && !patch.is_immaterial() {
                return Err(ApiError {
                    state: Some(found.row.state.code()),
                    ..ApiError::because(
                        Code::WrongState,
                        "Ce qui se signe ne change que dans un brouillon : rouvrez la convention, ou préparez un avenant. Seules les informations pratiques changent encore.",
                        "What is signed changes only in a draft: reopen the convention, or prepare an amendment. Only the practical information changes any more.",
                    )
                });
            }
            let authority = patch.authority_id.flatten();
            authorities::model::require(&mut session.conn, &found.row.commune_code, authority)
                .await?;
            if let Some(new) = patch.parties.take() {
                naming::name(session, &found.row, &new).await?;
            }
            if let Some(chosen) = patch.commitment_ids.take() {
                drafting::hold(session, &found.row, Some(&chosen)).await?;
            }
            if let Some(terms) = patch.new_terms.take() {
                drafting::reword(session, &found.row, terms).await?;
            }
            // Whoever reads the history sees that nothing that was signed has changed.
            let remark = (found.row.state != ConventionState::Draft)
                .then_some("Informations pratiques, hors de ce qui est signé");
            drafting::change(&mut found.row, patch)?;
            model::advance(session, &mut found.row, step, action, remark).await?;
            view::reply(session, *id).await
        })
        .await
}

/// Get the content that is signed
///
/// The material content as canonical JSON (RFC 8785), byte for byte what was hashed: its SHA-256 is the
/// `content_sha256` of the convention, and the `ETag`. A draft has none yet.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version.")),
    responses(
        (status = 200, description = "The content.", body = ConventionContent),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security((), ("password" = [])),
)]
#[get("/v1/conventions/{id}/content")]
pub async fn get_convention_content(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<ConventionId>,
) -> Answer {
    let mut session = state.read(&anyone).await?;
    if anyone.user.is_none() && anyone.has_something() {
        let shown = Fingerprint::find(&mut session.conn, *id).await?;
        if let Some(etag) = shown.content_tag().filter(|etag| anyone.has(etag)) {
            return Ok(Reply::unchanged(etag).public(30));
        }
    }
    let found = model::find(&mut session, *id).await?;
    let (content, hash) = found
        .row
        .content
        .zip(found.row.content_sha256)
        .ok_or_else(ApiError::not_found)?;
    let reply = Reply {
        status: 200,
        body: Some(content),
        etag: Some(format!("\"{hash}\"")),
        ..Reply::no_content()
    };
    Ok(reply.public_to(&anyone, 30))
}

/// Get the history of a convention
///
/// What happened, oldest first, as far as the caller may see it.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version."), Paging),
    responses((status = 200, description = "A page of the history.", body = HistoryPage)),
    security((), ("password" = [])),
)]
#[get("/v1/conventions/{id}/history")]
pub async fn get_convention_history(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<ConventionId>,
    paging: Query<Paging>,
) -> Answer {
    audit::answer(&state, &anyone, &paging.0, async |session| {
        let found = model::find(session, *id).await?;
        let standing = found.standing().clone();
        Ok((Of::Resource(id.0, found.row.commune_code), standing))
    })
    .await
}
