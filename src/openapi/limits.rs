//! Limits of what is answered. What a request has filled has the limits of that request, which stand there, in a `dto.rs`;
//! here stands which request fills which answer. What nobody sends has its limits where it is declared, or here where
//! many answers have it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::audit::{Beginning, Notice};
use crate::communes::reference_data::{NAME_LENGTH_MAX, POSTAL_CODES_MAX};
use crate::documents::dto::DocumentAction;
use crate::http::cursor::LIMIT_MAX;
use crate::http::extract::BODY_LIMIT;
use crate::reference::registry::{LISTS, lifecycles};

/// Answers, each with the requests that fill its properties of the same name. Of `NewHolder` the changes, `HolderPatch`,
/// are meant too.
const FILLED_BY: &[(&str, &[&str])] = &[
    ("Authority", &["NewAuthority"]),
    ("AuthoritySummary", &["NewAuthority"]),
    ("PartnerClient", &["NewClient"]),
    ("Commitment", &["NewCommitment"]),
    ("ContentCommitment", &["NewCommitment", "Valuation"]),
    ("ContentParty", &["NewHolder", "NewSignatory", "NewMandate"]),
    ("ContentSuperseded", &["NewAmendment", "NewRenewal"]),
    ("Convention", &["NewConvention", "QuickConvention"]),
    (
        "ConventionContent",
        &["NewConvention", "QuickConvention", "NewConventionTemplate"],
    ),
    ("DueCommitment", &["NewCommitment"]),
    (
        "ConventionParty",
        &[
            "NewHolder",
            "NewSignatory",
            "NamedPerson",
            "NewMandate",
            "NewAccount",
        ],
    ),
    ("ConventionTemplate", &["NewConventionTemplate"]),
    ("ConventionSummary", &["NewConvention", "QuickConvention"]),
    ("Decision", &["Reason", "QuickYes", "NewMandate"]),
    ("DecisionOnPaper", &["RecordedDecision"]),
    ("Entitlement", &["NewMandate"]),
    ("Envelope", &["EnvelopeAmount"]),
    ("Evaluation", &["NewEvaluation"]),
    ("Fulfilment", &["NewFulfilment"]),
    ("UpkeepHandOver", &["NewUpkeepHandOver"]),
    ("Headcount", &["NewHeadcount"]),
    ("Holder", &["NewHolder"]),
    ("HolderPrivate", &["NewHolder"]),
    ("HolderSummary", &["NewHolder"]),
    ("Initiative", &["NewInitiative"]),
    ("InitiativeInside", &["OnBehalf"]),
    ("InitiativeSummary", &["NewInitiative"]),
    ("InitiativeTitle", &["NewInitiative"]),
    ("Mandate", &["NewMandate"]),
    ("Me", &["NewAccount"]),
    ("Measure", &["NewMeasure"]),
    ("Meeting", &["NewMeeting"]),
    ("MeetingInitiative", &["NewInitiative"]),
    ("MyMandate", &["NewMandate"]),
    ("Note", &["NewNote"]),
    ("Occurrence", &["NewCheck"]),
    ("Opinion", &["NewOpinion"]),
    ("PersonSummary", &["NewAccount"]),
    ("Recusal", &["NewRecusal"]),
    ("LineageEntry", &["NewInitiative", "NewPractice"]),
    ("Practice", &["NewPractice"]),
    ("PracticeNeighbour", &["NewPractice"]),
    ("PracticeProof", &["NewInitiative"]),
    ("ProofConvention", &["NewConvention", "QuickConvention"]),
    ("ReportedMeasure", &["NewMeasure"]),
    ("VerifiedSignature", &["NewSignatory", "NewMandate"]),
    ("Webhook", &["NewWebhook"]),
];

/// A schema and one of its properties.
type Field = (&'static str, &'static str);

