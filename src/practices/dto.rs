//! Practice sheets as the API shows and takes them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::lifecycle::{PracticeAction, PracticeState};
use crate::codes::codes;
use crate::conventions::lifecycle::ConventionState;
use crate::http::extract::absent_or_null;
use crate::ids::{ConventionId, InitiativeId, PracticeId};
use crate::initiatives::dto::{CommuneSummary, Location, Theme};
use crate::initiatives::lifecycle::InitiativeState;

codes! {
    /// How far residents take part: the five steps of the IAP2 Spectrum of Public Participation (inform, consult, involve,
    /// collaborate, empower), under the words of French practice.
    pub enum ParticipationLevel "participation_levels" {
        Information = "information", "Information : les habitants sont informés", "Inform: residents are told";
        Consultation = "consultation", "Consultation : leur avis est recueilli", "Consult: residents are asked";
        Concertation = "concertation", "Concertation : ils travaillent aux solutions avec la commune", "Involve: residents work on solutions with the commune";
        CoConstruction = "co_construction", "Co-construction : ils décident et font avec la commune", "Collaborate: residents decide and do with the commune";
        CitizenLed = "citizen_led", "Initiative citoyenne : ils portent, la commune soutient", "Empower: residents lead, the commune supports";
    }

    /// Why a practice sheet is a neighbour of another one.
    pub enum NeighbourReason "neighbour_reasons" {
        SameTheme = "same_theme", "Même thème", "Same theme";
        Near = "near", "À 50 km au plus", "Within 50 km";
        SimilarSize = "similar_size", "Commune de taille comparable : de la moitié au double de la population", "Commune of similar size: half to twice the population";
    }

    /// What names a practice sheet as its inspiration.
    pub enum LineageKind "lineage_kinds" {
        Practice = "practice", "Fiche de bonne pratique", "Practice sheet";
        Initiative = "initiative", "Initiative", "Initiative";
    }
}

/// A word under which others look for a practice sheet: small letters and digits, and between them spaces, hyphens and
/// apostrophes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, min_length = 1, max_length = 40, pattern = "^[a-z0-9à-öø-ÿœ]+([ '’-][a-z0-9à-öø-ÿœ]+)*$",
    example = "chemin rural")]
pub struct PracticeTag(pub String);

/// A service of the town hall that answers questions: no person, and no mail.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PracticeContact {
    /// Name of the service.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^@]*[^@\s][^@]*$",
        example = "Service de la participation citoyenne"
    )]
    pub service: String,
    /// Its postal address.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^@]*[^@\s][^@]*$",
        example = "Place de la République, 62750 Loos-en-Gohelle"
    )]
    pub address: String,
}

/// Figures of what proves a practice sheet. Nobody types them: they follow from the records by the definitions of the
/// metrics. What has no record yet is null.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct PracticeFigures {
    /// Days from the first convention in force to completion; of a sheet, of the initiative that took longest.
    #[schema(required, minimum = 0, maximum = 100000, example = 162)]
    pub duration_days: Option<i64>,
    /// What the commune has spent, in euro cents (`municipal_spending`).
    #[schema(required, minimum = 0, example = 3000000)]
    pub municipal_spending_cents: Option<i64>,
    /// Working time of the commune's staff, in hours (`staff_hours`).
    #[schema(required, format = "decimal", example = "40")]
    pub staff_hours: Option<String>,
    /// Time that elected officials gave, in hours (`official_hours`).
    #[schema(required, format = "decimal", example = "10")]
    pub official_hours: Option<String>,
    /// Hours of labour that residents gave (`volunteer_hours`).
    #[schema(required, format = "decimal", example = "600")]
    pub volunteer_hours: Option<String>,
    /// Residents who are registered as taking part.
    #[schema(minimum = 0, maximum = 100000000, example = 12)]
    pub participants: i64,
    /// People counted without their names, on the day of most of each initiative (`headcounts`).
    #[schema(required, minimum = 0, maximum = 100000000, example = 32)]
    pub people_counted: Option<i64>,
    /// Value of what the commune has delivered, in euro cents (`value_delivered_by_side`).
    #[schema(required, minimum = 0, example = 3000000)]
    pub commune_value_cents: Option<i64>,
    /// Value of what residents and their partners have delivered, in euro cents (`value_delivered_by_side`).
    #[schema(required, minimum = 0, example = 4200000)]
    pub residents_value_cents: Option<i64>,
    /// What the commune did not have to pay, in euro cents; below zero when it cost more (`savings`).
    #[schema(required, minimum = -200000000000i64, maximum = 100000000000i64, example = 7000000)]
    pub savings_cents: Option<i64>,
}

