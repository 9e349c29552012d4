//! What is exported, and what each column means: once, as data. The names are stable: files and programs of others
//! depend on them; a test holds them against the released ones.

use crate::authorities::dto::AuthorityKind;
use crate::codes::CodeList;
use crate::commitments::dto::{CommitmentKind, CommuneRoute, Side};
use crate::commitments::lifecycle::CommitmentState;
use crate::conventions::lifecycle::ConventionState;
use crate::holders::dto::HolderKind;
use crate::initiatives::dto::{Delivery, Origin, Theme};
use crate::initiatives::lifecycle::InitiativeState;
use crate::practices::dto::ParticipationLevel;

use super::dto::ColumnType::{
    self, Boolean, Code, Date, Decimal, Identifier, Integer, Label, List, Text, Timestamp,
};

/// A public list as files.
pub struct Table {
    /// Its name: the last word of its path.
    pub name: &'static str,
    /// Path of the list; its files have a suffix more.
    pub path: &'static str,
    pub title: (&'static str, &'static str),
    pub columns: &'static [Column],
    /// Where in an item its place on the map is, if there is one.
    pub place: Option<&'static str>,
    /// What changes it: kinds of the change feed, and tables that the feed does not follow.
    pub sources: &'static [&'static str],
}

impl Table {
    /// Whether its path names a commune.
    pub fn is_of_a_commune(&self) -> bool {
        self.path.contains("{code}")
    }
}

/// A column of CSV, and the member of an item of the list that fills it.
pub struct Column {
    pub name: &'static str,
    /// JSON pointer.
    pub at: &'static str,
    pub kind: ColumnType,
    /// The list whose French labels stand in a column of labels.
    pub labels: Option<CodeList>,
    /// French and English.
    pub meaning: (&'static str, &'static str),
}

const fn column(
    name: &'static str,
    at: &'static str,
    kind: ColumnType,
    fr: &'static str,
    en: &'static str,
) -> Column {
    Column {
        name,
        at,
        kind,
        labels: None,
        meaning: (fr, en),
    }
}

/// The French label of a code that stands beside it.
const fn label(
    name: &'static str,
    at: &'static str,
    labels: CodeList,
    fr: &'static str,
    en: &'static str,
) -> Column {
    Column {
        name,
        at,
        kind: Label,
        labels: Some(labels),
        meaning: (fr, en),
    }
}

const ID: Column = column("id", "/id", Identifier, "Identifiant", "Identifier");
const COMMUNE_CODE: Column = column(
    "commune_code",
    "/commune_code",
    Code,
    "Code INSEE de la commune",
    "INSEE code of the commune",
);
const OF_COMMUNE_CODE: Column = Column {
    at: "/commune/code",
    ..COMMUNE_CODE
};
const OF_COMMUNE_NAME: Column = column(
    "commune_name",
    "/commune/name",
    Text,
    "Nom de la commune",
    "Name of the commune",
);
const HOLDER_ID: Column = column(
    "holder_id",
    "/holder/id",
    Identifier,
    "Identifiant du porteur",
    "Identifier of the holder",
);
const HOLDER_KIND: Column = column(
    "holder_kind",
    "/holder/kind",
    Code,
    "Type du porteur",
    "Kind of the holder",
);
const HOLDER_KIND_LABEL: Column = label(
    "holder_kind_label",
    "/holder/kind",
    HolderKind::LIST,
    "Type du porteur, en français",
    "Kind of the holder, in French",
);
const HOLDER_NAME: Column = column(
    "holder_name",
    "/holder/name",
    Text,
    "Nom du porteur ; « Personne » pour une personne physique",
    "Name of the holder; \"Personne\" for a natural person",
);
const STATE: Column = column("state", "/state", Code, "État", "State");
const STATE_CHANGED_AT: Column = column(
    "state_changed_at",
    "/state_changed_at",
    Timestamp,
    "Dernier changement d'état",
    "Last change of state",
);
const STARTS_ON: Column = column("starts_on", "/starts_on", Date, "Premier jour", "First day");
const ENDS_ON: Column = column("ends_on", "/ends_on", Date, "Dernier jour", "Last day");
const CREATED_AT: Column = column(
    "created_at",
    "/created_at",
    Timestamp,
    "Enregistrement ici",
    "When it was recorded here",
);

