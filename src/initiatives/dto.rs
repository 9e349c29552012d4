//! Initiatives as the API shows and takes them.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::lifecycle::{InitiativeAction, InitiativeState};
use crate::codes::codes;
use crate::commitments::dto::NewCommitment;
use crate::db::schema::{decisions, opinions};
use crate::holders::dto::{HolderSummary, NewHolder};
use crate::http::error::{ApiError, FaultCode};
use crate::http::extract::absent_or_null;
use crate::ids::{DocumentId, HolderId, InitiativeId, MandateId, NoteId, OpinionId, PracticeId};
use crate::mandates::dto::PersonSummary;

codes! {
    /// How an initiative came up.
    pub enum Origin "origins" {
        Idea = "idea", "Idée", "Idea";
        Demand = "demand", "Demande", "Demand";
        Meeting = "meeting", "Réunion publique", "Public meeting";
    }

    /// Who carries it out.
    pub enum Delivery "deliveries" {
        Holder = "holder", "Le porteur seul", "The holder alone";
        Joint = "joint", "Le porteur avec la commune", "The holder with the commune";
    }

    /// What an initiative is about.
    pub enum Theme "themes" {
        Environment = "environment", "Environnement", "Environment";
        Mobility = "mobility", "Mobilité", "Mobility";
        Culture = "culture", "Culture", "Culture";
        Sport = "sport", "Sport", "Sport";
        Education = "education", "Éducation", "Education";
        Solidarity = "solidarity", "Solidarité", "Solidarity";
        Heritage = "heritage", "Patrimoine", "Heritage";
        Energy = "energy", "Énergie", "Energy";
        Digital = "digital", "Numérique", "Digital";
        Health = "health", "Santé", "Health";
        Agriculture = "agriculture", "Agriculture", "Agriculture";
        LivingEnvironment = "living_environment", "Cadre de vie", "Living environment";
    }

    /// Whose land is used.
    pub enum Land "lands" {
        None = "none", "Aucun terrain public", "No public land";
        PublicDomain = "public_domain", "Domaine public", "Public domain";
        PrivateDomain = "private_domain", "Domaine privé de la commune", "Private domain of the commune";
        RuralTrack = "rural_track", "Chemin rural", "Rural track";
        Church = "church", "Église", "Church";
    }

    /// How something reached the town hall.
    pub enum Channel "channels" {
        Online = "online", "En ligne", "Online";
        Counter = "counter", "Au guichet", "At the counter";
        Phone = "phone", "Par téléphone", "By telephone";
        Paper = "paper", "Sur papier", "On paper";
    }

    /// What an agent concludes.
    pub enum OpinionOutcome "opinion_outcomes" {
        Favourable = "favourable", "Favorable", "Favourable";
        FavourableWithConditions = "favourable_with_conditions", "Favorable avec réserves", "Favourable with conditions";
        Unfavourable = "unfavourable", "Défavorable", "Unfavourable";
    }

    /// What an elected official decides.
    pub enum DecisionOutcome "decision_outcomes" {
        Accepted = "accepted", "Acceptée", "Accepted";
        Refused = "refused", "Refusée", "Refused";
    }

    /// Ages of people who are counted and not named.
    pub enum AgeBand "age_bands" {
        Under11 = "under_11", "Moins de 11 ans", "Under 11";
        From11To14 = "11_14", "11 à 14 ans", "11 to 14";
        From15To17 = "15_17", "15 à 17 ans", "15 to 17";
        From18To29 = "18_29", "18 à 29 ans", "18 to 29";
        From30To59 = "30_59", "30 à 59 ans", "30 to 59";
        From60 = "60_plus", "60 ans et plus", "60 and older";
        Unknown = "unknown", "Âge inconnu", "Age unknown";
    }

    /// Drawers of the town hall's inbox.
    pub enum Inbox "inboxes" {
        ToInstruct = "to_instruct", "À instruire", "To instruct";
        Overdue = "overdue", "En retard de réponse", "Reply overdue";
        ToDecide = "to_decide", "À décider", "To decide";
        ToSign = "to_sign", "À signer pour la commune", "To sign for the commune";
    }
}