/// A convention of what proves a practice sheet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProofConvention {
    /// Identifier of the version.
    pub id: ConventionId,
    /// Number of the version.
    #[schema(minimum = 1, maximum = 10000, example = 1)]
    pub number: i32,
    /// What it is about.
    #[schema(example = "Réfection des chemins agricoles")]
    pub object: String,
    /// Where it stands.
    pub state: ConventionState,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day.
    pub ends_on: NaiveDate,
}

/// A published initiative that proves a practice sheet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PracticeProof {
    /// Identifier of the initiative.
    pub id: InitiativeId,
    /// Its title.
    #[schema(example = "Réfection des chemins agricoles")]
    pub title: String,
    /// Where it stands.
    pub state: InitiativeState,
    /// Its conventions that are or were in force.
    #[schema(max_items = 1000)]
    pub conventions: Vec<ProofConvention>,
    /// Its figures.
    pub figures: PracticeFigures,
    /// How the savings were found, as its validated evaluation says.
    #[schema(required, example = "Comparaison avec le devis d'une entreprise")]
    pub savings_method: Option<String>,
    /// Where the figures of the savings come from.
    #[schema(required, example = "Devis du 3 février 2025")]
    pub savings_source: Option<String>,
}

/// A practice sheet (fiche de bonne pratique).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Practice {
    /// Identifier.
    pub id: PracticeId,
    /// Whose practice it is.
    pub commune: CommuneSummary,
    /// Where it stands.
    pub state: PracticeState,
    /// When it came there.
    pub state_changed_at: DateTime<Utc>,
    /// What the caller may do now.
    pub allowed_actions: Vec<PracticeAction>,
    /// Title.
    #[schema(example = "Refaire les chemins avec les agriculteurs")]
    pub title: String,
    /// Theme; null while a draft has none, as for what follows.
    #[schema(required)]
    pub theme: Option<Theme>,
    /// How far residents take part.
    #[schema(required)]
    pub participation_level: Option<ParticipationLevel>,
    /// Words under which others look for it.
    #[schema(max_items = 10, example = json!(["chemin rural", "agriculteurs"]))]
    pub tags: Vec<PracticeTag>,
    /// What the situation was.
    #[schema(required)]
    pub context: Option<String>,
    /// What was wanted.
    #[schema(required)]
    pub objectives: Option<String>,
    /// How it was done.
    #[schema(required)]
    pub approach: Option<String>,
    /// What came of it, in words.
    #[schema(required)]
    pub results: Option<String>,
    /// Advice to those who will do the like.
    #[schema(required)]
    pub tips: Option<String>,
    /// What people were glad about.
    #[schema(required)]
    pub satisfactions: Option<String>,
    /// What stood in the way.
    #[schema(required)]
    pub obstacles: Option<String>,
    /// Who answers questions.
    #[schema(required)]
    pub contact: Option<PracticeContact>,
    /// Place on the map.
    #[schema(required)]
    pub location: Option<Location>,
    /// The sheet that inspired it, of any commune. Where it was withdrawn, `GET /v1/practices/{id}/lineage` still names it.
    #[schema(required)]
    pub inspired_by_practice_id: Option<PracticeId>,
    /// Sums of the figures of its proofs.
    pub figures: PracticeFigures,
    /// The initiatives that prove it, as long as they are published.
    #[schema(max_items = 20)]
    pub proofs: Vec<PracticeProof>,
    /// When it was published; null for a draft.
    #[schema(required)]
    pub published_at: Option<DateTime<Utc>>,
    /// When it was written down.
    pub created_at: DateTime<Utc>,
}