/// Properties of answers that a request fills under another name, or that several requests fill; they come first.
const RENAMED: &[(&str, &str, &[Field])] = &[
    ("Commitment", "reason", REASONS),
    (
        "Convention",
        "amendment_reason",
        &[("NewAmendment", "reason"), ("NewRenewal", "reason")],
    ),
    ("Convention", "reason", REASONS),
    ("Envelope", "available_cents", AMOUNT),
    ("Envelope", "reserved_cents", AMOUNT),
    ("Fulfilment", "dispute_reason", REASONS),
    ("Fulfilment", "settlement_reason", REASONS),
    ("UpkeepHandOver", "answer_reason", REASONS),
    ("HistoryEntry", "reason", REASONS),
    ("Recusal", "contest_reason", REASONS),
    (
        "Initiative",
        "redirected_to",
        &[("Redirection", "competent_body")],
    ),
    ("InitiativeInside", "publication_withheld_reason", REASONS),
    (
        "PracticeProof",
        "savings_method",
        &[("NewEvaluation", "method")],
    ),
    (
        "PracticeProof",
        "savings_source",
        &[("NewEvaluation", "source")],
    ),
    (
        "Opinion",
        "text",
        &[("NewOpinion", "text"), ("QuickYes", "opinion")],
    ),
];

const AMOUNT: &[Field] = &[("EnvelopeAmount", "amount_cents")];

const REASONS: &[Field] = &[
    ("EndUpkeep", "reason"),
    ("Message", "message"),
    ("QuickYes", "reason"),
    ("Reason", "reason"),
    ("Redirection", "reason"),
    ("Settlement", "reason"),
    ("StartReview", "reason"),
    ("Withdrawal", "reason"),
];

/// INSEE codes, as the database has them.
const INSEE: &str = "^((0[1-9]|[13-8][0-9]|2[1-9AB]|9[0-5])[0-9]{3}|9(7[1-8]|8[4-9])[0-9]{2})$";

/// The largest quantity at the largest value of a unit, in euro cents; money has a lower limit.
const VALUE_CENTS_MAX: i64 = 9_999_999_999_900_000;

/// The longest name that a partner's system gives something, in characters.
const EXTERNAL_ID_MAX: u64 = 100;

/// The words that limit a value.
const LIMITS: &[&str] = &[
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
];

/// Gives the properties of answers their limits, and those with a closed set of codes their enumeration.
pub fn add(document: &mut Value) {
    let cursor = parameter(document, "cursor");
    let indicator = parameter(document, "indicator");
    let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let said = schemas.clone();
    for (answer, name, sources) in RENAMED {
        let sources = sources
            .iter()
            .filter_map(|(request, field)| said.get(*request)?.get("properties")?.get(*field));
        let limits = widest(sources);
        for (_, property) in properties(schemas, answer).filter(|(known, _)| known == name) {
            limit(property, &limits);
        }
    }
    for (answer, requests) in FILLED_BY {
        let changes = requests
            .iter()
            .filter_map(|request| Some(format!("{}Patch", request.strip_prefix("New")?)));
        let requests: Vec<String> = requests
            .iter()
            .map(|request| (*request).to_owned())
            .chain(changes)
            .collect();
        for (name, property) in properties(schemas, answer) {
            let sources = requests
                .iter()
                .filter_map(|request| said.get(request)?.get("properties")?.get(name.as_str()));
            limit(property, &widest(sources));
        }
    }
    enumerate(schemas);
    for (schema, described) in schemas.iter_mut() {
        let is_commune = ["Commune", "CommuneSummary", "ContentCommune"].contains(&schema.as_str());
        let is_geography = is_commune || ["Place", "Intercommunality"].contains(&schema.as_str());
        // These are forms, which are read as they come: only the body's length is limited.
        let is_form = ["TokenRequest", "RevocationRequest"].contains(&schema.as_str());
        let is_page = described.pointer("/properties/next_cursor").is_some();
        for (name, property) in members(described.get_mut("properties")) {
            match name.as_str() {
                "code" if is_commune => limit(property, &pattern(INSEE)),
                "name" if is_geography => {
                    limit(property, &one("maxLength", NAME_LENGTH_MAX.into()));
                }
                "commune_code" => limit(property, &pattern(INSEE)),
                "ignored_columns" => limit(&mut property["items"], &one("maxLength", 200.into())),
                "external_id" => limit(property, &one("maxLength", EXTERNAL_ID_MAX.into())),
                "siren" => limit(property, &pattern("^[0-9]{9}$")),
                "value_cents" => {
                    limit(property, &one("minimum", 0.into()));
                    limit(property, &one("maximum", VALUE_CENTS_MAX.into()));
                }
                "postal_codes" => {
                    limit(property, &one("maxItems", POSTAL_CODES_MAX.into()));
                    limit(&mut property["items"], &pattern("^[0-9]{5}$"));
                }
                // A rate of the first year that can be asked for may take in the two before.
                "pooled_years" => {
                    limit(&mut property["items"], &one("minimum", 1988.into()));
                    limit(&mut property["items"], &one("maximum", 2100.into()));
                }
                "sources" => {
                    limit(property, &one("maxItems", 20.into()));
                    limit(&mut property["items"], &pattern("^[a-z_]{1,60}$"));
                }
                "next_cursor" => limit(property, &cursor),
                "indicator" => limit(property, &indicator),
                "data" if is_page => limit(property, &one("maxItems", LIMIT_MAX.into())),
                _ if is_form => limit(property, &one("maxLength", BODY_LIMIT.into())),
                _ => {}
            }
            if property["format"] == "decimal" {
                limit(property, &pattern(r"^-?[0-9]+(\.[0-9]+)?$"));
            }
            if let Some(members) = property.pointer("/items/$ref").and_then(Value::as_str) {
                // Each member of a closed list once.
                let members = members
                    .rsplit('/')
                    .next()
                    .and_then(|name| said.get(name)?.get("enum")?.as_array());
                if let Some(members) = members {
                    limit(property, &one("maxItems", members.len().into()));
                }
            }
        }
    }
}

