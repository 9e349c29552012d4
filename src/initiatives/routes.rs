//! `/v1/initiatives`, `/v1/communes/{code}/initiatives`, `/v1/me/initiatives`

use actix_web::{get, patch, post, web};

use super::dto::{
    Channel, Initiative, InitiativeFilter, InitiativeOrder, InitiativePage, InitiativePatch,
    InitiativeSummary, NewInitiative,
};
use super::lifecycle::{INITIATIVE, InitiativeAction, InitiativeState};
use super::list::{self, Position, Reader};
use super::model::{self, InitiativeRow, Remark};
use super::view::{self, Fingerprint, Whole};
use crate::audit::dto::HistoryPage;
use crate::audit::{self, Of};
use crate::auth::caller::{Anyone, Caller, Request};
use crate::auth::policy::Role;
use crate::communes::model::CommuneRow;
use crate::db::batch::Batch;
use crate::holders::dto::HolderKind;
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Fault, FaultCode, Text};
use crate::http::extract::{Json, Query};
use crate::http::paging::Paging;
use crate::http::precondition::{IfMatch, IfMatchHeader};
use crate::http::problem::Problem;
use crate::http::reply::{Answer, Reply};
use crate::http::routes::Routes;
use crate::ids::{HolderId, InitiativeId};
use crate::state::{Session, State};
use crate::{commitments, communes, holders};

pub fn configure(routes: &mut Routes) {
    routes
        .data(|| web::Data::new(Batch::<Whole>::default()))
        .data(|| web::Data::new(Batch::<Fingerprint>::default()))
        .service(list_initiatives)
        .service(list_my_initiatives)
        .service(create_initiative)
        .service(get_initiative)
        .service(update_initiative)
        .service(get_initiative_history);
}

fn page(state: &State, request: &Request, page: Page<InitiativeSummary>) -> Answer {
    state.page(
        request,
        page,
        |item| Position::from(item),
        |data, has_more, next_cursor| InitiativePage {
            data,
            has_more,
            next_cursor,
        },
    )
}

/// List initiatives
///
/// Everybody sees what is published. Agents and elected officials who name their commune see what it has received,
/// and have an inbox: to instruct, overdue, to decide, to sign. Drafts are in `GET /v1/me/initiatives` only.
#[utoipa::path(
    tag = "initiatives",
    params(InitiativeFilter, InitiativeOrder, Paging),
    responses(
        (status = 200, description = "A page of initiatives.", body = InitiativePage),
        (status = 403, description = "An inbox is for the town hall of `commune`.", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("password" = [])),
)]
#[get("/v1/initiatives")]
pub async fn list_initiatives(
    state: web::Data<State>,
    anyone: Anyone,
    filter: Query<InitiativeFilter>,
    order: Query<InitiativeOrder>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&anyone, paging.0.cursor.as_deref())?;
    let mut session = state.read(&anyone).await?;
    let (today, actor) = (session.today(), session.actor.clone());
    let reader = Reader::Of(&actor);
    let found = list::list(
        &mut session.conn,
        reader,
        &filter.0,
        &order.0,
        today,
        after,
        paging.0.limit(),
    )
    .await?;
    let reply = page(&state, &anyone, found)?;
    Ok(reply.public_to(&anyone, 30))
}

/// List one's own initiatives
///
/// What the caller carries as a member of a holder or host organisation, and the drafts that have no holder yet.
#[utoipa::path(
    tag = "initiatives",
    params(InitiativeFilter, InitiativeOrder, Paging),
    responses((status = 200, description = "A page of initiatives.", body = InitiativePage)),
)]
#[get("/v1/me/initiatives")]
pub async fn list_my_initiatives(
    state: web::Data<State>,
    caller: Caller,
    filter: Query<InitiativeFilter>,
    order: Query<InitiativeOrder>,
    paging: Query<Paging>,
) -> Answer {
    let after: Option<Position> = state.after(&caller, paging.0.cursor.as_deref())?;
    let mut session = state.read(&caller).await?;
    let (today, actor) = (session.today(), session.actor.clone());
    let reader = Reader::Mine(&actor);
    let found = list::list(
        &mut session.conn,
        reader,
        &filter.0,
        &order.0,
        today,
        after,
        paging.0.limit(),
    )
    .await?;
    page(&state, &caller, found)
}

