//! `/v1/conventions/{id}/sign` and `/record_signature`. The last missing signature makes the convention active: then
//! its initiative is in progress and its commitments bind, in the same transaction.

use actix_web::{post, web};
use chrono::NaiveDate;
use diesel_async::RunQueryDsl;

use super::content::ConventionContent;
use super::dto::{Convention, SignatureMethod};
use super::input::{RecordSignature, RecordedMethod, Sign};
use super::lifecycle::{CONVENTION, ConventionAction, ConventionState};
use super::model::{self, Found};
use super::parties::{self, NewSignature, PartyState};
use super::{amending, view};
use crate::auth::caller::Caller;
use crate::db::schema::signatures;
use crate::http::error::{ApiError, Code, FaultCode, Text};
use crate::http::extract::Json;
use crate::http::problem::Problem;
use crate::http::reply::Answer;
use crate::http::routes::Routes;
use crate::ids::{ConventionId, DocumentId, SignatureId, UserId};
use crate::lifecycle::Step;
use crate::state::{Session, State};
use crate::text::fold;
use crate::{commitments, documents, initiatives};

pub fn configure(routes: &mut Routes) {
    routes
        .service(sign_convention)
        .service(record_convention_signature);
}

/// How a signature was given, and when.
pub struct Given<'a> {
    pub method: SignatureMethod,
    pub signed_on: NaiveDate,
    pub recorded: Option<Recorded<'a>>,
}

/// What an agent recorded of a signature on paper.
pub struct Recorded<'a> {
    pub by: UserId,
    pub paper_reference: &'a str,
    pub scan: Option<DocumentId>,
}

/// Sign a convention
///
/// The named signatory of a party signs with their own account what they have read: the hash says what. With the
/// last missing signature the convention is active. No `If-Match`: the hash is the precondition.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version.")),
    request_body = Sign,
    responses(
        (status = 200, description = "The convention with the signature.", body = Convention),
        (status = 409, description = "Not open for signature, the content has changed (`content_sha256` is the current hash), the party has signed already, or the caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/conventions/{id}/sign")]
pub async fn sign_convention(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ConventionId>,
    body: Json<Sign>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let mut found = model::lock(session, *id).await?;
            sign(session, &mut found, Some(&body.0.content_sha256)).await?;
            view::reply(session, *id).await
        })
        .await
}

/// Signs for the party whose named signatory the caller is. Without a hash they sign what was opened in this very
/// transaction.
pub async fn sign(
    session: &mut Session,
    found: &mut Found,
    hash: Option<&str>,
) -> Result<(), ApiError> {
    let me = session.actor.person()?.id;
    let parties = parties::of(&mut session.conn, found.row.id).await?;
    let party = parties
        .iter()
        .find(|party| party.row.user_id == Some(me))
        .ok_or_else(|| {
            ApiError::forbidden(
                "Seuls les signataires désignés signent.",
                "Only the named signatories sign.",
            )
        })?;
    let role = parties::may_sign(session, found.standing(), party)?;
    let action = ConventionAction::Sign;
    let step = CONVENTION.step(found.row.state, action, found.standing())?;
    let given = Given {
        method: SignatureMethod::Simple,
        signed_on: session.today(),
        recorded: None,
    };
    if let Some(hash) = hash {
        check_hash(found, hash)?;
    }
    let step = Step { role, ..step };
    give(session, found, step, action, &parties, party, given).await
}

/// Record a signature on paper
///
/// An agent records that the named signatory of a party has signed the printed content: for the commune, an official
/// whose mandate counted on that day. Nobody records their own. The scan, if there is one, was uploaded before. No
/// `If-Match`: the hash is the precondition.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version.")),
    request_body = RecordSignature,
    responses(
        (status = 200, description = "The convention with the signature.", body = Convention),
        (status = 409, description = "Not open for signature, the content has changed (`content_sha256` is the current hash), the party has signed already, no mandate on that day, or the caller stands on both sides.", body = Problem, content_type = "application/problem+json"),
    ),
)]
#[post("/v1/conventions/{id}/record_signature")]
pub async fn record_convention_signature(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<ConventionId>,
    body: Json<RecordSignature>,
) -> Answer {
    state
        .write(&caller, async move |session| {
            let mut found = model::lock(session, *id).await?;
            let action = ConventionAction::RecordSignature;
            let step = CONVENTION.step(found.row.state, action, found.standing())?;
            let RecordSignature {
                party,
                content_sha256,
                signed_on,
                paper_reference,
                document_id,
                method: RecordedMethod::Paper,
            } = body.0;
            check_hash(&found, &content_sha256)?;
            if signed_on > session.today() {
                return Err(ApiError::fault(
                    "/signed_on",
                    FaultCode::OutOfRange,
                    "Pas dans l'avenir.",
                    "Not in the future.",
                ));
            }
            let parties = parties::of(&mut session.conn, *id).await?;
            let signatory = parties
                .iter()
                .find(|named| named.row.party == party)
                .ok_or_else(|| {
                    ApiError::fault(
                        "/party",
                        FaultCode::NotFound,
                        "La convention n'a pas cette partie.",
                        "The convention has no such party.",
                    )
                })?;
            let me = fold(&session.actor.person()?.full_name);
            if signatory.identity.full_name.as_deref().map(fold) == Some(me) {
                return Err(ApiError::because(
                    Code::ConflictOfInterest,
                    "Nul n'enregistre sa propre signature : ce papier porte votre nom.",
                    "Nobody records their own signature: this paper has your name on it.",
                ));
            }
            if let Some(scan) = document_id
                && !documents::model::is_scan_of(&mut session.conn, scan, *id).await?
            {
                return Err(ApiError::fault(
                    "/document_id",
                    FaultCode::NotFound,
                    "Aucune numérisation interne de cette version n'a cet identifiant.",
                    "No internal scan of this version has this id.",
                ));
            }
            let given = Given {
                method: SignatureMethod::Paper,
                signed_on,
                recorded: Some(Recorded {
                    by: session.actor.person()?.id,
                    paper_reference: &paper_reference,
                    scan: document_id,
                }),
            };
            give(
                session, &mut found, step, action, &parties, signatory, given,
            )
            .await?;
            view::reply(session, *id).await
        })
        .await
}

