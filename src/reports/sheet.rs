//! What stands in a yearly report, in order, before it has a form.

use std::collections::HashMap;

use bigdecimal::{BigDecimal, RoundingMode, Signed, ToPrimitive};
use chrono::Datelike;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;

use crate::clock::paris_day;
use crate::commitments::dto::Side;
use crate::communes;
use crate::db::schema::practices;
use crate::holders::dto::{HolderKind, HolderSummary};
use crate::http::error::ApiError;
use crate::ids::InitiativeId;
use crate::initiatives::dto::Initiative;
use crate::initiatives::view;
use crate::metrics::dto::{IndicatorCode, MetricFilter, MetricValue, PeriodMetrics};
use crate::metrics::indicators::{IndicatorKind, IndicatorUnit, RecordKind, indicators};
use crate::metrics::model;
use crate::metrics::periods::Period;
use crate::metrics::records::{self, Asked, of_initiatives};
use crate::practices::dto::ProofConvention;
use crate::practices::figures::signed;
use crate::reference::registry::LISTS;
use crate::state::Session;
use crate::typesetting::french::{clean, date, money, number};
use crate::typesetting::layout::{CellLine, Flow, GAP, Style, WIDTH};

/// Years of the tables that stand for the charts.
const YEARS: i32 = 6;
/// The most rows of one list: a report is read by people.
const ROWS_MAX: i64 = 200;

/// A report.
#[derive(Serialize)]
pub struct Report {
    pub title: String,
    subtitle: String,
    /// Across every page of a year that runs.
    pub stamp: Option<&'static str>,
    blocks: Vec<Block>,
    /// At the foot of every page.
    pub foot: Vec<String>,
}

#[derive(Serialize)]
enum Block {
    Heading(String),
    Text(String),
    Table {
        /// Parts of the paper's width.
        widths: Vec<f32>,
        titles: Vec<String>,
        /// Cells of lines, the first of which is the bold one where there are several.
        rows: Vec<Vec<Vec<String>>>,
    },
}

impl Report {
    /// Puts it on pages.
    pub fn fill(&self, flow: &mut Flow<'_>) {
        flow.centred(&self.title, Style::Title);
        flow.centred(&self.subtitle, Style::Heading);
        flow.y += GAP;
        for block in &self.blocks {
            match block {
                Block::Heading(text) => flow.heading(text),
                Block::Text(text) => flow.text(text),
                Block::Table {
                    widths,
                    titles,
                    rows,
                } => table(flow, widths, titles, rows),
            }
        }
    }
}

fn table(flow: &mut Flow<'_>, widths: &[f32], titles: &[String], rows: &[Vec<Vec<String>>]) {
    let widths: Vec<f32> = widths.iter().map(|part| part * WIDTH).collect();
    let wrapped = |flow: &Flow<'_>, cells: &[Vec<CellLine>]| -> Vec<Vec<CellLine>> {
        let cells = cells.iter().zip(&widths);
        cells.map(|(cell, width)| flow.cell(cell, *width)).collect()
    };
    let titles: Vec<Vec<CellLine>> = titles
        .iter()
        .map(|title| vec![(Style::Bold, title.clone())])
        .collect();
    let titles = wrapped(flow, &titles);
    flow.row(&widths, &titles, None);
    for row in rows {
        let cells: Vec<Vec<CellLine>> = row
            .iter()
            .map(|cell| {
                let lines = cell.iter().enumerate().map(|(place, line)| {
                    let bold = place == 0 && cell.len() > 1;
                    let style = if bold { Style::Bold } else { Style::Body };
                    (style, line.clone())
                });
                lines.collect()
            })
            .collect();
        let cells = wrapped(flow, &cells);
        flow.row(&widths, &cells, Some(&titles));
    }
    flow.y += GAP;
}

/// Amounts below zero too.
fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "−" } else { "" };
    format!("{sign}{}", money(cents.saturating_abs()))
}

fn parsed(text: &str) -> BigDecimal {
    text.parse().unwrap_or_default()
}

fn cents(text: &str) -> i64 {
    let rounded = parsed(text).with_scale_round(0, RoundingMode::HalfUp);
    rounded.to_i64().unwrap_or(i64::MAX)
}

