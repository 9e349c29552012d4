//! What is signed: the material content of a version as canonical JSON (RFC 8785), and its SHA-256. Whoever has the
//! bytes can check the hash without us.

use bigdecimal::BigDecimal;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::dto::{
    AmendmentKind, ContributorStatus, Entitlement, InitiativeTitle, Party, WorksOwnership,
};
use super::lifecycle::ConventionState;
use super::model::{self, ConventionRow, Found};
use super::parties::{self, Body, LegalIdentity, PartyState, hexadecimal};
use crate::authorities;
use crate::authorities::dto::{AuthorityKind, Votes};
use crate::authorities::model::AuthorityRow;
use crate::commitments::dto::{CommitmentKind, CommuneRoute, Side, ValuationMethod};
use crate::commitments::model::CommitmentRow;
use crate::commitments::upkeep::Upkeep;
use crate::db::schema::{communes, conventions};
use crate::holders::dto::HolderKind;
use crate::http::error::{ApiError, Text};
use crate::ids::{CommitmentId, ConventionId};
use crate::initiatives::dto::Land;
use crate::state::Session;
use crate::templates;
use crate::templates::dto::Article;

/// The commune as the content names it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ContentCommune {
    /// INSEE code.
    pub code: String,
    /// Official name.
    pub name: String,
    /// SIREN.
    #[schema(required)]
    pub siren: Option<String>,
}

/// A party as the content names it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ContentParty {
    /// Which party.
    pub party: Party,
    /// Name of the commune or of the holder; null for a natural person.
    #[schema(required)]
    pub name: Option<String>,
    /// What the holder or host is; null for the commune.
    #[schema(required)]
    pub kind: Option<HolderKind>,
    /// SIRET.
    #[schema(required)]
    pub siret: Option<String>,
    /// Number in the national register of associations.
    #[schema(required)]
    pub rna: Option<String>,
    /// Registered office.
    #[schema(required)]
    pub address: Option<String>,
    /// The signatory's function.
    pub capacity: String,
    /// By what right they sign.
    pub entitlement: Entitlement,
    /// The signatory: SHA-256 of a secret salt followed by the full name, in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub signatory: String,
}

/// A commitment as the content freezes it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ContentCommitment {
    /// Identifier, the same in every version.
    pub id: CommitmentId,
    /// Who owes.
    pub side: Side,
    /// What.
    pub kind: CommitmentKind,
    /// In a few words.
    pub title: String,
    /// In more words.
    #[schema(required)]
    pub description: Option<String>,
    /// Who gives, when a third party does.
    #[schema(required)]
    pub third_party_name: Option<String>,
    /// How the commune's help goes out.
    #[schema(required)]
    pub route: Option<CommuneRoute>,
    /// How much, of what is no money.
    #[schema(required, value_type = Option<String>, format = "decimal")]
    pub quantity: Option<BigDecimal>,
    /// Of what.
    #[schema(required)]
    pub unit: Option<String>,
    /// Value of one unit, in euro cents.
    #[schema(required)]
    pub unit_value_cents: Option<i64>,
    /// How the value was found.
    #[schema(required)]
    pub valuation_method: Option<ValuationMethod>,
    /// Value of the whole, in euro cents.
    pub value_cents: i64,
    /// Year of the envelope, for the commune's money.
    #[schema(required)]
    pub budget_year: Option<i32>,
    /// By when; null for upkeep.
    #[schema(required)]
    pub due_on: Option<NaiveDate>,
    /// From when to when, for upkeep.
    #[schema(required)]
    pub upkeep: Option<Upkeep>,
}

impl From<&CommitmentRow> for ContentCommitment {
    fn from(row: &CommitmentRow) -> Self {
        Self {
            id: row.id,
            side: row.side,
            kind: row.kind,
            title: row.title.clone(),
            description: row.description.clone(),
            third_party_name: row.third_party_name.clone(),
            route: row.route,
            quantity: row.quantity.as_ref().map(BigDecimal::normalized),
            unit: row.unit.clone(),
            unit_value_cents: row.unit_value_cents,
            valuation_method: row.valuation_method,
            value_cents: row.value_cents,
            budget_year: row.budget_year,
            due_on: row.due_on,
            upkeep: row.upkeep(),
        }
    }
}

