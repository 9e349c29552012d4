//! What each side promised and delivered, what it cost and what it saved.

use super::IndicatorKind::{Mean, PerResident, Rate, Total};
use super::IndicatorUnit::{EuroCents, EuroCentsPerResident, Hours, Ratio};
use super::RecordKind::{Commitment, Evaluation, Fulfilment};
use super::{ACKNOWLEDGED, BINDING, EVALUATIONS, Indicator, UPKEEP, VOLUNTEERS};
use crate::http::error::Text;

/// Upkeep on the day on which it is so many years old: done, unless it was ended or the last look found it not done.
macro_rules! upkeep_alive_after {
    ($years:literal) => {
        concat!(
            "SELECT commune_code, initiative_id, id, day, NULL, \
                CASE WHEN coalesce(upkeep_ended_on > day, true) AND coalesce((SELECT k.outcome <> 'not_done' \
                    FROM upkeep_checks AS k WHERE (k.commitment_id, k.commune_code) = (u.id, u.commune_code) \
                        AND k.occurs_on <= u.day ORDER BY k.occurs_on DESC, k.checked_at DESC LIMIT 1), true) \
                THEN 1 ELSE 0 END, 1 \
            FROM (SELECT p.*, (upkeep_starts_on + interval '",
            $years,
            " years')::date AS day FROM promised AS p) AS u WHERE day <= least(upkeep_ends_on, $4)"
        )
    };
}