/// A point on the map (WGS 84).
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Degrees north.
    #[schema(minimum = -90, maximum = 90, example = 50.4567)]
    pub latitude: f64,
    /// Degrees east.
    #[schema(minimum = -180, maximum = 180, example = 2.7912)]
    pub longitude: f64,
}

/// A commune by its code and name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommuneSummary {
    /// INSEE code.
    #[schema(example = "62528")]
    pub code: String,
    /// Official name.
    #[schema(example = "Loos-en-Gohelle")]
    pub name: String,
}

/// An initiative in a list: enough for a screen, with no second call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InitiativeSummary {
    /// Identifier.
    pub id: InitiativeId,
    /// Where it takes place.
    pub commune: CommuneSummary,
    /// Who carries it; null while a draft has none.
    #[schema(required)]
    pub holder: Option<HolderSummary>,
    /// Title.
    #[schema(example = "Réfection des chemins agricoles")]
    pub title: String,
    /// Theme; null while a draft has none.
    #[schema(required)]
    pub theme: Option<Theme>,
    /// Where it stands.
    pub state: InitiativeState,
    /// When it came there.
    pub state_changed_at: DateTime<Utc>,
    /// How it came up.
    pub origin: Origin,
    /// Who carries it out.
    pub delivery: Delivery,
    /// Place in words.
    #[schema(required, example = "Chemin de la plaine")]
    pub place: Option<String>,
    /// Place on the map.
    #[schema(required)]
    pub location: Option<Location>,
    /// First day, as planned.
    #[schema(required)]
    pub starts_on: Option<NaiveDate>,
    /// Last day, as planned.
    #[schema(required)]
    pub ends_on: Option<NaiveDate>,
    /// When it was published; null for what only its holder and the town hall see.
    #[schema(required)]
    pub published_at: Option<DateTime<Utc>>,
    /// When it was submitted.
    #[schema(required)]
    pub submitted_at: Option<DateTime<Utc>>,
    /// Day by which the commune promised to answer.
    #[schema(required)]
    pub reply_due_on: Option<NaiveDate>,
    /// Residents who support it.
    #[schema(example = 34, minimum = 0)]
    pub endorsement_count: i32,
    /// Residents who take part.
    #[schema(example = 12, minimum = 0)]
    pub participant_count: i32,
    /// The name that a partner's system gives it; null where none does.
    #[schema(required, example = "CIVIQ-2019-42")]
    pub external_id: Option<String>,
    /// When it was imported as what it had become before; null for what happened here.
    #[schema(required)]
    pub imported_at: Option<DateTime<Utc>>,
    /// When it was written down here.
    pub created_at: DateTime<Utc>,
}

/// A page of initiatives.
#[derive(Serialize, ToSchema)]
pub struct InitiativePage {
    /// The initiatives of this page.
    pub data: Vec<InitiativeSummary>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// What an agent concluded.
#[derive(Clone, Debug, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = opinions)]
pub struct Opinion {
    /// Identifier.
    pub id: OpinionId,
    /// Conclusion.
    pub outcome: OpinionOutcome,
    /// Reasons and conditions.
    pub text: String,
    /// Estimated cost for the commune, in euro cents.
    #[schema(required, minimum = 0)]
    pub estimated_cost_cents: Option<i64>,
    /// When it was given.
    pub given_at: DateTime<Utc>,
}

/// What an elected official decided.
#[derive(Clone, Debug, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = decisions)]
pub struct Decision {
    /// Accepted or refused.
    pub outcome: DecisionOutcome,
    /// Why.
    pub reason: String,
    /// In which function.
    #[schema(example = "Adjointe à la vie associative")]
    pub capacity: String,
    /// On which day.
    pub decided_on: NaiveDate,
}

/// How a decision that was taken on paper came here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DecisionOnPaper {
    /// Where the paper is.
    #[schema(example = "Registre 2026-31")]
    pub paper_reference: String,
    /// When an agent recorded it.
    pub recorded_at: DateTime<Utc>,
    /// Last day on which the official in whose name it was recorded may contest it.
    pub contestable_until: NaiveDate,
}