/// Gives the commitments of a version that another one has replaced the terms on which it was signed: since then the new
/// version counts.
pub fn word_as_frozen(row: &ConventionRow, rows: &mut [CommitmentRow]) -> Result<(), ApiError> {
    let Some(content) = row
        .content
        .as_deref()
        .filter(|_| row.state == ConventionState::Superseded)
    else {
        return Ok(());
    };
    let content: ConventionContent = serde_json::from_str(content).map_err(ApiError::internal)?;
    for frozen in content.commitments {
        if let Some(row) = rows.iter_mut().find(|row| row.id == frozen.id) {
            row.amount_cents = row.amount_cents.map(|_| frozen.value_cents);
            row.quantity = frozen.quantity;
            row.unit_value_cents = frozen.unit_value_cents;
            row.value_cents = frozen.value_cents;
            row.budget_year = frozen.budget_year;
            row.due_on = frozen.due_on;
            row.upkeep_starts_on = frozen.upkeep.as_ref().map(|upkeep| upkeep.starts_on);
            row.upkeep_ends_on = frozen.upkeep.as_ref().map(|upkeep| upkeep.ends_on);
            row.upkeep_recurrence = frozen.upkeep.and_then(|upkeep| upkeep.recurrence);
        }
    }
    Ok(())
}

/// The act that lets the commune commit, as the content freezes it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ContentAuthority {
    /// Which kind of act.
    pub kind: AuthorityKind,
    /// Its number or title.
    #[schema(min_length = 1, max_length = 200, example = "2026-06-042")]
    pub reference: String,
    /// Day on which it was taken.
    pub decided_on: NaiveDate,
    /// Day on which it became executory: nobody signs before. Never null in what is signed.
    #[schema(required)]
    pub executory_on: Option<NaiveDate>,
    /// The votes, of an act of the council.
    #[schema(required)]
    pub votes: Option<Votes>,
}

impl From<&AuthorityRow> for ContentAuthority {
    fn from(row: &AuthorityRow) -> Self {
        Self {
            kind: row.kind,
            reference: row.number.clone(),
            decided_on: row.adopted_on,
            executory_on: row.executory_on,
            votes: row.votes(),
        }
    }
}

/// The version that an amendment replaces: the hash ties the versions together.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ContentSuperseded {
    /// Its identifier.
    pub id: ConventionId,
    /// SHA-256 of its content, in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub content_sha256: String,
    /// In which way it is changed.
    pub kind: AmendmentKind,
    /// Why it is changed.
    pub reason: String,
}

/// The material content of a version.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ConventionContent {
    /// Always `fifty-fifty/convention/1`.
    #[schema(
        pattern = "^fifty-fifty/convention/1$",
        example = "fifty-fifty/convention/1"
    )]
    pub schema: String,
    /// The commune.
    pub commune: ContentCommune,
    /// What it is for.
    pub initiative: InitiativeTitle,
    /// Identifier of the first version.
    pub root_id: ConventionId,
    /// Number of the version, from 1.
    #[schema(minimum = 1)]
    pub number: i32,
    /// Who signs.
    #[schema(max_items = 3)]
    pub parties: Vec<ContentParty>,
    /// The version that it replaces; null for the first.
    #[schema(required)]
    pub supersedes: Option<ContentSuperseded>,
    /// Object.
    pub object: String,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day.
    pub ends_on: NaiveDate,
    /// Why it lasts longer than the commune's setting allows.
    #[schema(required)]
    pub long_duration_reason: Option<String>,
    /// Whose land is used.
    pub land: Land,
    /// Which piece of it.
    #[schema(required)]
    pub land_description: Option<String>,
    /// Fee for the land, in euro cents.
    #[schema(required)]
    pub land_fee_cents: Option<i64>,
    /// Why there is no fee.
    #[schema(required)]
    pub land_fee_exemption: Option<String>,
    /// Whether it goes on by itself.
    pub tacit_renewal: bool,
    /// Agreement of the clergy in charge.
    #[schema(required)]
    pub clergy_agreement: Option<String>,
    /// Who owns what is built.
    pub works_ownership: WorksOwnership,
    /// What the contributors are by law.
    pub contributor_status: ContributorStatus,
    /// The commune's insurance.
    #[schema(required)]
    pub commune_insurance: Option<String>,
    /// The holder's insurance.
    #[schema(required)]
    pub holder_insurance: Option<String>,
    /// What contributors may not do.
    #[schema(required)]
    pub forbidden_tasks: Option<String>,
    /// How minors are supervised.
    #[schema(required)]
    pub supervision_of_minors: Option<String>,
    /// Consent for pictures.
    #[schema(required)]
    pub image_consent: Option<String>,
    /// Why nobody keeps it up afterwards.
    #[schema(required)]
    pub no_upkeep_reason: Option<String>,
    /// Days between a termination and its effect.
    pub notice_days: i32,
    /// How the result will be evaluated.
    #[schema(required)]
    pub evaluation_terms: Option<String>,
    /// The act that lets the commune commit.
    #[schema(required)]
    pub authority: Option<ContentAuthority>,
    /// What each side promises, in the order in which it was proposed.
    pub commitments: Vec<ContentCommitment>,
    /// The articles of the commune's model, word for word: what is printed around the rest.
    // Material, so that two sheets with one hash never differ in an article, and so that the document is made of nothing
    // but this content whatever becomes of the model. Which version of the model it was is not: the words are here.
    #[serde(default)]
    pub articles: Vec<Article>,
}

