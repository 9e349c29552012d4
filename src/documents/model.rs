//! Documents in the database, and their bytes in the store. A row is there before its bytes and after them: whatever is
//! cut in between, the row tells what is left to do.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::dto::{
    Document, DocumentFilter, DocumentPurpose, DocumentState, MediaType, NewDocument,
};
use crate::audit::{self, Entry, Subject, Visibility};
use crate::auth::policy::{Denial, Role, Standing};
use crate::commitments::lifecycle::FulfilmentState;
use crate::db::schema::{conventions, documents, evaluations, fulfilments, users};
use crate::evaluations::lifecycle::{EVALUATION, EvaluationAction};
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Code, FaultCode};
use crate::ids::{ConventionId, DocumentId, EvaluationId, FulfilmentId, InitiativeId, UserId};
use crate::initiatives;
use crate::initiatives::model::Found;
use crate::mandates::dto::PersonSummary;
use crate::state::{Session, State};

/// How long an upload may be pending. It takes less (`transfer::PATIENCE`), or was cut.
const PENDING_MAX: TimeDelta = TimeDelta::hours(1);

/// A row of `documents`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = documents)]
pub struct DocumentRow {
    pub id: DocumentId,
    pub commune_code: String,
    pub initiative_id: InitiativeId,
    pub convention_id: Option<ConventionId>,
    pub fulfilment_id: Option<FulfilmentId>,
    pub evaluation_id: Option<EvaluationId>,
    pub state: DocumentState,
    pub name: Option<String>,
    pub purpose: DocumentPurpose,
    pub internal: bool,
    pub media_type: Option<MediaType>,
    pub size_bytes: Option<i64>,
    pub sha256: Option<String>,
    pub uploaded_by: UserId,
    pub created_at: DateTime<Utc>,
    pub erased_by: Option<UserId>,
    pub erased_at: Option<DateTime<Utc>>,
    pub version: i32,
}

/// A document whose bytes have come, and the name of who uploaded it.
pub struct NamedDocument {
    pub row: DocumentRow,
    pub media_type: MediaType,
    pub size_bytes: i64,
    pub sha256: String,
    uploader: String,
}

/// What an upload has brought.
pub struct Received {
    pub media_type: MediaType,
    pub size_bytes: i64,
    pub sha256: String,
}

impl NamedDocument {
    /// One that is still pending is not there for anybody.
    fn new((row, uploader): (DocumentRow, String)) -> Result<Self, ApiError> {
        match (row.media_type, row.size_bytes, row.sha256.clone()) {
            (Some(media_type), Some(size_bytes), Some(sha256)) => Ok(Self {
                row,
                media_type,
                size_bytes,
                sha256,
                uploader,
            }),
            _ => Err(ApiError::not_found()),
        }
    }

    /// As the reader sees it.
    pub fn show(self, standing: &Standing) -> Document {
        let Self { row, uploader, .. } = self;
        Document {
            id: row.id,
            initiative_id: row.initiative_id,
            convention_id: row.convention_id,
            fulfilment_id: row.fulfilment_id,
            evaluation_id: row.evaluation_id,
            state: row.state,
            name: row.name,
            purpose: row.purpose,
            internal: row.internal,
            media_type: self.media_type,
            size_bytes: self.size_bytes,
            sha256: self.sha256,
            uploaded_by: is_inside(standing).then_some(PersonSummary {
                id: row.uploaded_by,
                display_name: uploader,
            }),
            created_at: row.created_at,
            erased_at: row.erased_at,
        }
    }
}

/// One of the two sides.
fn is_inside(standing: &Standing) -> bool {
    standing.is_town_hall() || standing.is_on_the_holders_side()
}