/// A page of practice sheets.
#[derive(Serialize, ToSchema)]
pub struct PracticePage {
    /// The sheets of this page.
    pub data: Vec<Practice>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A practice sheet to write. Public once published, so no names of people.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Refaire les chemins avec les agriculteurs", "theme": "agriculture",
    "participation_level": "co_construction", "tags": ["chemin rural", "agriculteurs"],
    "context": "Des chemins défoncés que la commune ne peut pas refaire seule.",
    "objectives": "Des chemins praticables toute l'année.",
    "approach": "Les agriculteurs apportent machines, bennes et travail ; la commune fournit les matériaux.",
    "results": "Tous les chemins de la plaine sont refaits.", "tips": "Réserver les machines avant la moisson.",
    "contact": {"service": "Service de la participation citoyenne", "address": "Place de la République, 62750 Loos-en-Gohelle"},
    "location": {"latitude": 50.4571, "longitude": 2.7835}}))]
pub struct NewPractice {
    /// Title.
    #[schema(min_length = 3, max_length = 200)]
    pub title: String,
    /// Theme.
    #[schema(nullable = false)]
    pub theme: Option<Theme>,
    /// How far residents take part.
    #[schema(nullable = false)]
    pub participation_level: Option<ParticipationLevel>,
    /// Words under which others look for it, each once.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub tags: Vec<PracticeTag>,
    /// What the situation was.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub context: Option<String>,
    /// What was wanted.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub objectives: Option<String>,
    /// How it was done.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub approach: Option<String>,
    /// What came of it, in words; figures come from the records.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub results: Option<String>,
    /// Advice to those who will do the like.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub tips: Option<String>,
    /// What people were glad about.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub satisfactions: Option<String>,
    /// What stood in the way.
    #[schema(min_length = 1, max_length = 5000, nullable = false)]
    pub obstacles: Option<String>,
    /// Who answers questions.
    #[schema(nullable = false)]
    pub contact: Option<PracticeContact>,
    /// Place on the map.
    #[schema(nullable = false)]
    pub location: Option<Location>,
    /// The published sheet that inspired it, of any commune.
    #[schema(nullable = false)]
    pub inspired_by_practice_id: Option<PracticeId>,
    /// Published initiatives of the commune that prove it, each once.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub initiative_ids: Vec<InitiativeId>,
}

/// Changes to a practice sheet; what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1, example = json!({"tips": "Réserver les machines avant la moisson."}))]
pub struct PracticePatch {
    /// Title.
    #[schema(min_length = 3, max_length = 200, nullable = false)]
    pub title: Option<String>,
    /// Theme.
    #[schema(nullable = false)]
    pub theme: Option<Theme>,
    /// How far residents take part.
    #[schema(nullable = false)]
    pub participation_level: Option<ParticipationLevel>,
    /// Words under which others look for it, each once.
    #[schema(max_items = 10, nullable = false)]
    pub tags: Option<Vec<PracticeTag>>,
    /// What the situation was.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub context: Option<Option<String>>,
    /// What was wanted.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub objectives: Option<Option<String>>,
    /// How it was done.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub approach: Option<Option<String>>,
    /// What came of it, in words.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub results: Option<Option<String>>,
    /// Advice to those who will do the like.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub tips: Option<Option<String>>,
    /// What people were glad about.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub satisfactions: Option<Option<String>>,
    /// What stood in the way.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 5000)]
    pub obstacles: Option<Option<String>>,
    /// Who answers questions.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<PracticeContact>)]
    pub contact: Option<Option<PracticeContact>>,
    /// Place on the map.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<Location>)]
    pub location: Option<Option<Location>>,
    /// The published sheet that inspired it; of a draft only.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<PracticeId>)]
    pub inspired_by_practice_id: Option<Option<PracticeId>>,
    /// Published initiatives of the commune that prove it, each once; they replace those that were named.
    #[schema(max_items = 20, nullable = false)]
    pub initiative_ids: Option<Vec<InitiativeId>>,
}

