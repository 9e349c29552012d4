//! From idea to convention: what came in, what became of it, and how long it took.

use super::IndicatorKind::{Median, Stock, Total};
use super::IndicatorUnit::{Count, Days};
use super::RecordKind::{Convention, Initiative};
use super::{ALL_RECEIVED, Indicator, PUBLISHED};
use crate::http::error::Text;

pub const PATH: &[Indicator] = &[
    Indicator {
        code: "initiatives_submitted",
        label: Text::new("Initiatives déposées", "Initiatives submitted"),
        definition: Text::new(
            "Initiatives que la commune a reçues dans l'année.",
            "Initiatives that the commune received in the year.",
        ),
        inclusion: ALL_RECEIVED,
        formula: Text::new(
            "Nombre d'initiatives, à la date de leur premier dépôt.",
            "Number of initiatives, on the day of their first submission.",
        ),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: None,
        cases: "SELECT commune_code, NULL, NULL, submitted_on, NULL, 1, NULL FROM received",
    },
    Indicator {
        code: "initiatives_accepted",
        label: Text::new("Initiatives acceptées", "Initiatives accepted"),
        definition: Text::new(
            "Initiatives qu'un élu a acceptées dans l'année.",
            "Initiatives that an elected official accepted in the year.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Nombre d'initiatives, à la date de la décision.",
            "Number of initiatives, on the day of the decision.",
        ),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: Some(Initiative),
        cases: "SELECT commune_code, id, id, max(decided_on), NULL, 1, NULL FROM decided WHERE outcome = 'accepted' \
            GROUP BY commune_code, id, date_trunc($5, decided_on::timestamp)",
    },
    Indicator {
        code: "initiatives_refused",
        label: Text::new("Initiatives refusées", "Initiatives refused"),
        definition: Text::new(
            "Initiatives qu'un élu a refusées dans l'année.",
            "Initiatives that an elected official refused in the year.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Nombre d'initiatives, à la date de la décision.",
            "Number of initiatives, on the day of the decision.",
        ),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: Some(Initiative),
        cases: "SELECT commune_code, id, id, max(decided_on), NULL, 1, NULL FROM decided WHERE outcome = 'refused' \
            GROUP BY commune_code, id, date_trunc($5, decided_on::timestamp)",
    },
    Indicator {
        code: "initiatives_redirected",
        label: Text::new("Initiatives réorientées", "Initiatives redirected"),
        definition: Text::new(
            "Initiatives réorientées dans l'année vers l'organisme compétent.",
            "Initiatives redirected to the competent body in the year.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Nombre d'initiatives, à la date de la réorientation.",
            "Number of initiatives, on the day of the redirection.",
        ),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: Some(Initiative),
        cases: "SELECT commune_code, id, id, moved_on, NULL, 1, NULL FROM moves WHERE to_state = 'redirected'",
    },
    Indicator {
        code: "initiatives_in_progress",
        label: Text::new("Initiatives en cours", "Initiatives in progress"),
        definition: Text::new(
            "Initiatives en cours de réalisation au 31 décembre ; aujourd'hui pour l'année en cours.",
            "Initiatives being carried out on 31 December; today for the current year.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Nombre d'initiatives commencées, ni réalisées ni abandonnées à cette date.",
            "Number of initiatives that were started, and neither completed nor abandoned on that day.",
        ),
        unit: Count,
        kind: Stock,
        breakdown: None,
        records: Some(Initiative),
        cases: "SELECT m.commune_code, m.id, m.id, y.day, NULL, 1, NULL \
            FROM (SELECT commune_code, id, min(moved_on) FILTER (WHERE to_state = 'in_progress') AS begun_on, \
                min(moved_on) FILTER (WHERE from_state = 'in_progress') AS ended_on \
                FROM moves GROUP BY commune_code, id) AS m \
            JOIN period_ends AS y ON y.day >= m.begun_on AND coalesce(y.day < m.ended_on, true)",
    },
    Indicator {
        code: "initiatives_completed",
        label: Text::new("Initiatives réalisées", "Initiatives completed"),
        definition: Text::new(
            "Initiatives dont la réalisation a été constatée dans l'année.",
            "Initiatives that were found completed in the year.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Nombre d'initiatives, à la date du constat.",
            "Number of initiatives, on the day on which an agent said so.",
        ),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: Some(Initiative),
        cases: "SELECT commune_code, id, id, moved_on, NULL, 1, NULL FROM moves WHERE to_state = 'completed'",
    },
    Indicator {
        code: "initiatives_abandoned",
        label: Text::new("Initiatives abandonnées", "Initiatives abandoned"),
        definition: Text::new(
            "Initiatives qu'un élu a déclarées abandonnées dans l'année.",
            "Initiatives that an elected official declared abandoned in the year.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Nombre d'initiatives, à la date de l'abandon.",
            "Number of initiatives, on the day of the abandonment.",
        ),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: Some(Initiative),
        cases: "SELECT commune_code, id, id, moved_on, NULL, 1, NULL FROM moves WHERE to_state = 'abandoned'",
    },
    Indicator {
        code: "days_to_first_reply",
        label: Text::new("Délai de première réponse", "Days to the first reply"),
        definition: Text::new(
            "Jours entre le dépôt et la première réponse d'une personne de la mairie.",
            "Days from submission to the first answer of a person at the town hall.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Médiane, l'année de la première réponse.",
            "Median, in the year of the first reply.",
        ),
        unit: Days,
        kind: Median,
        breakdown: None,
        records: Some(Initiative),
        cases: "SELECT commune_code, id, id, first_reply_on, NULL, first_reply_on - submitted_on, NULL FROM seen \
            WHERE first_reply_on IS NOT NULL",
    },
    Indicator {
        code: "days_to_decision",
        label: Text::new("Délai de décision", "Days to the decision"),
        definition: Text::new(
            "Jours entre le dépôt et la première décision d'un élu.",
            "Days from submission to the first decision of an elected official.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Médiane, l'année de la décision.",
            "Median, in the year of the decision.",
        ),
        unit: Days,
        kind: Median,
        breakdown: None,
        records: Some(Initiative),
        cases: "SELECT commune_code, id, id, decided_on, NULL, greatest(decided_on - submitted_on, 0), NULL FROM decided \
            WHERE nth = 1",
    },
    Indicator {
        code: "replies_overdue",
        label: Text::new("Réponses en retard", "Overdue replies"),
        definition: Text::new(
            "Initiatives restées sans réponse définitive au jour promis par la commune.",
            "Initiatives without a final answer on the day that the commune had promised.",
        ),
        inclusion: ALL_RECEIVED,
        formula: Text::new(
            "Nombre d'initiatives, au jour promis, s'il est passé ; un complément demandé suspend le délai.",
            "Number of initiatives, on the promised day, once it is past; a request for changes pauses the clock.",
        ),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: None,
        cases: "SELECT commune_code, NULL, NULL, reply_due_on, NULL, 1, NULL FROM received WHERE reply_due_on < $4 \
            AND coalesce(answered_on > reply_due_on, true) AND coalesce(reply_paused_on > reply_due_on, true)",
    },
    Indicator {
        code: "conventions_signed",
        label: Text::new("Conventions signées", "Conventions signed"),
        definition: Text::new(
            "Conventions que toutes les parties ont signées dans l'année ; sans les avenants.",
            "Conventions that all parties have signed in the year; without amendments.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Nombre de premières versions, à la date de la dernière signature.",
            "Number of first versions, on the day of the last signature.",
        ),
        unit: Count,
        kind: Total,
        breakdown: None,
        records: Some(Convention),
        cases: "SELECT commune_code, initiative_id, id, active_on, NULL, 1, NULL FROM agreed WHERE number = 1",
    },
    Indicator {
        code: "conventions_active",
        label: Text::new("Conventions en vigueur", "Conventions in force"),
        definition: Text::new(
            "Conventions en vigueur au 31 décembre ; aujourd'hui pour l'année en cours.",
            "Conventions in force on 31 December; today for the current year.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Nombre de conventions dont une version signée n'est ni échue ni résiliée à cette date.",
            "Number of conventions with a signed version that has neither expired nor been terminated on that day.",
        ),
        unit: Count,
        kind: Stock,
        breakdown: None,
        records: Some(Convention),
        cases: "SELECT a.commune_code, a.initiative_id, (array_agg(a.id ORDER BY a.number DESC))[1], y.day, NULL, 1, NULL \
            FROM period_ends AS y JOIN agreed AS a ON y.day BETWEEN a.active_on AND a.last_on \
            GROUP BY a.commune_code, a.initiative_id, a.root_id, y.day",
    },
    Indicator {
        code: "days_to_signature",
        label: Text::new("Délai de signature", "Days to the signature"),
        definition: Text::new(
            "Jours entre l'acceptation et l'entrée en vigueur de la première convention.",
            "Days from acceptance until the first convention comes into force.",
        ),
        inclusion: PUBLISHED,
        formula: Text::new(
            "Médiane, l'année de la dernière signature.",
            "Median, in the year of the last signature.",
        ),
        unit: Days,
        kind: Median,
        breakdown: None,
        records: Some(Convention),
        cases: "SELECT a.commune_code, a.initiative_id, (array_agg(a.id ORDER BY a.active_on, a.number))[1], min(a.active_on), NULL, greatest(min(a.active_on) - max(d.decided_on), 0), NULL \
            FROM agreed AS a JOIN decided AS d ON d.id = a.initiative_id \
            WHERE d.outcome = 'accepted' GROUP BY a.commune_code, a.initiative_id",
    },
];