/// Write down an initiative
///
/// A resident drafts it for a holder of which they are a member (or names the holder later); an agent of the commune
/// enters it `on_behalf` of a resident at the counter. With `commitments` what each side would give is on the table
/// at once, and with `submit` it is submitted.
#[utoipa::path(
    tag = "initiatives",
    params(("code" = String, Path, description = "INSEE code.", example = "62528")),
    request_body = NewInitiative,
    responses(
        (status = 201, description = "The initiative.", body = Initiative),
        (status = 409, description = "The commune does not take part yet.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/communes/{code}/initiatives")]
pub async fn create_initiative(
    state: web::Data<State>,
    caller: Caller,
    code: web::Path<String>,
    body: Json<NewInitiative>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let commune = communes::model::enrolled(&mut session.conn, &code).await?;
            let id = create(session, &commune, body.0).await?;
            let (version, initiative) = view::show(&session.conn, &session.actor, id).await?;
            Reply::created(format!("/v1/initiatives/{id}"), version, &initiative)
        })
        .await
}

/// Writes an initiative down, and submits it when that is asked.
pub async fn create(
    session: &mut Session,
    commune: &CommuneRow,
    new: NewInitiative,
) -> Result<InitiativeId, ApiError> {
    let author_id = session.actor.person()?.id;
    let entered_by = match &new.on_behalf {
        Some(_) => {
            session
                .actor
                .standing_in(&commune.code)
                .permit(&[Role::Agent])?;
            Some(author_id)
        }
        None => None,
    };
    let holder_id = match (new.holder, new.holder_id) {
        (Some(holder), _) => Some(
            holders::model::create(session, &commune.code, holder, entered_by.is_some())
                .await?
                .id,
        ),
        (None, holder_id) => holder_id,
    };
    bodies_fit(session, &commune.code, holder_id, new.host_id).await?;
    if let Some(follows) = new.follows_id {
        let known = model::find(session, follows)
            .await
            .is_ok_and(|found| found.row.commune_code == commune.code);
        if !known {
            return Err(ApiError::fault(
                "/follows_id",
                FaultCode::NotFound,
                "Aucune initiative de la commune n'a cet identifiant.",
                "No initiative of the commune has this id.",
            ));
        }
    }
    model::require_inspiration(&mut session.conn, new.inspired_by_practice_id).await?;
    let now = session.now;
    let mut row = InitiativeRow {
        id: InitiativeId::new(&commune.code, now)?,
        commune_code: commune.code.clone(),
        state: InitiativeState::Draft,
        origin: new.origin,
        delivery: new.delivery,
        title: new.title,
        description: new.description,
        theme: new.theme,
        needs: new.needs,
        place: new.place,
        latitude: new.location.map(|location| location.latitude),
        longitude: new.location.map(|location| location.longitude),
        starts_on: new.starts_on,
        ends_on: new.ends_on,
        building_work: new.building_work,
        land: new.land,
        requests_money: new.requests_money,
        holder_id,
        host_id: new.host_id,
        follows_id: new.follows_id,
        inspired_by_practice_id: new.inspired_by_practice_id,
        author_id,
        channel: new
            .on_behalf
            .as_ref()
            .map_or(Channel::Online, |entry| entry.channel.into()),
        entered_by,
        paper_reference: new.on_behalf.and_then(|entry| entry.paper_reference),
        paper_document_id: None,
        published_at: None,
        publication_withheld_reason: None,
        submitted_at: None,
        submission_number: 0,
        reply_due_on: None,
        reply_paused_on: None,
        first_reply_at: None,
        implicit_decision_on: None,
        decided_at: None,
        opinion_id: None,
        decision_id: None,
        redirected_to: None,
        external_id: None,
        imported_at: None,
        state_changed_at: now,
        created_at: now,
        version: 1,
    };
    let standing = row.standing(&session.conn, &session.actor).await?;
    // Nobody writes in the name of a holder that is not theirs.
    let role = standing.permit(&[Role::Holder, Role::AgentOnBehalf])?;
    model::insert(&mut session.conn, &row).await?;
    for commitment in &new.commitments {
        commitments::model::propose(session, &row, role, commitment).await?;
    }
    if new.submit {
        let step = INITIATIVE.step(row.state, InitiativeAction::Submit, &standing)?;
        row.submit(commune, now)?;
        model::advance(
            session,
            &mut row,
            step,
            InitiativeAction::Submit,
            Remark::PUBLIC,
        )
        .await?;
    }
    Ok(row.id)
}