/// Which practice sheets to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PracticeFilter {
    /// INSEE code. The town hall of that commune sees its drafts and what it has withdrawn too.
    #[param(pattern = r"^[0-9][0-9AB][0-9]{3}$", example = "62528")]
    pub commune: Option<String>,
    /// Code of a department.
    #[param(pattern = r"^(\d{2,3}|2[AB])$", example = "62")]
    pub department: Option<String>,
    /// Code of a region.
    #[param(pattern = r"^\d{2}$", example = "32")]
    pub region: Option<String>,
    /// State.
    pub state: Option<PracticeState>,
    /// Theme.
    pub theme: Option<Theme>,
    /// A tag, as it is written.
    #[param(min_length = 1, max_length = 40, example = "chemin rural")]
    pub tag: Option<String>,
    /// How far residents take part.
    pub participation_level: Option<ParticipationLevel>,
    /// Words of the title and the texts; accents and plurals do not matter.
    #[param(min_length = 1, max_length = 200, example = "chemins")]
    pub q: Option<String>,
    /// Box on the map, its smaller corner first: west, south, east, north, in degrees (WGS 84).
    #[param(
        pattern = r"^-?\d{1,3}(\.\d{1,8})?(,-?\d{1,3}(\.\d{1,8})?){3}$",
        example = "2.70,50.40,2.90,50.50"
    )]
    pub bbox: Option<String>,
    /// A point: latitude, longitude, in degrees (WGS 84). Only what is within `within_km` of it.
    #[param(
        pattern = r"^-?\d{1,2}(\.\d{1,8})?,-?\d{1,3}(\.\d{1,8})?$",
        example = "50.45,2.79"
    )]
    pub near: Option<String>,
    /// How far from `near`, in kilometres.
    #[param(minimum = 1, maximum = 2000, default = 50)]
    pub within_km: Option<i32>,
    /// Communes of so many residents at least.
    #[param(minimum = 0, maximum = 10000000, example = 3500)]
    pub population_min: Option<i32>,
    /// Communes of so many residents at most.
    #[param(minimum = 0, maximum = 10000000, example = 15000)]
    pub population_max: Option<i32>,
    /// Those that name this sheet as their inspiration.
    pub inspired_by: Option<PracticeId>,
    /// Those that this initiative proves.
    pub initiative: Option<InitiativeId>,
}

/// What of the list comes first.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PracticeOrder {
    /// Order: the newest first (default), the oldest first, or the nearest to `near` first.
    #[serde(default)]
    pub sort: PracticeSort,
}

/// Orders of the list of practice sheets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum PracticeSort {
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    #[serde(rename = "created_at")]
    Oldest,
    #[serde(rename = "distance")]
    Nearest,
}

/// A practice sheet of another commune that may be of use.
#[derive(Serialize, ToSchema)]
pub struct PracticeNeighbour {
    /// Identifier.
    pub id: PracticeId,
    /// Whose practice it is.
    pub commune: CommuneSummary,
    /// Title.
    pub title: String,
    /// Theme.
    pub theme: Theme,
    /// Why it is here.
    #[schema(min_items = 1)]
    pub reasons: Vec<NeighbourReason>,
    /// How far it is, in metres; null where the place of one of both is not known.
    #[schema(required, minimum = 0, maximum = 20100000, example = 12400)]
    pub distance_m: Option<i32>,
    /// Residents of its commune.
    #[schema(required, minimum = 0, maximum = 10000000, example = 6799)]
    pub population: Option<i32>,
}

/// The neighbours of a practice sheet: those with most reasons first, and of these the nearest.
#[derive(Serialize, ToSchema)]
pub struct PracticeNeighbours {
    /// The neighbours.
    #[schema(max_items = 20)]
    pub data: Vec<PracticeNeighbour>,
}

/// Something in the line of a practice sheet.
#[derive(Serialize, ToSchema)]
pub struct LineageEntry {
    /// What it is.
    pub kind: LineageKind,
    /// Its identifier.
    pub id: Uuid,
    /// Its title.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// Whose it is.
    pub commune: CommuneSummary,
    /// How many steps it is away.
    #[schema(minimum = 1, maximum = 20)]
    pub steps: i32,
    /// The sheet that inspired it.
    #[schema(required)]
    pub inspired_by_practice_id: Option<PracticeId>,
    /// Whether everybody may read it; a sheet that was withdrawn stays as a name.
    pub is_public: bool,
}

/// Where a practice comes from and where it went. At most twenty steps each way.
#[derive(Serialize, ToSchema)]
pub struct PracticeLineage {
    /// The sheets that inspired it, the nearest first.
    #[schema(max_items = 20)]
    pub ancestors: Vec<LineageEntry>,
    /// Sheets that it inspired, and published initiatives, the nearest first and of these the oldest.
    #[schema(max_items = 100)]
    pub descendants: Vec<LineageEntry>,
    /// Whether there are more descendants than these hundred: `inspired_by` of `/v1/practices` and of `/v1/initiatives` lists
    /// those of each sheet.
    pub has_more: bool,
}
