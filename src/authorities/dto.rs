//! Authorities as the API shows and takes them. The fields are those of the national schema of deliberations (SCDL
//! deliberations 2.1.5).

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use crate::codes::codes;
use crate::http::extract::absent_or_null;
use crate::ids::AuthorityId;

codes! {
    /// The act that lets the commune commit.
    pub enum AuthorityKind "authority_kinds" {
        Deliberation = "deliberation", "Délibération", "Deliberation";
        FrameworkDeliberation = "framework_deliberation", "Délibération-cadre", "Framework deliberation";
        DelegatedDecision = "delegated_decision", "Décision par délégation", "Delegated decision";
        MayorOrder = "mayor_order", "Arrêté du maire", "Mayor's order";
    }
}

impl AuthorityKind {
    /// Whether the council took it, by a vote. Only such an act allows a subsidy.
    pub const fn is_of_the_council(self) -> bool {
        matches!(self, Self::Deliberation | Self::FrameworkDeliberation)
    }
}

/// The votes on a deliberation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = votes_add_up))]
pub struct Votes {
    /// Members of the council.
    #[schema(minimum = 1, maximum = 1000, example = 27)]
    pub council_members: i32,
    /// Votes cast, abstentions included.
    #[schema(minimum = 0, maximum = 1000, example = 25)]
    pub cast: i32,
    /// Votes in favour.
    #[schema(minimum = 0, maximum = 1000, example = 23)]
    pub in_favour: i32,
    /// Votes against.
    #[schema(minimum = 0, maximum = 1000, example = 0)]
    pub against: i32,
    /// Abstentions.
    #[schema(minimum = 0, maximum = 1000, example = 2)]
    pub abstained: i32,
}

fn votes_add_up(votes: &Votes) -> Result<(), ValidationError> {
    // In 64 bits: the schema refuses numbers that are too large, and both speak at once.
    let [cast, in_favour, against, abstained, members] = [
        votes.cast,
        votes.in_favour,
        votes.against,
        votes.abstained,
        votes.council_members,
    ]
    .map(i64::from);
    if cast != in_favour + against + abstained || cast > members {
        return Err(ValidationError::new("cast").with_message(
            "cast = in_favour + against + abstained, et pas plus que council_members. | cast = in_favour + against + abstained, and no more than council_members."
                .into(),
        ));
    }
    Ok(())
}

/// The matter of an act in the national nomenclature "Actes", to its second level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoritySubject {
    /// Its code, 1.1 to 9.4.
    #[schema(
        pattern = r"^(1\.[1-7]|2\.[1-3]|3\.[1-6]|4\.[1-5]|5\.[1-8]|6\.[1-5]|7\.([1-9]|10)|8\.[1-9]|9\.[1-4])$",
        example = "7.5"
    )]
    pub code: String,
    /// Its name.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"\S",
        example = "Finances locales/Subventions"
    )]
    pub name: String,
}

/// The budget on which an act has an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = years_in_order))]
pub struct AuthorityBudget {
    /// Its year, or two years with a slash between them.
    #[schema(pattern = "^[0-9]{4}(/[0-9]{4})?$", example = "2026")]
    pub year: String,
    /// Its name.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"\S",
        example = "Budget principal"
    )]
    pub name: String,
}

fn years_in_order(budget: &AuthorityBudget) -> Result<(), ValidationError> {
    match budget.year.split_once('/') {
        Some((first, last)) if first > last => Err(ValidationError::new("year")
            .with_message("Les années sont dans l'ordre. | The years are in order.".into())),
        _ => Ok(()),
    }
}

/// An act that lets the commune commit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Authority {
    /// Identifier.
    pub id: AuthorityId,
    /// INSEE code of the commune.
    #[schema(example = "62528")]
    pub commune_code: String,
    /// Which kind of act.
    pub kind: AuthorityKind,
    /// Number or title that the commune gives it.
    #[schema(example = "2026-06-042")]
    pub number: String,
    /// Day on which it was taken.
    pub adopted_on: NaiveDate,
    /// What it is about.
    #[schema(example = "Subvention à l'association Les jardins de Gohelle")]
    pub object: String,
    /// Its matter.
    #[schema(required)]
    pub subject: Option<AuthoritySubject>,
    /// The budget on which it has an effect.
    #[schema(required)]
    pub budget: Option<AuthorityBudget>,
    /// Who controls its legality: PREF and the department, SPREF with the number of the district, or SGAR.
    #[schema(required, example = "PREF062")]
    pub prefecture_reference: Option<String>,
    /// Day on which it was registered there.
    #[schema(required)]
    pub sent_to_prefecture_on: Option<NaiveDate>,
    /// Day on which it was published.
    #[schema(required)]
    pub published_on: Option<NaiveDate>,
    /// Day on which it became executory: nobody signs before. Null as long as it is not.
    #[schema(required)]
    pub executory_on: Option<NaiveDate>,
    /// The votes, of an act of the council.
    #[schema(required)]
    pub votes: Option<Votes>,
    /// Where it can be read.
    #[schema(
        required,
        example = "https://www.example.org/deliberations/2026-06-042.pdf"
    )]
    pub url: Option<String>,
    /// When it was recorded here.
    pub created_at: DateTime<Utc>,
}