/// A value as people read it.
fn in_words(unit: IndicatorUnit, value: &str) -> String {
    let signed = |value: BigDecimal| {
        let sign = if value.is_negative() { "−" } else { "" };
        format!("{sign}{}", number(&value.abs()))
    };
    match unit {
        IndicatorUnit::EuroCents => euros(cents(value)),
        IndicatorUnit::EuroCentsPerResident => format!("{} par habitant", euros(cents(value))),
        IndicatorUnit::Days => format!("{}\u{a0}jours", signed(parsed(value))),
        IndicatorUnit::Hours => format!("{}\u{a0}h", signed(parsed(value))),
        IndicatorUnit::Ratio => {
            let percent = parsed(value) * BigDecimal::from(100);
            let percent = percent.with_scale_round(1, RoundingMode::HalfUp);
            format!("{}\u{a0}%", signed(percent))
        }
        IndicatorUnit::Count | IndicatorUnit::Various => signed(parsed(value)),
    }
}

/// The report of a year that has begun.
pub async fn of(
    session: &mut Session,
    code: &str,
    year: i32,
    address: &str,
) -> Result<Report, ApiError> {
    let commune = communes::model::find(&mut session.conn, code).await?;
    let today = session.today();
    let runs = year == today.year();
    let filter = MetricFilter {
        communes: Some(vec![code.to_owned()]),
        from: Some(year + 1 - YEARS),
        to: Some(year),
        indicators: Some(indicators().map(IndicatorCode).collect()),
        ..MetricFilter::default()
    };
    let metrics = model::report(session, filter).await?;
    let periods: Vec<PeriodMetrics> = metrics
        .territories
        .into_iter()
        .flat_map(|territory| territory.periods)
        .collect();
    let population = commune.row.population.map_or_else(
        || "population inconnue".to_owned(),
        |people| format!("{} habitants", number(&BigDecimal::from(people))),
    );
    let mut blocks = vec![Block::Text(format!(
        "{} ({code}), {population}. Ce rapport est fait de ce que chacun peut lire sur {address}\u{a0}: les initiatives publiées, leurs conventions, ce qui en a été fait et reconnu par l’autre partie, les bilans validés.",
        clean(&commune.row.name)
    ))];
    if runs {
        blocks.push(Block::Text(format!(
            "L’année n’est pas finie\u{a0}: les chiffres sont provisoires, au {}.",
            date(today)
        )));
    }
    blocks.extend(charts(&periods));
    for (indicator, title, nothing) in [
        (
            "initiatives_accepted",
            "Initiatives acceptées",
            "Aucune initiative publiée n’a été acceptée cette année.",
        ),
        (
            "initiatives_completed",
            "Initiatives réalisées",
            "Aucune initiative publiée n’a été réalisée cette année.",
        ),
    ] {
        blocks.push(Block::Heading(title.to_owned()));
        blocks.push(initiatives(session, code, year, indicator, nothing).await?);
    }
    blocks.push(Block::Heading(
        "Fiches de bonne pratique publiées".to_owned(),
    ));
    blocks.push(sheets(session, code, year).await?);
    if let Some(period) = periods.last() {
        blocks.push(Block::Heading(
            "Mesures déclarées par la commune".to_owned(),
        ));
        blocks.push(measures(period));
        blocks.push(Block::Heading("Tous les chiffres de l’année".to_owned()));
        blocks.push(Block::Text(
            "n est le nombre de cas dont un taux, une moyenne ou une médiane est tiré\u{a0}; à moins de cinq cas dans l’année, trois années sont prises ensemble. La valeur du temps bénévole et les économies ne s’ajoutent jamais.".to_owned(),
        ));
        blocks.push(figures(period));
    }
    Ok(Report {
        title: format!("Initiatives citoyennes\u{a0}: l’année {year}"),
        subtitle: clean(&commune.row.name),
        stamp: runs.then_some("PROVISOIRE"),
        blocks,
        foot: vec![
            format!(
                "Établi le {} · Licence Ouverte 2.0 (Etalab), sous laquelle ce rapport peut être repris en citant sa source",
                date(today)
            ),
            format!("{address}/v1/communes/{code}/reports/{year}.pdf"),
        ],
    })
}

fn value_of<'a>(period: &'a PeriodMetrics, code: &str) -> Option<&'a MetricValue> {
    period
        .values
        .iter()
        .find(|value| value.indicator.0.code == code && value.group.is_none())
}