const EXTERNAL_ID: Column = column(
    "external_id",
    "/external_id",
    Text,
    "Identifiant dans le système qui l'a apporté",
    "Identifier in the system that brought it",
);
const IMPORTED_AT: Column = column(
    "imported_at",
    "/imported_at",
    Timestamp,
    "Reprise d'une histoire antérieure ; vide pour ce qui s'est passé ici",
    "When it was brought along from before; empty of what happened here",
);

pub const INITIATIVES: Table = Table {
    name: "initiatives",
    path: "/v1/initiatives",
    title: ("Initiatives citoyennes", "Citizen initiatives"),
    place: Some("/location"),
    sources: &["initiative"],
    columns: &[
        ID,
        OF_COMMUNE_CODE,
        OF_COMMUNE_NAME,
        column("title", "/title", Text, "Titre", "Title"),
        column("theme", "/theme", Code, "Thème", "Theme"),
        label(
            "theme_label",
            "/theme",
            Theme::LIST,
            "Thème, en français",
            "Theme, in French",
        ),
        STATE,
        label(
            "state_label",
            "/state",
            InitiativeState::LIST,
            "État, en français",
            "State, in French",
        ),
        STATE_CHANGED_AT,
        column("origin", "/origin", Code, "Origine", "How it came up"),
        label(
            "origin_label",
            "/origin",
            Origin::LIST,
            "Origine, en français",
            "How it came up, in French",
        ),
        column(
            "delivery",
            "/delivery",
            Code,
            "Qui réalise",
            "Who carries it out",
        ),
        label(
            "delivery_label",
            "/delivery",
            Delivery::LIST,
            "Qui réalise, en français",
            "Who carries it out, in French",
        ),
        HOLDER_ID,
        HOLDER_KIND,
        HOLDER_KIND_LABEL,
        HOLDER_NAME,
        column(
            "place",
            "/place",
            Text,
            "Lieu, en toutes lettres",
            "Place in words",
        ),
        column(
            "latitude",
            "/location/latitude",
            Decimal,
            "Latitude (WGS 84)",
            "Latitude (WGS 84)",
        ),
        column(
            "longitude",
            "/location/longitude",
            Decimal,
            "Longitude (WGS 84)",
            "Longitude (WGS 84)",
        ),
        STARTS_ON,
        ENDS_ON,
        column(
            "submitted_at",
            "/submitted_at",
            Timestamp,
            "Dépôt",
            "When it was submitted",
        ),
        column(
            "published_at",
            "/published_at",
            Timestamp,
            "Publication",
            "When it was published",
        ),
        column(
            "reply_due_on",
            "/reply_due_on",
            Date,
            "Jour auquel la commune a promis de répondre",
            "Day by which the commune promised to answer",
        ),
        column(
            "endorsement_count",
            "/endorsement_count",
            Integer,
            "Habitants qui soutiennent",
            "Residents who support it",
        ),
        column(
            "participant_count",
            "/participant_count",
            Integer,
            "Habitants qui participent",
            "Residents who take part",
        ),
        CREATED_AT,
        EXTERNAL_ID,
        IMPORTED_AT,
    ],
};