/// An act in a few words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuthoritySummary {
    /// Identifier.
    pub id: AuthorityId,
    /// Which kind of act.
    pub kind: AuthorityKind,
    /// Number or title that the commune gives it.
    #[schema(example = "2026-06-042")]
    pub number: String,
    /// Day on which it was taken.
    pub adopted_on: NaiveDate,
    /// Day on which it became executory: nobody signs before. Null as long as it is not.
    #[schema(required)]
    pub executory_on: Option<NaiveDate>,
}

/// A page of acts, the latest first.
#[derive(Serialize, ToSchema)]
pub struct AuthorityPage {
    /// The acts of this page.
    pub data: Vec<Authority>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// An act to record.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "deliberation", "number": "2026-06-042", "adopted_on": "2026-06-10",
    "object": "Subvention à l'association Les jardins de Gohelle",
    "subject": {"code": "7.5", "name": "Finances locales/Subventions"},
    "sent_to_prefecture_on": "2026-06-11", "published_on": "2026-06-12", "executory_on": "2026-06-12",
    "votes": {"council_members": 27, "cast": 25, "in_favour": 23, "against": 0, "abstained": 2}}))]
pub struct NewAuthority {
    /// Which kind of act.
    pub kind: AuthorityKind,
    /// Number or title that the commune gives it.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub number: String,
    /// Day on which it was taken, not in the future.
    pub adopted_on: NaiveDate,
    /// What it is about. Public, so no names of people.
    #[schema(min_length = 3, max_length = 5000, pattern = r"\S")]
    pub object: String,
    /// Its matter; needed of an act of the council.
    #[schema(nullable = false)]
    pub subject: Option<AuthoritySubject>,
    /// The budget on which it has an effect.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub budget: Option<AuthorityBudget>,
    /// Who controls its legality: PREF and the department, SPREF with the number of the district, or SGAR.
    #[schema(
        pattern = "^(PREF[0-9]{2}[0-9AB]|SPREF[0-9]{2}[0-9AB][0-9]|SGAR[0-9]{3})$",
        nullable = false
    )]
    pub prefecture_reference: Option<String>,
    /// Day on which it was registered there, not in the future.
    #[schema(nullable = false)]
    pub sent_to_prefecture_on: Option<NaiveDate>,
    /// Day on which it was published, not in the future.
    #[schema(nullable = false)]
    pub published_on: Option<NaiveDate>,
    /// Day on which it is executory: not before it is taken, sent and published.
    #[schema(nullable = false)]
    pub executory_on: Option<NaiveDate>,
    /// The votes, of an act of the council.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub votes: Option<Votes>,
    /// Where it can be read.
    #[schema(pattern = r"^https?://[^\s]+$", max_length = 2000, nullable = false)]
    pub url: Option<String>,
}

/// Changes to an act; what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1, example = json!({"published_on": "2026-06-12", "executory_on": "2026-06-12"}))]
pub struct AuthorityPatch {
    /// Which kind of act.
    #[schema(nullable = false)]
    pub kind: Option<AuthorityKind>,
    /// Number or title that the commune gives it.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub number: Option<String>,
    /// Day on which it was taken, not in the future.
    #[schema(nullable = false)]
    pub adopted_on: Option<NaiveDate>,
    /// What it is about. Public, so no names of people.
    #[schema(min_length = 3, max_length = 5000, pattern = r"\S", nullable = false)]
    pub object: Option<String>,
    /// Its matter, as a whole; needed of an act of the council.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<AuthoritySubject>)]
    pub subject: Option<Option<AuthoritySubject>>,
    /// The budget on which it has an effect, as a whole.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[validate(nested)]
    #[schema(value_type = Option<AuthorityBudget>)]
    pub budget: Option<Option<AuthorityBudget>>,
    /// Who controls its legality: PREF and the department, SPREF with the number of the district, or SGAR.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, pattern = "^(PREF[0-9]{2}[0-9AB]|SPREF[0-9]{2}[0-9AB][0-9]|SGAR[0-9]{3})$")]
    pub prefecture_reference: Option<Option<String>>,
    /// Day on which it was registered there, not in the future.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<NaiveDate>)]
    pub sent_to_prefecture_on: Option<Option<NaiveDate>>,
    /// Day on which it was published, not in the future.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<NaiveDate>)]
    pub published_on: Option<Option<NaiveDate>>,
    /// Day on which it is executory: not before it is taken, sent and published.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<NaiveDate>)]
    pub executory_on: Option<Option<NaiveDate>>,
    /// The votes, of an act of the council, as a whole.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[validate(nested)]
    #[schema(value_type = Option<Votes>)]
    pub votes: Option<Option<Votes>>,
    /// Where it can be read.
    #[serde(default, deserialize_with = "absent_or_null")]
    #[schema(value_type = Option<String>, pattern = r"^https?://[^\s]+$", max_length = 2000)]
    pub url: Option<Option<String>>,
}

/// Which acts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuthorityFilter {
    /// Kinds, separated by commas.
    #[param(style = Form, explode = false, max_items = 4, example = json!(["deliberation"]))]
    pub kind: Option<Vec<AuthorityKind>>,
    /// Taken after this day.
    pub adopted_after: Option<NaiveDate>,
    /// Taken before this day.
    pub adopted_before: Option<NaiveDate>,
}