/// What the holder gets for submitting.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Receipt {
    /// When the commune received it.
    pub submitted_at: DateTime<Utc>,
    /// Day by which the commune promised to answer; it moves by the time spent in `changes_requested`.
    pub reply_due_on: NaiveDate,
    /// Day on which silence becomes a decision by law, two months after submission.
    #[schema(required)]
    pub implicit_decision_on: Option<NaiveDate>,
    /// What that silence would mean: requests of money are refused by it.
    pub implicit_decision: DecisionOutcome,
}

/// What the holder and the town hall see besides.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InitiativeInside {
    /// How it reached the town hall.
    pub channel: Channel,
    /// Reference of the paper, where there is one.
    #[schema(required)]
    pub paper_reference: Option<String>,
    /// Its scan, where there is one.
    #[schema(required)]
    pub paper_document_id: Option<DocumentId>,
    /// Why it was not published, for the town hall.
    #[schema(required)]
    pub publication_withheld_reason: Option<String>,
    /// How the decision came here, where it was taken on paper; for the town hall.
    #[schema(required)]
    pub decision_on_paper: Option<DecisionOnPaper>,
}

/// An initiative.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Initiative {
    /// Identifier.
    pub id: InitiativeId,
    /// Where it takes place.
    pub commune: CommuneSummary,
    /// Who carries it; null while a draft has none.
    #[schema(required)]
    pub holder: Option<HolderSummary>,
    /// Legal body that receives money or signs for the holder.
    #[schema(required)]
    pub host: Option<HolderSummary>,
    /// Title.
    #[schema(example = "Réfection des chemins agricoles")]
    pub title: String,
    /// What it is about; null while a draft has none.
    #[schema(required)]
    pub description: Option<String>,
    /// Theme; null while a draft has none.
    #[schema(required)]
    pub theme: Option<Theme>,
    /// What the holder needs from the commune.
    #[schema(required, example = "30 000 EUR de matériaux ; un avis technique")]
    pub needs: Option<String>,
    /// Where it stands.
    pub state: InitiativeState,
    /// When it came there.
    pub state_changed_at: DateTime<Utc>,
    /// What the caller may do now.
    pub allowed_actions: Vec<InitiativeAction>,
    /// How it came up.
    pub origin: Origin,
    /// Who carries it out.
    pub delivery: Delivery,
    /// Place in words.
    #[schema(required, example = "Chemin de la plaine")]
    pub place: Option<String>,
    /// Place on the map.
    #[schema(required)]
    pub location: Option<Location>,
    /// First day, as planned.
    #[schema(required)]
    pub starts_on: Option<NaiveDate>,
    /// Last day, as planned.
    #[schema(required)]
    pub ends_on: Option<NaiveDate>,
    /// Whether something is built.
    pub building_work: bool,
    /// Whose land is used.
    pub land: Land,
    /// Whether the commune is asked for money.
    pub requests_money: bool,
    /// The initiative that this one follows, after a refusal say.
    #[schema(required)]
    pub follows_id: Option<InitiativeId>,
    /// The practice sheet that inspired it, of any commune. Where it was withdrawn since,
    /// `GET /v1/practices/{id}/lineage` still names it.
    #[schema(required)]
    pub inspired_by_practice_id: Option<PracticeId>,
    /// When it was published; null for what only its holder and the town hall see.
    #[schema(required)]
    pub published_at: Option<DateTime<Utc>>,
    /// What the holder got for submitting.
    #[schema(required)]
    pub receipt: Option<Receipt>,
    /// When somebody of the town hall first answered.
    #[schema(required)]
    pub first_reply_at: Option<DateTime<Utc>>,
    /// The agent's last opinion: for the town hall at once, for others after the decision.
    #[schema(required)]
    pub opinion: Option<Opinion>,
    /// The last decision.
    #[schema(required)]
    pub decision: Option<Decision>,
    /// The competent body, for one that was redirected.
    #[schema(required)]
    pub redirected_to: Option<String>,
    /// Residents who support it.
    #[schema(minimum = 0)]
    pub endorsement_count: i32,
    /// Residents who take part.
    #[schema(minimum = 0)]
    pub participant_count: i32,
    /// Whether the caller supports it; null when nobody is signed in.
    #[schema(required)]
    pub endorsed_by_me: Option<bool>,
    /// Whether the caller takes part; null when nobody is signed in.
    #[schema(required)]
    pub joined_by_me: Option<bool>,
    /// The name that a partner's system gives it; null where none does.
    #[schema(required, example = "CIVIQ-2019-42")]
    pub external_id: Option<String>,
    /// When it was imported as what it had become before; null for what happened here.
    #[schema(required)]
    pub imported_at: Option<DateTime<Utc>>,
    /// For the holder and the town hall; null for others.
    #[schema(required)]
    pub inside: Option<InitiativeInside>,
    /// When it was written down here.
    pub created_at: DateTime<Utc>,
}