/// A holder or host is one of the commune, and a host is a legal person: it receives money or signs for one that is none.
async fn bodies_fit(
    session: &mut Session,
    commune: &str,
    holder: Option<HolderId>,
    host: Option<HolderId>,
) -> Result<(), ApiError> {
    let mut faults = Vec::new();
    for (pointer, body, kinds) in [
        ("/holder_id", holder, HolderKind::ALL),
        ("/host_id", host, HolderKind::LEGAL_PERSONS),
    ] {
        let Some(body) = body else { continue };
        match holders::model::find_row(&session.conn, body).await {
            Ok(row) if row.commune_code == commune && kinds.contains(&row.kind) => {}
            Ok(row) if row.commune_code == commune => faults.push(Fault::at(
                pointer,
                FaultCode::Inconsistent,
                Text::new(
                    "Une structure porteuse est une personne morale.",
                    "A host organisation is a legal person.",
                ),
            )),
            _ => faults.push(Fault::at(
                pointer,
                FaultCode::NotFound,
                Text::new(
                    "Aucun porteur de la commune n'a cet identifiant.",
                    "No holder of the commune has this id.",
                ),
            )),
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid(faults))
    }
}

/// Get an initiative
///
/// With the holder's and the commune's names, the receipt, the opinion and the decision, the counts, and what the
/// caller may do now.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative.")),
    responses((status = 200, description = "The initiative.", body = Initiative)),
    security((), ("password" = [])),
)]
#[get("/v1/initiatives/{id}")]
pub async fn get_initiative(
    state: web::Data<State>,
    lookups: web::Data<Batch<Whole>>,
    fingerprints: web::Data<Batch<Fingerprint>>,
    anyone: Anyone,
    id: web::Path<InitiativeId>,
) -> Answer {
    // Who comes back with a tag mostly has what there is: that takes a smaller look.
    if anyone.user.is_none() && anyone.has_something() {
        let etag = Batch::get(&fingerprints, &state.pool, *id).await?.tag()?;
        if anyone.has(&etag) {
            return Ok(Reply::unchanged(etag).public(30));
        }
    }
    let whole = Batch::get(&lookups, &state.pool, *id).await?;
    if anyone.user.is_none() {
        let etag = Some(whole.fingerprint().tag()?);
        let initiative = view::for_everybody(whole)?;
        return Ok(Reply {
            etag,
            ..Reply::data(&initiative)?.public(30)
        });
    }
    let session = state.read(&anyone).await?;
    let (version, initiative) = view::seen_by(&session.conn, &session.actor, whole).await?;
    Reply::resource(version, &initiative)
}

/// Change an initiative
///
/// Its holder, or an agent for a holder at the counter, while it is a draft or changes are requested.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), IfMatchHeader),
    request_body(content = InitiativePatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The initiative as it is now.", body = Initiative),
        (status = 409, description = "It is no draft any more, or the caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[patch("/v1/initiatives/{id}")]
pub async fn update_initiative(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<InitiativeId>,
    if_match: IfMatch,
    body: Json<InitiativePatch>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let mut found = model::lock(session, *id).await?;
            let step =
                INITIATIVE.step(found.row.state, InitiativeAction::Update, &found.standing)?;
            if_match.check(found.row.version)?;
            let patch = body.0;
            let (holder, host) = (patch.holder_id, patch.host_id.flatten());
            bodies_fit(session, &found.row.commune_code, holder, host).await?;
            // What was named before may have been withdrawn since.
            let named = patch.inspired_by_practice_id.flatten();
            let new = named.filter(|_| named != found.row.inspired_by_practice_id);
            model::require_inspiration(&mut session.conn, new).await?;
            found.row.change(patch)?;
            // It may change hands only among the caller's own.
            let standing = found.row.standing(&session.conn, &session.actor).await?;
            standing.permit(&[Role::Holder, Role::AgentOnBehalf])?;
            model::save(&mut session.conn, &mut found.row, step.from).await?;
            let (version, initiative) = view::show(&session.conn, &session.actor, *id).await?;
            Reply::resource(version, &initiative)
        })
        .await
}

/// Get the history of an initiative
///
/// What happened, oldest first, as far as the caller may see it: with its conventions, commitments and evaluation.
#[utoipa::path(
    tag = "initiatives",
    params(("id" = InitiativeId, Path, description = "Identifier of the initiative."), Paging),
    responses((status = 200, description = "A page of the history.", body = HistoryPage)),
    security((), ("password" = [])),
)]
#[get("/v1/initiatives/{id}/history")]
pub async fn get_initiative_history(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<InitiativeId>,
    paging: Query<Paging>,
) -> Answer {
    audit::answer(&state, &anyone, &paging.0, async |session| {
        let found = model::find(session, *id).await?;
        Ok((Of::Initiative(*id), found.standing))
    })
    .await
}
