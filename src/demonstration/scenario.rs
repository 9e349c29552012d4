//! The play: Loos-en-Gohelle over several years, and Grenay beside it.
//!
//! Real, from the commune's own accounts of its "Fifty/Fifty" scheme: the farm tracks (30,000 EUR of the commune, 70 %
//! less than the full cost, with machines, skips and labour of the farmers), solar panels on a church roof, a
//! skate-park built by 11 to 14 year olds, planters kept by an association, 73 active associations, close to 100
//! public meetings in a mandate. Every other name, date and figure is illustrative, and says so where it stands.

use serde_json::{Value, json};

use super::project::{Done, Project, Until};
use super::stage::{Stage, StageError, id_of};

const LOOS: &str = "62528";
const GRENAY: &str = "62386";
const ILLUSTRATIVE: &str = "Chiffre d'illustration";
const FIELD: &str = "Ville de Loos-en-Gohelle, démarche Fifty/Fifty";

/// Plays everything, from the first account to the last measure.
pub async fn play(stage: &Stage, progress: impl Fn(&str)) -> Result<(), StageError> {
    stage.day("2019-09-02")?;
    people(stage).await?;
    progress("  people, communes and mandates");
    let holders = holders(stage).await?;
    let mut sheets: Vec<(&str, String)> = Vec::new();
    for (name, mut project) in projects(&holders) {
        // What Grenay does, Loos has done before.
        let inspiration = sheets
            .iter()
            .find(|(of, _)| *of == "skatepark" && name == "grenay-pumptrack");
        if let (Some((_, sheet)), Some(idea)) = (inspiration, project.idea.as_object_mut()) {
            idea.insert("inspired_by_practice_id".to_owned(), sheet.clone().into());
        }
        let path = project.play(stage).await.map_err(|error| match error {
            StageError::Technical(text) => StageError::Technical(format!("{name}: {text}")),
            other => other,
        })?;
        around(stage, name, &path).await?;
        if let Some((day, sheet)) = practice(name) {
            stage.day(day)?;
            sheets.push((name, publish(stage, &path, sheet).await?));
        }
    }
    progress("  initiatives, conventions and fulfilments");
    planters(stage).await?;
    side_doors(stage, &holders).await?;
    evidence(stage).await?;
    progress("  meetings and measures");
    Ok(())
}

async fn people(stage: &Stage) -> Result<(), StageError> {
    for (name, display, full, birth) in [
        ("admin", "Administration", "Alex Admin", "1980-01-01"),
        ("agent", "Claude, mairie", "Claude Lefebvre", "1978-05-12"),
        ("maire", "Le maire", "Dominique Wattiez", "1965-02-20"),
        ("adjointe", "L'adjointe", "Sacha Delattre", "1972-11-03"),
        (
            "agriculteur",
            "Michel, agriculteur",
            "Michel Carpentier",
            "1969-07-08",
        ),
        (
            "presidente",
            "Nadia, présidente",
            "Nadia Belkacem",
            "1975-03-30",
        ),
        ("habitante", "Camille D.", "Camille Dupont", "1990-04-12"),
        ("paroissien", "Jean-Paul", "Jean-Paul Roussel", "1955-09-15"),
        ("directrice", "La directrice", "Hélène Morel", "1981-06-25"),
        (
            "animateur",
            "Yanis, animateur",
            "Yanis Haddad",
            "1994-12-01",
        ),
        ("voisin", "Luc", "Luc Martin", "1988-08-08"),
        (
            "agent-grenay",
            "Mairie de Grenay",
            "Paul Caron",
            "1983-01-17",
        ),
        (
            "maire-grenay",
            "Le maire de Grenay",
            "Anne Boulanger",
            "1970-10-10",
        ),
    ] {
        stage.person(name, display, full, birth).await?;
    }
    stage.make_admin("admin").await?;
    for (commune, name, role, capacity, may_sign) in [
        (LOOS, "agent", "agent", "Chargée de la participation", false),
        (LOOS, "maire", "elected_official", "Maire", true),
        (
            LOOS,
            "adjointe",
            "elected_official",
            "Adjointe à la vie associative",
            false,
        ),
        (
            GRENAY,
            "agent-grenay",
            "agent",
            "Secrétaire de mairie",
            false,
        ),
        (GRENAY, "maire-grenay", "elected_official", "Maire", true),
    ] {
        if capacity == "Chargée de la participation" || name == "agent-grenay" {
            stage
                .post(
                    "admin",
                    &format!("/v1/communes/{commune}/enrol"),
                    Value::Null,
                )
                .await?;
        }
        let mut mandate = json!({"email": format!("{name}@demo.example"), "role": role, "capacity": capacity,
            "may_sign": may_sign, "starts_on": "2019-09-01"});
        if let Some(fields) = mandate.as_object_mut().filter(|_| may_sign) {
            let act = json!("Procès-verbal de l'élection du maire");
            fields.insert("delegation_reference".to_owned(), act);
            fields.insert("delegation_on".to_owned(), json!("2019-09-01"));
        }
        stage
            .post(
                "admin",
                &format!("/v1/communes/{commune}/mandates"),
                mandate,
            )
            .await?;
    }
    for year in 2020..=2026 {
        let path = format!("/v1/communes/{LOOS}/envelopes/{year}");
        stage
            .put("maire", &path, json!({"amount_cents": 6_000_000}))
            .await?;
    }
    stage
        .put(
            "maire-grenay",
            &format!("/v1/communes/{GRENAY}/envelopes/2024"),
            json!({"amount_cents": 1_000_000}),
        )
        .await?;
    Ok(())
}