/// The charts of the screen as tables: the typesetter sets text.
fn charts(periods: &[PeriodMetrics]) -> Vec<Block> {
    let by_side = periods.iter().map(|period| {
        let parts = value_of(period, "value_delivered_by_side").map(|value| &value.parts);
        let (mut commune, mut others) = (0_i64, 0_i64);
        for part in parts.into_iter().flatten() {
            let sum = if part.code == Side::Commune.code() {
                &mut commune
            } else {
                &mut others
            };
            *sum = sum.saturating_add(cents(&part.value));
        }
        vec![
            vec![period.code.clone()],
            vec![euros(commune)],
            vec![euros(others)],
        ]
    });
    let path = periods.iter().map(|period| {
        let told = [
            "initiatives_submitted",
            "initiatives_accepted",
            "initiatives_completed",
        ]
        .map(|code| {
            let value = value_of(period, code).and_then(|value| value.value.as_deref());
            vec![value.map_or_else(String::new, |value| in_words(IndicatorUnit::Count, value))]
        });
        std::iter::once(vec![period.code.clone()])
            .chain(told)
            .collect()
    });
    let titles = |titles: &[&str]| titles.iter().map(|title| (*title).to_owned()).collect();
    vec![
        Block::Heading("Ce que chaque partie a apporté".to_owned()),
        Block::Table {
            widths: vec![0.2, 0.4, 0.4],
            titles: titles(&["Année", "La commune", "Les habitants et leurs partenaires"]),
            rows: by_side.collect(),
        },
        Block::Heading("De l’idée à la réalisation".to_owned()),
        Block::Table {
            widths: vec![0.25; 4],
            titles: titles(&["Année", "Déposées", "Acceptées", "Réalisées"]),
            rows: path.collect(),
        },
    ]
}

/// A person's display name stays where it can be taken back.
fn name_of(holder: &HolderSummary) -> String {
    if holder.kind == HolderKind::Person {
        return "Une personne".to_owned();
    }
    clean(&holder.name)
}

/// What both sides promised and delivered in an initiative, in euro cents.
#[derive(Clone, Copy, Default)]
struct Both {
    commune: [i64; 2],
    others: [i64; 2],
}