pub const CONVENTIONS: Table = Table {
    name: "conventions",
    path: "/v1/conventions",
    title: (
        "Conventions entre communes et porteurs, une ligne par version",
        "Conventions of communes and holders, a row for each version",
    ),
    place: None,
    sources: &["convention"],
    columns: &[
        ID,
        column(
            "root_id",
            "/root_id",
            Identifier,
            "Identifiant de la première version",
            "Identifier of the first version",
        ),
        column(
            "number",
            "/number",
            Integer,
            "Numéro de la version",
            "Number of the version",
        ),
        OF_COMMUNE_CODE,
        OF_COMMUNE_NAME,
        column(
            "initiative_id",
            "/initiative/id",
            Identifier,
            "Identifiant de l'initiative",
            "Identifier of the initiative",
        ),
        column(
            "initiative_title",
            "/initiative/title",
            Text,
            "Titre de l'initiative",
            "Title of the initiative",
        ),
        HOLDER_ID,
        HOLDER_KIND,
        HOLDER_KIND_LABEL,
        HOLDER_NAME,
        column("object", "/object", Text, "Objet", "Object"),
        STATE,
        label(
            "state_label",
            "/state",
            ConventionState::LIST,
            "État, en français",
            "State, in French",
        ),
        STATE_CHANGED_AT,
        STARTS_ON,
        ENDS_ON,
        column(
            "activated_at",
            "/activated_at",
            Timestamp,
            "Dernière signature",
            "When the last signature was given",
        ),
        CREATED_AT,
    ],
};

pub const COMMUNES: Table = Table {
    name: "communes",
    path: "/v1/communes",
    title: (
        "Communes de France et leurs réglages",
        "Communes of France and their settings",
    ),
    place: None,
    sources: &["communes"],
    columns: &[
        column("code", "/code", Code, "Code INSEE", "INSEE code"),
        column("name", "/name", Text, "Nom", "Name"),
        column(
            "department_code",
            "/department/code",
            Code,
            "Code du département",
            "Code of the department",
        ),
        column(
            "department_name",
            "/department/name",
            Text,
            "Nom du département",
            "Name of the department",
        ),
        column(
            "region_code",
            "/region/code",
            Code,
            "Code de la région",
            "Code of the region",
        ),
        column(
            "region_name",
            "/region/name",
            Text,
            "Nom de la région",
            "Name of the region",
        ),
        column(
            "intercommunality_siren",
            "/intercommunality/siren",
            Identifier,
            "SIREN de l'intercommunalité",
            "SIREN of the intercommunality",
        ),
        column(
            "intercommunality_name",
            "/intercommunality/name",
            Text,
            "Nom de l'intercommunalité",
            "Name of the intercommunality",
        ),
        column("siren", "/siren", Identifier, "SIREN", "SIREN"),
        column("siret", "/settings/siret", Identifier, "SIRET", "SIRET"),
        column(
            "population",
            "/population",
            Integer,
            "Population municipale",
            "Municipal population",
        ),
        column(
            "postal_codes",
            "/postal_codes",
            List,
            "Codes postaux",
            "Postal codes",
        ),
        column(
            "enrolled_at",
            "/enrolled_at",
            Timestamp,
            "Entrée dans le dispositif ; vide pour qui n'y participe pas",
            "When it joined the scheme; empty for those that have not",
        ),
        column(
            "reply_delay_days",
            "/settings/reply_delay_days",
            Integer,
            "Délai de réponse promis, en jours",
            "Days within which it promises to answer",
        ),
        column(
            "small_project_ceiling_cents",
            "/settings/small_project_ceiling_cents",
            Integer,
            "Plafond d'un petit projet, en centimes d'euro",
            "Ceiling of a small project, in euro cents",
        ),
        column(
            "convention_max_months",
            "/settings/convention_max_months",
            Integer,
            "Durée maximale d'une convention, en mois",
            "Longest convention, in months",
        ),
    ],
};

