//! The sheet as a page for the screen and for the browser's printer. Maud escapes all that people typed; nothing runs.

use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD, Engine};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::sheet::{Entry, Proof, Sheet};

/// Above the room for a signature.
pub const TO_SIGN: &str = "Lieu, date et signature\u{a0}:";

const STYLE: &str = include_str!("document.css");

/// What a browser lets the page do: be read, in its own style.
pub static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// The page.
pub fn page(sheet: &Sheet) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="fr" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (sheet.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                @if let Some(stamp) = sheet.stamp { div.stamp { (stamp) } }
                header {
                    h1 { (sheet.title) }
                    p.typed { (sheet.subtitle) }
                }
                main { (body(sheet)) }
                @if let Some(proof) = &sheet.proof { (footer(proof)) }
            }
        }
    };
    page.into_string()
}

fn body(sheet: &Sheet) -> Markup {
    html! {
        @for line in &sheet.preamble { p.typed { (line) } }
        p { "Entre les parties suivantes\u{a0}:" }
        @for party in &sheet.parties {
            section.lines {
                h2 { (party.heading) }
                @for line in &party.lines { p.typed { (line) } }
            }
        }
        p { "il est convenu ce qui suit." }
        @for article in &sheet.articles {
            section {
                h2.typed { (article.title) }
                @for paragraph in &article.paragraphs { p.typed { (paragraph) } }
            }
        }
        h2 { "Tableau des engagements" }
        table {
            thead { tr {
                th scope="col" { "La commune s’engage" }
                th scope="col" { "Le porteur de projet et ceux qui l’aident s’engagent" }
            } }
            tbody {
                @for (ours, theirs) in &sheet.columns.rows {
                    tr { td { (cell(ours.as_ref())) } td { (cell(theirs.as_ref())) } }
                }
                tr {
                    td { strong { "Total\u{a0}: " (sheet.columns.commune_total) } }
                    td { strong { "Total\u{a0}: " (sheet.columns.others_total) } }
                }
            }
        }
        h2 { "Signatures" }
        p { "Fait en " (sheet.originals) " exemplaires originaux." }
        div.signatures {
            @for block in &sheet.signatures {
                section {
                    h2 { (block.heading) }
                    @if let Some(name) = &block.name { p.typed { (name) } }
                    p.typed { (block.capacity) }
                    p { (block.signed.as_deref().unwrap_or(TO_SIGN)) }
                }
            }
        }
    }
}

fn cell(entry: Option<&Entry>) -> Markup {
    html! {
        @if let Some(entry) = entry {
            p.typed { strong { (entry.title) } }
            @for line in &entry.lines { p.typed { (line) } }
        }
    }
}

fn footer(proof: &Proof) -> Markup {
    html! {
        footer {
            p { "Empreinte SHA-256 du contenu signé\u{a0}: " code { (proof.sha256) } }
            p { "Vérification\u{a0}: " (proof.address) }
        }
    }
}