fn members(value: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    value.and_then(Value::as_object_mut).into_iter().flatten()
}

fn properties<'a>(
    schemas: &'a mut Map<String, Value>,
    schema: &str,
) -> impl Iterator<Item = (&'a String, &'a mut Value)> {
    members(
        schemas
            .get_mut(schema)
            .and_then(|schema| schema.get_mut("properties")),
    )
}

fn one(word: &str, limit: Value) -> Map<String, Value> {
    Map::from_iter([(word.to_owned(), limit)])
}

fn pattern(pattern: &str) -> Map<String, Value> {
    one("pattern", pattern.into())
}

/// The limits of a query parameter, where the first operation takes it.
fn parameter(document: &Value, name: &str) -> Map<String, Value> {
    super::members(document.get("paths"))
        .flat_map(|(_, item)| super::members(Some(item)))
        .filter_map(|(_, operation)| operation.get("parameters")?.as_array())
        .flatten()
        .find(|parameter| parameter["in"] == "query" && parameter["name"] == name)
        .map(|parameter| widest(parameter.get("schema").into_iter()))
        .unwrap_or_default()
}

/// What all of these allow, and nothing else can come from them.
fn widest<'a>(mut sources: impl Iterator<Item = &'a Value>) -> Map<String, Value> {
    let mut limits = sources.next().map(limits_of).unwrap_or_default();
    for source in sources {
        limits.retain(|word, limit| {
            let Some(other) = source.get(word) else {
                return false;
            };
            let wider = if word.starts_with("min") {
                other.as_i64() < limit.as_i64()
            } else {
                other.as_i64() > limit.as_i64()
            };
            if wider {
                *limit = other.clone();
            }
            wider || other.as_i64().is_some() || other == limit
        });
    }
    limits
}

fn limits_of(schema: &Value) -> Map<String, Value> {
    let limits = LIMITS
        .iter()
        .filter_map(|word| Some(((*word).to_owned(), schema.get(word)?.clone())));
    limits.collect()
}

/// Adds limits to a property that says none of them itself.
fn limit(property: &mut Value, limits: &Map<String, Value>) {
    if property.get("type").is_none() || property.get("enum").is_some() {
        return;
    }
    if let Some(property) = property.as_object_mut() {
        for (word, limit) in limits {
            property
                .entry(word.as_str())
                .or_insert_with(|| limit.clone());
        }
    }
}

