//! What is imported, item by item, and what became of each item.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use uuid::Uuid;

use crate::codes::codes;
use crate::commitments::dto::NewCommitment;
use crate::holders::dto::NewHolder;
use crate::http::error::{ApiError, Code, Language};
use crate::http::problem::ProblemFault;
use crate::ids::{ImportId, InitiativeId};
use crate::initiatives::dto::NewInitiative;
use crate::measures::dto::NewMeasure;
use crate::meetings::dto::NewMeeting;

/// Most items of a request, and rows of a transaction.
pub const ITEMS_MAX: usize = 1000;

codes! {
    /// What is imported.
    pub enum ImportResource "import_resources" {
        Initiatives = "initiatives", "Initiatives", "Initiatives";
        Holders = "holders", "Porteurs", "Holders";
        Commitments = "commitments", "Engagements", "Commitments";
        Meetings = "meetings", "Réunions", "Meetings";
        Measures = "measures", "Mesures", "Measures";
    }

    /// What became of an item.
    pub enum BulkOutcome "bulk_outcomes" {
        Created = "created", "Créé", "Created";
        Updated = "updated", "Modifié", "Updated";
        Unchanged = "unchanged", "Inchangé", "Unchanged";
        Refused = "refused", "Refusé", "Refused";
    }

    /// Where an initiative stood before it was imported.
    pub enum PastState "past_states" {
        Accepted = "accepted", "Acceptée", "Accepted";
        Refused = "refused", "Refusée", "Refused";
        Redirected = "redirected", "Réorientée", "Redirected";
        Lapsed = "lapsed", "Caduque", "Lapsed";
        InProgress = "in_progress", "En cours de réalisation", "In progress";
        Completed = "completed", "Réalisée", "Completed";
        Closed = "closed", "Clôturée", "Closed";
        Withdrawn = "withdrawn", "Retirée", "Withdrawn";
        Abandoned = "abandoned", "Abandonnée", "Abandoned";
    }

    /// How a commitment was settled before it was imported.
    pub enum SettledState "settled_states" {
        Fulfilled = "fulfilled", "Tenu", "Fulfilled";
        PartiallyFulfilled = "partially_fulfilled", "Tenu en partie", "Partially fulfilled";
        Unfulfilled = "unfulfilled", "Non tenu", "Unfulfilled";
    }
}

impl PastState {
    /// Which days belong to it besides that of the submission: of the decision, of the completion, of the end.
    pub const fn days(self) -> [bool; 3] {
        match self {
            Self::Accepted | Self::Refused | Self::InProgress => [true, false, false],
            Self::Completed => [true, true, false],
            Self::Closed => [true, true, true],
            Self::Redirected | Self::Lapsed | Self::Withdrawn => [false, false, true],
            Self::Abandoned => [true, false, true],
        }
    }
}

/// What an imported initiative has besides the fields of a new one.
#[derive(Debug, Deserialize, ToSchema)]
pub struct InitiativeExtra {
    /// The name that your own system gives it; it tells items apart. Public, so no names of people.
    #[schema(min_length = 1, max_length = 100)]
    pub external_id: String,
    /// The holder by the name that your system gives it, instead of `holder_id`.
    #[schema(min_length = 1, max_length = 100, nullable = false)]
    pub holder_external_id: Option<String>,
    /// The host organisation by the name that your system gives it, instead of `host_id`.
    #[schema(min_length = 1, max_length = 100, nullable = false)]
    pub host_external_id: Option<String>,
    /// What became of it before, for what did not happen here; without it the initiative begins here, as a draft. It is
    /// said once.
    #[schema(nullable = false)]
    pub state: Option<PastState>,
    /// Day on which it was submitted; needed with `state`.
    #[schema(nullable = false)]
    pub submitted_on: Option<NaiveDate>,
    /// Day of the decision; needed for `accepted`, `refused`, `in_progress`, `completed`, `closed` and `abandoned`.
    #[schema(nullable = false)]
    pub decided_on: Option<NaiveDate>,
    /// Day on which it was found completed; needed for `completed` and `closed`.
    #[schema(nullable = false)]
    pub completed_on: Option<NaiveDate>,
    /// Day on which it ended; needed for `closed`, `redirected`, `lapsed`, `withdrawn` and `abandoned`.
    #[schema(nullable = false)]
    pub ended_on: Option<NaiveDate>,
    /// Whether to publish it, with `state` only. What is published stays so.
    #[serde(default)]
    pub published: bool,
}