/// The documents that somebody may read who may read their initiative: the two sides all of them; others what is there,
/// is not internal, and is about something public.
macro_rules! readable {
    ($standing:expr) => {{
        let mut query = documents::table
            .inner_join(users::table.on(users::id.eq(documents::uploaded_by)))
            .left_join(
                conventions::table.on(documents::convention_id
                    .eq(conventions::id.nullable())
                    .and(conventions::commune_code.eq(documents::commune_code))),
            )
            .left_join(
                fulfilments::table.on(documents::fulfilment_id
                    .eq(fulfilments::id.nullable())
                    .and(fulfilments::commune_code.eq(documents::commune_code))),
            )
            .left_join(
                evaluations::table.on(documents::evaluation_id
                    .eq(evaluations::id.nullable())
                    .and(evaluations::commune_code.eq(documents::commune_code))),
            )
            .select((DocumentRow::as_select(), users::display_name))
            .into_boxed();
        if !is_inside($standing) {
            let in_force = conventions::activated_at.nullable().is_not_null();
            let acknowledged = fulfilments::state
                .nullable()
                .is_not_distinct_from(FulfilmentState::Acknowledged);
            let validated = evaluations::validated_at.nullable().is_not_null();
            query = query
                .filter(documents::state.eq(DocumentState::Stored))
                .filter(documents::internal.eq(false))
                .filter(documents::convention_id.is_null().or(in_force))
                .filter(documents::fulfilment_id.is_null().or(acknowledged))
                .filter(documents::evaluation_id.is_null().or(validated));
        }
        query
    }};
}

/// Where a document stands in the list.
pub type Position = (DateTime<Utc>, DocumentId);

