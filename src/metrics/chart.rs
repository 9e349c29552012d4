//! The figures of a commune as a picture: bars by year, which a printer without colours can print, with the numbers as text
//! for those who do not see it.

use std::fmt::Write;
use std::str::FromStr;

use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use bigdecimal::BigDecimal;
use maud::html;
use plotters::prelude::*;

use super::dto::{MetricReport, MetricValue, PeriodMetrics};
use crate::clock::paris_day;
use crate::codes::codes;
use crate::commitments::dto::Side;
use crate::http::error::{ApiError, Language, Text};
use crate::http::reply::cache_control;
use crate::typesetting::french::number;

codes! {
    /// What a picture shows.
    pub enum ChartKind "charts" {
        Balance = "balance", "Ce que chaque partie a apporté", "What each side has given";
        Path = "path", "De l'idée à la réalisation", "From idea to completion";
    }
}

impl ChartKind {
    /// The indicators that it shows.
    pub const fn indicators(self) -> &'static [&'static str] {
        match self {
            Self::Balance => &["value_delivered_by_side"],
            Self::Path => &[
                "initiatives_submitted",
                "initiatives_accepted",
                "initiatives_completed",
            ],
        }
    }

    /// What its axis counts in.
    const fn unit(self) -> Text {
        match self {
            Self::Balance => Text::new("euros", "euros"),
            Self::Path => Text::new("initiatives", "initiatives"),
        }
    }
}

const SIZE: (u32, u32) = (720, 400);

/// Told apart without colours: black, white with an edge, grey.
const SHADES: [RGBColor; 3] = [BLACK, WHITE, RGBColor(150, 150, 150)];

/// One row of bars: its name, and a value for each period.
type Series = (String, Vec<f64>);

/// A picture as an answer.
pub struct Picture(String);

impl Responder for Picture {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, cache_control(Some(300))))
            .insert_header((header::VARY, "Accept-Language"))
            .insert_header((
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'",
            ))
            .content_type("image/svg+xml")
            .body(self.0)
    }
}

impl Picture {
    /// The picture of a report of one commune.
    pub fn of(
        kind: ChartKind,
        report: &MetricReport,
        language: Language,
    ) -> Result<Self, ApiError> {
        let commune = report
            .territories
            .first()
            .ok_or_else(|| ApiError::internal("a picture of no commune"))?;
        let series = series(kind, report, language);
        let today = report.as_of.map(paris_day);
        let runs = |period: &PeriodMetrics| today.is_some_and(|today| period.ends_on >= today);
        let periods: Vec<String> = commune
            .periods
            .iter()
            .map(|period| format!("{}{}", period.code, if runs(period) { "*" } else { "" }))
            .collect();
        let in_words = |(french, english): (&'static str, &'static str)| match language {
            Language::French => french,
            Language::English => english,
        };
        let title = ChartKind::LIST.labels(kind.code()).map_or("", in_words);
        let mut title = format!(
            "{} – {title} ({})",
            commune.territory.name,
            kind.unit().get(language)
        );
        let is_empty = series
            .iter()
            .flat_map(|(_, values)| values)
            .all(|value| *value == 0.0);
        for (holds, remark) in [
            (is_empty, Text::new("aucune valeur", "no values")),
            (
                commune.periods.iter().any(runs),
                Text::new("* en cours", "* not over yet"),
            ),
        ] {
            if holds {
                title = format!("{title} – {}", remark.get(language));
            }
        }
        let drawing = draw(&title, &periods, &series, language).map_err(ApiError::internal)?;
        let words = described(&periods, &series, language);
        let words = html! { title { (title) } desc { (words) } }.into_string();
        // Right after the opening tag, where those who hear the picture find it.
        let (tag, rest) = drawing
            .split_once('>')
            .ok_or_else(|| ApiError::internal("a drawing without a tag"))?;
        Ok(Self(format!("{tag} role=\"img\">{words}{rest}")))
    }
}