pub const COMMITMENTS: Table = Table {
    name: "commitments",
    path: "/v1/communes/{code}/commitments",
    title: (
        "Engagements des deux parties",
        "What both sides have bound themselves to",
    ),
    place: None,
    sources: &["commitment"],
    columns: &[
        ID,
        column(
            "initiative_id",
            "/initiative_id",
            Identifier,
            "Identifiant de l'initiative",
            "Identifier of the initiative",
        ),
        column("side", "/side", Code, "Qui doit", "Who owes"),
        label(
            "side_label",
            "/side",
            Side::LIST,
            "Qui doit, en français",
            "Who owes, in French",
        ),
        column("kind", "/kind", Code, "Nature", "Kind"),
        label(
            "kind_label",
            "/kind",
            CommitmentKind::LIST,
            "Nature, en français",
            "Kind, in French",
        ),
        column("title", "/title", Text, "En bref", "In a few words"),
        column(
            "third_party_name",
            "/third_party_name",
            Text,
            "Le tiers qui apporte, s'il y en a un",
            "The third party that gives, if one does",
        ),
        column(
            "route",
            "/route",
            Code,
            "Forme de l'aide de la commune",
            "How the commune's help goes out",
        ),
        label(
            "route_label",
            "/route",
            CommuneRoute::LIST,
            "Forme de l'aide de la commune, en français",
            "How the commune's help goes out, in French",
        ),
        column(
            "quantity",
            "/valuation/quantity",
            Decimal,
            "Quantité, pour ce qui n'est pas de l'argent",
            "Quantity, of what is no money",
        ),
        column("unit", "/valuation/unit", Text, "Unité", "Unit"),
        column(
            "unit_value_cents",
            "/valuation/unit_value_cents",
            Integer,
            "Valeur d'une unité, en centimes d'euro",
            "Value of one unit, in euro cents",
        ),
        column(
            "valuation_method",
            "/valuation/method",
            Code,
            "Méthode d'évaluation",
            "How the value was found",
        ),
        column(
            "value_cents",
            "/value_cents",
            Integer,
            "Valeur promise, en centimes d'euro",
            "Value promised, in euro cents",
        ),
        column(
            "delivered_cents",
            "/delivered_cents",
            Integer,
            "Valeur apportée et reconnue, en centimes d'euro",
            "Value delivered and acknowledged, in euro cents",
        ),
        column(
            "budget_year",
            "/budget_year",
            Integer,
            "Année budgétaire",
            "Budget year",
        ),
        column("due_on", "/due_on", Date, "Échéance", "Due by"),
        column(
            "upkeep_starts_on",
            "/upkeep/starts_on",
            Date,
            "Premier jour de l'entretien",
            "First day of the upkeep",
        ),
        column(
            "upkeep_ends_on",
            "/upkeep/ends_on",
            Date,
            "Dernier jour de l'entretien",
            "Last day of the upkeep",
        ),
        column(
            "upkeep_ended_on",
            "/upkeep_ended_on",
            Date,
            "Jour où l'entretien s'est arrêté",
            "Day on which the upkeep ended",
        ),
        STATE,
        label(
            "state_label",
            "/state",
            CommitmentState::LIST,
            "État, en français",
            "State, in French",
        ),
        STATE_CHANGED_AT,
        CREATED_AT,
        EXTERNAL_ID,
        IMPORTED_AT,
    ],
};

pub const MEETINGS: Table = Table {
    name: "meetings",
    path: "/v1/communes/{code}/meetings",
    title: ("Réunions publiques", "Public meetings"),
    place: None,
    sources: &["meeting"],
    columns: &[
        ID,
        OF_COMMUNE_CODE,
        OF_COMMUNE_NAME,
        column("held_on", "/held_on", Date, "Jour", "Day"),
        column("title", "/title", Text, "Titre", "Title"),
        column(
            "place",
            "/place",
            Text,
            "Lieu, en toutes lettres",
            "Place in words",
        ),
        column(
            "attendance",
            "/attendance",
            Integer,
            "Entrées (non des personnes)",
            "Entries, not people",
        ),
        column(
            "initiative_id",
            "/initiative/id",
            Identifier,
            "Identifiant de l'initiative dont il s'agissait",
            "Identifier of the initiative that it was about",
        ),
        column(
            "initiative_title",
            "/initiative/title",
            Text,
            "Titre de cette initiative",
            "Title of that initiative",
        ),
        CREATED_AT,
    ],
};