/// The fields that are signed, each with what it is called. What is not here may change at any time.
pub const MATERIAL: &[(&str, Text)] = &[
    ("articles", Text::new("Articles", "Articles")),
    ("authority", Text::new("Acte d'autorisation", "Authority")),
    (
        "clergy_agreement",
        Text::new(
            "Accord de l'affectataire",
            "Agreement of the clergy in charge",
        ),
    ),
    ("commitments", Text::new("Engagements", "Commitments")),
    ("commune", Text::new("Commune", "Commune")),
    (
        "commune_insurance",
        Text::new("Assurance de la commune", "Insurance of the commune"),
    ),
    (
        "contributor_status",
        Text::new("Statut des contributeurs", "Status of the contributors"),
    ),
    ("ends_on", Text::new("Dernier jour", "Last day")),
    ("evaluation_terms", Text::new("Évaluation", "Evaluation")),
    (
        "forbidden_tasks",
        Text::new("Tâches interdites", "Forbidden tasks"),
    ),
    (
        "holder_insurance",
        Text::new("Assurance du porteur", "Insurance of the holder"),
    ),
    (
        "image_consent",
        Text::new("Droit à l'image", "Consent for pictures"),
    ),
    ("initiative", Text::new("Initiative", "Initiative")),
    ("land", Text::new("Terrain", "Land")),
    (
        "land_description",
        Text::new("Description du terrain", "Description of the land"),
    ),
    ("land_fee_cents", Text::new("Redevance", "Fee for the land")),
    (
        "land_fee_exemption",
        Text::new("Motif d'exonération de redevance", "Why there is no fee"),
    ),
    (
        "long_duration_reason",
        Text::new("Motif d'une longue durée", "Why it lasts long"),
    ),
    (
        "no_upkeep_reason",
        Text::new("Motif d'absence d'entretien", "Why there is no upkeep"),
    ),
    (
        "notice_days",
        Text::new("Préavis, en jours", "Notice, in days"),
    ),
    (
        "number",
        Text::new("Numéro de la version", "Number of the version"),
    ),
    ("object", Text::new("Objet", "Object")),
    (
        "parties",
        Text::new("Parties et signataires", "Parties and signatories"),
    ),
    ("root_id", Text::new("Première version", "First version")),
    (
        "schema",
        Text::new("Forme du contenu", "Form of the content"),
    ),
    ("starts_on", Text::new("Premier jour", "First day")),
    (
        "supersedes",
        Text::new("Version remplacée", "Version that is replaced"),
    ),
    (
        "supervision_of_minors",
        Text::new("Encadrement des mineurs", "Supervision of minors"),
    ),
    (
        "tacit_renewal",
        Text::new("Tacite reconduction", "Tacit renewal"),
    ),
    (
        "works_ownership",
        Text::new("Propriété des ouvrages", "Ownership of the works"),
    ),
];

