//! Who takes part, who comes, who supports, who carries; and what communes count by hand.

use super::IndicatorKind::{Reported, Total};
use super::IndicatorUnit::{Count, Various};
use super::RecordKind::{Holder, Initiative, Meeting};
use super::{Indicator, MEETINGS, PUBLISHED};
use crate::http::error::Text;

pub const PEOPLE: &[Indicator] = &[
    Indicator {
        code: "participants",
        label: Text::new("Participants inscrits", "Registered participants"),
        definition: Text::new(
            "Personnes inscrites qui ont rejoint au moins une initiative dans l'année.",
            "Registered people who joined at least one initiative in the year.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Nombre de personnes différentes, dans la commune et l'année.",
            "Number of different people, in the commune and the year.",
        ),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: None,
        cases: "SELECT s.commune_code, NULL, NULL, max((p.started_at AT TIME ZONE 'Europe/Paris')::date), NULL, 1, NULL \
            FROM seen AS s JOIN participations AS p ON (p.initiative_id, p.commune_code) = (s.id, s.commune_code) \
            GROUP BY s.commune_code, p.user_id, date_trunc($5, p.started_at AT TIME ZONE 'Europe/Paris')",
    },
    Indicator {
        code: "public_meetings",
        label: Text::new("Réunions publiques", "Public meetings"),
        definition: Text::new(
            "Réunions publiques tenues dans l'année.",
            "Public meetings held in the year.",
        ),
        inclusion: MEETINGS,
        formula: Text::new("Nombre de réunions.", "Number of meetings."),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: Some(Meeting),
        cases: "SELECT commune_code, initiative_id, id, held_on, NULL, 1, NULL FROM held",
    },
    Indicator {
        code: "attendance",
        label: Text::new("Fréquentation des réunions", "Attendance"),
        definition: Text::new(
            "Entrées aux réunions publiques : qui vient deux fois compte deux fois.",
            "Entries to public meetings: who comes twice counts twice.",
        ),
        inclusion: MEETINGS,
        formula: Text::new(
            "Somme des entrées des réunions où elles ont été comptées.",
            "Sum of the entries to the meetings where somebody counted.",
        ),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: Some(Meeting),
        cases: "SELECT commune_code, initiative_id, id, held_on, NULL, attendance, NULL FROM held WHERE attendance IS NOT NULL",
    },
    Indicator {
        code: "headcounts",
        label: Text::new("Personnes comptées", "People counted"),
        definition: Text::new(
            "Personnes comptées sans leur nom dans les initiatives, par tranche d'âge.",
            "People counted without their names in initiatives, by age band.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Somme, sur les initiatives, des personnes comptées le jour de la période qui en compte le plus, le dernier de ces jours ; moins de cinq personnes d'une tranche d'âge ce jour sont comptées sans âge, comme la plus petite des autres tranches si leur âge s'en déduisait.",
            "Sum, over initiatives, of the people counted on the day of the period that counts most, the last of such days; fewer than five people of an age band on that day count without an age, and so does the smallest other band where their age would follow from what is left.",
        ),
        unit: Count,
        kind: Total,
        breakdown: Some("age_bands"),
        records: Some(Initiative),
        // From the days as everybody reads them (`AgeCount::for_everybody`): what follows from what is public tells nothing
        // else.
        cases: "SELECT commune_code, id, id, counted_on, CASE WHEN people < 5 OR place = 1 AND few > 0 \
                AND (hidden = 1 OR few = 4 * hidden) THEN 'unknown' ELSE age_band END AS shown, sum(people), NULL \
            FROM (SELECT *, rank() OVER (PARTITION BY commune_code, id, date_trunc($5, counted_on::timestamp) \
                    ORDER BY everybody DESC, counted_on DESC) AS busiest \
                FROM (SELECT s.commune_code, s.id, h.counted_on, h.age_band, h.people, sum(h.people) OVER day AS everybody, \
                        sum(h.people) FILTER (WHERE h.people < 5 AND h.age_band <> 'unknown') OVER day AS few, \
                        6 - count(*) FILTER (WHERE h.people >= 5 AND h.age_band <> 'unknown') OVER day AS hidden, \
                        row_number() OVER (PARTITION BY s.commune_code, s.id, h.counted_on \
                            ORDER BY h.people < 5 OR h.age_band = 'unknown', h.people, h.age_band) AS place \
                    FROM seen AS s JOIN headcounts AS h ON (h.initiative_id, h.commune_code) = (s.id, s.commune_code) \
                    WINDOW day AS (PARTITION BY s.commune_code, s.id, h.counted_on)) AS days) AS ranked \
            WHERE busiest = 1 GROUP BY commune_code, id, counted_on, shown",
    },
    Indicator {
        code: "endorsements",
        label: Text::new("Soutiens", "Endorsements"),
        definition: Text::new(
            "Soutiens donnés dans l'année et non retirés.",
            "Endorsements given in the year and not withdrawn.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new("Nombre de soutiens.", "Number of endorsements."),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: Some(Initiative),
        cases: "SELECT s.commune_code, s.id, s.id, max((e.created_at AT TIME ZONE 'Europe/Paris')::date), NULL, count(*), NULL \
            FROM seen AS s JOIN endorsements AS e ON (e.initiative_id, e.commune_code) = (s.id, s.commune_code) \
            GROUP BY s.commune_code, s.id, date_trunc($5, e.created_at AT TIME ZONE 'Europe/Paris')",
    },
    Indicator {
        code: "holders",
        label: Text::new("Porteurs de projet", "Holders"),
        definition: Text::new(
            "Porteurs d'une initiative déposée dans l'année, selon leur nature.",
            "Holders of an initiative submitted in the year, by kind.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Nombre de porteurs différents.",
            "Number of different holders.",
        ),
        unit: Count,
        kind: Total,
        breakdown: Some("holder_kinds"),
        records: Some(Holder),
        cases: "SELECT s.commune_code, NULL, h.id, max(s.submitted_on), h.kind, 1, NULL \
            FROM seen AS s JOIN holders AS h ON (h.id, h.commune_code) = (s.holder_id, s.commune_code) \
            GROUP BY s.commune_code, h.id, h.kind, date_trunc($5, s.submitted_on::timestamp)",
    },
    Indicator {
        code: "practices_reused",
        label: Text::new("Pratiques reprises", "Practices reused"),
        definition: Text::new(
            "Initiatives acceptées dans l'année, ici ou dans une autre commune, qui s'inspirent d'une fiche de bonne pratique de la commune.",
            "Initiatives accepted in the year, here or in another commune, that a practice sheet of the commune inspired.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Nombre d'initiatives, à la date de la décision ; elles comptent dans la commune de la fiche.",
            "Number of initiatives, on the day of the decision; they count in the commune of the sheet.",
        ),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: Some(Initiative),
        cases: "SELECT p.commune_code, i.id, i.id, max(d.decided_on), NULL, 1, NULL \
            FROM practices AS p JOIN initiatives AS i ON i.inspired_by_practice_id = p.id \
            JOIN decisions AS d ON (d.initiative_id, d.commune_code) = (i.id, i.commune_code) \
            WHERE p.commune_code = ANY($1) AND i.published_at IS NOT NULL AND d.outcome = 'accepted' \
                AND d.contested_at IS NULL \
            GROUP BY p.commune_code, i.id, date_trunc($5, d.decided_on::timestamp)",
    },
    Indicator {
        code: "measures",
        label: Text::new("Mesures saisies", "Measures reported by hand"),
        definition: Text::new(
            "Ce que la commune compte elle-même, comme le nombre d'associations.",
            "What the commune counts by itself, such as the number of associations.",
        ),
        inclusion: Text::new("Toutes les mesures.", "All measures."),
        formula: Text::new(
            "La valeur saisie, avec son unité et sa source, dans `measures`.",
            "The value reported, with its unit and source, in `measures`.",
        ),
        unit: Various,
        kind: Reported,
        breakdown: None,
        records: None,
        cases: "",
    },
];