pub const MEASURES: Table = Table {
    name: "measures",
    path: "/v1/communes/{code}/measures",
    title: (
        "Mesures déclarées par la commune",
        "Measures that the commune reports",
    ),
    place: None,
    sources: &["measure"],
    columns: &[
        ID,
        COMMUNE_CODE,
        column("indicator", "/indicator", Code, "Indicateur", "Indicator"),
        column("year", "/year", Integer, "Année", "Year"),
        column("value", "/value", Decimal, "Valeur", "Value"),
        column("unit", "/unit", Text, "Unité", "Unit"),
        column("source", "/source", Text, "Source", "Source"),
        CREATED_AT,
    ],
};

pub const HOLDERS: Table = Table {
    name: "holders",
    path: "/v1/communes/{code}/holders",
    title: (
        "Porteurs : associations, écoles et entreprises",
        "Holders: associations, schools and companies",
    ),
    place: None,
    sources: &["holder"],
    columns: &[
        ID,
        COMMUNE_CODE,
        column("kind", "/kind", Code, "Type", "Kind"),
        label(
            "kind_label",
            "/kind",
            HolderKind::LIST,
            "Type, en français",
            "Kind, in French",
        ),
        column("name", "/name", Text, "Nom", "Name"),
        column(
            "description",
            "/description",
            Text,
            "Activité",
            "What it does",
        ),
        column("siret", "/siret", Identifier, "SIRET", "SIRET"),
        column(
            "rna",
            "/rna",
            Identifier,
            "Numéro RNA",
            "Number in the national register of associations",
        ),
        column("address", "/address", Text, "Siège", "Registered office"),
        column(
            "republican_commitment_on",
            "/republican_commitment_on",
            Date,
            "Souscription du contrat d'engagement républicain",
            "When it subscribed to the \"contrat d'engagement républicain\"",
        ),
        column(
            "members_count",
            "/members_count",
            Integer,
            "Membres actifs",
            "Active members",
        ),
        CREATED_AT,
    ],
};

pub const AUTHORITIES: Table = Table {
    name: "authorities",
    path: "/v1/communes/{code}/authorities",
    title: (
        "Actes qui autorisent la commune à s'engager",
        "Acts that let the commune commit",
    ),
    place: None,
    sources: &["authorities"],
    columns: &[
        ID,
        COMMUNE_CODE,
        column("kind", "/kind", Code, "Type", "Kind"),
        label(
            "kind_label",
            "/kind",
            AuthorityKind::LIST,
            "Type, en français",
            "Kind, in French",
        ),
        column("number", "/number", Text, "Numéro", "Number"),
        column(
            "adopted_on",
            "/adopted_on",
            Date,
            "Adoption",
            "Day on which it was taken",
        ),
        column("object", "/object", Text, "Objet", "Object"),
        column(
            "subject_code",
            "/subject/code",
            Code,
            "Code de la matière (nomenclature Actes)",
            "Code of its matter in the nomenclature \"Actes\"",
        ),
        column(
            "subject_name",
            "/subject/name",
            Text,
            "Nom de la matière",
            "Name of its matter",
        ),
        column(
            "budget_year",
            "/budget/year",
            Text,
            "Année du budget",
            "Year of the budget",
        ),
        column(
            "budget_name",
            "/budget/name",
            Text,
            "Nom du budget",
            "Name of the budget",
        ),
        column(
            "prefecture_reference",
            "/prefecture_reference",
            Text,
            "Contrôle de légalité",
            "Who controls its legality",
        ),
        column(
            "sent_to_prefecture_on",
            "/sent_to_prefecture_on",
            Date,
            "Enregistrement au contrôle de légalité",
            "When it was registered there",
        ),
        column(
            "published_on",
            "/published_on",
            Date,
            "Publication",
            "When it was published",
        ),
        column(
            "executory_on",
            "/executory_on",
            Date,
            "Jour auquel il est devenu exécutoire",
            "When it became executory",
        ),
        column(
            "council_members",
            "/votes/council_members",
            Integer,
            "Membres du conseil",
            "Members of the council",
        ),
        column(
            "votes_cast",
            "/votes/cast",
            Integer,
            "Votants",
            "Votes cast",
        ),
        column(
            "votes_in_favour",
            "/votes/in_favour",
            Integer,
            "Pour",
            "In favour",
        ),
        column(
            "votes_against",
            "/votes/against",
            Integer,
            "Contre",
            "Against",
        ),
        column(
            "votes_abstained",
            "/votes/abstained",
            Integer,
            "Abstentions",
            "Abstentions",
        ),
        column(
            "url",
            "/url",
            Text,
            "Adresse du texte",
            "Where it can be read",
        ),
        CREATED_AT,
    ],
};

