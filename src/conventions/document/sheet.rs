//! The sheet: what is on the paper, in order, before it has a form. It is a function of the content that is signed, of
//! the names that the reader may see, and of where the version stands.

use std::collections::HashMap;

use serde::Serialize;

use super::values::{TERMS, promised, value};
use crate::commitments::dto::{CommitmentKind, CommuneRoute, Side};
use crate::conventions::content::{ContentCommitment, ContentParty, ConventionContent};
use crate::conventions::dto::{
    AmendmentKind, Entitlement, EntitlementKind, Party, SignatureMethod,
};
use crate::conventions::lifecycle::ConventionState;
use crate::conventions::parties::Signature;
use crate::holders::dto::HolderKind;
use crate::templates::articles::{self, fill, told};
use crate::typesetting::french::{clean, date, money, number, recurrence};

/// A whole document.
#[derive(Debug, Serialize)]
pub struct Sheet {
    pub title: String,
    pub subtitle: String,
    /// What a later version replaces, and why.
    pub preamble: Vec<String>,
    /// Across every page of what nobody can sign.
    pub stamp: Option<&'static str>,
    pub parties: Vec<SheetParty>,
    pub articles: Vec<SheetArticle>,
    pub columns: Columns,
    /// How many originals there are, in words.
    pub originals: &'static str,
    pub signatures: Vec<SignatureBlock>,
    /// Hash of the content and where to check it; nothing while it is a draft.
    pub proof: Option<Proof>,
}