fn check_hash(found: &Found, hash: &str) -> Result<(), ApiError> {
    if found.row.content_sha256.as_deref() == Some(hash) {
        return Ok(());
    }
    Err(ApiError {
        content_sha256: found.row.content_sha256.clone(),
        ..ApiError::new(Code::ContentChanged)
    })
}

/// Nobody signs before the day on which the act behind the convention is executory; the database holds it too.
fn refuse_before_the_act(found: &Found, signed_on: NaiveDate) -> Result<(), ApiError> {
    let content = found.row.content.as_deref().unwrap_or("{}");
    let content: ConventionContent = serde_json::from_str(content).map_err(ApiError::internal)?;
    let Some(act) = content.authority else {
        return Ok(());
    };
    match act.executory_on {
        Some(day) if signed_on < day => Err(ApiError {
            detail: Some(Text::made(
                format!(
                    "L'acte {} est exécutoire le {} : on signe à partir de ce jour.",
                    act.reference,
                    day.format("%d/%m/%Y")
                ),
                format!(
                    "Act {} is executory on {day}: signatures come from that day on.",
                    act.reference
                ),
            )),
            ..ApiError::new(Code::RequirementMissing)
        }),
        _ => Ok(()),
    }
}

/// Adds a signature, and activates the convention when it is the last one. The database holds the rules on days,
/// mandates and ages.
async fn give(
    session: &mut Session,
    found: &mut Found,
    step: Step<ConventionState>,
    action: ConventionAction,
    parties: &[PartyState],
    party: &PartyState,
    given: Given<'_>,
) -> Result<(), ApiError> {
    if party.signature.is_some() {
        return Err(ApiError::because(
            Code::AlreadyExists,
            "Cette partie a déjà signé.",
            "This party has signed already.",
        ));
    }
    refuse_before_the_act(found, given.signed_on)?;
    let hash = found
        .row
        .content_sha256
        .as_deref()
        .ok_or_else(|| ApiError::internal("open for signature without a content"))?;
    let signature = NewSignature {
        id: SignatureId::new(&found.row.commune_code, session.now)?,
        commune_code: &found.row.commune_code,
        convention_id: found.row.id,
        party: party.row.party,
        method: given.method,
        content_sha256: hash,
        identity_id: party.row.identity_id,
        user_id: party.row.user_id,
        mandate_id: party.row.mandate_id,
        capacity: &party.row.capacity,
        signed_on: given.signed_on,
        signed_at: session.now,
        recorded_by: given.recorded.as_ref().map(|recorded| recorded.by),
        paper_reference: given
            .recorded
            .as_ref()
            .map(|recorded| recorded.paper_reference),
        document_id: given.recorded.and_then(|recorded| recorded.scan),
    };
    diesel::insert_into(signatures::table)
        .values(&signature)
        .execute(&mut session.conn)
        .await?;
    let last = parties
        .iter()
        .all(|other| other.signature.is_some() || other.row.party == party.row.party);
    if !last {
        let step = Step {
            to: step.from,
            ..step
        };
        return model::advance(session, &mut found.row, step, action, None).await;
    }
    found.row.activated_at = Some(session.now);
    if let Some(before) = found.row.supersedes_id {
        amending::supersede(session, before).await?;
        model::advance(session, &mut found.row, step, action, None).await?;
        return amending::take_over(session, &found.row, before).await;
    }
    model::advance(session, &mut found.row, step, action, None).await?;
    initiatives::model::start(session, &mut found.initiative.row).await?;
    for mut held in model::lock_held(&mut session.conn, &found.row).await? {
        commitments::model::bind(session, &mut held).await?;
    }
    Ok(())
}