/// Canonical JSON of a content that is about to be signed, and its SHA-256 in hexadecimal.
pub fn freeze(content: &ConventionContent) -> Result<(String, String), ApiError> {
    let canonical = serde_json_canonicalizer::to_string(content).map_err(ApiError::internal)?;
    let hash = hexadecimal(&Sha256::digest(&canonical));
    Ok((canonical, hash))
}

/// The content that a version has now, with these articles. A signatory whose name was erased is left out.
pub async fn draw_up(
    conn: &mut AsyncPgConnection,
    found: &Found,
    bodies: &(Body, Option<Body>),
    parties: &[PartyState],
    commitments: &[CommitmentRow],
    authority: Option<&AuthorityRow>,
    articles: Vec<Article>,
) -> Result<ConventionContent, ApiError> {
    let row = &found.row;
    let (name, siren): (String, Option<String>) = communes::table
        .find(&row.commune_code)
        .select((communes::name, communes::siren))
        .first(conn)
        .await?;
    let party = |state: &PartyState| {
        let legal = LegalIdentity::of(state.row.party, &name, bodies);
        Some(ContentParty {
            party: state.row.party,
            name: legal.name,
            kind: legal.kind,
            siret: legal.siret,
            rna: legal.rna,
            address: legal.address,
            capacity: state.row.capacity.clone(),
            entitlement: state.row.entitlement(),
            signatory: state.identity.hash()?,
        })
    };
    let supersedes = match (row.supersedes_id, row.amendment_kind) {
        (Some(id), Some(kind)) => Some(ContentSuperseded {
            id,
            content_sha256: conventions::table
                .find((id, &row.commune_code))
                .select(conventions::content_sha256.assume_not_null())
                .first(conn)
                .await?,
            kind,
            reason: row.amendment_reason.clone().unwrap_or_default(),
        }),
        _ => None,
    };
    Ok(ConventionContent {
        schema: "fifty-fifty/convention/1".to_owned(),
        parties: parties.iter().filter_map(party).collect(),
        commune: ContentCommune {
            code: row.commune_code.clone(),
            name: name.clone(),
            siren,
        },
        initiative: InitiativeTitle {
            id: row.initiative_id,
            title: found.initiative.row.title.clone(),
        },
        root_id: row.root_id,
        number: row.number,
        supersedes,
        object: row.object.clone(),
        starts_on: row.starts_on,
        ends_on: row.ends_on,
        long_duration_reason: row.long_duration_reason.clone(),
        land: row.land,
        land_description: row.land_description.clone(),
        land_fee_cents: row.land_fee_cents,
        land_fee_exemption: row.land_fee_exemption.clone(),
        tacit_renewal: row.tacit_renewal,
        clergy_agreement: row.clergy_agreement.clone(),
        works_ownership: row.works_ownership,
        contributor_status: row.contributor_status,
        commune_insurance: row.commune_insurance.clone(),
        holder_insurance: row.holder_insurance.clone(),
        forbidden_tasks: row.forbidden_tasks.clone(),
        supervision_of_minors: row.supervision_of_minors.clone(),
        image_consent: row.image_consent.clone(),
        no_upkeep_reason: row.no_upkeep_reason.clone(),
        notice_days: row.notice_days,
        evaluation_terms: row.evaluation_terms.clone(),
        authority: authority.map(ContentAuthority::from),
        commitments: commitments.iter().map(ContentCommitment::from).collect(),
        articles,
    })
}

/// The content that a draft would be opened with now.
pub async fn now(
    session: &mut Session,
    found: &Found,
    parties: &[PartyState],
) -> Result<ConventionContent, ApiError> {
    let conn = &mut session.conn;
    let bodies = parties::bodies(conn, &found.row).await?;
    let commitments = model::held_as_worded(conn, &found.row).await?;
    let authority = match found.row.authority_id {
        Some(id) => Some(authorities::model::find(conn, id).await?),
        None => None,
    };
    let model = templates::model::latest(conn, &found.row.commune_code).await?;
    draw_up(
        conn,
        found,
        &bodies,
        parties,
        &commitments,
        authority.as_ref(),
        model.articles,
    )
    .await
}