/// The documents of an initiative that the reader may read, the newest first.
pub async fn list(
    session: &mut Session,
    initiative: &Found,
    filter: &DocumentFilter,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<NamedDocument>, ApiError> {
    let mut query = readable!(&initiative.standing)
        .filter(documents::initiative_id.eq(initiative.row.id))
        .filter(documents::commune_code.eq(&initiative.row.commune_code))
        .filter(documents::state.eq(DocumentState::Stored))
        .order((documents::created_at.desc(), documents::id.desc()))
        .limit(limit + 1);
    if let Some(purpose) = filter.purpose {
        query = query.filter(documents::purpose.eq(purpose));
    }
    if let Some(convention) = filter.convention {
        query = query.filter(documents::convention_id.eq(convention));
    }
    if let Some(fulfilment) = filter.fulfilment {
        query = query.filter(documents::fulfilment_id.eq(fulfilment));
    }
    if let Some(evaluation) = filter.evaluation {
        query = query.filter(documents::evaluation_id.eq(evaluation));
    }
    if let Some((at, id)) = after {
        query = query
            .filter(documents::created_at.le(at))
            .filter(documents::created_at.lt(at).or(documents::id.lt(id)));
    }
    let rows: Vec<(DocumentRow, String)> = query.load(&mut session.conn).await?;
    let items = rows
        .into_iter()
        .map(NamedDocument::new)
        .collect::<Result<_, _>>()?;
    Ok(Page::cut(items, limit))
}

/// A document that the caller may read, with its initiative; 404 otherwise.
pub async fn find(
    session: &mut Session,
    id: DocumentId,
) -> Result<(Found, NamedDocument), ApiError> {
    let initiative = initiative_of(session, id).await?;
    let initiative = initiatives::model::find(session, initiative).await?;
    readable(session, initiative, id).await
}

/// The same, held until the transaction ends, with its initiative.
pub async fn lock(
    session: &mut Session,
    id: DocumentId,
) -> Result<(Found, NamedDocument), ApiError> {
    let initiative = initiative_of(session, id).await?;
    let initiative = initiatives::model::lock(session, initiative).await?;
    readable(session, initiative, id).await
}

async fn initiative_of(session: &mut Session, id: DocumentId) -> Result<InitiativeId, ApiError> {
    Ok(documents::table
        .find((id, id.commune()))
        .select(documents::initiative_id)
        .first(&mut session.conn)
        .await?)
}

async fn readable(
    session: &mut Session,
    initiative: Found,
    id: DocumentId,
) -> Result<(Found, NamedDocument), ApiError> {
    let found = readable!(&initiative.standing)
        .filter(documents::id.eq(id))
        .filter(documents::commune_code.eq(id.commune()))
        .first(&mut session.conn)
        .await?;
    Ok((initiative, NamedDocument::new(found)?))
}

/// Checks that the caller may add this to an initiative, which stays locked: either side, while its subject may change.
/// The database holds that the subject belongs to the initiative.
async fn may_add(
    session: &mut Session,
    initiative: InitiativeId,
    new: &NewDocument,
) -> Result<(Found, Role), ApiError> {
    let found = initiatives::model::lock(session, initiative).await?;
    let mut role = found
        .standing
        .permit(&[Role::Holder, Role::Host, Role::Agent])?;
    let subjects = [
        new.convention.is_some(),
        new.fulfilment.is_some(),
        new.evaluation.is_some(),
    ];
    if subjects.into_iter().filter(|is_given| *is_given).count() > 1 {
        return Err(ApiError::query_fault(
            "convention",
            FaultCode::Inconsistent,
            "Un document concerne une chose : convention, fulfilment ou evaluation.",
            "A document is about one thing: convention, fulfilment or evaluation.",
        ));
    }
    if let Some(id) = new.evaluation {
        let row = crate::evaluations::model::find(&mut session.conn, &found).await?;
        if row.id == id {
            let update = EvaluationAction::Update;
            role = EVALUATION.step(row.state(), update, &found.standing)?.role;
        }
    }
    Ok((found, role))
}

/// Adds a row for bytes that are about to come.
pub async fn begin(
    session: &mut Session,
    initiative: InitiativeId,
    new: &NewDocument,
) -> Result<DocumentId, ApiError> {
    let (found, _) = may_add(session, initiative, new).await?;
    let row = DocumentRow {
        id: DocumentId::new(&found.row.commune_code, session.now)?,
        commune_code: found.row.commune_code,
        initiative_id: initiative,
        convention_id: new.convention,
        fulfilment_id: new.fulfilment,
        evaluation_id: new.evaluation,
        state: DocumentState::Pending,
        name: Some(new.name.clone()),
        purpose: new.purpose,
        internal: new.internal,
        media_type: None,
        size_bytes: None,
        sha256: None,
        uploaded_by: session.actor.person()?.id,
        created_at: session.now,
        erased_by: None,
        erased_at: None,
        version: 1,
    };
    diesel::insert_into(documents::table)
        .values(&row)
        .execute(&mut session.conn)
        .await?;
    Ok(row.id)
}

/// Completes the row, now that the bytes are there, if the caller still may.
pub async fn complete(
    session: &mut Session,
    id: DocumentId,
    initiative: InitiativeId,
    new: &NewDocument,
    received: Received,
) -> Result<(i32, Document), ApiError> {
    let (found, role) = may_add(session, initiative, new).await?;
    let changed = diesel::update(documents::table.find((id, id.commune())))
        .filter(documents::state.eq(DocumentState::Pending))
        .set((
            documents::state.eq(DocumentState::Stored),
            documents::media_type.eq(received.media_type),
            documents::size_bytes.eq(received.size_bytes),
            documents::sha256.eq(received.sha256),
        ))
        .execute(&mut session.conn)
        .await?;
    if changed != 1 {
        // It was taken for one that was cut.
        return Err(ApiError::new(Code::RequestTimeout));
    }
    record(session, &found, id, "upload", role).await?;
    let (found, document) = readable(session, found, id).await?;
    Ok((document.row.version, document.show(&found.standing)))
}

/// Who uploaded a document erases it, and an agent.
pub fn may_erase(
    document: &NamedDocument,
    standing: &Standing,
    me: Option<UserId>,
) -> Result<Role, Denial> {
    if me == Some(document.row.uploaded_by) {
        standing.permit(&[Role::Holder, Role::Host, Role::Agent, Role::Resident])
    } else {
        standing.permit(&[Role::Agent])
    }
}

/// Erases a document whose initiative the caller holds locked: its name at once, its bytes after the commit.
pub async fn erase(
    session: &mut Session,
    initiative: &Found,
    document: &NamedDocument,
    role: Role,
) -> Result<(), ApiError> {
    let row = &document.row;
    diesel::update(documents::table.find((row.id, &row.commune_code)))
        .set((
            documents::state.eq(DocumentState::Erased),
            documents::name.eq(None::<String>),
            documents::erased_by.eq(session.actor.person()?.id),
            documents::erased_at.eq(session.now),
            documents::version.eq(documents::version + 1),
        ))
        .execute(&mut session.conn)
        .await?;
    record(session, initiative, row.id, "erase", role).await
}

async fn record(
    session: &mut Session,
    initiative: &Found,
    id: DocumentId,
    action: &'static str,
    role: Role,
) -> Result<(), ApiError> {
    let entry = Entry {
        commune: &initiative.row.commune_code,
        initiative: Some(initiative.row.id),
        subject: Subject::Document,
        subject_id: id.0,
        action,
        states: None,
        reason: None,
        actor: session.actor.user_id(),
        role,
        // Some are internal, and some are about what is not public yet.
        visibility: Visibility::Parties,
    };
    audit::record(&mut session.conn, session.now, entry).await
}

/// Takes back an upload that came to nothing: its bytes, then its row. One that is stored stays.
pub async fn discard(state: &State, id: DocumentId) -> Result<(), ApiError> {
    let mut session = state.as_time_passes().await?;
    let discarded = async {
        let found: Option<DocumentState> = documents::table
            .find((id, id.commune()))
            .select(documents::state)
            .for_update()
            .first(&mut session.conn)
            .await
            .optional()?;
        if found.is_none_or(|state| state == DocumentState::Pending) {
            state.documents.remove(id).await.map_err(ApiError::busy)?;
            diesel::delete(documents::table.find((id, id.commune())))
                .execute(&mut session.conn)
                .await?;
        }
        Ok::<(), ApiError>(())
    }
    .await;
    session.finish(discarded).await
}

/// Removes the bytes of a document that is erased, and writes down that they are gone.
pub async fn empty(state: &State, id: DocumentId) -> Result<(), ApiError> {
    state.documents.remove(id).await.map_err(ApiError::busy)?;
    let mut session = state.as_time_passes().await?;
    let emptied = diesel::update(documents::table.find((id, id.commune())))
        .filter(documents::state.eq(DocumentState::Erased))
        .set(documents::emptied_at.eq(session.now))
        .execute(&mut session.conn)
        .await
        .map_err(ApiError::from);
    session.finish(emptied).await.map(drop)
}

/// Does what was cut: takes back uploads that are pending for too long, and removes the bytes of what is erased.
/// Returns how many.
pub async fn sweep(state: &State) -> Result<usize, ApiError> {
    let mut session = state.as_time_passes().await?;
    let left: QueryResult<Vec<(DocumentId, DocumentState)>> = documents::table
        .filter(documents::state.ne(DocumentState::Stored))
        .filter(documents::emptied_at.is_null())
        .filter(
            documents::state
                .eq(DocumentState::Erased)
                .or(documents::created_at.lt(session.now - PENDING_MAX)),
        )
        .order(documents::created_at)
        .limit(100)
        .select((documents::id, documents::state))
        .load(&mut session.conn)
        .await;
    let left = session.finish(left.map_err(ApiError::from)).await?;
    for (id, found) in &left {
        match found {
            DocumentState::Erased => empty(state, *id).await?,
            _ => discard(state, *id).await?,
        }
    }
    Ok(left.len())
}