/// What makes an initiative, besides who carries it.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = dates_in_order), schema(function = one_holder))]
#[schema(example = json!({"title": "Réfection des chemins agricoles", "origin": "idea", "delivery": "joint",
    "description": "Les agriculteurs apportent machines, bennes et bras ; la commune les matériaux.",
    "theme": "agriculture", "needs": "Matériaux et avis technique", "requests_money": true}))]
pub struct NewInitiative {
    /// Title.
    #[schema(min_length = 3, max_length = 200)]
    pub title: String,
    /// What it is about; needed to submit.
    #[schema(min_length = 1, max_length = 20000, nullable = false)]
    pub description: Option<String>,
    /// Theme; needed to submit.
    #[schema(nullable = false)]
    pub theme: Option<Theme>,
    /// What the holder needs from the commune.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub needs: Option<String>,
    /// How it came up.
    #[serde(default = "idea")]
    pub origin: Origin,
    /// Who carries it out.
    #[serde(default = "by_holder")]
    pub delivery: Delivery,
    /// Place in words.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub place: Option<String>,
    /// Place on the map.
    #[schema(nullable = false)]
    pub location: Option<Location>,
    /// First day, as planned.
    #[schema(nullable = false)]
    pub starts_on: Option<NaiveDate>,
    /// Last day, as planned.
    #[schema(nullable = false)]
    pub ends_on: Option<NaiveDate>,
    /// Whether something is built.
    #[serde(default)]
    pub building_work: bool,
    /// Whose land is used.
    #[serde(default = "no_land")]
    pub land: Land,
    /// Whether the commune is asked for money.
    #[serde(default)]
    pub requests_money: bool,
    /// The holder; the caller is a member, or an agent who enters it on behalf.
    #[schema(nullable = false)]
    pub holder_id: Option<HolderId>,
    /// A holder to create at the same time, instead of `holder_id`.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub holder: Option<NewHolder>,
    /// Legal body that receives money or signs for the holder.
    #[schema(nullable = false)]
    pub host_id: Option<HolderId>,
    /// An initiative of the commune that this one follows.
    #[schema(nullable = false)]
    pub follows_id: Option<InitiativeId>,
    /// The published practice sheet that inspired it, of any commune.
    #[schema(nullable = false)]
    pub inspired_by_practice_id: Option<PracticeId>,
    /// For an agent who enters it for a resident.
    #[schema(nullable = false)]
    pub on_behalf: Option<OnBehalf>,
    /// What each side would give, to put on the table at the same time.
    #[serde(default)]
    #[validate(nested)]
    #[schema(max_items = 100)]
    pub commitments: Vec<NewCommitment>,
    /// Whether to submit it at once.
    #[serde(default)]
    pub submit: bool,
}

const fn idea() -> Origin {
    Origin::Idea
}

const fn by_holder() -> Delivery {
    Delivery::Holder
}

const fn no_land() -> Land {
    Land::None
}

