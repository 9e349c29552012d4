//! Columns as fields. A column is known by the name of its field, or by its title in French or English; a cell is read as
//! what its field is, as town halls write it.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde_json::{Map, Value, json};

use super::dto::{ImportResource, PastState, SettledState};
use super::mappings::NewMapping;
use crate::codes::CodeList;
use crate::commitments::dto::{CommitmentKind, CommuneRoute, Side, ValuationMethod};
use crate::holders::dto::HolderKind;
use crate::initiatives::dto::{Channel, Delivery, Land, Origin, Theme};
use crate::text::fold;

/// What a cell is read as.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
    Decimal,
    Float,
    Boolean,
    Day,
    Code(CodeList),
}

/// A field: its place in an item, its titles in French and English, and what it is.
pub struct Field {
    pub name: &'static str,
    titles: [&'static str; 2],
    kind: Kind,
}

const fn field(name: &'static str, fr: &'static str, en: &'static str, kind: Kind) -> Field {
    Field {
        name,
        titles: [fr, en],
        kind,
    }
}

use Kind::{Boolean, Code, Day, Decimal, Float, Integer, Text};

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
    field("valuation.quantity", "Quantité", "Quantity", Decimal),
    field("valuation.unit", "Unité", "Unit", Text),
    field(
        "valuation.unit_value_cents",
        "Valeur unitaire en centimes",
        "Unit value in cents",
        Integer,
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

    /// The field of a column with this title.
    pub fn field(&self, title: &str) -> Option<&'static Field> {
        match self.columns.get(title.trim()) {
            Some(name) => self.resource.named(name),
            None => self.resource.field(title),
        }
    }

    /// Titles of which nothing is taken.
    pub fn ignored(&self, titles: &[String]) -> Vec<String> {
        titles
            .iter()
            .filter(|title| self.field(title).is_none())
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
                .and_then(|words| words.get(cell));
            let cell = meant.map_or(cell, String::as_str);
            put(&mut item, field.name, field.kind.read(cell));
        }
    }
    for (name, value) in &mapping.constants {
        let said = match name.split_once('.') {
            None => item.contains_key(name),
            Some((outer, inner)) => item.get(outer).and_then(|part| part.get(inner)).is_some(),
        };
        if let Some(field) = mapping.resource.named(name)
            && !said
        {
            put(&mut item, name, field.kind.read(value));
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

/// The cells of an item, by the names of its fields: the way back.
pub fn cells(resource: ImportResource, item: &Value) -> Vec<String> {
    resource
        .fields()
        .iter()
        .map(|field| {
            let pointer = format!("/{}", field.name.replace('.', "/"));
            match item.pointer(&pointer) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
            }
        })
        .collect()
}

impl Kind {
    /// What cannot be read stays text, and is refused by the schema.
    fn read(self, cell: &str) -> Value {
        let read = match self {
            Text => None,
            Integer => plain(cell).parse::<i64>().ok().map(Value::from),
            Float => plain(cell).parse::<f64>().ok().map(Value::from),
            Decimal => Some(json!(plain(cell))),
            Boolean => match fold(cell).as_str() {
                "oui" | "vrai" | "true" | "yes" | "1" | "x" => Some(json!(true)),
                "non" | "faux" | "false" | "no" | "0" => Some(json!(false)),
                _ => None,
            },
            Day => ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"]
                .iter()
                .find_map(|form| NaiveDate::parse_from_str(cell, form).ok())
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
                .map(|field| field.name.split('.').next().unwrap())
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
