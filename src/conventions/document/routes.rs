//! `/v1/conventions/{id}/document.html`, `/v1/conventions/{id}/document.pdf`

use actix_web::http::header::{self, HeaderValue};
use actix_web::{get, web};

use super::sheet::{self, Names, Proof, Sheet};
use super::{form, html};
use crate::auth::caller::Anyone;
use crate::conventions::content::{self, ConventionContent};
use crate::conventions::model;
use crate::conventions::parties::{self, PartyState};
use crate::conventions::view::Fingerprint;
use crate::http::error::{ApiError, Code};
use crate::http::problem::Problem;
use crate::http::routes::Routes;
use crate::ids::ConventionId;
use crate::state::{Session, State};
use crate::typesetting::answer::{Paper, Pdf, tag};
use crate::typesetting::layout::Flow;
use crate::typesetting::pdf::{self, Work};

pub fn configure(routes: &mut Routes) {
    routes
        .service(get_convention_document_html)
        .service(get_convention_document_pdf);
}

/// The sheet of a version as the caller may see it: a draft of what it holds now, any other of the content that was
/// frozen.
async fn sheet_of(
    state: &State,
    session: &mut Session,
    id: ConventionId,
) -> Result<Sheet, ApiError> {
    let found = model::find(session, id).await?;
    let parties = parties::of(&mut session.conn, id).await?;
    let (content, proof) = match (&found.row.content, &found.row.content_sha256) {
        (Some(content), Some(sha256)) => {
            let content = serde_json::from_str(content).map_err(ApiError::internal)?;
            let proof = Proof {
                sha256: sha256.clone(),
                address: format!("{}/v1/conventions/{id}/verification", state.keys.issuer()),
            };
            (content, Some(proof))
        }
        _ => (content::now(session, &found, &parties).await?, None),
    };
    let names = if found.is_inside() {
        names(&content, &parties)
    } else {
        Names::new()
    };
    let stamp = sheet::stamp(found.row.state);
    let signed = parties
        .iter()
        .filter_map(|party| Some((party.row.party, sheet::signed(party.signature.as_ref()?))))
        .collect();
    Ok(sheet::sheet(&content, &names, &signed, stamp, proof))
}

/// The names that the content stands for: those whose hash it has.
fn names(content: &ConventionContent, parties: &[PartyState]) -> Names {
    let known = parties.iter().filter_map(|party| {
        let hash = party.identity.hash()?;
        let signs = |named: &content::ContentParty| {
            named.party == party.row.party && named.signatory == hash
        };
        let name = party.identity.full_name.clone()?;
        content
            .parties
            .iter()
            .any(signs)
            .then_some((party.row.party, name))
    });
    known.collect()
}

/// The tag of what everybody gets: the sheet of a content that was frozen differs by the
/// state, and by signatures, with which the version counts up. Nothing for who is
/// signed in: they may see names.
async fn public_tag(
    session: &mut Session,
    anyone: &Anyone,
    id: ConventionId,
    form: &str,
) -> Result<Option<String>, ApiError> {
    if anyone.user.is_some() {
        return Ok(None);
    }
    let shown = Fingerprint::find(&mut session.conn, id).await?;
    Ok(Some(tag(&[
        env!("CARGO_PKG_VERSION").as_bytes(),
        form.as_bytes(),
        shown.state.code().as_bytes(),
        &shown.version.to_be_bytes(),
        shown.content_sha256.unwrap_or_default().as_bytes(),
    ])))
}

/// Get a convention as a page to read and to print
///
/// In French, the text that both sides sign: parties, articles, the two columns of commitments, signature blocks, hash.
/// A draft has PROJET across it, and what is not in force says so too: REMPLACÉE, SUSPENDUE, RÉSILIÉE. Names of natural persons are for the parties and the town hall; others see in which
/// capacity they sign. A page in HTML without scripts, with a policy of its own.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version.")),
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html", example = "<!DOCTYPE html><html lang=\"fr\">…</html>"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
    ),
    security((), ("password" = [])),
)]
#[get("/v1/conventions/{id}/document.html")]
pub async fn get_convention_document_html(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<ConventionId>,
) -> Result<Paper, ApiError> {
    let mut session = state.read(&anyone).await?;
    let etag = public_tag(&mut session, &anyone, *id, "html").await?;
    let body = match &etag {
        Some(etag) if anyone.has(etag) => None,
        _ => Some(html::page(&sheet_of(&state, &mut session, *id).await?)),
    };
    let etag = etag.unwrap_or_else(|| tag(&[body.as_deref().unwrap_or_default().as_bytes()]));
    Ok(Paper {
        content_type: "text/html; charset=utf-8",
        policy: Some(&html::POLICY),
        is_public: anyone.user.is_none(),
        body: body.filter(|_| !anyone.has(&etag)).map(String::into_bytes),
        etag,
    })
}

/// Get a convention as PDF
///
/// The same text as `document.html`, typeset on A4: the same content gives the same bytes. A text of more than 3 MiB is
/// not typeset: 501 says in `Link` where the page is.
#[utoipa::path(
    tag = "conventions",
    params(("id" = ConventionId, Path, description = "Identifier of the version.")),
    responses(
        (status = 200, description = "The PDF.", body = inline(Pdf), content_type = "application/pdf", example = "%PDF-1.7…"),
        (status = 304, description = "The same as the one whose `ETag` stands in `If-None-Match`."),
        (status = 501, description = "Too long to be typeset: the same text is a page in HTML, where `Link` says.", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("password" = [])),
)]
#[get("/v1/conventions/{id}/document.pdf")]
pub async fn get_convention_document_pdf(
    state: web::Data<State>,
    anyone: Anyone,
    id: web::Path<ConventionId>,
) -> Result<Paper, ApiError> {
    let mut session = state.read(&anyone).await?;
    let paper = |etag, body| Paper {
        content_type: "application/pdf",
        policy: None,
        etag,
        is_public: anyone.user.is_none(),
        body,
    };
    let etag = public_tag(&mut session, &anyone, *id, "pdf").await?;
    if let Some(etag) = etag.clone().filter(|etag| anyone.has(etag)) {
        return Ok(paper(etag, None));
    }
    let sheet = sheet_of(&state, &mut session, *id).await?;
    // Typesetting takes longer than a connection should be held.
    drop(session);
    // The same sheet gives the same bytes until the program changes: no need to typeset it in order to compare.
    let written = serde_json::to_vec(&sheet).map_err(ApiError::internal)?;
    let etag = etag.unwrap_or_else(|| tag(&[env!("CARGO_PKG_VERSION").as_bytes(), &written]));
    if anyone.has(&etag) {
        return Ok(paper(etag, None));
    }
    let work = Work {
        title: sheet.title.clone(),
        stamp: sheet.stamp,
        foot: form::foot(&sheet),
        length: sheet.length(),
        fill: move |flow: &mut Flow<'_>| form::whole(flow, &sheet),
    };
    let body = pdf::typeset(work).await?;
    Ok(paper(etag, Some(body.ok_or_else(|| not_typeset(*id))?)))
}

fn not_typeset(id: ConventionId) -> ApiError {
    let link =
        format!("</v1/conventions/{id}/document.html>; rel=\"alternate\"; type=\"text/html\"");
    let error = ApiError::new(Code::NotTypeset);
    match HeaderValue::from_str(&link) {
        Ok(link) => error.header(header::LINK, link),
        Err(_) => error,
    }
}