fn dates_in_order(new: &NewInitiative) -> Result<(), ValidationError> {
    if new
        .starts_on
        .zip(new.ends_on)
        .is_some_and(|(start, end)| end < start)
    {
        return Err(ValidationError::new("ends_on")
            .with_message("La fin précède le début. | The end comes before the start.".into()));
    }
    Ok(())
}

fn one_holder(new: &NewInitiative) -> Result<(), ValidationError> {
    if new.holder.is_some() && new.holder_id.is_some() {
        return Err(ValidationError::new("holder")
            .with_message("Soit holder_id, soit holder. | Either holder_id or holder.".into()));
    }
    Ok(())
}

/// How something that an agent enters for a resident reached the town hall.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OnBehalf {
    /// `counter`, `phone` or `paper`.
    pub channel: OffLineChannel,
    /// Reference of the paper.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub paper_reference: Option<String>,
}

/// The channels that need an agent.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OffLineChannel {
    Counter,
    Phone,
    Paper,
}

impl From<OffLineChannel> for Channel {
    fn from(channel: OffLineChannel) -> Self {
        match channel {
            OffLineChannel::Counter => Self::Counter,
            OffLineChannel::Phone => Self::Phone,
            OffLineChannel::Paper => Self::Paper,
        }
    }
}

/// Changes to a draft, or to what changes were requested of; what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1, example = json!({"theme": "agriculture", "needs": null}))]
pub struct InitiativePatch {
    /// Title.
    #[schema(min_length = 3, max_length = 200, nullable = false)]
    pub title: Option<String>,
    /// What it is about.
    #[schema(min_length = 1, max_length = 20000, nullable = false)]
    pub description: Option<String>,
    /// Theme.
    #[schema(nullable = false)]
    pub theme: Option<Theme>,
    /// What the holder needs from the commune.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub needs: Option<Option<String>>,
    /// How it came up.
    #[schema(nullable = false)]
    pub origin: Option<Origin>,
    /// Who carries it out.
    #[schema(nullable = false)]
    pub delivery: Option<Delivery>,
    /// Place in words.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub place: Option<Option<String>>,
    /// Place on the map.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<Location>)]
    pub location: Option<Option<Location>>,
    /// First day, as planned.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<NaiveDate>)]
    pub starts_on: Option<Option<NaiveDate>>,
    /// Last day, as planned.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<NaiveDate>)]
    pub ends_on: Option<Option<NaiveDate>>,
    /// Whether something is built.
    #[schema(nullable = false)]
    pub building_work: Option<bool>,
    /// Whose land is used.
    #[schema(nullable = false)]
    pub land: Option<Land>,
    /// Whether the commune is asked for money.
    #[schema(nullable = false)]
    pub requests_money: Option<bool>,
    /// The holder.
    #[schema(nullable = false)]
    pub holder_id: Option<HolderId>,
    /// Legal body that receives money or signs for the holder.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<HolderId>)]
    pub host_id: Option<Option<HolderId>>,
    /// The published practice sheet that inspired it, of any commune.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<PracticeId>)]
    pub inspired_by_practice_id: Option<Option<PracticeId>>,
}

/// Which initiatives to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InitiativeFilter {
    /// INSEE code. In the list, and in no file, the town hall of that commune sees what is not published too.
    #[param(pattern = r"^[0-9][0-9AB][0-9]{3}$", example = "62528")]
    pub commune: Option<String>,
    /// States, separated by commas.
    #[param(style = Form, explode = false, max_items = 13, example = json!(["in_progress", "completed"]))]
    pub state: Option<Vec<InitiativeState>>,
    /// Theme.
    pub theme: Option<Theme>,
    /// Holder.
    pub holder: Option<HolderId>,
    /// Words of the title, the description, the place or the needs; accents and plurals do not matter.
    #[param(min_length = 1, max_length = 200, example = "chemins")]
    pub q: Option<String>,
    /// Box on the map, its smaller corner first: west, south, east, north, in degrees (WGS 84).
    #[param(
        pattern = r"^-?\d{1,3}(\.\d{1,8})?(,-?\d{1,3}(\.\d{1,8})?){3}$",
        example = "2.70,50.40,2.90,50.50"
    )]
    pub bbox: Option<String>,
    /// Written down after this instant.
    pub created_after: Option<DateTime<Utc>>,
    /// Those that name this practice sheet as their inspiration.
    pub inspired_by: Option<PracticeId>,
    /// The name that a partner's system gives it.
    #[param(min_length = 1, max_length = 100, example = "CIVIQ-2019-42")]
    pub external_id: Option<String>,
}