pub const SUBSIDIES: Table = Table {
    name: "subsidies",
    path: "/v1/communes/{code}/subsidies",
    title: (
        "Aides versées et en nature, par bénéficiaire et par année",
        "Subsidies in cash and in kind, by body and year",
    ),
    place: None,
    sources: &[
        "commitment",
        "fulfilment",
        "convention",
        "holder",
        "subsidy_records",
    ],
    columns: &[
        COMMUNE_CODE,
        HOLDER_ID,
        HOLDER_KIND,
        HOLDER_KIND_LABEL,
        HOLDER_NAME,
        column(
            "siren",
            "/siren",
            Identifier,
            "SIREN du bénéficiaire",
            "SIREN of the body",
        ),
        column("year", "/year", Integer, "Année", "Year"),
        column(
            "paid_cents",
            "/paid_cents",
            Integer,
            "Versé, en centimes d'euro",
            "Paid, in euro cents",
        ),
        column(
            "owed_cents",
            "/owed_cents",
            Integer,
            "Promis et non versé, en centimes d'euro",
            "Promised and not paid, in euro cents",
        ),
        column(
            "in_kind_cents",
            "/in_kind_cents",
            Integer,
            "En nature, en centimes d'euro",
            "In kind, in euro cents",
        ),
        column(
            "total_cents",
            "/total_cents",
            Integer,
            "Total, en centimes d'euro",
            "Total, in euro cents",
        ),
        column(
            "twelve_months_cents",
            "/twelve_months_cents",
            Integer,
            "Le plus en douze mois, en centimes d'euro",
            "The most within twelve months, in euro cents",
        ),
        column(
            "over_threshold",
            "/over_threshold",
            Boolean,
            "Plus de 23 000 euros dans l'année",
            "More than 23,000 EUR in the year",
        ),
        column(
            "publication_due_on",
            "/publication_due_on",
            Date,
            "Échéance de la publication des données essentielles",
            "When its essential data are to be published",
        ),
        column(
            "published_on",
            "/published_on",
            Date,
            "Publication des données essentielles",
            "When they were published",
        ),
        column(
            "report_due_on",
            "/report_due_on",
            Date,
            "Échéance du compte rendu financier",
            "When the financial report is due",
        ),
        column(
            "report_received_on",
            "/report_received_on",
            Date,
            "Réception du compte rendu financier",
            "When it came in",
        ),
    ],
};