/// A party, and what identifies it.
#[derive(Debug, Serialize)]
pub struct SheetParty {
    pub heading: &'static str,
    pub lines: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct SheetArticle {
    /// With its number.
    pub title: String,
    pub paragraphs: Vec<String>,
}

/// The two columns of commitments, row by row.
#[derive(Debug, Serialize)]
pub struct Columns {
    pub rows: Vec<(Option<Entry>, Option<Entry>)>,
    pub commune_total: String,
    pub others_total: String,
}

/// A commitment in its column.
#[derive(Debug, Serialize)]
pub struct Entry {
    pub title: String,
    pub lines: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct SignatureBlock {
    pub heading: &'static str,
    pub capacity: String,
    /// For those who may see it.
    pub name: Option<String>,
    /// How and when the party signed; nothing while it has not.
    pub signed: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Proof {
    pub sha256: String,
    pub address: String,
}

impl Sheet {
    /// Bytes of what people typed for it.
    pub fn length(&self) -> usize {
        let of_all = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
        let cells = self
            .columns
            .rows
            .iter()
            .flat_map(|(ours, theirs)| [ours, theirs]);
        let entries = cells
            .flatten()
            .map(|entry| entry.title.len() + of_all(&entry.lines));
        let articles = self
            .articles
            .iter()
            .map(|article| of_all(&article.paragraphs));
        let preamble = of_all(&self.preamble);
        entries.chain(articles).sum::<usize>() + preamble
    }
}

/// Names of signatories that the reader may see.
pub type Names = HashMap<Party, String>;

/// How and when parties signed, in words.
pub type Signed = HashMap<Party, String>;

/// A signature in words.
pub fn signed(signature: &Signature) -> String {
    let how = match signature.method {
        SignatureMethod::Paper => "sur papier",
        SignatureMethod::Simple => "en ligne, depuis son compte",
        SignatureMethod::Advanced => "en ligne, signature avancée",
        SignatureMethod::Qualified => "en ligne, signature qualifiée",
    };
    let contested = signature
        .contested_at
        .map_or("", |_| "\u{a0}; signature contestée");
    format!("Signé le {} {how}{contested}", date(signature.signed_on))
}

/// What stands across every page.
pub const fn stamp(state: ConventionState) -> Option<&'static str> {
    match state {
        ConventionState::Draft => Some("PROJET"),
        ConventionState::Cancelled => Some("ANNULÉE"),
        ConventionState::Superseded => Some("REMPLACÉE"),
        ConventionState::Suspended => Some("SUSPENDUE"),
        ConventionState::Terminated => Some("RÉSILIÉE"),
        ConventionState::Expired => Some("EXPIRÉE"),
        ConventionState::OpenForSignature | ConventionState::Active => None,
    }
}

/// The sheet of a content.
pub fn sheet(
    content: &ConventionContent,
    names: &Names,
    signed: &Signed,
    stamp: Option<&'static str>,
    proof: Option<Proof>,
) -> Sheet {
    let present = [Party::Commune, Party::Holder, Party::Host]
        .into_iter()
        .map(|party| {
            (
                party,
                content.parties.iter().find(|named| named.party == party),
            )
        })
        // The commune and the holder are on every paper, even before somebody is named for them.
        .filter(|(party, named)| *party != Party::Host || named.is_some());
    let (mut parties, mut signatures) = (Vec::new(), Vec::new());
    for (party, named) in present {
        let name = names.get(&party).map(|name| clean(name));
        parties.push(SheetParty {
            heading: heading(party),
            lines: lines_of(content, party, named, name.as_deref()),
        });
        signatures.push(SignatureBlock {
            heading: heading(party),
            capacity: named.map_or_else(|| "À désigner".to_owned(), |named| clean(&named.capacity)),
            name,
            signed: signed.get(&party).cloned(),
        });
    }
    let number = content.number - 1;
    let (title, preamble) = match &content.supersedes {
        None => (
            "Convention entre la commune et le porteur de projet".to_owned(),
            Vec::new(),
        ),
        Some(before) => {
            let title = match before.kind {
                AmendmentKind::Amendment => format!(
                    "Avenant n°\u{a0}{number} à la convention entre la commune et le porteur de projet"
                ),
                AmendmentKind::Renewal => {
                    "Renouvellement de la convention entre la commune et le porteur de projet"
                        .to_owned()
                }
            };
            let preamble = vec![
                format!(
                    "Cette version (n°\u{a0}{}) remplace en entier celle qui était en vigueur, dont l’empreinte est {}.",
                    content.number, before.content_sha256
                ),
                format!("Motif\u{a0}: {}", clean(&before.reason)),
            ];
            (title, preamble)
        }
    };
    Sheet {
        title,
        preamble,
        subtitle: clean(&content.initiative.title),
        stamp,
        originals: if parties.len() == 2 { "deux" } else { "trois" },
        parties,
        articles: articles_of(content),
        columns: columns(content),
        signatures,
        proof,
    }
}

const fn heading(party: Party) -> &'static str {
    match party {
        Party::Commune => "La commune",
        Party::Holder => "Le porteur de projet",
        Party::Host => "La structure porteuse",
    }
}

fn lines_of(
    content: &ConventionContent,
    party: Party,
    named: Option<&ContentParty>,
    signatory: Option<&str>,
) -> Vec<String> {
    let mut lines = Vec::new();
    if party == Party::Commune {
        lines.push(format!(
            "{} (code INSEE {})",
            clean(&content.commune.name),
            content.commune.code
        ));
        lines.extend(
            content
                .commune
                .siren
                .as_ref()
                .map(|siren| format!("SIREN {siren}")),
        );
    }
    let Some(named) = named else {
        lines.push("Signataire\u{a0}: à désigner".to_owned());
        return lines;
    };
    if let Some(kind) = named.kind {
        let name = match &named.name {
            Some(name) => clean(name),
            // A natural person has no name but the signatory's.
            None => signatory.unwrap_or("Une personne physique").to_owned(),
        };
        lines.push(format!("{name} ({})", kind_of(kind)));
        lines.extend(named.siret.as_ref().map(|siret| format!("SIRET {siret}")));
        lines.extend(named.rna.as_ref().map(|rna| format!("RNA {rna}")));
        let office = named.address.as_deref().map(clean);
        lines.extend(office.map(|office| format!("Siège\u{a0}: {office}")));
    }
    let capacity = clean(&named.capacity);
    lines.push(match signatory {
        Some(name) => format!("Signataire\u{a0}: {name}, {capacity}"),
        None => format!("Signataire\u{a0}: {capacity}"),
    });
    lines.extend(entitlement(&named.entitlement));
    lines
}

/// By what right somebody signs, where the paper has something to say of it.
fn entitlement(entitlement: &Entitlement) -> Option<String> {
    match entitlement.kind {
        EntitlementKind::Mandate => Some(format!(
            "Pouvoir de signer\u{a0}: {} du {}",
            clean(entitlement.delegation_reference.as_deref()?),
            date(entitlement.delegation_on?)
        )),
        EntitlementKind::Membership => Some("Pouvoir de signer\u{a0}: membre habilité".to_owned()),
        EntitlementKind::Attested => None,
    }
}

const fn kind_of(kind: HolderKind) -> &'static str {
    match kind {
        HolderKind::Person => "personne physique",
        HolderKind::Collective => "collectif d’habitants",
        HolderKind::YouthGroup => "groupe de jeunes",
        HolderKind::Association => "association",
        HolderKind::School => "école",
        HolderKind::Company => "entreprise",
    }
}

