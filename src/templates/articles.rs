//! The text of articles: paragraphs, one a line, with `{{variables}}`. A paragraph with a variable that has no value is
//! left out, and an article without a paragraph too, so that one model serves small conventions and large ones.

use std::sync::LazyLock;

use validator::ValidationError;

use super::dto::Article;
use crate::codes::codes;

codes! {
    /// What a convention puts into its articles. Those that say « ou rien » have no value in many conventions.
    pub enum TemplateVariable "template_variables" {
        Commune = "commune", "Nom de la commune", "Name of the commune";
        Initiative = "initiative", "Titre de l'initiative", "Title of the initiative";
        Object = "object", "Objet", "Object";
        Number = "number", "Numéro de la version, pour un avenant, ou rien", "Number of the version, of an amendment, or nothing";
        Host = "host", "Nom de la structure porteuse, ou rien", "Name of the host organisation, or nothing";
        StartsOn = "starts_on", "Premier jour", "First day";
        EndsOn = "ends_on", "Dernier jour", "Last day";
        LongDurationReason = "long_duration_reason", "Motif d'une longue durée, ou rien", "Why it lasts long, or nothing";
        Renewal = "renewal", "« se renouvelle par tacite reconduction » ou « prend fin sans tacite reconduction »", "Whether it goes on by itself, as a verb";
        Land = "land", "Nature du terrain, ou rien", "Whose land is used, or nothing";
        PublicDomain = "public_domain", "« domaine public », ou rien", "“domaine public”, or nothing";
        LandDescription = "land_description", "Désignation du terrain, ou rien", "Which piece of land, or nothing";
        LandFee = "land_fee", "Redevance, ou rien", "Fee for the land, or nothing";
        LandFeeExemption = "land_fee_exemption", "Motif de l'exonération, ou rien", "Why there is no fee, or nothing";
        ClergyAgreement = "clergy_agreement", "Accord de l'affectataire, ou rien", "Agreement of the clergy in charge, or nothing";
        WorksOwnership = "works_ownership", "« à la commune », « au porteur de projet » ou « aux deux parties »", "Who owns what is built, in the dative";
        ContributorStatus = "contributor_status", "Qualité des contributeurs, au pluriel", "What the contributors are by law, in the plural";
        CommuneInsurance = "commune_insurance", "Assurance de la commune, ou rien", "The commune's insurance, or nothing";
        HolderInsurance = "holder_insurance", "Assurance du porteur, ou rien", "The holder's insurance, or nothing";
        ForbiddenTasks = "forbidden_tasks", "Tâches interdites aux contributeurs, ou rien", "What contributors may not do, or nothing";
        SupervisionOfMinors = "supervision_of_minors", "Encadrement des mineurs, ou rien", "How minors are supervised, or nothing";
        ImageConsent = "image_consent", "Droit à l'image, ou rien", "Consent for pictures, or nothing";
        UpkeepUntil = "upkeep_until", "Dernier jour d'entretien, ou rien", "Last day of upkeep, or nothing";
        NoUpkeepReason = "no_upkeep_reason", "Motif de l'absence d'entretien, ou rien", "Why nobody keeps it up, or nothing";
        Notice = "notice", "« avec un préavis de 30 jours » ou « sans préavis »", "With how much notice";
        EvaluationTerms = "evaluation_terms", "Modalités du bilan, ou rien", "How the result will be evaluated, or nothing";
        Authority = "authority", "Acte d'autorisation et ses dates, ou rien", "The act that lets the commune commit, or nothing";
        Subsidy = "subsidy", "Montant des subventions, ou rien", "Sum of the subsidies, or nothing";
        CommuneValue = "commune_value", "Valeur de ce que la commune promet", "Value of what the commune promises";
        ResidentsValue = "residents_value", "Valeur de ce que les autres promettent", "Value of what the others promise";
    }
}

/// The program's own model, as its file has it: a title after `##`, then paragraphs.
const OWN: &str = include_str!("model.md");

/// The program's own articles: version 0 in every commune.
pub fn own() -> &'static [Article] {
    static ARTICLES: LazyLock<Vec<Article>> = LazyLock::new(|| {
        OWN.split("## ")
            .skip(1)
            .map(|article| {
                let (title, text) = article.split_once('\n').unwrap_or((article, ""));
                let paragraphs: Vec<&str> = paragraphs(text).collect();
                Article {
                    title: title.trim().to_owned(),
                    text: paragraphs.join("\n"),
                }
            })
            .collect()
    });
    &ARTICLES
}