/// What of the list comes first, and what waits for the town hall.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InitiativeOrder {
    /// A drawer of the inbox, for agents and elected officials of `commune`.
    pub inbox: Option<Inbox>,
    /// Order: the newest first (default), the oldest first, or the most urgent reply first.
    #[serde(default)]
    pub sort: InitiativeSort,
}

/// Orders of the list of initiatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum InitiativeSort {
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    #[serde(rename = "created_at")]
    Oldest,
    #[serde(rename = "reply_due_on")]
    MostUrgent,
}

/// An action with a reason.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Le projet sert tous les habitants du quartier."}))]
pub struct Reason {
    /// Why. Public where the initiative is, so no names of people.
    #[schema(min_length = 1, max_length = 5000)]
    pub reason: String,
}

/// An action with a message to the holder.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"message": "Merci de joindre un plan et l'accord des riverains."}))]
pub struct Message {
    /// What is asked, for the holder and the town hall.
    #[schema(min_length = 1, max_length = 5000)]
    pub message: String,
}

/// The start of a review.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = withholding_is_explained))]
#[schema(example = json!({"publish": true}))]
pub struct StartReview {
    /// Whether to publish it; the town hall has read it and found nothing against it.
    #[serde(default = "yes")]
    pub publish: bool,
    /// Why it is not published.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub reason: Option<String>,
}

const fn yes() -> bool {
    true
}

fn withholding_is_explained(start: &StartReview) -> Result<(), ValidationError> {
    if !start.publish && start.reason.is_none() {
        return Err(ValidationError::new("reason").with_message(
            "Ne pas publier demande un motif. | Not to publish needs a reason.".into(),
        ));
    }
    Ok(())
}

/// An opinion to give.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "favourable", "text": "Faisable avant l'hiver.", "estimated_cost_cents": 3000000}))]
pub struct NewOpinion {
    /// Conclusion.
    pub outcome: OpinionOutcome,
    /// Reasons and conditions.
    #[schema(min_length = 1, max_length = 10000)]
    pub text: String,
    /// Estimated cost for the commune, in euro cents.
    #[schema(minimum = 0, maximum = 100000000000i64, nullable = false)]
    pub estimated_cost_cents: Option<i64>,
}

/// A redirection.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"competent_body": "Département du Pas-de-Calais", "reason": "La route est départementale."}))]
pub struct Redirection {
    /// Another level of government, or an existing service.
    #[schema(min_length = 1, max_length = 200)]
    pub competent_body: String,
    /// Why.
    #[schema(min_length = 1, max_length = 5000)]
    pub reason: String,
}

/// A decision that an official took on paper, for an agent who records it.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "accepted", "reason": "Utile à tout le quartier.",
    "mandate_id": "019ecac3-3f10-8035-b9b9-a4c7d1f0e212", "decided_on": "2026-06-12", "paper_reference": "Registre 2026-31"}))]
pub struct RecordedDecision {
    /// Accepted or refused.
    pub outcome: DecisionOutcome,
    /// Why. Public where the initiative is, so no names of people.
    #[schema(min_length = 1, max_length = 5000)]
    pub reason: String,
    /// The mandate of the official who decided.
    pub mandate_id: MandateId,
    /// Day on which it was decided: neither in the future nor before the opinion.
    pub decided_on: NaiveDate,
    /// Where the paper is.
    #[schema(min_length = 1, max_length = 200)]
    pub paper_reference: String,
}

