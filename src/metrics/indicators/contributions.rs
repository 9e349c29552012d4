//! What each side promised and delivered, what it cost and what it saved.

use super::IndicatorKind::{PerResident, Rate, Total};
use super::IndicatorUnit::{EuroCents, EuroCentsPerResident, Hours, Ratio};
use super::{ACKNOWLEDGED, BINDING, EVALUATIONS, Indicator, VOLUNTEERS};
use crate::http::error::Text;

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
        cases: "SELECT commune_code, bound_on, side, value_cents, NULL FROM promised",
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
        cases: "SELECT commune_code, bound_on, kind, value_cents, NULL FROM promised",
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
        cases: "SELECT commune_code, done_on, side, value_cents, NULL FROM delivered",
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
        cases: "SELECT commune_code, done_on, kind, value_cents, NULL FROM delivered",
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
        cases: "SELECT p.commune_code, p.bound_on, NULL, coalesce(sum(d.value_cents), 0), p.value_cents \
            FROM promised AS p LEFT JOIN delivered AS d ON d.id = p.id \
            GROUP BY p.commune_code, p.id, p.bound_on, p.value_cents",
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
        cases: "SELECT commune_code, done_on, NULL, CASE WHEN side = 'commune' THEN 0 ELSE value_cents END, value_cents \
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
        cases: "SELECT commune_code, done_on, NULL, quantity, NULL FROM delivered WHERE side <> 'commune' \
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
        cases: "SELECT commune_code, done_on, NULL, value_cents, NULL FROM delivered WHERE side <> 'commune' \
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
        cases: "SELECT commune_code, done_on, NULL, value_cents, NULL FROM delivered \
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
        cases: "SELECT commune_code, done_on, NULL, value_cents, NULL FROM delivered \
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
        cases: "SELECT commune_code, validated_on, NULL, staff_minutes / 60.0, NULL FROM evaluated",
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
        cases: "SELECT commune_code, validated_on, NULL, official_minutes / 60.0, NULL FROM evaluated",
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
        cases: "SELECT commune_code, validated_on, NULL, savings_cents, NULL FROM evaluated",
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
        cases: "SELECT commune_code, validated_on, NULL, savings_cents, reference_cost_cents FROM evaluated",
    },
];