/// The paragraphs of a text.
fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The text with the values in it, paragraph by paragraph, those without a value left out. What a value says is never
/// read as a variable again. Braces that a model could not have been saved with stay as they are.
pub fn fill(text: &str, value: impl Fn(TemplateVariable) -> Option<String>) -> Vec<String> {
    paragraphs(text)
        .filter_map(|paragraph| {
            let mut filled = String::new();
            for piece in pieces(paragraph).unwrap_or_else(|_| vec![Piece::Text(paragraph)]) {
                match piece {
                    Piece::Text(text) => filled.push_str(text),
                    Piece::Variable(variable) => filled.push_str(&value(variable)?),
                }
            }
            Some(filled)
        })
        .collect()
}

/// The variables of the paragraphs that are not left out.
pub fn told(
    text: &str,
    value: impl Fn(TemplateVariable) -> Option<String>,
) -> Vec<TemplateVariable> {
    paragraphs(text)
        .filter_map(|paragraph| {
            let variables: Vec<_> = pieces(paragraph)
                .unwrap_or_default()
                .into_iter()
                .filter_map(|piece| match piece {
                    Piece::Text(_) => None,
                    Piece::Variable(variable) => Some(variable),
                })
                .collect();
            let all = variables.iter().all(|variable| value(*variable).is_some());
            all.then_some(variables)
        })
        .flatten()
        .collect()
}

/// A part of a paragraph.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Variable(TemplateVariable),
}

/// What is wrong with the braces of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BracesFault {
    Unbalanced,
    Unknown,
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, BracesFault> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or(BracesFault::Unbalanced)?;
        if before.contains("}}") || name.contains('{') {
            return Err(BracesFault::Unbalanced);
        }
        let variable = name.trim().parse().map_err(|_| BracesFault::Unknown)?;
        pieces.extend([Piece::Text(before), Piece::Variable(variable)]);
        rest = after;
    }
    if rest.contains("}}") {
        return Err(BracesFault::Unbalanced);
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// Whether every `{{` has its `}}` and a variable that there is between them.
pub fn variables_are_known(text: &str) -> Result<(), ValidationError> {
    let message = match paragraphs(text).try_for_each(|line| pieces(line).map(drop)) {
        Ok(()) => return Ok(()),
        Err(BracesFault::Unbalanced) => {
            "Chaque {{ a son }} dans le même paragraphe. | Each {{ has its }} in the same paragraph."
        }
        Err(BracesFault::Unknown) => {
            "Une variable est inconnue : /v1/reference/template_variables les énumère. | A variable is unknown: /v1/reference/template_variables lists them."
        }
    };
    Err(ValidationError::new("variables").with_message(message.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_that_is_left_out_tells_nothing() {
        let value = |variable| (variable != TemplateVariable::Number).then(String::new);
        let text = "Du {{starts_on}}.\nVersion {{number}}, au {{ends_on}}.";
        assert_eq!(told(text, value), [TemplateVariable::StartsOn]);
    }

    #[test]
    fn the_programs_own_model_follows_its_own_rules() {
        assert!(own().len() > 10);
        let whole: String = own().iter().map(|article| article.text.as_str()).collect();
        for article in own() {
            assert!(
                variables_are_known(&article.text).is_ok(),
                "{}",
                article.title
            );
            assert!(!article.title.is_empty() && !article.text.is_empty());
        }
        for variable in TemplateVariable::ALL {
            assert!(whole.contains(&format!("{{{{{variable}}}}}")), "{variable}");
        }
        // Typography: a space that does not break before « : ; ! ? » and inside the quotes, a curved apostrophe.
        for wrong in [" :", " ;", " ?", " !", "« ", " »", "'", " %", " €"] {
            assert!(!OWN.contains(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_paragraph_without_its_value_is_left_out() {
        let value = |variable| match variable {
            TemplateVariable::Commune => Some("{{object}}".to_owned()),
            _ => None,
        };
        let text = "À {{commune}} et {{ commune }}.\n\nObjet : {{object}}.\n { seul } ";
        assert_eq!(
            fill(text, value),
            ["À {{object}} et {{object}}.", "{ seul }"]
        );
    }

    #[test]
    fn braces_are_checked() {
        for good in [
            "",
            "rien",
            "{{object}}",
            "{ {{ object }} }",
            "{{object}}{{commune}}",
        ] {
            assert!(variables_are_known(good).is_ok(), "{good}");
        }
        for bad in [
            "{{",
            "}}",
            "{{object}",
            "{object}}",
            "{{object}}}}",
            "{{{{object}}}}",
            "{{objet}}",
            "{{}}",
            "{{object\n}}",
            "{{Object}}",
        ] {
            assert!(variables_are_known(bad).is_err(), "{bad}");
        }
    }
}