/// A paper with a decision, and in whose name it is.
#[derive(Debug)]
pub struct DecisionPaper {
    pub mandate_id: MandateId,
    pub decided_on: NaiveDate,
    pub paper_reference: String,
}

/// A quick yes to a small project.
#[derive(Debug)]
pub struct QuickAccept {
    /// The opinion in one line.
    pub opinion: String,
    /// Why yes.
    pub reason: String,
}

/// An internal note, for the town hall only.
#[derive(Serialize, ToSchema)]
pub struct Note {
    /// Identifier.
    pub id: NoteId,
    /// Who wrote it.
    pub author: PersonSummary,
    /// What it says.
    pub text: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A page of internal notes, the newest first.
#[derive(Serialize, ToSchema)]
pub struct NotePage {
    /// The notes of this page.
    pub data: Vec<Note>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A note to write.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "Vu avec les services techniques : prévoir du concassé."}))]
pub struct NewNote {
    /// What it says.
    #[schema(min_length = 1, max_length = 10000)]
    pub text: String,
}

/// People counted on one day, by age, without a name.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgeCount {
    /// Age band.
    pub age_band: AgeBand,
    /// How many people.
    #[schema(minimum = 0, maximum = 100000, example = 14)]
    pub people: i32,
}

impl AgeCount {
    /// Refuses an age band that comes twice, at this pointer.
    pub fn each_once(counts: &[Self], pointer: &'static str) -> Result<(), ApiError> {
        let mut bands: Vec<AgeBand> = counts.iter().map(|count| count.age_band).collect();
        bands.sort_unstable();
        bands.dedup();
        if bands.len() == counts.len() {
            return Ok(());
        }
        Err(ApiError::fault(
            pointer,
            FaultCode::Repeated,
            "Chaque tranche d'âge une seule fois.",
            "Each age band once.",
        ))
    }

    /// What everybody sees of people counted by age: of a small group nobody learns how old they are, not by elimination
    /// either. The indicator `headcounts` counts in the same way.
    pub fn for_everybody(counts: Vec<Self>) -> Vec<Self> {
        let (mut shown, mut without): (Vec<Self>, Vec<Self>) = counts
            .into_iter()
            .partition(|count| count.people >= FEW && count.age_band != AgeBand::Unknown);
        let known = |count: &&Self| count.age_band != AgeBand::Unknown;
        let few: i32 = without.iter().filter(known).map(|count| count.people).sum();
        let bands = AgeBand::ALL
            .iter()
            .filter(|band| **band != AgeBand::Unknown);
        let hidden = i32::try_from(bands.count() - shown.len()).unwrap_or(0);
        // The one band that is left, or bands that are all as large as they can be.
        if few > 0 && (hidden == 1 || few == (FEW - 1) * hidden) {
            let smallest = |place: &usize| {
                shown
                    .get(*place)
                    .map(|count| (count.people, count.age_band.code()))
            };
            if let Some(place) = (0..shown.len()).min_by_key(smallest) {
                without.push(shown.remove(place));
            }
        }
        let people = without.iter().map(|count| count.people).sum();
        if people > 0 {
            shown.push(Self {
                age_band: AgeBand::Unknown,
                people,
            });
        }
        shown
    }
}

/// Fewer people of an age band than this are not told apart.
const FEW: i32 = 5;

/// A headcount of one day.
#[derive(Debug, Serialize, ToSchema)]
pub struct Headcount {
    /// Day.
    pub counted_on: NaiveDate,
    /// People by age band.
    pub counts: Vec<AgeCount>,
}

/// All headcounts of an initiative, the latest first.
#[derive(Serialize, ToSchema)]
pub struct HeadcountList {
    /// The headcounts.
    pub data: Vec<Headcount>,
}

/// A headcount to record; it replaces that of the same day.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"counts": [{"age_band": "11_14", "people": 14}, {"age_band": "30_59", "people": 4}]}))]
pub struct NewHeadcount {
    /// People by age band, each band once.
    #[schema(min_items = 1, max_items = 7)]
    pub counts: Vec<AgeCount>,
}
