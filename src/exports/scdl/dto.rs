//! National schemas as the API shows them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::codes::codes;

codes! {
    /// A national schema (SCDL).
    pub enum ScdlSchema "scdl_schemas" {
        Subventions = "subventions", "Subventions", "Subsidies";
        Deliberations = "deliberations", "Délibérations", "Deliberations";
    }
}

codes! {
    /// Why a national schema cannot take a row.
    pub enum ScdlObstacle "scdl_obstacles" {
        CommuneHasNoSiret = "commune_has_no_siret", "La commune n'a pas indiqué son SIRET", "The commune has not set its SIRET";
        NoLegalPerson = "no_legal_person", "Le bénéficiaire n'est pas une personne morale", "The beneficiary is no legal person";
        MoneyNeedsSiret = "money_needs_siret", "Une aide en numéraire demande le SIRET du bénéficiaire", "Money needs the SIRET of the beneficiary";
        NoNumber = "no_number", "Le bénéficiaire n'a ni SIRET ni numéro RNA", "The beneficiary has neither a SIRET nor an RNA number";
        RnaNotOfTheSchema = "rna_not_of_the_schema", "Le schéma ne connaît pas les numéros RNA avec des lettres, et il n'y a pas de SIRET", "The schema knows no RNA numbers with letters, and there is no SIRET";
        StateAidUnknown = "state_aid_unknown", "Pour une entreprise, le schéma demande si l'aide est notifiée à l'Union européenne ; la plateforme ne le sait pas", "Of a company the schema asks whether the aid is notified to the European Union; the platform does not know";
        UrlIsNone = "url_is_none", "L'adresse du texte n'en est pas une", "The address of the text is none";
    }
}

/// What a schema cannot take.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LeftOut {
    /// The schema.
    pub schema: ScdlSchema,
    /// The convention, its first version, or the act.
    pub id: Uuid,
    /// Day of its signature or adoption.
    pub day: NaiveDate,
    /// Why.
    #[schema(min_items = 1)]
    pub obstacles: Vec<ScdlObstacle>,
}

/// All that the schemas cannot take.
#[derive(Serialize, ToSchema)]
pub struct LeftOutList {
    /// The rows.
    pub data: Vec<LeftOut>,
}

/// Which rows.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ScdlFilter {
    /// Year in which a convention was signed or a deliberation adopted; else all.
    #[param(minimum = 1900, maximum = 2100, example = 2026)]
    pub year: Option<i32>,
}