/// The initiatives behind a figure, each with its conventions and both sides' balance.
async fn initiatives(
    session: &mut Session,
    code: &str,
    year: i32,
    indicator: &str,
    nothing: &str,
) -> Result<Block, ApiError> {
    let today = session.today();
    let indicator = indicators().find(|known| known.code == indicator);
    let period = Period::parse(&year.to_string());
    let (Some(indicator), Some(period)) = (indicator, period) else {
        return Err(ApiError::internal("a report of no year"));
    };
    let asked = Asked {
        indicator,
        kind: RecordKind::Initiative,
        commune: code,
        period,
        today,
    };
    let records = records::list(&mut session.conn, asked, None, ROWS_MAX).await?;
    if records.items.is_empty() {
        return Ok(Block::Text(nothing.to_owned()));
    }
    let mut ids: Vec<InitiativeId> = Vec::new();
    for record in &records.items {
        let id = InitiativeId(record.id);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let mut known: HashMap<InitiativeId, Initiative> = view::public(&session.conn, &ids)
        .await?
        .into_iter()
        .map(|initiative| (initiative.id, initiative))
        .collect();
    let mut conventions = signed(&mut session.conn, &ids).await?;
    let mut balances: HashMap<InitiativeId, Both> = HashMap::new();
    let sides = ["value_promised_by_side", "value_delivered_by_side"];
    for sum in of_initiatives(&mut session.conn, &ids, &sides, today).await? {
        let both = balances.entry(InitiativeId(sum.initiative_id)).or_default();
        let side = if sum.part.as_deref() == Some(Side::Commune.code()) {
            &mut both.commune
        } else {
            &mut both.others
        };
        let place = usize::from(sum.indicator == sides[1]);
        if let Some(cents) = side.get_mut(place) {
            *cents = cents.saturating_add(sum.value.to_i64().unwrap_or(i64::MAX));
        }
    }
    let rows = ids.iter().filter_map(|id| {
        let initiative = known.remove(id)?;
        let both = balances.get(id).copied().unwrap_or_default();
        let told = |[promised, delivered]: [i64; 2]| {
            vec![
                format!("apporté à ce jour\u{a0}: {}", euros(delivered)),
                format!("promis\u{a0}: {}", euros(promised)),
            ]
        };
        let mut about = vec![clean(&initiative.title)];
        about.extend(initiative.holder.as_ref().map(name_of));
        let agreed = conventions.remove(id).unwrap_or_default();
        about.extend(agreed.iter().map(agreement));
        Some(vec![about, told(both.commune), told(both.others)])
    });
    Ok(Block::Table {
        widths: vec![0.5, 0.25, 0.25],
        titles: vec![
            "Initiative, porteur, conventions".to_owned(),
            "La commune".to_owned(),
            "Les habitants et leurs partenaires".to_owned(),
        ],
        rows: rows.collect(),
    })
}

/// « Convention du 1er juin 2021 au 31 décembre 2024, version 1 ».
fn agreement(convention: &ProofConvention) -> String {
    format!(
        "Convention du {} au {}, version {}",
        date(convention.starts_on),
        date(convention.ends_on),
        convention.number
    )
}

/// The practice sheets that were published in a year and are still.
async fn sheets(session: &mut Session, code: &str, year: i32) -> Result<Block, ApiError> {
    let found: Vec<(String, Option<chrono::DateTime<chrono::Utc>>)> = practices::table
        .filter(practices::commune_code.eq(code))
        .filter(practices::state.eq("published"))
        .order((practices::published_at, practices::id))
        .select((practices::title, practices::published_at))
        .load(&mut session.conn)
        .await?;
    let rows: Vec<Vec<Vec<String>>> = found
        .into_iter()
        .filter_map(|(title, at)| Some((title, paris_day(at?))))
        .filter(|(_, day)| day.year() == year)
        .map(|(title, day)| vec![vec![clean(&title)], vec![date(day)]])
        .take(usize::try_from(ROWS_MAX).unwrap_or(0))
        .collect();
    if rows.is_empty() {
        return Ok(Block::Text(
            "Aucune fiche n’a été publiée cette année.".to_owned(),
        ));
    }
    Ok(Block::Table {
        widths: vec![0.7, 0.3],
        titles: vec!["Fiche".to_owned(), "Publiée le".to_owned()],
        rows,
    })
}

fn measures(period: &PeriodMetrics) -> Block {
    if period.measures.is_empty() {
        return Block::Text("Aucune mesure n’a été déclarée pour cette année.".to_owned());
    }
    let row = |measure: &crate::metrics::dto::ReportedMeasure| {
        let value = format!(
            "{}\u{a0}{}",
            in_words(IndicatorUnit::Various, &measure.value),
            clean(&measure.unit)
        );
        vec![
            vec![measure.indicator.replace('_', " ")],
            vec![value],
            vec![clean(&measure.source)],
        ]
    };
    let rows = period.measures.iter().map(row);
    Block::Table {
        widths: vec![0.35, 0.25, 0.4],
        titles: vec![
            "Mesure".to_owned(),
            "Valeur".to_owned(),
            "Source".to_owned(),
        ],
        rows: rows.take(usize::try_from(ROWS_MAX).unwrap_or(0)).collect(),
    }
}

fn figures(period: &PeriodMetrics) -> Block {
    let rows = period.values.iter().filter_map(|value| {
        let indicator = value.indicator.0;
        if indicator.kind == IndicatorKind::Reported {
            return None;
        }
        let said = value.value.as_deref().map_or_else(
            || "sans valeur".to_owned(),
            |value| in_words(indicator.unit, value),
        );
        let mut n: Vec<String> = value.n.map(|n| n.to_string()).into_iter().collect();
        n.extend(
            value
                .pooled_years
                .as_ref()
                .and_then(|years| match years.as_slice() {
                    [first, .., last] => Some(format!("{first} à {last}")),
                    _ => None,
                }),
        );
        let list = LISTS
            .iter()
            .find(|list| Some(list.name) == indicator.breakdown);
        let parts = value.parts.iter().map(|part| {
            let label = list.and_then(|list| list.labels(&part.code));
            let label = label.map_or(part.code.as_str(), |(french, _)| french);
            format!("{label}\u{a0}: {}", in_words(indicator.unit, &part.value))
        });
        let words = [&indicator.label.fr, &indicator.definition.fr];
        Some(vec![
            words.map(|words| words.replace('\'', "’")).to_vec(),
            std::iter::once(said).chain(parts).collect(),
            n,
        ])
    });
    Block::Table {
        widths: vec![0.5, 0.37, 0.13],
        titles: vec![
            "Chiffre et définition".to_owned(),
            "Valeur".to_owned(),
            "n".to_owned(),
        ],
        rows: rows.collect(),
    }
}