fn articles_of(content: &ConventionContent) -> Vec<SheetArticle> {
    // A content that was opened before contents kept their articles has the program's own.
    let model = if content.articles.is_empty() {
        articles::own()
    } else {
        &content.articles
    };
    let value = |variable| value(content, variable);
    let filled = model.iter().filter_map(|article| {
        let paragraphs = fill(&clean(&article.text), value);
        (!paragraphs.is_empty()).then(|| (clean(&article.title), paragraphs))
    });
    // What is signed stands on the paper, whatever the commune's articles leave out.
    let told: Vec<_> = model
        .iter()
        .flat_map(|article| told(&clean(&article.text), value))
        .collect();
    let untold: Vec<String> = TERMS
        .iter()
        .filter(|(variable, _)| !told.contains(variable))
        .filter_map(|(variable, term)| Some(format!("{term}\u{a0}: {}.", value(*variable)?)))
        .collect();
    let rest = (!untold.is_empty()).then(|| ("Autres termes".to_owned(), untold));
    filled
        .chain(rest)
        .zip(1..)
        .map(|((title, paragraphs), number)| SheetArticle {
            title: format!("Article\u{a0}{number}. {title}"),
            paragraphs,
        })
        .collect()
}

fn columns(content: &ConventionContent) -> Columns {
    let (ours, theirs): (Vec<_>, Vec<_>) = content
        .commitments
        .iter()
        .partition(|held| held.side == Side::Commune);
    let rows = ours.len().max(theirs.len());
    let (mut ours, mut theirs) = (ours.into_iter().map(entry), theirs.into_iter().map(entry));
    Columns {
        rows: (0..rows).map(|_| (ours.next(), theirs.next())).collect(),
        commune_total: money(promised(content, true)),
        others_total: money(promised(content, false)),
    }
}

fn entry(held: &ContentCommitment) -> Entry {
    let mut lines = Vec::new();
    match held.side {
        Side::Commune | Side::Holder => {}
        Side::Host => lines.push("Par la structure porteuse".to_owned()),
        Side::ThirdParty => {
            let name = held.third_party_name.as_deref().map(clean);
            lines.push(format!("Par un tiers\u{a0}: {}", name.unwrap_or_default()));
        }
    }
    lines.extend(held.description.as_deref().map(clean));
    let nature = match held.kind {
        CommitmentKind::Financial => "Argent",
        CommitmentKind::Material => "Matériel et matériaux",
        CommitmentKind::Technical => "Aide technique",
        CommitmentKind::Labour => "Travail",
        CommitmentKind::Premises => "Locaux",
        CommitmentKind::Advice => "Conseil",
    };
    lines.push(match held.route {
        Some(CommuneRoute::Purchase) => format!("{nature}, par un achat de la commune"),
        Some(CommuneRoute::Subsidy) => format!("{nature}, par une subvention"),
        Some(CommuneRoute::InKind) => format!("{nature}, en nature"),
        None => nature.to_owned(),
    });
    if let (Some(quantity), Some(unit), Some(unit_value)) =
        (&held.quantity, &held.unit, held.unit_value_cents)
    {
        lines.push(format!(
            "{}\u{a0}×\u{a0}{} ({})",
            number(quantity),
            money(unit_value),
            clean(unit)
        ));
    }
    if let Some(year) = held.budget_year {
        lines.push(format!("Budget {year}"));
    }
    lines.extend(
        held.due_on
            .map(|day| format!("Au plus tard le {}", date(day))),
    );
    lines.extend(held.upkeep.as_ref().map(|upkeep| {
        format!(
            "Entretien du {} au {}{}",
            date(upkeep.starts_on),
            date(upkeep.ends_on),
            upkeep
                .recurrence
                .as_ref()
                .map(recurrence)
                .unwrap_or_default()
        )
    }));
    lines.push(format!("Valeur\u{a0}: {}", money(held.value_cents)));
    Entry {
        title: clean(&held.title),
        lines,
    }
}