pub const CONTRIBUTIONS: &[Indicator] = &[
    Indicator {
        code: "value_promised_by_side",
        label: Text::new("Valeur promise, par partie", "Value promised, by side"),
        definition: Text::new(
            "Valeur de ce que chaque partie s'est engagée à apporter.",
            "Value of what each side has bound itself to give.",
        ),
        inclusion: BINDING,
        formula: Text::new(
            "Somme des valeurs des engagements.",
            "Sum of the values of the commitments.",
        ),
        unit: EuroCents,
        kind: Total,
        breakdown: Some("sides"),
        records: Some(Commitment),
        cases: "SELECT commune_code, initiative_id, id, bound_on, side, value_cents, NULL FROM promised",
    },
    Indicator {
        code: "value_promised_by_kind",
        label: Text::new("Valeur promise, par nature", "Value promised, by kind"),
        definition: Text::new(
            "La même valeur, selon ce qui est apporté.",
            "The same value, by what is given.",
        ),
        inclusion: BINDING,
        formula: Text::new(
            "Somme des valeurs des engagements.",
            "Sum of the values of the commitments.",
        ),
        unit: EuroCents,
        kind: Total,
        breakdown: Some("commitment_kinds"),
        records: Some(Commitment),
        cases: "SELECT commune_code, initiative_id, id, bound_on, kind, value_cents, NULL FROM promised",
    },
    Indicator {
        code: "value_delivered_by_side",
        label: Text::new("Valeur apportée, par partie", "Value delivered, by side"),
        definition: Text::new(
            "Valeur de ce que chaque partie a apporté.",
            "Value of what each side has given.",
        ),
        inclusion: ACKNOWLEDGED,
        formula: Text::new(
            "Somme des valeurs des réalisations.",
            "Sum of the values of the fulfilments.",
        ),
        unit: EuroCents,
        kind: Total,
        breakdown: Some("sides"),
        records: Some(Fulfilment),
        cases: "SELECT commune_code, initiative_id, fulfilment_id, done_on, side, value_cents, NULL FROM delivered",
    },
    Indicator {
        code: "value_delivered_by_kind",
        label: Text::new("Valeur apportée, par nature", "Value delivered, by kind"),
        definition: Text::new(
            "La même valeur, selon ce qui est apporté.",
            "The same value, by what is given.",
        ),
        inclusion: ACKNOWLEDGED,
        formula: Text::new(
            "Somme des valeurs des réalisations.",
            "Sum of the values of the fulfilments.",
        ),
        unit: EuroCents,
        kind: Total,
        breakdown: Some("commitment_kinds"),
        records: Some(Fulfilment),
        cases: "SELECT commune_code, initiative_id, fulfilment_id, done_on, kind, value_cents, NULL FROM delivered",
    },
    Indicator {
        code: "fulfilment_rate",
        label: Text::new("Taux de réalisation", "Fulfilment rate"),
        definition: Text::new(
            "Part de la valeur promise dans l'année qui a été apportée à ce jour.",
            "Share of the value promised in the year that has been delivered so far.",
        ),
        inclusion: BINDING,
        formula: Text::new(
            "Valeur des réalisations reconnues de ces engagements ÷ valeur des engagements ; n : engagements.",
            "Value of the acknowledged fulfilments of these commitments ÷ value of the commitments; n: commitments.",
        ),
        unit: Ratio,
        kind: Rate,
        breakdown: None,
        records: Some(Commitment),
        cases: "SELECT p.commune_code, p.initiative_id, p.id, p.bound_on, NULL, coalesce(sum(d.value_cents), 0), p.value_cents \
            FROM promised AS p LEFT JOIN delivered AS d ON d.id = p.id \
            GROUP BY p.commune_code, p.initiative_id, p.id, p.bound_on, p.value_cents",
    },
    Indicator {
        code: "residents_share",
        label: Text::new("Part des habitants", "Residents' share"),
        definition: Text::new(
            "Part de la valeur apportée qui vient du porteur, de la structure porteuse et des tiers.",
            "Share of the value delivered that comes from the holder, the host organisation and third parties.",
        ),
        inclusion: ACKNOWLEDGED,
        formula: Text::new(
            "Valeur de leurs réalisations ÷ valeur de toutes les réalisations ; n : réalisations.",
            "Value of their fulfilments ÷ value of all fulfilments; n: fulfilments.",
        ),
        unit: Ratio,
        kind: Rate,
        breakdown: None,
        records: Some(Fulfilment),
        cases: "SELECT commune_code, initiative_id, fulfilment_id, done_on, NULL, CASE WHEN side = 'commune' THEN 0 ELSE value_cents END, value_cents \
            FROM delivered",
    },
    Indicator {
        code: "volunteer_hours",
        label: Text::new("Heures bénévoles", "Volunteer hours"),
        definition: Text::new(
            "Heures de travail que les habitants ont données.",
            "Hours of labour that residents have given.",
        ),
        inclusion: VOLUNTEERS,
        formula: Text::new("Somme des heures.", "Sum of the hours."),
        unit: Hours,
        kind: Total,
        breakdown: None,
        records: Some(Fulfilment),
        cases: "SELECT commune_code, initiative_id, fulfilment_id, done_on, NULL, quantity, NULL FROM delivered WHERE side <> 'commune' \
            AND kind = 'labour' AND is_hour(unit)",
    },
    Indicator {
        code: "volunteer_value",
        label: Text::new("Valeur des heures bénévoles", "Value of volunteer hours"),
        definition: Text::new(
            "Valeur de ces heures, qui ne sont pas payées. Elle ne s'ajoute jamais aux économies.",
            "Value of these hours, which are not paid. It is never added to the savings.",
        ),
        inclusion: VOLUNTEERS,
        formula: Text::new(
            "Somme des heures × la valeur d'une heure.",
            "Sum of the hours × the value of an hour.",
        ),
        unit: EuroCents,
        kind: Total,
        breakdown: None,
        records: Some(Fulfilment),
        cases: "SELECT commune_code, initiative_id, fulfilment_id, done_on, NULL, value_cents, NULL FROM delivered WHERE side <> 'commune' \
            AND kind = 'labour' AND is_hour(unit)",
    },
    Indicator {
        code: "municipal_spending",
        label: Text::new("Dépense municipale", "Municipal spending"),
        definition: Text::new(
            "Argent que la commune a dépensé pour les initiatives : achats et subventions.",
            "Money that the commune has spent on initiatives: purchases and subsidies.",
        ),
        inclusion: ACKNOWLEDGED,
        formula: Text::new(
            "Somme des réalisations des engagements financiers de la commune.",
            "Sum of the fulfilments of the commune's financial commitments.",
        ),
        unit: EuroCents,
        kind: Total,
        breakdown: None,
        records: Some(Fulfilment),
        cases: "SELECT commune_code, initiative_id, fulfilment_id, done_on, NULL, value_cents, NULL FROM delivered \
            WHERE side = 'commune' AND kind = 'financial'",
    },
    Indicator {
        code: "municipal_spending_per_resident",
        label: Text::new(
            "Dépense municipale par habitant",
            "Municipal spending per resident",
        ),
        definition: Text::new(
            "Dépense municipale rapportée à la population municipale.",
            "Municipal spending divided by the municipal population.",
        ),
        inclusion: ACKNOWLEDGED,
        formula: Text::new(
            "Dépense municipale ÷ habitants ; sans valeur quand la population est nulle ou inconnue.",
            "Municipal spending ÷ residents; no value where the population is zero or unknown.",
        ),
        unit: EuroCentsPerResident,
        kind: PerResident,
        breakdown: None,
        records: Some(Fulfilment),
        cases: "SELECT commune_code, initiative_id, fulfilment_id, done_on, NULL, value_cents, NULL FROM delivered \
            WHERE side = 'commune' AND kind = 'financial'",
    },
    Indicator {
        code: "staff_hours",
        label: Text::new("Heures des agents", "Staff hours"),
        definition: Text::new(
            "Temps de travail des agents, selon les bilans.",
            "Working time of the commune's staff, as evaluations say.",
        ),
        inclusion: EVALUATIONS,
        formula: Text::new("Somme des minutes ÷ 60.", "Sum of the minutes ÷ 60."),
        unit: Hours,
        kind: Total,
        breakdown: None,
        records: Some(Evaluation),
        cases: "SELECT commune_code, initiative_id, id, validated_on, NULL, staff_minutes / 60.0, NULL FROM evaluated",
    },
    Indicator {
        code: "official_hours",
        label: Text::new("Heures des élus", "Elected officials' hours"),
        definition: Text::new(
            "Temps donné par les élus, selon les bilans.",
            "Time that elected officials gave, as evaluations say.",
        ),
        inclusion: EVALUATIONS,
        formula: Text::new("Somme des minutes ÷ 60.", "Sum of the minutes ÷ 60."),
        unit: Hours,
        kind: Total,
        breakdown: None,
        records: Some(Evaluation),
        cases: "SELECT commune_code, initiative_id, id, validated_on, NULL, official_minutes / 60.0, NULL FROM evaluated",
    },
    Indicator {
        code: "staff_hours_per_project",
        label: Text::new("Heures des agents par projet", "Staff hours per project"),
        definition: Text::new(
            "Temps de travail des agents pour un projet, en moyenne.",
            "Working time of the commune's staff for a project, on average.",
        ),
        inclusion: EVALUATIONS,
        formula: Text::new(
            "Somme des minutes ÷ 60 ÷ nombre de bilans ; n : bilans.",
            "Sum of the minutes ÷ 60 ÷ number of evaluations; n: evaluations.",
        ),
        unit: Hours,
        kind: Mean,
        breakdown: None,
        records: Some(Evaluation),
        cases: "SELECT commune_code, initiative_id, id, validated_on, NULL, staff_minutes / 60.0, 1 FROM evaluated",
    },
    Indicator {
        code: "official_hours_per_project",
        label: Text::new(
            "Heures des élus par projet",
            "Elected officials' hours per project",
        ),
        definition: Text::new(
            "Temps donné par les élus pour un projet, en moyenne.",
            "Time that elected officials gave to a project, on average.",
        ),
        inclusion: EVALUATIONS,
        formula: Text::new(
            "Somme des minutes ÷ 60 ÷ nombre de bilans ; n : bilans.",
            "Sum of the minutes ÷ 60 ÷ number of evaluations; n: evaluations.",
        ),
        unit: Hours,
        kind: Mean,
        breakdown: None,
        records: Some(Evaluation),
        cases: "SELECT commune_code, initiative_id, id, validated_on, NULL, official_minutes / 60.0, 1 FROM evaluated",
    },
    Indicator {
        code: "savings",
        label: Text::new("Économies", "Savings"),
        definition: Text::new(
            "Ce que la commune n'a pas eu à payer. La valeur du temps bénévole n'y est jamais ajoutée.",
            "What the commune did not have to pay. The value of volunteer time is never added to it.",
        ),
        inclusion: EVALUATIONS,
        formula: Text::new(
            "Somme de : coût de référence − coût municipal − coût du temps des agents.",
            "Sum of: reference cost − municipal cost − cost of staff time.",
        ),
        unit: EuroCents,
        kind: Total,
        breakdown: None,
        records: Some(Evaluation),
        cases: "SELECT commune_code, initiative_id, id, validated_on, NULL, savings_cents, NULL FROM evaluated",
    },
    Indicator {
        code: "savings_rate",
        label: Text::new("Taux d'économie", "Savings rate"),
        definition: Text::new(
            "Part du coût de référence que la commune n'a pas eu à payer.",
            "Share of the reference cost that the commune did not have to pay.",
        ),
        inclusion: EVALUATIONS,
        formula: Text::new(
            "Économies ÷ coût de référence ; n : bilans.",
            "Savings ÷ reference cost; n: evaluations.",
        ),
        unit: Ratio,
        kind: Rate,
        breakdown: None,
        records: Some(Evaluation),
        cases: "SELECT commune_code, initiative_id, id, validated_on, NULL, savings_cents, reference_cost_cents FROM evaluated",
    },
    Indicator {
        code: "upkeep_alive_1_year",
        label: Text::new(
            "Entretien vivant après un an",
            "Upkeep alive after one year",
        ),
        definition: Text::new(
            "Part des entretiens promis pour plus longtemps qui tiennent encore un an après leur début.",
            "Share of the upkeep that was promised for longer and still goes on one year after its beginning.",
        ),
        inclusion: UPKEEP,
        formula: Text::new(
            "Entretiens ni arrêtés ni constatés non faits à cette date ÷ entretiens commencés un an plus tôt ; n : entretiens.",
            "Upkeep neither ended nor found not done on that day ÷ upkeep begun one year before; n: upkeep.",
        ),
        unit: Ratio,
        kind: Rate,
        breakdown: None,
        records: Some(Commitment),
        cases: upkeep_alive_after!("1"),
    },
    Indicator {
        code: "upkeep_alive_3_years",
        label: Text::new(
            "Entretien vivant après trois ans",
            "Upkeep alive after three years",
        ),
        definition: Text::new(
            "Part des entretiens promis pour plus longtemps qui tiennent encore trois ans après leur début.",
            "Share of the upkeep that was promised for longer and still goes on three years after its beginning.",
        ),
        inclusion: UPKEEP,
        formula: Text::new(
            "Entretiens ni arrêtés ni constatés non faits à cette date ÷ entretiens commencés trois ans plus tôt ; n : entretiens.",
            "Upkeep neither ended nor found not done on that day ÷ upkeep begun three years before; n: upkeep.",
        ),
        unit: Ratio,
        kind: Rate,
        breakdown: None,
        records: Some(Commitment),
        cases: upkeep_alive_after!("3"),
    },
];
