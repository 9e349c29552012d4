//! Columns as fields. A column is known by the name of its field, or by its title in French or English; a cell is read as
//! what its field is, as town halls write it.

use std::collections::BTreeMap;

use bigdecimal::{BigDecimal, ToPrimitive};
use chrono::{Datelike, NaiveDate};
use serde_json::{Map, Value, json};

use super::dto::{ImportResource, PastState, SettledState};
use super::mappings::NewMapping;
use crate::codes::CodeList;
use crate::commitments::dto::{CommitmentKind, CommuneRoute, Side, ValuationMethod};
use crate::holders::dto::HolderKind;
use crate::initiatives::dto::{Channel, Delivery, Land, Origin, Theme};
use crate::text::fold;
use crate::typesetting::french::MONTHS;

/// What a cell is read as.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
    Decimal,
    Float,
    Boolean,
    Day,
    /// An amount in euros, of which the cents are kept.
    Euros,
    Code(CodeList),
}

/// A field: its name, its place in an item, its titles in French and English, and what it is.
pub struct Field {
    pub name: &'static str,
    pub target: &'static str,
    titles: [&'static str; 2],
    kind: Kind,
}

const fn field(name: &'static str, fr: &'static str, en: &'static str, kind: Kind) -> Field {
    Field {
        name,
        target: name,
        titles: [fr, en],
        kind,
    }
}

/// A column in euros of what an item holds in cents.
const fn euros(
    name: &'static str,
    target: &'static str,
    fr: &'static str,
    en: &'static str,
) -> Field {
    Field {
        name,
        target,
        titles: [fr, en],
        kind: Euros,
    }
}

use Kind::{Boolean, Code, Day, Decimal, Euros, Float, Integer, Text};

const INITIATIVES: &[Field] = &[
    field("external_id", "Identifiant", "Identifier", Text),
    field("title", "Titre", "Title", Text),
    field("description", "Description", "Description", Text),
    field("theme", "Thème", "Theme", Code(Theme::LIST)),
    field("needs", "Besoins", "Needs", Text),
    field("origin", "Origine", "Origin", Code(Origin::LIST)),
    field(
        "delivery",
        "Réalisation par",
        "Delivery",
        Code(Delivery::LIST),
    ),
    field("place", "Lieu", "Place", Text),
    field("location.latitude", "Latitude", "Latitude", Float),
    field("location.longitude", "Longitude", "Longitude", Float),
    field("starts_on", "Début prévu", "Planned start", Day),
    field("ends_on", "Fin prévue", "Planned end", Day),
    field("building_work", "Travaux", "Building work", Boolean),
    field("land", "Terrain", "Land", Code(Land::LIST)),
    field(
        "requests_money",
        "Demande d'argent",
        "Requests money",
        Boolean,
    ),
    field("holder_id", "Porteur (id)", "Holder (id)", Text),
    field(
        "holder_external_id",
        "Identifiant du porteur",
        "Holder identifier",
        Text,
    ),
    field(
        "host_id",
        "Structure porteuse (id)",
        "Host organisation (id)",
        Text,
    ),
    field(
        "host_external_id",
        "Identifiant de la structure porteuse",
        "Host organisation identifier",
        Text,
    ),
    field("on_behalf.channel", "Canal", "Channel", Code(Channel::LIST)),
    field(
        "on_behalf.paper_reference",
        "Référence du papier",
        "Paper reference",
        Text,
    ),
    field("submit", "À déposer", "Submit", Boolean),
    field("state", "État", "State", Code(PastState::LIST)),
    field("submitted_on", "Date de dépôt", "Submitted on", Day),
    field("decided_on", "Date de décision", "Decided on", Day),
    field("completed_on", "Date de réalisation", "Completed on", Day),
    field("ended_on", "Date de fin", "Ended on", Day),
    field("published", "Publiée", "Published", Boolean),
];

const HOLDERS: &[Field] = &[
    field("external_id", "Identifiant", "Identifier", Text),
    field("kind", "Nature", "Kind", Code(HolderKind::LIST)),
    field("name", "Nom", "Name", Text),
    field("description", "Description", "Description", Text),
    field("siret", "SIRET", "SIRET number", Text),
    field("rna", "RNA", "RNA number", Text),
    field("address", "Siège", "Registered office", Text),
    field(
        "republican_commitment_on",
        "Contrat d'engagement républicain",
        "Republican commitment on",
        Day,
    ),
    field("contact_email", "Courriel", "E-mail", Text),
    field("contact_phone", "Téléphone", "Telephone", Text),
];

const COMMITMENTS: &[Field] = &[
    field("external_id", "Identifiant", "Identifier", Text),
    field(
        "initiative_id",
        "Initiative (id)",
        "Initiative (id here)",
        Text,
    ),
    field(
        "initiative_external_id",
        "Identifiant de l'initiative",
        "Initiative identifier",
        Text,
    ),
    field("side", "Partie", "Side", Code(Side::LIST)),
    field("kind", "Nature", "Kind", Code(CommitmentKind::LIST)),
    field("title", "Titre", "Title", Text),
    field("description", "Description", "Description", Text),
    field("third_party_name", "Nom du tiers", "Third party", Text),
    field("route", "Forme", "Route", Code(CommuneRoute::LIST)),
    field(
        "amount_cents",
        "Montant en centimes",
        "Amount in cents",
        Integer,
    ),
    euros(
        "amount",
        "amount_cents",
        "Montant en euros",
        "Amount in euros",
    ),
    field("valuation.quantity", "Quantité", "Quantity", Decimal),
    field("valuation.unit", "Unité", "Unit", Text),
    field(
        "valuation.unit_value_cents",
        "Valeur unitaire en centimes",
        "Unit value in cents",
        Integer,
    ),
    euros(
        "valuation.unit_value",
        "valuation.unit_value_cents",
        "Valeur unitaire en euros",
        "Unit value in euros",
    ),
    field(
        "valuation.method",
        "Méthode",
        "Method",
        Code(ValuationMethod::LIST),
    ),
    field("valuation.source", "Source", "Source", Text),
    field("budget_year", "Exercice", "Budget year", Integer),
    field("due_on", "Échéance", "Due on", Day),
    field("state", "État", "State", Code(SettledState::LIST)),
    field(
        "delivered_cents",
        "Versé en centimes",
        "Delivered in cents",
        Integer,
    ),
    euros(
        "delivered",
        "delivered_cents",
        "Versé en euros",
        "Delivered in euros",
    ),
    field(
        "delivered_quantity",
        "Quantité apportée",
        "Delivered quantity",
        Decimal,
    ),
    field("delivered_on", "Date d'apport", "Delivered on", Day),
    field("evidence", "Justificatif", "Evidence", Text),
];

const MEETINGS: &[Field] = &[
    field("external_id", "Identifiant", "Identifier", Text),
    field(
        "initiative_id",
        "Initiative (id)",
        "Initiative (id here)",
        Text,
    ),
    field(
        "initiative_external_id",
        "Identifiant de l'initiative",
        "Initiative identifier",
        Text,
    ),
    field("title", "Titre", "Title", Text),
    field("place", "Lieu", "Place", Text),
    field("held_on", "Date", "Date", Day),
    field("attendance", "Participants", "Attendance", Integer),
];

const MEASURES: &[Field] = &[
    field("external_id", "Identifiant", "Identifier", Text),
    field("indicator", "Indicateur", "Indicator", Text),
    field("year", "Année", "Year", Integer),
    field("value", "Valeur", "Value", Decimal),
    field("unit", "Unité", "Unit", Text),
    field("source", "Source", "Source", Text),
];

/// What spreadsheets show in the place of a value that they could not work out.
const ERRORS: [&str; 8] = [
    "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!",
];

/// The column in which refused rows tell why; nothing is taken from it.
pub const FAULTS: [&str; 2] = ["erreurs", "errors"];

impl ImportResource {
    /// The fields of its items.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Initiatives => INITIATIVES,
            Self::Holders => HOLDERS,
            Self::Commitments => COMMITMENTS,
            Self::Meetings => MEETINGS,
            Self::Measures => MEASURES,
        }
    }

    /// The field of this name.
    pub fn named(self, name: &str) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.name == name)
    }

    /// The field that a title names by itself.
    fn field(self, title: &str) -> Option<&'static Field> {
        let folded = fold(title);
        self.fields().iter().find(|field| {
            field.name == title.trim() || field.titles.iter().any(|known| fold(known) == folded)
        })
    }
}