/// What an imported holder has besides the fields of a new one.
#[derive(Debug, Deserialize, ToSchema)]
pub struct HolderExtra {
    /// The name that your own system gives it; it tells items apart. Public, so no names of people.
    #[schema(min_length = 1, max_length = 100)]
    pub external_id: String,
}

/// What an imported meeting has besides the fields of a new one.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MeetingExtra {
    /// The name that your own system gives it; it tells items apart. Public, so no names of people.
    #[schema(min_length = 1, max_length = 100)]
    pub external_id: String,
    /// The initiative by the name that your system gives it, instead of `initiative_id`.
    #[schema(min_length = 1, max_length = 100, nullable = false)]
    pub initiative_external_id: Option<String>,
}

/// What an imported measure has besides the fields of a new one.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MeasureExtra {
    /// The name that your own system gives it; it tells items apart. Public, so no names of people.
    #[schema(min_length = 1, max_length = 100)]
    pub external_id: String,
    /// What was measured.
    #[schema(pattern = "^[a-z][a-z0-9_]{1,59}$", example = "number_of_associations")]
    pub indicator: String,
    /// Year.
    #[schema(minimum = 1900, maximum = 2100, example = 2019)]
    pub year: i32,
}

/// What an imported commitment has besides the fields of a new one.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CommitmentExtra {
    /// The name that your own system gives it; it tells items apart. Public, so no names of people.
    #[schema(min_length = 1, max_length = 100)]
    pub external_id: String,
    /// The initiative, one that was imported as completed or closed.
    #[schema(nullable = false)]
    pub initiative_id: Option<InitiativeId>,
    /// The initiative by the name that your system gives it, instead of `initiative_id`.
    #[schema(min_length = 1, max_length = 100, nullable = false)]
    pub initiative_external_id: Option<String>,
    /// How it was settled.
    pub state: SettledState,
    /// Money that was given, in euro cents; for financial commitments only.
    #[schema(minimum = 1, maximum = 100000000000i64, nullable = false)]
    pub delivered_cents: Option<i64>,
    /// How much was done, in the unit of the valuation; for all other commitments.
    #[schema(
        format = "decimal",
        pattern = r"^(0*[1-9]\d{0,7}(\.\d{1,3})?|0+\.(00[1-9]|0[1-9]\d?|[1-9]\d{0,2}))$",
        nullable = false
    )]
    pub delivered_quantity: Option<String>,
    /// Day on which it was done; needed with what was delivered.
    #[schema(nullable = false)]
    pub delivered_on: Option<NaiveDate>,
    /// What shows it.
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    pub evidence: Option<String>,
}

/// The schema of an item: the fields of the resource that is made one by one, without some, and those of an import.
fn joined<N: PartialSchema, X: PartialSchema>(
    description: &str,
    without: &[&str],
    example: serde_json::Value,
) -> RefOr<Schema> {
    let (RefOr::T(Schema::Object(mut object)), RefOr::T(Schema::Object(extra))) =
        (N::schema(), X::schema())
    else {
        return N::schema();
    };
    for name in without {
        object.properties.shift_remove(*name);
    }
    object.properties.extend(extra.properties);
    object.required.extend(extra.required);
    object.description = Some(description.to_owned());
    object.example = Some(example);
    RefOr::T(Schema::Object(object))
}

/// Declares the items of a resource and the body of its bulk operation, which are read by `items.rs`: as types they would
/// be refused as a whole.
macro_rules! bulk {
    ($($item:ident, $body:ident: $new:ty, $extra:ty, without $without:expr, $description:literal, $example:expr;)+) => {$(
        #[doc = $description]
        pub struct $item;

        impl PartialSchema for $item {
            fn schema() -> RefOr<Schema> {
                joined::<$new, $extra>($description, $without, $example)
            }
        }

        impl ToSchema for $item {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                <$new>::schemas(schemas);
                <$extra>::schemas(schemas);
            }
        }

        #[doc = $description]
        pub struct $body;

        impl PartialSchema for $body {
            fn schema() -> RefOr<Schema> {
                let items = ArrayBuilder::new()
                    .items(Ref::from_schema_name(stringify!($item)))
                    .description(Some("What is imported. Each item stands alone: one that is refused stops no other."))
                    .min_items(Some(1))
                    .max_items(Some(ITEMS_MAX));
                let validate_only = ObjectBuilder::new()
                    .schema_type(Type::Boolean)
                    .description(Some("Only to learn what would become of each item; nothing is written."));
                ObjectBuilder::new()
                    .property("items", items)
                    .property("validate_only", validate_only)
                    .required("items")
                    .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(false)))
                    .description(Some("Items to import."))
                    .examples([json!({"items": [$example]})])
                    .into()
            }
        }

        impl ToSchema for $body {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push((stringify!($item).to_owned(), $item::schema()));
                $item::schemas(schemas);
            }
        }
    )+};
}