/// Ids of the holders, of every kind.
struct Holders {
    farmers: String,
    parish: String,
    youth: String,
    gardeners: String,
    school: String,
    baker: String,
    neighbour: String,
    street: String,
    grenay: String,
}

async fn holders(stage: &Stage) -> Result<Holders, StageError> {
    let make = async |commune: &str, who: &str, holder: Value| {
        id_of(
            &stage
                .post(who, &format!("/v1/communes/{commune}/holders"), holder)
                .await?,
        )
    };
    Ok(Holders {
        farmers: make(LOOS, "agriculteur", json!({"kind": "association", "name": "Les agriculteurs de la plaine",
            "description": "Exploitants qui entretiennent ensemble leurs chemins.", "siret": "90000100900019",
            "rna": "W623000001", "republican_commitment_on": "2020-01-15"})).await?,
        parish: make(LOOS, "paroissien", json!({"kind": "association", "name": "Les amis de l'église Saint-Vaast",
            "siret": "90000200700012", "republican_commitment_on": "2020-02-01"})).await?,
        youth: make(LOOS, "animateur", json!({"kind": "youth_group", "name": "Le groupe du skate-park",
            "description": "Collégiens de 11 à 14 ans, accompagnés par un adulte ; comptés, jamais nommés."})).await?,
        gardeners: make(LOOS, "presidente", json!({"kind": "association", "name": "Les jardins de Gohelle",
            "siret": "90000300500015", "republican_commitment_on": "2019-12-01"})).await?,
        school: make(LOOS, "directrice", json!({"kind": "school", "name": "Coopérative de l'école Ovide-Leroy",
            "siret": "90000400300019"})).await?,
        baker: make(LOOS, "habitante", json!({"kind": "company", "name": "Le fournil coopératif",
            "siret": "90000500000014"})).await?,
        neighbour: make(LOOS, "voisin", json!({"kind": "person", "name": "Luc"})).await?,
        street: make(LOOS, "habitante", json!({"kind": "collective", "name": "Les voisins de la rue Hoche"})).await?,
        grenay: make(GRENAY, "voisin", json!({"kind": "collective", "name": "Les voisins de la cité 5"})).await?,
    })
}

fn idea(
    title: &str,
    theme: &str,
    description: &str,
    place: &str,
    latitude: f64,
    longitude: f64,
) -> Value {
    json!({"title": title, "theme": theme, "description": description, "place": place,
        "location": {"latitude": latitude, "longitude": longitude}})
}

fn with(mut value: Value, more: Value) -> Value {
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}

fn money(title: &str, cents: i64, year: i32, route: &str, due_on: &str) -> Value {
    json!({"side": "commune", "kind": "financial", "title": title, "route": route, "amount_cents": cents,
        "budget_year": year, "due_on": due_on})
}

fn from_commune(
    kind: &str,
    title: &str,
    quantity: &str,
    unit: &str,
    unit_value_cents: i64,
    due_on: &str,
) -> Value {
    json!({"side": "commune", "kind": kind, "title": title, "route": "in_kind", "due_on": due_on,
        "valuation": {"quantity": quantity, "unit": unit, "unit_value_cents": unit_value_cents,
        "method": "replacement_cost", "source": ILLUSTRATIVE}})
}

fn from_holder(
    kind: &str,
    title: &str,
    quantity: &str,
    unit: &str,
    unit_value_cents: i64,
    due_on: &str,
) -> Value {
    let method = if kind == "labour" {
        "hourly_rate"
    } else {
        "replacement_cost"
    };
    json!({"side": "holder", "kind": kind, "title": title, "due_on": due_on,
        "valuation": {"quantity": quantity, "unit": unit, "unit_value_cents": unit_value_cents, "method": method,
        "source": ILLUSTRATIVE}})
}

fn upkeep(
    title: &str,
    quantity: &str,
    unit_value_cents: i64,
    starts_on: &str,
    ends_on: &str,
) -> Value {
    json!({"side": "holder", "kind": "labour", "title": title, "upkeep": {"starts_on": starts_on, "ends_on": ends_on},
        "valuation": {"quantity": quantity, "unit": "heure", "unit_value_cents": unit_value_cents,
        "method": "hourly_rate", "source": ILLUSTRATIVE}})
}

fn convention(object: &str, starts_on: &str, ends_on: &str) -> Value {
    json!({"object": object, "starts_on": starts_on, "ends_on": ends_on, "notice_days": 60,
        "commune_insurance": "Responsabilité civile de la commune", "holder_insurance": "Responsabilité civile du porteur",
        "forbidden_tasks": "Travaux en hauteur, réseaux électriques et gaz"})
}

fn council(reference: &str, on: &str, executory_on: &str) -> Value {
    json!({"authority": {"kind": "deliberation", "number": reference, "adopted_on": on, "subject": {"code": "8.4",
        "name": "Domaines de compétences par thèmes/Aménagement du territoire"}, "sent_to_prefecture_on": executory_on,
        "published_on": executory_on, "executory_on": executory_on, "prefecture_reference": "PREF062",
        "votes": {"council_members": 29, "cast": 27, "in_favour": 25, "against": 0, "abstained": 2}}})
}