impl NewMapping {
    /// What a file is read by that comes without a mapping.
    pub fn none(resource: ImportResource) -> Self {
        Self {
            resource,
            columns: BTreeMap::new(),
            constants: BTreeMap::new(),
            words: BTreeMap::new(),
        }
    }

    /// The same, so that titles and words are found whatever their case and accents.
    pub fn folded(mut self) -> Self {
        let folded = |texts: BTreeMap<String, String>| {
            let texts = texts.into_iter();
            texts.map(|(text, meant)| (fold(&text), meant)).collect()
        };
        self.columns = folded(self.columns);
        self.words = self
            .words
            .into_iter()
            .map(|(field, words)| (field, folded(words)))
            .collect();
        self
    }

    /// The field of a column with this title, of a mapping that is folded.
    pub fn field(&self, title: &str) -> Option<&'static Field> {
        match self.columns.get(&fold(title)) {
            Some(name) => self.resource.named(name),
            None => self.resource.field(title),
        }
    }

    /// Titles of which nothing is taken.
    pub fn ignored(&self, titles: &[String]) -> Vec<String> {
        titles
            .iter()
            .filter(|title| !title.trim().is_empty() && self.field(title).is_none())
            .cloned()
            .collect()
    }
}

/// A row as an item: cells that are not empty, each at its place.
pub fn item(mapping: &NewMapping, fields: &[Option<&'static Field>], cells: &[String]) -> Value {
    let mut item = Map::new();
    for (field, cell) in fields.iter().zip(cells) {
        let Some(field) = field else { continue };
        let cell = cell.trim();
        // What was made harmless for spreadsheets.
        let cell = match cell.strip_prefix('\'') {
            Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
            _ => cell,
        };
        if !cell.is_empty() {
            let meant = mapping
                .words
                .get(field.name)
                .and_then(|words| words.get(&fold(cell)));
            let cell = meant.map_or(cell, String::as_str);
            put(&mut item, field.target, field.kind.read(cell));
        }
    }
    // The schema knows no such field, and refuses what would be lost.
    for (place, cell) in cells.iter().enumerate().skip(fields.len()) {
        if !cell.trim().is_empty() {
            item.insert(format!("colonne {}", place + 1), json!(cell));
        }
    }
    for (name, value) in &mapping.constants {
        let Some(field) = mapping.resource.named(name) else {
            continue;
        };
        let said = match field.target.split_once('.') {
            None => item.contains_key(field.target),
            Some((outer, inner)) => item.get(outer).and_then(|part| part.get(inner)).is_some(),
        };
        if !said {
            put(&mut item, field.target, field.kind.read(value));
        }
    }
    Value::Object(item)
}

fn put(item: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => drop(item.insert(name.to_owned(), value)),
        Some((outer, inner)) => {
            if let Value::Object(part) = item.entry(outer).or_insert_with(|| json!({})) {
                part.insert(inner.to_owned(), value);
            }
        }
    }
}