bulk! {
    BulkInitiative, BulkInitiatives: NewInitiative, InitiativeExtra, without &["holder", "commitments", "follows_id", "inspired_by_practice_id"],
        "An initiative to import.",
        json!({"external_id": "CIVIQ-2019-42", "title": "Réfection des chemins agricoles", "theme": "agriculture",
            "description": "Les agriculteurs apportent machines et bras ; la commune les matériaux.",
            "holder_external_id": "ASSO-7", "state": "completed", "submitted_on": "2019-02-04",
            "decided_on": "2019-03-20", "completed_on": "2019-10-31", "published": true});
    BulkHolder, BulkHolders: NewHolder, HolderExtra, without &[],
        "A holder to import.",
        json!({"external_id": "ASSO-7", "kind": "association", "name": "Les chemins de Loos"});
    BulkCommitment, BulkCommitments: NewCommitment, CommitmentExtra, without &["upkeep"],
        "A commitment to import, that was settled before.",
        json!({"external_id": "CIVIQ-2019-42-1", "initiative_external_id": "CIVIQ-2019-42", "side": "holder",
            "kind": "labour", "title": "Travail des agriculteurs", "due_on": "2019-10-31", "state": "fulfilled",
            "valuation": {"quantity": "120", "unit": "heure", "unit_value_cents": 1200, "method": "hourly_rate"},
            "delivered_quantity": "130", "delivered_on": "2019-10-20"});
    BulkMeeting, BulkMeetings: NewMeeting, MeetingExtra, without &[],
        "A meeting to import.",
        json!({"external_id": "REUNION-2019-3", "title": "Réunion publique sur les chemins", "held_on": "2019-03-12",
            "attendance": 45, "initiative_external_id": "CIVIQ-2019-42"});
    BulkMeasure, BulkMeasures: NewMeasure, MeasureExtra, without &[],
        "A measure to import.",
        json!({"external_id": "ASSOCIATIONS-2019", "indicator": "number_of_associations", "year": 2019,
            "value": "73", "unit": "associations", "source": "Annuaire municipal 2019"});
}

/// Why an item was refused.
#[derive(Serialize, ToSchema)]
pub struct ItemProblem {
    /// The status that the item would have been answered with alone.
    #[schema(minimum = 400, maximum = 499, example = 422)]
    pub status: u16,
    /// Stable code for programs.
    pub code: Code,
    /// What the code means, in the language asked for.
    #[schema(max_length = 200)]
    pub title: String,
    /// What is wrong this time, in the language asked for.
    #[schema(max_length = 2000)]
    pub detail: String,
    /// Every fault of the item; pointers are those of the item.
    #[schema(max_items = 1000)]
    pub errors: Vec<ProblemFault>,
}

impl ItemProblem {
    /// An error in the reader's language.
    pub fn new(error: &ApiError, language: Language) -> Self {
        let title = error.code.title();
        Self {
            status: error.code.status().as_u16(),
            code: error.code,
            title: title.get(language).to_owned(),
            detail: error
                .detail
                .as_ref()
                .unwrap_or(&title)
                .get(language)
                .to_owned(),
            errors: error
                .faults
                .iter()
                .take(ITEMS_MAX)
                .map(|fault| ProblemFault {
                    pointer: fault.pointer.clone(),
                    code: fault.code,
                    detail: fault.detail.get(language).to_owned(),
                })
                .collect(),
        }
    }
}

/// What became of an item.
#[derive(Serialize, ToSchema)]
pub struct BulkResult {
    /// The name that your system gives it; null where that cannot be read.
    #[schema(required, max_length = 100)]
    pub external_id: Option<String>,
    /// What became of it; with `validate_only`, what would.
    pub outcome: BulkOutcome,
    /// Its identifier here; null for what is refused, and for what is not there yet.
    #[schema(required)]
    pub id: Option<Uuid>,
    /// Why it was refused.
    #[schema(required)]
    pub problem: Option<ItemProblem>,
}

/// What became of the items, in their order.
#[derive(Serialize, ToSchema)]
pub struct BulkAnswer {
    /// A result for each item.
    #[schema(max_items = 1000)]
    pub data: Vec<BulkResult>,
    /// Whether nothing was written.
    pub validate_only: bool,
}

