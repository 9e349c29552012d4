//! Documents in the database, and their bytes in the store. A row is there before its bytes and after them: whatever is
//! cut in between, the row tells what is left to do.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::dto::{
    Document, DocumentAction, DocumentFilter, DocumentPurpose, DocumentState, MediaType,
    NewDocument, NewMeetingDocument,
};
use crate::audit::{self, Entry, Subject, Visibility};
use crate::auth::policy::{Role, Standing};
use crate::commitments::fulfilments::model as fulfilments_of;
use crate::commitments::lifecycle::FulfilmentState;
use crate::db::schema::{
    conventions, documents, evaluations, fulfilments, initiatives as initiatives_table, signatures,
    users,
};
use crate::evaluations::lifecycle::{EVALUATION, EvaluationAction};
use crate::http::cursor::Page;
use crate::http::error::{ApiError, Code, FaultCode};
use crate::ids::{
    ConventionId, DocumentId, EvaluationId, FulfilmentId, InitiativeId, MeetingId, UserId,
};
use crate::initiatives::dto::Channel;
use crate::initiatives::model::Found;
use crate::mandates::dto::PersonSummary;
use crate::meetings::model::MeetingRow;
use crate::state::{Session, State};
use crate::{initiatives, meetings};

/// How long an upload may be pending. It takes less (`transfer::PATIENCE`), or was cut.
const PENDING_MAX: TimeDelta = TimeDelta::hours(1);

/// A row of `documents`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = documents)]
pub struct DocumentRow {
    pub id: DocumentId,
    pub commune_code: String,
    pub initiative_id: Option<InitiativeId>,
    pub meeting_id: Option<MeetingId>,
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

/// Where a document belongs.
#[derive(Clone, Copy)]
pub enum Place {
    Initiative(InitiativeId),
    Meeting(MeetingId),
}

/// A document that is about to come.
pub struct Coming {
    pub place: Place,
    pub name: String,
    purpose: DocumentPurpose,
    internal: bool,
    convention: Option<ConventionId>,
    fulfilment: Option<FulfilmentId>,
    evaluation: Option<EvaluationId>,
    paper: bool,
}

impl Coming {
    pub fn about_initiative(id: InitiativeId, new: NewDocument) -> Self {
        Self {
            place: Place::Initiative(id),
            name: new.name,
            purpose: new.purpose,
            internal: new.internal.unwrap_or(new.purpose == DocumentPurpose::Scan),
            convention: new.convention,
            fulfilment: new.fulfilment,
            evaluation: new.evaluation,
            paper: new.paper,
        }
    }