/// The fields that an item holds as they are.
fn own(resource: ImportResource) -> impl Iterator<Item = &'static Field> {
    let fields = resource.fields().iter();
    fields.filter(|field| field.name == field.target)
}

/// The names of the fields of an item, in the order of its cells.
pub fn names(resource: ImportResource) -> impl Iterator<Item = &'static str> {
    own(resource).map(|field| field.name)
}

/// The cells of an item, by the names of its fields: the way back. What no field holds comes behind them, as it came.
pub fn cells(resource: ImportResource, item: &Value) -> Vec<String> {
    let cell = |field: &Field| {
        let pointer = format!("/{}", field.name.replace('.', "/"));
        match item.pointer(&pointer) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        }
    };
    let mut cells: Vec<String> = own(resource).map(cell).collect();
    let known = |name: &String| {
        let mut outer = names(resource).filter_map(|field| field.split('.').next());
        outer.any(|field| field == name)
    };
    if !item.as_object().is_some_and(|item| item.keys().all(known)) {
        cells.push(item.to_string());
    }
    cells
}

impl Kind {
    /// What cannot be read stays text, and is refused by the schema.
    fn read(self, cell: &str) -> Value {
        if ERRORS.contains(&cell) || cell.starts_with("Err:5") {
            // Of no type, so that the schema refuses it.
            return json!([cell]);
        }
        let read = match self {
            Text => None,
            Integer => whole(cell).map(Value::from),
            Euros => whole_cents(cell).map(Value::from),
            Float => plain(cell).parse::<f64>().ok().map(Value::from),
            Decimal => Some(json!(plain(cell))),
            Boolean => match fold(cell).as_str() {
                "oui" | "vrai" | "true" | "yes" | "1" | "x" => Some(json!(true)),
                "non" | "faux" | "false" | "no" | "0" => Some(json!(false)),
                _ => None,
            },
            Day => DAYS
                .iter()
                .find_map(|form| NaiveDate::parse_from_str(cell, form).ok())
                .or_else(|| day_in_words(cell))
                // "17" is no year: whoever writes it does not mean the first century.
                .filter(|day| day.year() >= 1000)
                .map(|day| json!(day)),
            Code(list) => {
                let folded = fold(cell);
                list.codes
                    .iter()
                    .find(|(code, fr, en)| {
                        *code == cell || fold(fr) == folded || fold(en) == folded
                    })
                    .map(|(code, ..)| json!(code))
            }
        };
        read.unwrap_or_else(|| json!(cell))
    }
}