codes! {
    /// What kind of file is imported.
    pub enum ImportFileType "import_file_types" {
        Csv = "csv", "CSV", "CSV";
        Ndjson = "ndjson", "JSON par lignes", "JSON lines";
        Xlsx = "xlsx", "Classeur Excel", "Excel workbook";
        Ods = "ods", "Classeur OpenDocument", "OpenDocument spreadsheet";
    }

    /// Where the import of a file stands.
    pub enum ImportState "import_states" {
        Receiving = "receiving", "En réception", "Being received";
        Queued = "queued", "En attente", "Queued";
        Running = "running", "En cours", "Running";
        Done = "done", "Terminé", "Done";
        Failed = "failed", "Échoué", "Failed";
        Cancelled = "cancelled", "Annulé", "Cancelled";
    }

    /// Why the import of a file failed.
    pub enum ImportFault "import_faults" {
        Unreadable = "unreadable", "Fichier illisible", "Unreadable file";
        TooLarge = "too_large", "Trop grand une fois déplié", "Too large when unfolded";
        BadEncoding = "bad_encoding", "Ni UTF-8 ni Windows-1252 d'un bout à l'autre", "Neither UTF-8 nor Windows-1252 all through";
        OpenQuote = "open_quote", "Guillemet que rien ne ferme, ou fermé au milieu d'une cellule", "A quote that nothing closes, or that closes in the middle of a cell";
        BadJson = "bad_json", "Ligne qui n'est pas du JSON, ou de plus d'un mébioctet", "A line that is no JSON, or longer than one mebibyte";
        NoColumns = "no_columns", "Aucune colonne connue dans les premières lignes", "No column that is known in the first lines";
        RepeatedColumn = "repeated_column", "Deux colonnes du même champ", "Two columns of one field";
        TooManyColumns = "too_many_columns", "Plus de 1 000 colonnes", "More than 1,000 columns";
        NotAllowed = "not_allowed", "Droit retiré entre-temps", "No longer allowed";
    }
}

/// A file that is imported.
#[derive(Serialize, ToSchema)]
pub struct Import {
    /// Identifier.
    pub id: ImportId,
    /// INSEE code.
    #[schema(example = "62528")]
    pub commune_code: String,
    /// What is imported.
    pub resource: ImportResource,
    /// What kind of file it is.
    pub file_type: ImportFileType,
    /// Size of the file, in bytes.
    #[schema(required, minimum = 1)]
    pub size_bytes: Option<i64>,
    /// Only to learn what would become of each row; nothing is written.
    pub validate_only: bool,
    /// Where it stands.
    pub state: ImportState,
    /// Why it failed.
    #[schema(required)]
    pub fault: Option<ImportFault>,
    /// The line of the file at which it failed, where that is known; the first is 1.
    #[schema(required, minimum = 1)]
    pub fault_line: Option<i64>,
    /// Titles of columns that are no field: nothing is taken from them.
    #[schema(max_items = 1000)]
    pub ignored_columns: Vec<String>,
    /// Rows of the file; null until they are counted.
    #[schema(required, minimum = 0)]
    pub rows_total: Option<i64>,
    /// Rows that are read: each of them was created, updated, unchanged or refused.
    #[schema(minimum = 0)]
    pub rows_read: i64,
    /// Rows that were new.
    #[schema(minimum = 0)]
    pub rows_created: i64,
    /// Rows that have changed what was there.
    #[schema(minimum = 0)]
    pub rows_updated: i64,
    /// Rows that said what was there.
    #[schema(minimum = 0)]
    pub rows_unchanged: i64,
    /// Rows that were refused; `errors.csv` has them for a month.
    #[schema(minimum = 0)]
    pub rows_refused: i64,
    /// How much of the file is read, in percent.
    #[schema(minimum = 0, maximum = 100)]
    pub percent: i64,
    /// When the file came.
    pub created_at: DateTime<Utc>,
    /// When it was begun.
    #[schema(required)]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[schema(required)]
    pub ended_at: Option<DateTime<Utc>>,
}

/// A page of imports, the latest first.
#[derive(Serialize, ToSchema)]
pub struct ImportPage {
    /// The imports of this page.
    pub data: Vec<Import>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// What comes with a file.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NewImport {
    /// What is imported.
    pub resource: ImportResource,
    /// Only to learn what would become of each row; nothing is written.
    #[serde(default)]
    pub validate_only: bool,
    /// Name of a saved mapping, for files whose columns have titles of their own.
    #[param(min_length = 1, max_length = 60, example = "tableau-des-projets")]
    pub mapping: Option<String>,
}
