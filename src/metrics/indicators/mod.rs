//! The table of indicators.

mod contributions;
mod path;
mod people;

use crate::codes::codes;
use crate::http::error::Text;

codes! {
    /// What an indicator counts in.
    pub enum IndicatorUnit "indicator_units" {
        Count = "count", "Nombre", "Number";
        Days = "days", "Jours", "Days";
        Hours = "hours", "Heures", "Hours";
        EuroCents = "euro_cents", "Centimes d'euro", "Euro cents";
        EuroCentsPerResident = "euro_cents_per_resident", "Centimes d'euro par habitant", "Euro cents per resident";
        Ratio = "ratio", "Rapport", "Ratio";
        Various = "various", "Selon la mesure", "As the measure says";
    }

    /// How an indicator's cases become its value.
    pub enum IndicatorKind "indicator_kinds" {
        Total = "total", "Total de la période", "Total of the period";
        Stock = "stock", "Situation en fin de période", "Situation at the end of the period";
        Median = "median", "Médiane", "Median";
        Mean = "mean", "Moyenne", "Mean";
        Rate = "rate", "Taux", "Rate";
        PerResident = "per_resident", "Par habitant", "Per resident";
        Reported = "reported", "Saisie manuelle", "Reported by hand";
    }
}

codes! {
    /// What a case of an indicator is, where everybody may see it.
    pub enum RecordKind "metric_record_kinds" {
        Initiative = "initiative", "Initiative", "Initiative";
        Convention = "convention", "Convention", "Convention";
        Commitment = "commitment", "Engagement", "Commitment";
        Fulfilment = "fulfilment", "Réalisation", "Fulfilment";
        Evaluation = "evaluation", "Bilan", "Evaluation";
        Meeting = "meeting", "Réunion publique", "Public meeting";
        Holder = "holder", "Porteur", "Holder";
    }
}

/// One entry of the dictionary.
pub struct Indicator {
    pub code: &'static str,
    pub label: Text,
    pub definition: Text,
    pub inclusion: Text,
    pub formula: Text,
    pub unit: IndicatorUnit,
    pub kind: IndicatorKind,
    /// The closed list whose codes the value is broken down by.
    pub breakdown: Option<&'static str>,
    /// What its cases are. Those of people, and of initiatives that may be hidden, are nobody's business.
    pub records: Option<RecordKind>,
    /// Its cases over the tables of `SOURCES`: commune, initiative, record, day, part, value, base (of a rate or mean).
    /// Empty for what is reported by hand.
    pub cases: &'static str,
}

impl Indicator {
    /// Whether its cases are of one initiative each, so that they can be grouped by what that is.
    pub fn is_of_initiatives(&self) -> bool {
        self.records.is_some_and(|kind| kind != RecordKind::Holder)
    }

    /// The tables that its cases come from.
    pub fn tables(&self) -> Vec<&'static str> {
        if self.kind == IndicatorKind::Reported {
            return vec!["measures"];
        }
        let words: Vec<&str> = self.cases.split_whitespace().collect();
        let named = words.windows(2).filter_map(|pair| match pair {
            ["FROM" | "JOIN", name] if !name.starts_with('(') => Some(*name),
            _ => None,
        });
        let mut tables: Vec<&str> = named
            .flat_map(|name| {
                MADE_OF
                    .iter()
                    .find(|(source, _)| *source == name)
                    .map_or_else(|| vec![name], |(_, tables)| tables.to_vec())
            })
            .collect();
        tables.sort_unstable();
        tables.dedup();
        tables
    }
}

/// The tables that each of the `SOURCES` reads.
const MADE_OF: &[(&str, &[&str])] = &[
    ("received", &["initiatives"]),
    ("seen", &["initiatives"]),
    ("moves", &["initiatives", "events"]),
    ("decided", &["initiatives", "decisions"]),
    ("agreed", &["initiatives", "conventions"]),
    (
        "promised",
        &[
            "initiatives",
            "conventions",
            "convention_commitments",
            "commitments",
        ],
    ),
    ("delivered", &["initiatives", "commitments", "fulfilments"]),
    ("evaluated", &["initiatives", "evaluations"]),
    ("held", &["initiatives", "meetings"]),
    ("period_ends", &[]),
];

/// All indicators, in the order of the dictionary.
pub fn indicators() -> impl Iterator<Item = &'static Indicator> {
    path::PATH
        .iter()
        .chain(contributions::CONTRIBUTIONS)
        .chain(people::PEOPLE)
}