/// How days are written.
const DAYS: [&str; 6] = [
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
];

/// « 1er mars 2019 ».
fn day_in_words(cell: &str) -> Option<NaiveDate> {
    let folded = fold(cell);
    let [day, month, year] = *folded.split(' ').collect::<Vec<_>>() else {
        return None;
    };
    let month = MONTHS
        .iter()
        .zip(1..)
        .find(|(name, _)| fold(name) == month)?
        .1;
    let day = day.trim_end_matches("er").parse().ok()?;
    NaiveDate::from_ymd_opt(year.parse().ok()?, month, day)
}

/// "12", "1 200", "12,0".
fn whole(cell: &str) -> Option<i64> {
    let number: BigDecimal = plain(cell).parse().ok()?;
    number.is_integer().then(|| number.to_i64())?
}

/// The cents of "1 234,50 €"; nothing smaller than a cent.
fn whole_cents(cell: &str) -> Option<i64> {
    let amount = cell.trim_end_matches('€').trim_end_matches("EUR");
    let amount: BigDecimal = plain(amount).parse().ok()?;
    let cents = amount * BigDecimal::from(100);
    cents.is_integer().then(|| cents.to_i64())?
}

/// A number as programs write it: "1 234,5" is 1234.5.
fn plain(cell: &str) -> String {
    cell.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| if c == ',' { '.' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(resource: ImportResource, cells: &[(&str, &str)]) -> Value {
        let fields: Vec<_> = cells
            .iter()
            .map(|(title, _)| resource.field(title))
            .collect();
        let cells: Vec<String> = cells.iter().map(|(_, cell)| (*cell).to_owned()).collect();
        item(&NewMapping::none(resource), &fields, &cells)
    }

    #[test]
    fn cells_are_read_as_town_halls_write_them() {
        let item = read(
            ImportResource::Initiatives,
            &[
                ("IDENTIFIANT", "42"),
                ("Thème", "cadre de vie"),
                ("état", "Réalisée"),
                ("Date de décision", "20/03/2019"),
                ("Date de fin", "30/06/17"),
                ("latitude", "50,4567"),
                ("published", "Oui"),
                ("Remarque", "rien"),
                ("Travaux", "peut-être"),
                ("Lieu", ""),
            ],
        );
        assert_eq!(
            item,
            json!({"external_id": "42", "theme": "living_environment", "state": "completed",
                "decided_on": "2019-03-20", "ended_on": "30/06/17", "location": {"latitude": 50.4567}, "published": true,
                "building_work": "peut-être"})
        );
        let money = read(
            ImportResource::Commitments,
            &[
                ("Montant en euros", "1 234,50 €"),
                ("Versé en euros", "12,345"),
                ("Exercice", "2 019,0"),
                ("Échéance", "1er février 2019"),
                ("Date d'apport", "2019-03-05 00:00:00"),
                ("Titre", "#N/A"),
            ],
        );
        assert_eq!(
            money,
            json!({"amount_cents": 123_450, "delivered_cents": "12,345", "budget_year": 2019, "due_on": "2019-02-01",
                "delivered_on": "2019-03-05", "title": ["#N/A"]})
        );
        let phone = read(
            ImportResource::Holders,
            &[("Téléphone", "'+33 3 21 00 00 00")],
        );
        assert_eq!(phone, json!({"contact_phone": "+33 3 21 00 00 00"}));
    }

    #[test]
    fn every_field_of_an_item_has_a_column() {
        let document = crate::openapi::document(None);
        let schema = |name: &str| document["components"]["schemas"][name].clone();
        for (resource, name) in [
            (ImportResource::Initiatives, "BulkInitiative"),
            (ImportResource::Holders, "BulkHolder"),
            (ImportResource::Commitments, "BulkCommitment"),
            (ImportResource::Meetings, "BulkMeeting"),
            (ImportResource::Measures, "BulkMeasure"),
        ] {
            let schema = schema(name);
            let named: Vec<&str> = resource
                .fields()
                .iter()
                .map(|field| field.target.split('.').next().unwrap())
                .collect();
            for property in schema["properties"].as_object().unwrap().keys() {
                assert!(named.contains(&property.as_str()), "{name}/{property}");
            }
            for field in &named {
                assert!(!schema["properties"][field].is_null(), "{name}/{field}");
            }
            for field in resource.fields() {
                let found = field
                    .titles
                    .map(|title| resource.field(title).unwrap().name);
                assert_eq!(found, [field.name; 2], "{name}");
            }
        }
    }
}