/// Codes of several lists at once: those of the history, which is about everything that has a lifecycle.
fn enumerate(schemas: &mut Map<String, Value>) {
    let states: BTreeSet<&str> = LISTS
        .iter()
        .filter(|list| list.name.ends_with("_states"))
        .flat_map(|list| list.codes)
        .map(|(code, ..)| *code)
        .collect();
    let lifecycles = lifecycles();
    let actions: BTreeSet<&str> = lifecycles
        .iter()
        .flat_map(|lifecycle| &lifecycle.actions)
        .map(|action| action.code)
        .chain(Beginning::ALL.iter().map(|beginning| beginning.code()))
        .chain(DocumentAction::ALL.iter().map(|action| action.code()))
        .chain(Notice::ALL.iter().map(|notice| notice.code()))
        .collect();
    for (name, description, codes) in [
        (
            "AnyState",
            "A state of anything that has states; `/v1/reference` has each list with its labels.",
            states,
        ),
        (
            "AnyAction",
            "Something that is done with anything that has a lifecycle; `/v1/reference` has each list with its labels.",
            actions,
        ),
    ] {
        let list = json!({"type": "string", "description": description, "enum": codes});
        schemas.insert(name.to_owned(), list);
        for (schema, property) in [
            ("AnyState", "HistoryEntry/from_state"),
            ("AnyState", "HistoryEntry/to_state"),
            ("AnyState", "Lifecycle/start"),
            ("AnyState", "LifecycleTransition/from/items"),
            ("AnyState", "LifecycleTransition/or_to/items"),
            ("AnyState", "LifecycleTransition/to"),
            ("AnyState", "Problem/state"),
            ("AnyAction", "HistoryEntry/action"),
            ("AnyAction", "LifecycleTransition/action"),
        ] {
            if schema == name {
                refer(schemas, property, name);
            }
        }
    }
}

/// Makes a property of text one of a list, as utoipa would.
fn refer(schemas: &mut Map<String, Value>, property: &str, list: &str) {
    let mut path = property.split('/');
    let target = path
        .next()
        .and_then(|schema| schemas.get_mut(schema)?.get_mut("properties"))
        .and_then(|properties| path.try_fold(properties, |at, step| at.get_mut(step)));
    let Some(Value::Object(target)) = target else {
        return;
    };
    let reference = json!({"$ref": format!("#/components/schemas/{list}")});
    match target.remove("type") {
        Some(Value::Array(_)) => {
            target.insert("oneOf".to_owned(), json!([reference, {"type": "null"}]));
        }
        _ => target.extend(reference.as_object().cloned().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_and_what_is_filled_are_in_the_document() {
        let document = crate::openapi::document(None);
        let schema = |name: &str| &document["components"]["schemas"][name]["properties"];
        for (answer, requests) in FILLED_BY {
            for request in *requests {
                let shared = super::super::members(Some(schema(request)))
                    .any(|(name, _)| !schema(answer)[name].is_null());
                assert!(shared, "{request} fills nothing of {answer}");
            }
        }
        for (answer, name, sources) in RENAMED {
            let limited = LIMITS
                .iter()
                .any(|word| !schema(answer)[*name][*word].is_null());
            assert!(limited, "{answer}/{name}");
            for (request, field) in *sources {
                assert!(!schema(request)[*field].is_null(), "{request}/{field}");
            }
        }
    }

    #[test]
    fn the_widest_limits_count() {
        let of = |schemas: &[Value]| Value::Object(widest(schemas.iter()));
        let short = json!({"minLength": 2, "maxLength": 10, "pattern": "a"});
        let long = json!({"minLength": 1, "maxLength": 20, "pattern": "a"});
        assert_eq!(of(&[short.clone(), long.clone()]), long);
        assert_eq!(of(&[long.clone(), short]), long);
        assert_eq!(of(&[long, json!({"pattern": "b"})]), json!({}));
    }
}