pub const PRACTICES: Table = Table {
    name: "practices",
    path: "/v1/practices",
    title: ("Fiches de bonne pratique", "Practice sheets"),
    place: Some("/location"),
    sources: &["practice"],
    columns: &[
        ID,
        OF_COMMUNE_CODE,
        OF_COMMUNE_NAME,
        column("title", "/title", Text, "Titre", "Title"),
        column("theme", "/theme", Code, "Thème", "Theme"),
        label(
            "theme_label",
            "/theme",
            Theme::LIST,
            "Thème, en français",
            "Theme, in French",
        ),
        column(
            "participation_level",
            "/participation_level",
            Code,
            "Niveau de participation",
            "How far residents take part",
        ),
        label(
            "participation_level_label",
            "/participation_level",
            ParticipationLevel::LIST,
            "Niveau de participation, en français",
            "How far residents take part, in French",
        ),
        column("tags", "/tags", List, "Mots-clés", "Tags"),
        column("context", "/context", Text, "Contexte", "Context"),
        column("objectives", "/objectives", Text, "Objectifs", "Objectives"),
        column("approach", "/approach", Text, "Démarche", "Approach"),
        column("results", "/results", Text, "Résultats", "Results"),
        column("tips", "/tips", Text, "Conseils", "Tips"),
        column(
            "satisfactions",
            "/satisfactions",
            Text,
            "Satisfactions",
            "Satisfactions",
        ),
        column("obstacles", "/obstacles", Text, "Obstacles", "Obstacles"),
        column(
            "contact_service",
            "/contact/service",
            Text,
            "Service à qui écrire",
            "Service to write to",
        ),
        column(
            "contact_address",
            "/contact/address",
            Text,
            "Son adresse postale",
            "Its postal address",
        ),
        column(
            "latitude",
            "/location/latitude",
            Decimal,
            "Latitude (WGS 84)",
            "Latitude (WGS 84)",
        ),
        column(
            "longitude",
            "/location/longitude",
            Decimal,
            "Longitude (WGS 84)",
            "Longitude (WGS 84)",
        ),
        column(
            "inspired_by_practice_id",
            "/inspired_by_practice_id",
            Identifier,
            "Identifiant de la fiche dont elle s'inspire",
            "Identifier of the sheet that inspired it",
        ),
        column(
            "duration_days",
            "/figures/duration_days",
            Integer,
            "Jours de la première convention en vigueur à la réalisation, pour l'initiative la plus longue",
            "Days from the first convention in force to completion, of the longest initiative",
        ),
        column(
            "municipal_spending_cents",
            "/figures/municipal_spending_cents",
            Integer,
            "Dépense de la commune pour ce qui la prouve, en centimes d'euro",
            "What the commune has spent on what proves it, in euro cents",
        ),
        column(
            "staff_hours",
            "/figures/staff_hours",
            Decimal,
            "Heures des agents",
            "Staff hours",
        ),
        column(
            "official_hours",
            "/figures/official_hours",
            Decimal,
            "Heures des élus",
            "Elected officials' hours",
        ),
        column(
            "volunteer_hours",
            "/figures/volunteer_hours",
            Decimal,
            "Heures bénévoles",
            "Volunteer hours",
        ),
        column(
            "participants",
            "/figures/participants",
            Integer,
            "Participants inscrits",
            "Registered participants",
        ),
        column(
            "people_counted",
            "/figures/people_counted",
            Integer,
            "Personnes comptées sans leur nom",
            "People counted without their names",
        ),
        column(
            "commune_value_cents",
            "/figures/commune_value_cents",
            Integer,
            "Valeur apportée par la commune, en centimes d'euro",
            "Value delivered by the commune, in euro cents",
        ),
        column(
            "residents_value_cents",
            "/figures/residents_value_cents",
            Integer,
            "Valeur apportée par les habitants et leurs partenaires, en centimes d'euro",
            "Value delivered by residents and their partners, in euro cents",
        ),
        column(
            "savings_cents",
            "/figures/savings_cents",
            Integer,
            "Économies, en centimes d'euro",
            "Savings, in euro cents",
        ),
        column(
            "published_at",
            "/published_at",
            Timestamp,
            "Publication",
            "When it was published",
        ),
        CREATED_AT,
    ],
};

/// All of them, in the order of the dictionary.
pub const TABLES: &[&Table] = &[
    &INITIATIVES,
    &CONVENTIONS,
    &COMMUNES,
    &HOLDERS,
    &COMMITMENTS,
    &MEETINGS,
    &MEASURES,
    &AUTHORITIES,
    &SUBSIDIES,
    &PRACTICES,
];
