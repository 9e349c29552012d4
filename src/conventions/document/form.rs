//! The form of a convention on paper: parties, articles, the two columns of commitments, signature boxes.

use super::html;
use super::sheet::{Entry, Sheet};
use crate::typesetting::layout::{CellLine, Flow, GAP, LEFT, Mark, PADDING, Style, WIDTH};

/// Half of the paper.
const COLUMN: f32 = WIDTH / 2.0;
/// Room for a signature.
const TO_SIGN: f32 = 80.0;

/// What stands at the foot of each page.
pub fn foot(sheet: &Sheet) -> Vec<String> {
    let lines = sheet.proof.iter().flat_map(|proof| {
        [
            format!("Empreinte SHA-256 du contenu signé\u{a0}: {}", proof.sha256),
            format!("Vérification\u{a0}: {}", proof.address),
        ]
    });
    lines.collect()
}

pub fn whole(flow: &mut Flow<'_>, sheet: &Sheet) {
    flow.centred(&sheet.title, Style::Title);
    flow.centred(&sheet.subtitle, Style::Heading);
    flow.y += GAP;
    for line in &sheet.preamble {
        flow.text(line);
    }
    flow.text("Entre les parties suivantes\u{a0}:");
    for party in &sheet.parties {
        flow.heading(party.heading);
        for line in &party.lines {
            flow.lines(line, Style::Body);
        }
    }
    flow.y += GAP;
    flow.text("il est convenu ce qui suit.");
    for article in &sheet.articles {
        flow.heading(&article.title);
        for paragraph in &article.paragraphs {
            flow.text(paragraph);
        }
    }
    table(flow, sheet);
    signatures(flow, sheet);
}

fn table(flow: &mut Flow<'_>, sheet: &Sheet) {
    let bold = |text: &str| vec![(Style::Bold, text.to_owned())];
    let total = |sum: &str| bold(&format!("Total\u{a0}: {sum}"));
    let titles = [
        bold("La commune s’engage"),
        bold("Le porteur de projet et ceux qui l’aident s’engagent"),
    ];
    let widths = [COLUMN; 2];
    flow.heading("Tableau des engagements");
    let titles = titles.map(|cell| flow.cell(&cell, COLUMN));
    flow.row(&widths, &titles, None);
    for (ours, theirs) in &sheet.columns.rows {
        let cells = [ours, theirs]
            .map(|entry| flow.cell(&entry.as_ref().map(entry_lines).unwrap_or_default(), COLUMN));
        flow.row(&widths, &cells, Some(&titles));
    }
    let totals = [&sheet.columns.commune_total, &sheet.columns.others_total];
    let cells = totals.map(|sum| flow.cell(&total(sum), COLUMN));
    flow.row(&widths, &cells, Some(&titles));
}

fn signatures(flow: &mut Flow<'_>, sheet: &Sheet) {
    let count = u8::try_from(sheet.signatures.len()).map_or(1.0, f32::from);
    let width = (WIDTH - GAP * (count - 1.0)) / count;
    let leading = Style::Body.leading();
    let blocks: Vec<Vec<CellLine>> = sheet
        .signatures
        .iter()
        .map(|block| {
            let name = block.name.iter().map(|name| (Style::Body, name.as_str()));
            let lines = std::iter::once((Style::Bold, block.heading))
                .chain(name)
                .chain([(Style::Body, block.capacity.as_str())])
                .chain([(
                    Style::Body,
                    block.signed.as_deref().unwrap_or(html::TO_SIGN),
                )]);
            lines
                .flat_map(|(style, text)| {
                    let lines = flow.measure.wrap(text, style, width - 2.0 * PADDING);
                    lines.into_iter().map(move |line| (style, line))
                })
                .collect()
        })
        .collect();
    let tall = |block: &Vec<CellLine>| block.iter().map(|_| leading).sum::<f32>();
    let height = blocks.iter().map(tall).fold(0.0, f32::max) + 2.0 * PADDING + TO_SIGN;
    // Who signs sees what the boxes are for: heading and boxes stay together.
    flow.need(height + 5.0 * leading);
    flow.heading("Signatures");
    flow.text(&format!(
        "Fait en {} exemplaires originaux.",
        sheet.originals
    ));
    flow.y += GAP;
    let mut x = LEFT;
    for block in blocks {
        flow.mark(Mark::Frame {
            x,
            y: flow.y,
            width,
            height,
        });
        let mut y = flow.y + PADDING - 3.0;
        for (style, text) in block {
            y += leading;
            flow.mark(Mark::Line {
                x: x + PADDING,
                y,
                style,
                text,
            });
        }
        x += width + GAP;
    }
    flow.y += height;
}

fn entry_lines(entry: &Entry) -> Vec<CellLine> {
    let title = (Style::Bold, entry.title.clone());
    let lines = entry.lines.iter().map(|line| (Style::Body, line.clone()));
    std::iter::once(title).chain(lines).collect()
}