fn done(commitment: usize, on: &'static str, how_much: Value, evidence: &'static str) -> Done {
    Done {
        commitment,
        on,
        how_much,
        evidence,
    }
}

/// A project that stops early; the rest is filled in where it goes on.
fn project(
    by: &'static str,
    holder: &str,
    idea: Value,
    dates: [&'static str; 3],
    until: Until,
) -> Project {
    let [submitted, reviewed, decided] = dates;
    Project {
        commune: LOOS,
        agent: "agent",
        mayor: "maire",
        by,
        holder: holder.to_owned(),
        host: None,
        idea,
        submitted,
        reviewed,
        decided,
        opinion: json!({"outcome": "favourable", "text": "Faisable avec les moyens de la commune."}),
        reason: "Le projet sert les habitants et ils s'y engagent.",
        commitments: Vec::new(),
        convention: Value::Null,
        signed: decided,
        done: Vec::new(),
        completed: decided,
        evaluation: Value::Null,
        until,
    }
}

fn projects(h: &Holders) -> Vec<(&'static str, Project)> {
    let tracks = Project {
        opinion: json!({"outcome": "favourable", "text": "Réfection possible avant l'hiver si les agriculteurs apportent leurs machines.",
            "estimated_cost_cents": 3_000_000}),
        commitments: vec![
            money(
                "Matériaux des chemins",
                3_000_000,
                2021,
                "purchase",
                "2021-10-31",
            ),
            from_holder(
                "material",
                "Tracteurs et pelles",
                "40",
                "jour",
                60_000,
                "2021-10-31",
            ),
            from_holder("material", "Bennes", "60", "rotation", 15_000, "2021-10-31"),
            from_holder(
                "labour",
                "Travail des agriculteurs",
                "600",
                "heure",
                1_500,
                "2021-10-31",
            ),
            upkeep(
                "Surveillance et reprise des nids-de-poule",
                "80",
                1_500,
                "2021-11-01",
                "2024-10-31",
            ),
        ],
        convention: with(
            with(
                convention(
                    "Réfection des chemins agricoles par les agriculteurs et la commune",
                    "2021-06-01",
                    "2024-12-31",
                ),
                json!({"land": "rural_track"}),
            ),
            council("2021-05-12", "2021-05-12", "2021-05-20"),
        ),
        signed: "2021-06-01",
        done: vec![
            done(
                1,
                "2021-09-20",
                json!({"quantity": "40"}),
                "Carnet de chantier",
            ),
            done(
                2,
                "2021-09-25",
                json!({"quantity": "60"}),
                "Bons de rotation",
            ),
            done(
                3,
                "2021-09-30",
                json!({"quantity": "600"}),
                "Feuilles de présence",
            ),
            done(
                0,
                "2021-10-15",
                json!({"amount_cents": 3_000_000}),
                "Factures de matériaux, mandat du 15 octobre",
            ),
        ],
        completed: "2021-11-10",
        evaluation: json!({"summary": "Les chemins ont été refaits pour 30 000 EUR, 70 % de moins que le coût complet.",
            "reference_cost_cents": 10_000_000, "municipal_cost_cents": 3_000_000, "staff_minutes": 0, "staff_cost_cents": 0,
            "official_minutes": 0, "method": "Coût complet d'une réfection par entreprise, moins la dépense de la commune",
            "source": FIELD}),
        ..project(
            "agriculteur",
            &h.farmers,
            with(
                idea(
                    "Réfection des chemins agricoles",
                    "agriculture",
                    "Les agriculteurs donnent machines, bennes et travail ; la commune fournit les matériaux.",
                    "Plaine de Gohelle",
                    50.4571,
                    2.7835,
                ),
                json!({"land": "rural_track", "requests_money": true, "delivery": "joint", "building_work": true}),
            ),
            ["2021-02-15", "2021-02-22", "2021-03-18"],
            Until::Closed,
        )
    };
    let roof = Project {
        commitments: vec![
            from_commune(
                "technical",
                "Étude de structure et suivi",
                "60",
                "heure",
                4_500,
                "2022-12-31",
            ),
            from_holder(
                "advice",
                "Montage du dossier et animation",
                "200",
                "heure",
                1_500,
                "2022-12-31",
            ),
            upkeep(
                "Suivi de la production et nettoyage",
                "120",
                1_500,
                "2023-01-01",
                "2026-09-30",
            ),
        ],
        convention: with(
            with(
                convention(
                    "Panneaux solaires sur le toit de l'église Saint-Vaast",
                    "2022-10-01",
                    "2026-09-30",
                ),
                json!({"land": "church", "clergy_agreement": "Accord de l'affectataire du 12 septembre 2022"}),
            ),
            council("2022-09-20", "2022-09-20", "2022-09-28"),
        ),
        signed: "2022-10-03",
        done: vec![
            done(
                0,
                "2022-12-10",
                json!({"quantity": "60"}),
                "Rapport d'étude",
            ),
            done(
                1,
                "2022-12-15",
                json!({"quantity": "180"}),
                "Comptes rendus de réunions",
            ),
        ],
        ..project(
            "paroissien",
            &h.parish,
            with(
                idea(
                    "Panneaux solaires sur le toit de l'église",
                    "energy",
                    "Des habitants posent des panneaux solaires sur l'église avec la commune.",
                    "Église Saint-Vaast",
                    50.4583,
                    2.7921,
                ),
                json!({"land": "church", "building_work": true}),
            ),
            ["2022-03-01", "2022-03-10", "2022-05-05"],
            Until::Done,
        )
    };
    let skatepark = Project {
        host: Some(h.gardeners.clone()),
        commitments: vec![
            money(
                "Modules et béton",
                1_200_000,
                2023,
                "purchase",
                "2023-09-30",
            ),
            from_commune(
                "technical",
                "Encadrement par les services techniques",
                "90",
                "heure",
                3_500,
                "2023-09-30",
            ),
            from_holder(
                "labour",
                "Travail des jeunes et des parents",
                "450",
                "heure",
                1_150,
                "2023-09-30",
            ),
            upkeep(
                "Nettoyage et petites réparations",
                "100",
                1_150,
                "2023-10-01",
                "2026-09-30",
            ),
        ],
        convention: with(
            with(
                convention(
                    "Construction du skate-park par les collégiens",
                    "2023-04-01",
                    "2026-12-31",
                ),
                json!({"land": "public_domain", "land_fee_exemption": "Intérêt général, accès libre et gratuit",
            "supervision_of_minors": "Deux adultes présents à chaque séance", "image_consent": "Aucune image sans accord écrit des parents"}),
            ),
            council("2023-03-15", "2023-03-15", "2023-03-22"),
        ),
        signed: "2023-04-05",
        done: vec![
            done(
                2,
                "2023-08-30",
                json!({"quantity": "450"}),
                "Feuilles de présence, sans nom de mineur",
            ),
            done(
                1,
                "2023-09-10",
                json!({"quantity": "90"}),
                "Relevé des services techniques",
            ),
            done(
                0,
                "2023-09-20",
                json!({"amount_cents": 1_150_000}),
                "Factures",
            ),
        ],
        ..project(
            "animateur",
            &h.youth,
            with(
                idea(
                    "Skate-park construit par les 11-14 ans",
                    "sport",
                    "Des collégiens dessinent et construisent leur skate-park, encadrés par des adultes.",
                    "Derrière le collège",
                    50.4602,
                    2.7950,
                ),
                json!({"land": "public_domain", "building_work": true, "delivery": "joint", "requests_money": true}),
            ),
            ["2022-11-05", "2022-11-20", "2023-01-20"],
            Until::Done,
        )
    };
    let gardens = Project {
        commitments: vec![
            money(
                "Subvention de démarrage",
                150_000,
                2024,
                "subsidy",
                "2024-06-30",
            ),
            from_holder(
                "labour",
                "Création des parcelles",
                "240",
                "heure",
                1_200,
                "2024-06-30",
            ),
            upkeep(
                "Entretien du jardin",
                "200",
                1_200,
                "2024-07-01",
                "2027-06-30",
            ),
        ],
        convention: with(
            convention("Jardin partagé de la fosse 15", "2024-03-01", "2027-06-30"),
            council("2024-02-20", "2024-02-20", "2024-02-27"),
        ),
        signed: "2024-03-04",
        done: vec![
            done(
                0,
                "2024-03-20",
                json!({"amount_cents": 150_000}),
                "Mandat de paiement",
            ),
            done(
                1,
                "2024-06-15",
                json!({"quantity": "240"}),
                "Feuilles de présence",
            ),
        ],
        completed: "2024-07-10",
        evaluation: json!({"summary": "Douze parcelles cultivées par dix-huit familles.", "reference_cost_cents": 900_000,
            "municipal_cost_cents": 150_000, "staff_minutes": 1_800, "staff_cost_cents": 90_000, "official_minutes": 300,
            "method": "Devis d'un paysagiste", "source": ILLUSTRATIVE}),
        ..project(
            "presidente",
            &h.gardeners,
            with(
                idea(
                    "Jardin partagé de la fosse 15",
                    "environment",
                    "Un terrain en friche devient un jardin cultivé par les habitants.",
                    "Fosse 15",
                    50.4611,
                    2.7805,
                ),
                json!({"requests_money": true}),
            ),
            ["2023-10-02", "2023-10-15", "2023-12-12"],
            Until::Evaluated,
        )
    };
    let orchard = Project {
        commitments: vec![
            from_commune(
                "material",
                "Quarante arbres fruitiers",
                "40",
                "arbre",
                4_500,
                "2025-12-15",
            ),
            from_holder(
                "labour",
                "Plantation avec les familles",
                "120",
                "heure",
                1_200,
                "2025-12-15",
            ),
            upkeep(
                "Taille et arrosage",
                "150",
                1_200,
                "2026-01-01",
                "2028-12-31",
            ),
        ],
        convention: convention("Verger de l'école", "2025-10-01", "2028-12-31"),
        signed: "2025-10-06",
        done: vec![done(
            0,
            "2025-11-25",
            json!({"quantity": "40"}),
            "Bon de livraison",
        )],
        ..project(
            "directrice",
            &h.school,
            idea(
                "Verger de l'école Ovide-Leroy",
                "education",
                "Les enfants plantent un verger avec leurs parents.",
                "École Ovide-Leroy",
                50.4560,
                2.7890,
            ),
            ["2025-05-12", "2025-05-20", "2025-06-30"],
            Until::Done,
        )
    };
    let bread = Project {
        commitments: vec![
            from_commune(
                "premises",
                "Ancienne remise, six mois",
                "6",
                "mois",
                30_000,
                "2026-12-31",
            ),
            from_holder(
                "labour",
                "Cuissons ouvertes aux habitants",
                "24",
                "séance",
                12_000,
                "2026-12-31",
            ),
        ],
        convention: with(
            convention("Four à pain partagé", "2026-09-01", "2027-03-31"),
            json!({"no_upkeep_reason": "Le four reste dans le local, entretenu par la commune"}),
        ),
        ..project(
            "habitante",
            &h.baker,
            idea(
                "Four à pain partagé",
                "solidarity",
                "Un four où chacun vient cuire son pain le samedi.",
                "Rue Faidherbe",
                50.4578,
                2.7902,
            ),
            ["2026-04-02", "2026-04-14", "2026-06-12"],
            Until::Open,
        )
    };
    vec![
        ("tracks", tracks),
        ("roof", roof),
        ("skatepark", skatepark),
        ("gardens", gardens),
        ("orchard", orchard),
        ("bread", bread),
        (
            "library",
            project(
                "voisin",
                &h.neighbour,
                idea(
                    "Boîtes à livres",
                    "culture",
                    "Cinq boîtes à livres construites par un habitant.",
                    "Cinq quartiers",
                    50.4592,
                    2.7874,
                ),
                ["2026-05-04", "2026-05-12", "2026-07-02"],
                Until::Accepted,
            ),
        ),
        (
            "bikes",
            project(
                "habitante",
                &h.street,
                idea(
                    "Atelier vélo du samedi",
                    "mobility",
                    "Réparer son vélo ensemble, avec les outils de la commune.",
                    "Salle Omer-Caron",
                    50.4569,
                    2.7944,
                ),
                ["2026-08-24", "2026-09-03", "2026-09-03"],
                Until::Opinion,
            ),
        ),
        (
            "hedges",
            project(
                "agriculteur",
                &h.farmers,
                idea(
                    "Haies le long des chemins",
                    "environment",
                    "Deux kilomètres de haies plantées par les agriculteurs et les écoles.",
                    "Plaine de Gohelle",
                    50.4549,
                    2.7801,
                ),
                ["2026-09-14", "2026-09-28", "2026-09-28"],
                Until::InReview,
            ),
        ),
        (
            "repair",
            project(
                "voisin",
                &h.neighbour,
                idea(
                    "Café réparation",
                    "digital",
                    "Un samedi par mois, on répare ordinateurs et petit électroménager.",
                    "Médiathèque",
                    50.4587,
                    2.7911,
                ),
                ["2026-10-26", "2026-10-26", "2026-10-26"],
                Until::Submitted,
            ),
        ),
        (
            "choir",
            project(
                "habitante",
                &h.street,
                idea(
                    "Chorale de quartier",
                    "culture",
                    "Une chorale ouverte à tous.",
                    "Rue Hoche",
                    50.4566,
                    2.7917,
                ),
                ["2026-11-02", "2026-11-02", "2026-11-02"],
                Until::Draft,
            ),
        ),
        (
            "grenay-garden",
            Project {
                commune: GRENAY,
                agent: "agent-grenay",
                mayor: "maire-grenay",
                commitments: vec![
                    from_commune(
                        "material",
                        "Terre et outils",
                        "1",
                        "lot",
                        80_000,
                        "2024-10-31",
                    ),
                    from_holder(
                        "labour",
                        "Création du jardin",
                        "80",
                        "heure",
                        1_200,
                        "2024-10-31",
                    ),
                    upkeep("Entretien", "60", 1_200, "2024-11-01", "2026-10-31"),
                ],
                convention: convention("Jardin de la cité 5", "2024-06-01", "2026-12-31"),
                signed: "2024-06-10",
                done: vec![
                    done(
                        0,
                        "2024-09-15",
                        json!({"quantity": "1"}),
                        "Bon de livraison",
                    ),
                    done(
                        1,
                        "2024-10-01",
                        json!({"quantity": "80"}),
                        "Feuilles de présence",
                    ),
                ],
                ..project(
                    "voisin",
                    &h.grenay,
                    idea(
                        "Jardin de la cité 5",
                        "living_environment",
                        "Les voisins cultivent un bout de pelouse.",
                        "Cité 5",
                        50.4470,
                        2.7520,
                    ),
                    ["2024-03-04", "2024-03-11", "2024-04-15"],
                    Until::Done,
                )
            },
        ),
        (
            "grenay-pumptrack",
            Project {
                commune: GRENAY,
                agent: "agent-grenay",
                mayor: "maire-grenay",
                ..project(
                    "voisin",
                    &h.grenay,
                    idea(
                        "Une piste de bosses construite par les collégiens",
                        "sport",
                        "Comme le skate-park de Loos-en-Gohelle : les jeunes dessinent et construisent (illustration).",
                        "Cité 5",
                        50.4462,
                        2.7525,
                    ),
                    ["2025-03-03", "2025-03-10", "2025-04-22"],
                    Until::Accepted,
                )
            },
        ),
        (
            "grenay-bench",
            Project {
                commune: GRENAY,
                agent: "agent-grenay",
                mayor: "maire-grenay",
                ..project(
                    "voisin",
                    &h.grenay,
                    idea(
                        "Bancs fabriqués par les habitants",
                        "living_environment",
                        "Six bancs en bois de récupération.",
                        "Cité 5",
                        50.4465,
                        2.7531,
                    ),
                    ["2026-09-07", "2026-09-21", "2026-09-21"],
                    Until::InReview,
                )
            },
        ),
    ]
}

/// Residents who support and take part, people counted, meetings held about it.
async fn around(stage: &Stage, name: &str, path: &str) -> Result<(), StageError> {
    let supporters: &[&str] = match name {
        "tracks" | "gardens" | "choir" | "repair" | "grenay-pumptrack" => &[],
        "skatepark" => &[
            "habitante",
            "voisin",
            "directrice",
            "paroissien",
            "presidente",
        ],
        "roof" | "orchard" => &["habitante", "voisin", "agriculteur"],
        _ => &["paroissien", "directrice"],
    };
    for who in supporters {
        stage
            .put(who, &format!("{path}/endorsement"), json!({}))
            .await?;
    }
    if matches!(name, "skatepark" | "orchard") {
        stage
            .put("habitante", &format!("{path}/participation"), json!({}))
            .await?;
    }
    if name == "skatepark" {
        let counts = json!({"counts": [{"age_band": "11_14", "people": 23}, {"age_band": "30_59", "people": 9}]});
        stage
            .put("agent", &format!("{path}/headcounts/2023-07-12"), counts)
            .await?;
    }
    if name == "orchard" {
        disagree(stage, path).await?;
        amend(stage, path).await?;
    }
    if let ("tracks" | "skatepark" | "roof", Some(initiative)) = (name, path.rsplit('/').next()) {
        let (held_on, attendance) = match name {
            "tracks" => ("2021-02-10", 31),
            "skatepark" => ("2022-12-07", 54),
            _ => ("2022-04-21", 42),
        };
        let meeting = json!({"title": "Réunion publique du projet", "place": "Salle Omer-Caron", "held_on": held_on,
            "attendance": attendance, "initiative_id": initiative});
        stage
            .post("agent", &format!("/v1/communes/{LOOS}/meetings"), meeting)
            .await?;
    }
    Ok(())
}

/// What Loos-en-Gohelle tells other communes of a project, and on which day.
fn practice(name: &str) -> Option<(&'static str, Value)> {
    let contact = json!({"service": "Service de la participation citoyenne (illustration)",
        "address": "Mairie, place de la République, 62750 Loos-en-Gohelle"});
    let at = |latitude: f64, longitude: f64| json!({"location": {"latitude": latitude, "longitude": longitude}});
    let (day, place, sheet) = match name {
        "tracks" => (
            "2022-01-20",
            at(50.4571, 2.7835),
            json!({"title": "Refaire les chemins agricoles avec les agriculteurs", "theme": "agriculture",
                "participation_level": "co_construction", "tags": ["chemin rural", "agriculteurs", "voirie"],
                "context": "Des chemins agricoles à refaire, dont le coût complet dépassait les moyens de la commune.",
                "objectives": "Des chemins praticables, pour les exploitants comme pour les promeneurs.",
                "approach": "Les agriculteurs apportent machines, bennes et travail ; la commune fournit les matériaux. Une convention dit qui fait quoi.",
                "results": "Les chemins ont été refaits pour 30 000 EUR de la commune, 70 % de moins que le coût complet.",
                "tips": "Convenir du calendrier avant la moisson, quand les machines sont libres (conseil d'illustration).",
                "satisfactions": "La convention rend chacun responsable et les rôles sont clairs.",
                "obstacles": "La charge de travail des agents et des élus."}),
        ),
        "roof" => (
            "2023-02-06",
            at(50.4583, 2.7921),
            json!({"title": "Des panneaux solaires sur le toit de l'église", "theme": "energy",
                "participation_level": "citizen_led", "tags": ["énergie citoyenne", "patrimoine", "église"],
                "context": "Un grand toit bien exposé, celui de l'église, et des habitants qui veulent produire leur énergie.",
                "objectives": "Produire de l'électricité sur un bâtiment que tout le monde connaît.",
                "approach": "Les habitants montent le dossier et suivent la production ; la commune apporte l'étude de structure.",
                "results": "Les panneaux sont posés.",
                "tips": "Demander tôt l'accord de l'affectataire de l'église.",
                "satisfactions": "Un projet visible, qui en a fait naître d'autres (illustration)."}),
        ),
        "skatepark" => (
            "2023-11-15",
            at(50.4602, 2.7950),
            json!({"title": "Un skate-park construit par les 11-14 ans", "theme": "sport",
                "participation_level": "co_construction", "tags": ["jeunesse", "équipement sportif"],
                "context": "Des collégiens de 11 à 14 ans demandaient un lieu à eux.",
                "objectives": "Un équipement que les jeunes dessinent, construisent et respectent.",
                "approach": "Les jeunes dessinent et construisent avec des adultes ; les services techniques encadrent ; une association porte la convention pour eux.",
                "results": "Le skate-park est construit.",
                "tips": "Deux adultes à chaque séance, et aucune image sans l'accord écrit des parents.",
                "satisfactions": "Ce que les jeunes ont construit, ils l'entretiennent.",
                "obstacles": "Le statut de ceux qui aident sur le chantier, à écrire dans la convention."}),
        ),
        _ => return None,
    };
    Some((day, with(with(sheet, place), json!({"contact": contact}))))
}

/// Publishes a sheet that an initiative proves. Returns its id.
async fn publish(stage: &Stage, path: &str, sheet: Value) -> Result<String, StageError> {
    let proof = json!({"initiative_ids": [path.rsplit('/').next()]});
    let draft = stage
        .post(
            "agent",
            &format!("/v1/communes/{LOOS}/practices"),
            with(sheet, proof),
        )
        .await?;
    let id = id_of(&draft)?;
    stage
        .post("agent", &format!("/v1/practices/{id}/publish"), Value::Null)
        .await?;
    Ok(id)
}

/// Where the list of an initiative has this title.
async fn find(stage: &Stage, list: &str, title: &str) -> Result<String, StageError> {
    let list = stage.get("agent", list).await?;
    let items = list.get("data").and_then(Value::as_array);
    let found = items.and_then(|items| {
        items
            .iter()
            .find(|item| item.get("title").is_some_and(|known| known == title))
    });
    id_of(found.unwrap_or(&Value::Null))
}

/// The hours of the families: the town hall doubts them, an elected official settles it.
async fn disagree(stage: &Stage, path: &str) -> Result<(), StageError> {
    stage.day("2025-12-08")?;
    let planting = find(
        stage,
        &format!("{path}/commitments"),
        "Plantation avec les familles",
    )
    .await?;
    let hours = json!({"done_on": "2025-12-06", "quantity": "120", "evidence": "Feuilles de présence des trois samedis"});
    let recorded = stage
        .post(
            "directrice",
            &format!("/v1/commitments/{planting}/fulfilments"),
            hours,
        )
        .await?;
    let recorded = format!("/v1/fulfilments/{}", id_of(&recorded)?);
    let doubt = json!({"reason": "Le deuxième samedi a été annulé à cause de la pluie."});
    stage
        .post("agent", &format!("{recorded}/dispute"), doubt)
        .await?;
    stage.day("2025-12-15")?;
    let settled = json!({"acknowledge": true, "reason": "Il a été rattrapé le mercredi : les feuilles de présence le montrent."});
    stage
        .post("adjointe", &format!("{recorded}/settle"), settled)
        .await?;
    Ok(())
}

/// More trees need more hours: both sides sign an amendment.
async fn amend(stage: &Stage, path: &str) -> Result<(), StageError> {
    stage.day("2026-02-02")?;
    let versions = stage.get("agent", &format!("{path}/conventions")).await?;
    let first = id_of(versions.pointer("/data/0").unwrap_or(&Value::Null))?;
    let reason = json!({"reason": "Un pépiniériste a offert dix arbres de plus : l'entretien demande plus d'heures."});
    let next = stage
        .post("agent", &format!("/v1/conventions/{first}/amend"), reason)
        .await?;
    let next = format!("/v1/conventions/{}", id_of(&next)?);
    let upkeep = find(stage, &format!("{path}/commitments"), "Taille et arrosage").await?;
    let terms = json!({"new_terms": [{"commitment_id": upkeep, "quantity": "180"}]});
    stage.patch("agent", &next, terms).await?;
    let open = stage
        .post("agent", &format!("{next}/open_for_signature"), Value::Null)
        .await?;
    stage.day("2026-02-09")?;
    let hash = json!({"content_sha256": open.get("content_sha256")});
    for who in ["directrice", "maire"] {
        stage
            .post(who, &format!("{next}/sign"), hash.clone())
            .await?;
    }
    Ok(())
}

/// Eight planters at the counter, on paper: the quick yes.
async fn planters(stage: &Stage) -> Result<(), StageError> {
    stage.day("2025-03-17")?;
    let form = json!({"title": "Huit jardinières rue Hoche", "theme": "living_environment",
    "description": "La commune fournit huit jardinières, les voisins les plantent et les arrosent.",
    "place": "Rue Hoche", "submit": true,
    "holder": {"kind": "collective", "name": "Les jardinières de la rue Hoche"},
    "on_behalf": {"channel": "paper", "paper_reference": "Registre 2025-017"},
    "commitments": [
        from_commune("material", "Huit jardinières", "8", "pièce", 4_500, "2025-05-15"),
        upkeep("Plantation et arrosage", "60", 1_200, "2025-05-15", "2027-05-14"),
    ]});
    let entered = stage
        .post("agent", &format!("/v1/communes/{LOOS}/initiatives"), form)
        .await?;
    let path = format!("/v1/initiatives/{}", id_of(&entered)?);
    let yes = json!({"opinion": "Sans difficulté.", "reason": "Embellit la rue.",
        "convention": {"object": "Huit jardinières rue Hoche", "starts_on": "2025-05-01", "ends_on": "2027-05-31", "sign": true,
        "holder_signatory": {"person": {"full_name": "Jeanne Delmotte", "adult": true}, "capacity": "Pour les voisins"}}});
    let answer = stage
        .post("maire", &format!("{path}/quick_accept"), yes)
        .await?;
    let convention = answer.get("convention").cloned().unwrap_or_default();
    let paper = json!({"party": "holder", "content_sha256": convention.get("content_sha256"),
        "signed_on": "2025-03-17", "paper_reference": "Registre 2025-018"});
    stage
        .post(
            "agent",
            &format!("/v1/conventions/{}/record_signature", id_of(&convention)?),
            paper,
        )
        .await?;
    Ok(())
}

/// What does not go the straight way: refused, redirected, waiting, lapsed, withdrawn, abandoned, withheld.
async fn side_doors(stage: &Stage, h: &Holders) -> Result<(), StageError> {
    let at = |title: &str, theme: &str| {
        idea(
            title,
            theme,
            "Projet d'illustration.",
            "Loos-en-Gohelle",
            50.4580,
            2.7900,
        )
    };
    let refused = project(
        "habitante",
        &h.street,
        at("Piscine de quartier", "sport"),
        ["2023-05-02", "2023-05-10", "2023-05-10"],
        Until::Opinion,
    )
    .play(stage)
    .await?;
    stage.day("2023-07-04")?;
    // The mayor lives beside the place: the deputy decides, on paper.
    let neighbour = json!({"grounds": "interest", "text": "Riverain du terrain envisagé."});
    stage
        .post("maire", &format!("{refused}/recusals"), neighbour)
        .await?;
    let deputy = stage.get("adjointe", "/v1/me").await?;
    let paper = json!({"outcome": "refused", "reason": "Le coût dépasse de loin les moyens de la commune.",
        "mandate_id": deputy.pointer("/mandates/0/id"), "decided_on": "2023-07-04",
        "paper_reference": "Registre 2023-029"});
    stage
        .post("agent", &format!("{refused}/record_decision"), paper)
        .await?;

    let redirected = project(
        "voisin",
        &h.neighbour,
        at("Passage piéton sur la route départementale", "mobility"),
        ["2024-09-09", "2024-09-16", "2024-09-16"],
        Until::InReview,
    )
    .play(stage)
    .await?;
    let body = json!({"competent_body": "Département du Pas-de-Calais", "reason": "La route est départementale."});
    stage
        .post("agent", &format!("{redirected}/redirect"), body)
        .await?;

    let waiting = project(
        "habitante",
        &h.baker,
        at("Épicerie solidaire", "solidarity"),
        ["2026-09-02", "2026-09-10", "2026-09-10"],
        Until::InReview,
    )
    .play(stage)
    .await?;
    let message = json!({"message": "Merci de préciser les horaires et le local souhaité."});
    stage
        .post("agent", &format!("{waiting}/request_changes"), message)
        .await?;

    let lapsed = project(
        "voisin",
        &h.neighbour,
        at("Tournoi de pétanque", "sport"),
        ["2024-04-02", "2024-04-08", "2024-04-08"],
        Until::InReview,
    )
    .play(stage)
    .await?;
    stage
        .post(
            "agent",
            &format!("{lapsed}/request_changes"),
            json!({"message": "Qui organise, et quand ?"}),
        )
        .await?;
    stage.day("2024-11-12")?;
    stage
        .post("agent", &format!("{lapsed}/lapse"), Value::Null)
        .await?;

    let withdrawn = project(
        "presidente",
        &h.gardeners,
        at("Ruches au jardin", "environment"),
        ["2025-01-13", "2025-01-20", "2025-01-20"],
        Until::InReview,
    )
    .play(stage)
    .await?;
    let reason = json!({"reason": "Personne pour s'en occuper l'hiver."});
    stage
        .post("presidente", &format!("{withdrawn}/withdraw"), reason)
        .await?;

    let abandoned = project(
        "paroissien",
        &h.parish,
        at("Fête de la moisson", "heritage"),
        ["2025-02-03", "2025-02-10", "2025-03-20"],
        Until::Accepted,
    )
    .play(stage)
    .await?;
    stage.day("2025-06-02")?;
    let reason = json!({"reason": "La fête est reportée sans date."});
    stage
        .post("maire", &format!("{abandoned}/abandon"), reason)
        .await?;

    let hidden = project(
        "voisin",
        &h.neighbour,
        at("Conflit de voisinage sur un mur", "living_environment"),
        ["2026-10-05", "2026-10-05", "2026-10-05"],
        Until::Submitted,
    )
    .play(stage)
    .await?;
    let withheld = json!({"publish": false, "reason": "La description met en cause un voisin."});
    stage
        .post("agent", &format!("{hidden}/start_review"), withheld)
        .await?;
    stage
        .post(
            "agent",
            &format!("{hidden}/notes"),
            json!({"text": "Rendez-vous pris avec le conciliateur."}),
        )
        .await?;
    Ok(())
}

async fn evidence(stage: &Stage) -> Result<(), StageError> {
    let settings = json!({"council_dates": ["2026-12-10", "2027-02-11", "2027-04-08"], "siret": "21620528600018"});
    stage
        .patch("maire", &format!("/v1/communes/{LOOS}"), settings)
        .await?;
    stage.day("2026-11-09")?;
    for (title, held_on, attendance) in [
        ("Bilan annuel de la démarche", "2023-12-06", 63),
        ("Bilan annuel de la démarche", "2024-12-04", 71),
        ("Bilan annuel de la démarche", "2025-12-03", 68),
        ("Forum des initiatives", "2026-09-19", 120),
    ] {
        let meeting = json!({"title": title, "place": "Salle Omer-Caron", "held_on": held_on, "attendance": attendance});
        stage
            .post("agent", &format!("/v1/communes/{LOOS}/meetings"), meeting)
            .await?;
    }
    for (indicator, year, value, unit) in [
        ("active_associations", 2023, "73", "associations"),
        ("public_meetings_per_mandate", 2020, "100", "réunions"),
    ] {
        let measure = json!({"value": value, "unit": unit, "source": FIELD});
        stage
            .put_new(
                "agent",
                &format!("/v1/communes/{LOOS}/measures/{indicator}/{year}"),
                measure,
            )
            .await?;
    }
    Ok(())
}