/// The sources, of which an addition may narrow the initiatives.
macro_rules! sources {
    ($narrower:literal) => {
        concat!(
            "
received AS (
    SELECT id, commune_code, holder_id, published_at IS NOT NULL AS published, reply_due_on, reply_paused_on,
        past_state, past_decided_on, past_completed_on, past_ended_on,
        (submitted_at AT TIME ZONE 'Europe/Paris')::date AS submitted_on,
        (first_reply_at AT TIME ZONE 'Europe/Paris')::date AS first_reply_on,
        (CASE WHEN decided_at IS NOT NULL THEN decided_at
            WHEN state NOT IN ('submitted', 'in_review', 'changes_requested') THEN state_changed_at
            END AT TIME ZONE 'Europe/Paris')::date AS answered_on
    FROM initiatives
    WHERE commune_code = ANY($1) AND submitted_at IS NOT NULL ",
            $narrower,
            "
),
seen AS (SELECT * FROM received WHERE published),
moves AS (
    SELECT s.commune_code, s.id, e.from_state, e.to_state, (e.at AT TIME ZONE 'Europe/Paris')::date AS moved_on
    FROM seen AS s JOIN events AS e ON (e.initiative_id, e.commune_code) = (s.id, s.commune_code)
    WHERE e.subject = 'initiative' AND e.to_state IS NOT NULL
    UNION ALL
    SELECT s.commune_code, s.id, past.from_state, past.to_state, past.moved_on
    FROM seen AS s CROSS JOIN LATERAL (VALUES
        (NULL, 'in_progress', s.past_decided_on, s.past_state IN ('in_progress', 'completed', 'closed')),
        ('in_progress', 'completed', s.past_completed_on, true),
        (CASE s.past_state WHEN 'closed' THEN 'completed' END, s.past_state, s.past_ended_on, true)
    ) AS past (from_state, to_state, moved_on, went_this_way)
    WHERE s.past_state IS NOT NULL AND past.moved_on IS NOT NULL AND past.went_this_way
),
decided AS (
    SELECT s.commune_code, s.id, s.submitted_on, d.outcome, d.decided_on,
        row_number() OVER (PARTITION BY d.initiative_id ORDER BY d.decided_at) AS nth
    FROM seen AS s JOIN (
        SELECT initiative_id, commune_code, outcome, decided_on, decided_at FROM decisions
        WHERE commune_code = ANY($1) AND contested_at IS NULL
        UNION ALL
        SELECT id, commune_code, CASE past_state WHEN 'refused' THEN 'refused' ELSE 'accepted' END, past_decided_on,
            '-infinity' FROM seen WHERE past_decided_on IS NOT NULL
    ) AS d ON (d.initiative_id, d.commune_code) = (s.id, s.commune_code)
),
agreed AS (
    SELECT c.commune_code, c.initiative_id, c.id, c.root_id, c.number,
        (c.activated_at AT TIME ZONE 'Europe/Paris')::date AS active_on,
        least(c.ends_on, coalesce(c.effective_on, (c.ended_at AT TIME ZONE 'Europe/Paris')::date)) AS last_on
    FROM seen AS s JOIN conventions AS c ON (c.initiative_id, c.commune_code) = (s.id, s.commune_code)
    WHERE c.activated_at IS NOT NULL
),
promised AS (
    SELECT m.commune_code, m.initiative_id, m.id, m.side, m.kind, m.value_cents, min(a.active_on) AS bound_on,
        m.upkeep_starts_on, m.upkeep_ends_on, m.upkeep_ended_on
    FROM agreed AS a
    JOIN convention_commitments AS b ON (b.convention_id, b.commune_code) = (a.id, a.commune_code)
    JOIN commitments AS m ON (m.id, m.commune_code) = (b.commitment_id, b.commune_code)
    GROUP BY m.id, m.commune_code
    UNION ALL
    SELECT m.commune_code, m.initiative_id, m.id, m.side, m.kind, m.value_cents, s.past_decided_on, NULL, NULL, NULL
    FROM seen AS s JOIN commitments AS m ON (m.initiative_id, m.commune_code) = (s.id, s.commune_code)
    WHERE m.imported_at IS NOT NULL
),
delivered AS (
    SELECT m.commune_code, m.initiative_id, m.id, f.id AS fulfilment_id, m.side, m.kind, lower(m.unit) AS unit,
        f.quantity, f.value_cents, f.done_on
    FROM seen AS s
    JOIN commitments AS m ON (m.initiative_id, m.commune_code) = (s.id, s.commune_code)
    JOIN fulfilments AS f ON (f.commitment_id, f.commune_code) = (m.id, m.commune_code)
    WHERE f.state = 'acknowledged'
),
evaluated AS (
    SELECT e.*, (e.validated_at AT TIME ZONE 'Europe/Paris')::date AS validated_on
    FROM seen AS s JOIN evaluations AS e ON (e.initiative_id, e.commune_code) = (s.id, s.commune_code)
    WHERE e.validated_at IS NOT NULL
),
held AS (
    SELECT m.commune_code, m.initiative_id, m.id, m.held_on, m.attendance
    FROM meetings AS m LEFT JOIN seen AS s ON (s.id, s.commune_code) = (m.initiative_id, m.commune_code)
    WHERE m.commune_code = ANY($1) AND (m.initiative_id IS NULL OR s.id IS NOT NULL) AND m.held_on <= $4
),
period_ends AS (
    SELECT least((p + w.width)::date - 1, $4) AS day
    FROM (SELECT CASE $5 WHEN 'year' THEN interval '1 year' WHEN 'quarter' THEN interval '3 months'
            ELSE interval '1 month' END AS width) AS w
    CROSS JOIN LATERAL generate_series(date_trunc($5, $2::timestamp), $3::timestamp, w.width) AS p
    WHERE p::date <= $4
)"
        )
    };
}