fn series(kind: ChartKind, report: &MetricReport, language: Language) -> Vec<Series> {
    let by_period: Vec<&[MetricValue]> = report
        .territories
        .iter()
        .flat_map(|commune| &commune.periods)
        .map(|period| period.values.as_slice())
        .collect();
    let parsed = |text: &str| text.parse::<f64>().unwrap_or(0.0);
    match kind {
        ChartKind::Balance => {
            let of_side = |side: &Side| {
                let part = |values: &&[MetricValue]| {
                    let parts = values.iter().flat_map(|value| &value.parts);
                    let mut theirs = parts.filter(|part| part.code == side.code());
                    theirs
                        .next()
                        .map_or(0.0, |part| parsed(&part.value) / 100.0)
                };
                by_period.iter().map(part).collect::<Vec<f64>>()
            };
            let commune = of_side(&Side::Commune);
            let others = [Side::Holder, Side::Host, Side::ThirdParty].map(|side| of_side(&side));
            let others = (0..commune.len())
                .map(|period| others.iter().filter_map(|side| side.get(period)).sum())
                .collect();
            let name = |fr, en| Text::new(fr, en).get(language).to_owned();
            vec![
                (name("La commune", "The commune"), commune),
                (
                    name(
                        "Les habitants et leurs partenaires",
                        "Residents and their partners",
                    ),
                    others,
                ),
            ]
        }
        ChartKind::Path => kind
            .indicators()
            .iter()
            .filter_map(|code| {
                let indicator =
                    super::indicators::indicators().find(|known| known.code == *code)?;
                let value = |values: &&[MetricValue]| {
                    let mut found = values
                        .iter()
                        .filter(|value| value.indicator.0.code == *code);
                    found
                        .next()
                        .and_then(|value| value.value.as_deref())
                        .map_or(0.0, parsed)
                };
                let label = indicator.label.get(language).to_owned();
                Some((label, by_period.iter().map(value).collect()))
            })
            .collect(),
    }
}

/// A number as it is read, with two decimals at most.
fn figure(value: f64, language: Language) -> String {
    let exact = BigDecimal::from_str(&format!("{value:.2}")).unwrap_or_default();
    let french = number(&exact.normalized());
    match language {
        Language::French => french,
        Language::English => french.replace(',', ".").replace('\u{202f}', ","),
    }
}

/// The numbers of the picture: "2025: The commune 1,200, …".
fn described(periods: &[String], series: &[Series], language: Language) -> String {
    let (colon, semicolon) = match language {
        Language::French => ("\u{a0}: ", "\u{a0}; "),
        Language::English => (": ", "; "),
    };
    let mut text = String::new();
    for (place, period) in periods.iter().enumerate() {
        let values = series.iter().map(|(name, values)| {
            let value = values.get(place).copied().unwrap_or(0.0);
            format!("{name} {}", figure(value, language))
        });
        let separator = if place == 0 { "" } else { semicolon };
        let values = values.collect::<Vec<_>>().join(", ");
        // Writing into a text does not fail.
        let _ = write!(text, "{separator}{period}{colon}{values}");
    }
    text
}

fn draw(
    title: &str,
    periods: &[String],
    series: &[Series],
    language: Language,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut drawing = String::new();
    let all = series.iter().flat_map(|(_, values)| values);
    // The legend stands above the bars. No less than five, so that no step of the axis is a fraction.
    let top = (all.copied().fold(0.0, f64::max) * 1.35).max(5.0);
    let count = f64::from(u32::try_from(periods.len())?);
    let told = |error: DrawingAreaErrorKind<std::io::Error>| error.to_string();
    {
        let area = SVGBackend::with_string(&mut drawing, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(told)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(28)
            .y_label_area_size(76)
            .build_cartesian_2d(0.0..count.max(1.0), 0.0..top)
            .map_err(told)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .y_labels(6)
            .y_label_formatter(&|value| figure(value.round(), language))
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(210, 210, 210))
            .draw()
            .map_err(told)?;
        let width = 0.8 / f64::from(u32::try_from(series.len().max(1))?);
        for (row, (name, values)) in series.iter().enumerate() {
            let shade = SHADES.get(row % SHADES.len()).copied().unwrap_or(BLACK);
            let left = f64::from(u32::try_from(row)?) * width + 0.1;
            let corners: Vec<[(f64, f64); 2]> = values
                .iter()
                .zip(0u32..)
                .map(|(value, place)| {
                    let from = f64::from(place) + left;
                    [(from, 0.0), (from + width * 0.92, *value)]
                })
                .collect();
            let bars = corners
                .iter()
                .map(|corners| Rectangle::new(*corners, shade.filled()));
            chart
                .draw_series(bars)
                .map_err(told)?
                .label(name)
                .legend(move |(x, y)| {
                    EmptyElement::at((x, y))
                        + Rectangle::new([(0, -5), (12, 5)], shade.filled())
                        + Rectangle::new([(0, -5), (12, 5)], BLACK.stroke_width(1))
                });
            let edges = corners
                .iter()
                .map(|corners| Rectangle::new(*corners, BLACK.stroke_width(1)));
            chart.draw_series(edges).map_err(told)?;
        }
        let years = periods.iter().zip(0u32..).map(|(period, place)| {
            let middle = f64::from(place) + 0.5;
            EmptyElement::at((middle, 0.0))
                + plotters::element::Text::new(period.clone(), (-14, 8), ("sans-serif", 13))
        });
        chart.draw_series(years).map_err(told)?;
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE)
            .border_style(RGBColor(150, 150, 150))
            .label_font(("sans-serif", 13))
            .draw()
            .map_err(told)?;
        area.present().map_err(told)?;
    }
    Ok(drawing)
}