    pub fn about_meeting(id: MeetingId, new: NewMeetingDocument) -> Self {
        Self {
            place: Place::Meeting(id),
            name: new.name,
            purpose: new.purpose,
            internal: new.internal,
            convention: None,
            fulfilment: None,
            evaluation: None,
            paper: false,
        }
    }
}

/// What a document is about, as far as the caller may read it, and what they are in it.
pub struct Matter {
    commune: String,
    initiative: Option<InitiativeId>,
    pub standing: Standing,
}

impl From<Found> for Matter {
    fn from(Found { row, standing }: Found) -> Self {
        Self {
            commune: row.commune_code,
            initiative: Some(row.id),
            standing,
        }
    }
}

impl From<(MeetingRow, Standing)> for Matter {
    fn from((row, standing): (MeetingRow, Standing)) -> Self {
        Self {
            commune: row.commune_code,
            initiative: row.initiative_id,
            standing,
        }
    }
}

/// The matter of a place, 404 when the caller may not read it.
pub async fn matter(session: &mut Session, place: Place) -> Result<Matter, ApiError> {
    Ok(match place {
        Place::Initiative(id) => initiatives::model::find(session, id).await?.into(),
        Place::Meeting(id) => {
            let (meeting, standing) = meetings::model::find(session, id).await?;
            (meeting.row, standing).into()
        }
    })
}

/// The same, held until the transaction ends.
async fn locked(session: &mut Session, place: Place) -> Result<Matter, ApiError> {
    Ok(match place {
        Place::Initiative(id) => initiatives::model::lock(session, id).await?.into(),
        Place::Meeting(id) => meetings::model::lock(session, id).await?.into(),
    })
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
            meeting_id: row.meeting_id,
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

/// The documents that somebody may read who may read their matter: the two sides all of them; others what they sent
/// themselves, and what is there, is not internal, and is about something public.
macro_rules! readable {
    ($standing:expr, $me:expr) => {{
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
            let public = documents::state
                .eq(DocumentState::Stored)
                .and(documents::internal.eq(false))
                .and(documents::convention_id.is_null().or(in_force))
                .and(documents::fulfilment_id.is_null().or(acknowledged))
                .and(documents::evaluation_id.is_null().or(validated));
            query = match $me {
                Some(me) => query.filter(public.or(documents::uploaded_by.eq(me))),
                None => query.filter(public),
            };
        }
        query
    }};
}

/// Where a document stands in the list.
pub type Position = (DateTime<Utc>, DocumentId);

/// The documents of an initiative or a meeting that the reader may read, the newest first.
pub async fn list(
    session: &mut Session,
    place: Place,
    standing: &Standing,
    filter: &DocumentFilter,
    after: Option<Position>,
    limit: i64,
) -> Result<Page<NamedDocument>, ApiError> {
    let mut query = readable!(standing, session.actor.user_id())
        .filter(documents::state.eq(DocumentState::Stored))
        .order((documents::created_at.desc(), documents::id.desc()))
        .limit(limit + 1);
    query = match place {
        Place::Initiative(id) => query
            .filter(documents::initiative_id.eq(id))
            .filter(documents::commune_code.eq(id.commune())),
        Place::Meeting(id) => query
            .filter(documents::meeting_id.eq(id))
            .filter(documents::commune_code.eq(id.commune())),
    };
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

/// A document that the caller may read, with its matter; 404 otherwise.
pub async fn find(
    session: &mut Session,
    id: DocumentId,
) -> Result<(Matter, NamedDocument), ApiError> {
    let place = place_of(session, id).await?;
    let matter = matter(session, place).await?;
    readable(session, matter, id).await
}

/// The same, held until the transaction ends, with its matter.
pub async fn lock(
    session: &mut Session,
    id: DocumentId,
) -> Result<(Matter, NamedDocument), ApiError> {
    let place = place_of(session, id).await?;
    let matter = locked(session, place).await?;
    readable(session, matter, id).await
}

async fn place_of(session: &mut Session, id: DocumentId) -> Result<Place, ApiError> {
    let about: (Option<InitiativeId>, Option<MeetingId>) = documents::table
        .find((id, id.commune()))
        .select((documents::initiative_id, documents::meeting_id))
        .first(&mut session.conn)
        .await?;
    match about {
        (Some(initiative), _) => Ok(Place::Initiative(initiative)),
        (None, Some(meeting)) => Ok(Place::Meeting(meeting)),
        // Its meeting was recorded by mistake.
        (None, None) => Err(ApiError::not_found()),
    }
}

async fn readable(
    session: &mut Session,
    matter: Matter,
    id: DocumentId,
) -> Result<(Matter, NamedDocument), ApiError> {
    let found = readable!(&matter.standing, session.actor.user_id())
        .filter(documents::id.eq(id))
        .filter(documents::commune_code.eq(id.commune()))
        .first(&mut session.conn)
        .await?;
    Ok((matter, NamedDocument::new(found)?))
}

/// Checks that the caller may add this, and keeps its matter locked.
async fn may_add(session: &mut Session, new: &Coming) -> Result<(Matter, Role), ApiError> {
    match new.place {
        Place::Initiative(id) => {
            let found = initiatives::model::lock(session, id).await?;
            let role = may_add_to(session, &found, new).await?;
            Ok((found.into(), role))
        }
        Place::Meeting(id) => {
            let (row, standing) = meetings::model::lock(session, id).await?;
            let role = standing.permit(&[Role::Agent])?;
            Ok(((row, standing).into(), role))
        }
    }
}

/// Either side adds to an initiative, while what it is about may change. The database holds that this belongs to the
/// initiative.
async fn may_add_to(session: &mut Session, found: &Found, new: &Coming) -> Result<Role, ApiError> {
    let standing = match new.fulfilment {
        Some(id) => fulfilments_of::standing(session, id, &found.standing).await?,
        None => found.standing.clone(),
    };
    let mut role = standing.permit(&[Role::Holder, Role::Host, Role::Agent])?;
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
        let row = crate::evaluations::model::find(&mut session.conn, found).await?;
        if row.id == id {
            let update = EvaluationAction::Update;
            role = EVALUATION.step(row.state(), update, &found.standing)?.role;
        }
    }
    if new.paper {
        role = found.standing.permit(&[Role::Agent])?;
        let is_scan = new.purpose == DocumentPurpose::Scan && new.internal;
        if found.row.channel != Channel::Paper || !is_scan || subjects.contains(&true) {
            return Err(ApiError::query_fault(
                "paper",
                FaultCode::Inconsistent,
                "Une numérisation interne (purpose=scan, internal=true) d'une initiative saisie depuis un papier.",
                "An internal scan (purpose=scan, internal=true) of an initiative that was entered from paper.",
            ));
        }
    }
    Ok(role)
}

/// Adds a row for bytes that are about to come.
pub async fn begin(session: &mut Session, new: &Coming) -> Result<DocumentId, ApiError> {
    let (matter, _) = may_add(session, new).await?;
    let (initiative_id, meeting_id) = match new.place {
        Place::Initiative(id) => (Some(id), None),
        Place::Meeting(id) => (None, Some(id)),
    };
    let row = DocumentRow {
        id: DocumentId::new(&matter.commune, session.now)?,
        commune_code: matter.commune,
        initiative_id,
        meeting_id,
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
        .await
        .map_err(|error| not_of_the_initiative(new, error))?;
    Ok(row.id)
}

/// The database knows what belongs to the initiative; this knows which parameter named something else.
fn not_of_the_initiative(new: &Coming, error: diesel::result::Error) -> ApiError {
    let is_that = matches!(&error, diesel::result::Error::DatabaseError(_, about)
        if about.constraint_name() == Some("documents_of_one_initiative"));
    if !is_that {
        return error.into();
    }
    let parameter = if new.convention.is_some() {
        "convention"
    } else if new.fulfilment.is_some() {
        "fulfilment"
    } else {
        "evaluation"
    };
    ApiError::query_fault(
        parameter,
        FaultCode::NotFound,
        "Rien de cette initiative n'a cet identifiant.",
        "Nothing of this initiative has this id.",
    )
}

/// Completes the row, now that the bytes are there, if the caller still may.
pub async fn complete(
    session: &mut Session,
    id: DocumentId,
    new: &Coming,
    received: Received,
) -> Result<(i32, Document), ApiError> {
    let (matter, role) = may_add(session, new).await?;
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
    if let (true, Place::Initiative(initiative)) = (new.paper, new.place) {
        let Found { mut row, .. } = initiatives::model::lock(session, initiative).await?;
        row.paper_document_id = Some(id);
        let state = row.state;
        initiatives::model::save(&mut session.conn, &mut row, state).await?;
    }
    record(session, &matter, id, DocumentAction::Upload, role).await?;
    let (matter, document) = readable(session, matter, id).await?;
    Ok((document.row.version, document.show(&matter.standing)))
}

/// Who uploaded a document erases it, and an agent; the scan of a paper that counts an agent alone.
pub async fn may_erase(
    session: &mut Session,
    document: &NamedDocument,
    standing: &Standing,
) -> Result<Role, ApiError> {
    let is_own = session.actor.user_id() == Some(document.row.uploaded_by);
    let role = if is_own && !is_relied_on(session, document.row.id).await? {
        standing.permit(&[Role::Holder, Role::Host, Role::Agent, Role::Resident])
    } else {
        standing.permit(&[Role::Agent])
    };
    Ok(role?)
}

/// Whether a signature or an initiative was recorded from this scan.
async fn is_relied_on(session: &mut Session, id: DocumentId) -> QueryResult<bool> {
    let signed = signatures::table
        .filter(signatures::document_id.eq(id))
        .filter(signatures::commune_code.eq(id.commune()));
    let entered = documents::table
        .inner_join(
            initiatives_table::table.on(initiatives_table::paper_document_id
                .eq(documents::id.nullable())
                .and(
                    initiatives_table::id
                        .nullable()
                        .eq(documents::initiative_id),
                )
                .and(initiatives_table::commune_code.eq(documents::commune_code))),
        )
        .filter(documents::id.eq(id))
        .filter(documents::commune_code.eq(id.commune()));
    diesel::select(exists(signed).or(exists(entered)))
        .get_result(&mut session.conn)
        .await
}

/// Whether a document is the scan of this version's paper: what a signature on paper may be recorded with.
pub async fn is_scan_of(
    conn: &mut AsyncPgConnection,
    id: DocumentId,
    convention: ConventionId,
) -> QueryResult<bool> {
    let scan = documents::table
        .find((id, convention.commune()))
        .filter(documents::convention_id.eq(convention))
        .filter(documents::purpose.eq(DocumentPurpose::Scan))
        .filter(documents::internal.eq(true))
        .filter(documents::state.eq(DocumentState::Stored));
    diesel::select(exists(scan)).get_result(conn).await
}

/// Erases a document whose matter the caller holds locked: its name at once, its bytes after the commit.
pub async fn erase(
    session: &mut Session,
    matter: &Matter,
    document: &NamedDocument,
    role: Role,
) -> Result<(), ApiError> {
    let row = &document.row;
    diesel::update(documents::table.find((row.id, &row.commune_code)))
        .set((
            documents::state.eq(DocumentState::Erased),
            documents::name.eq(None::<String>),
            documents::erased_by.eq(session.actor.account()?),
            documents::erased_at.eq(session.now),
            documents::version.eq(documents::version + 1),
        ))
        .execute(&mut session.conn)
        .await?;
    record(session, matter, row.id, DocumentAction::Erase, role).await
}

/// Erases the documents of a meeting that is about to be deleted, which the caller holds locked.
pub async fn erase_with(
    session: &mut Session,
    meeting: &MeetingRow,
    role: Role,
) -> Result<(), ApiError> {
    let matter = locked(session, Place::Meeting(meeting.id)).await?;
    let about: Vec<(DocumentRow, String)> = readable!(&matter.standing, None::<UserId>)
        .filter(documents::meeting_id.eq(meeting.id))
        .filter(documents::commune_code.eq(&meeting.commune_code))
        .filter(documents::state.eq(DocumentState::Stored))
        .load(&mut session.conn)
        .await?;
    for found in about {
        erase(session, &matter, &NamedDocument::new(found)?, role).await?;
    }
    Ok(())
}

async fn record(
    session: &mut Session,
    matter: &Matter,
    id: DocumentId,
    action: DocumentAction,
    role: Role,
) -> Result<(), ApiError> {
    let entry = Entry {
        commune: &matter.commune,
        initiative: matter.initiative,
        subject: Subject::Document,
        subject_id: id.0,
        action: action.code(),
        states: None,
        reason: None,
        role,
        // Some are internal, and some are about what is not public yet.
        visibility: Visibility::Parties,
    };
    audit::record(session, entry).await
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