/// What indicators count, under the names that their SQL uses. `$1` communes, `$2` first day, `$3` last day, `$4` today,
/// `$5` year, quarter or month. Days are those of Europe/Paris. A source that no indicator asks for is not read.
pub const SOURCES: &str = sources!("");
/// The same of some initiatives only: `$6`.
pub const SOURCES_OF_SOME: &str = sources!("AND id = ANY($6)");

/// The same, each read anew by every indicator that asks for it: then PostgreSQL knows how many rows to expect. Of what is kept
/// aside it expects one, and compares each of ten thousand initiatives with all others.
pub fn sources() -> String {
    SOURCES.replace(" AS (", " AS NOT MATERIALIZED (")
}

const PUBLISHED: Text = Text::new("Initiatives publiées.", "Published initiatives.");
const ALL_RECEIVED: Text = Text::new(
    "Toutes les initiatives déposées, publiées ou non.",
    "All submitted initiatives, published or not.",
);
const EVALUATIONS: Text = Text::new(
    "Bilans validés d'initiatives publiées, l'année de leur validation.",
    "Validated evaluations of published initiatives, in the year of validation.",
);
const BINDING: Text = Text::new(
    "Engagements d'une convention signée, d'initiatives publiées, l'année de la signature ; ceux d'avant, importés, l'année de la décision.",
    "Commitments of a signed convention, of published initiatives, in the year of signature; those of before, imported, in the year of the decision.",
);
const ACKNOWLEDGED: Text = Text::new(
    "Réalisations reconnues par l'autre partie, d'initiatives publiées, l'année de la réalisation.",
    "Fulfilments acknowledged by the other side, of published initiatives, in the year in which they were done.",
);
const VOLUNTEERS: Text = Text::new(
    "Réalisations reconnues d'engagements de travail comptés en heures (heure, heures, h, hour, hours) du porteur, de la structure porteuse et des tiers.",
    "Acknowledged fulfilments of labour commitments counted in hours (heure, heures, h, hour, hours) of the holder, the host organisation and third parties.",
);
const UPKEEP: Text = Text::new(
    "Entretiens d'une convention signée, d'initiatives publiées.",
    "Upkeep under a signed convention, of published initiatives.",
);
const MEETINGS: Text = Text::new(
    "Réunions tenues, sans initiative ou d'une initiative publiée.",
    "Meetings that were held, without an initiative or of a published one.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_indicator_is_defined_in_both_languages() {
        let mut codes = Vec::new();
        for indicator in indicators() {
            for text in [
                &indicator.label,
                &indicator.definition,
                &indicator.inclusion,
                &indicator.formula,
            ] {
                assert!(
                    !text.fr.is_empty() && !text.en.is_empty(),
                    "{}",
                    indicator.code
                );
            }
            let by_hand = indicator.kind == IndicatorKind::Reported;
            assert_eq!(indicator.cases.is_empty(), by_hand, "{}", indicator.code);
            assert!(!indicator.tables().is_empty(), "{}", indicator.code);
            codes.push(indicator.code);
        }
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }
}
