//! Paper as PDF: off the request's worker, a few at once, with an end to the wait and to the length. The same work
//! gives the same bytes: fonts come with the program, and no clock, file or network is asked.

use std::time::Duration;

use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect, Transform};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::Font;
use krilla::{Document, SerializeSettings};
use rustybuzz::Direction;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use unicode_bidi::BidiInfo;

use super::layout::{Flow, Mark, Measure, PAPER, Style, pages};
use crate::http::error::{ApiError, Code};

const REGULAR: &[u8] = include_bytes!("../../data/fonts/LibertinusSerif-Regular.otf");
const BOLD: &[u8] = include_bytes!("../../data/fonts/LibertinusSerif-Bold.otf");

/// Longest sheet that is typeset, in bytes of text: more than a convention with a hundred commitments, all of them as
/// long as they may be.
const LONGEST: usize = 3 * 1024 * 1024;

/// How many are typeset at once, and how long one waits for its turn and for the work.
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// The turns of all workers.
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// What is to be typeset.
pub struct Work<F> {
    pub title: String,
    /// Across every page.
    pub stamp: Option<&'static str>,
    /// At the foot of every page.
    pub foot: Vec<String>,
    /// Bytes of text.
    pub length: usize,
    /// Puts it on the pages.
    pub fill: F,
}

/// The PDF of some work; nothing for one that is too long.
pub async fn typeset<F>(work: Work<F>) -> Result<Option<Vec<u8>>, ApiError>
where
    F: FnOnce(&mut Flow<'_>) + Send + 'static,
{
    if work.length > LONGEST {
        return Ok(None);
    }
    let busy = |seconds| move |_| ApiError::new(Code::Busy).retry_after(seconds);
    let turn = timeout(PATIENCE, TURNS.acquire())
        .await
        .map_err(busy(2))?
        .map_err(ApiError::internal)?;
    let drawing = tokio::task::spawn_blocking(move || {
        // The turn lasts as long as the work, even when nobody waits for it any more.
        let _turn = turn;
        draw(work)
    });
    timeout(LONGEST_WAIT, drawing)
        .await
        .map_err(busy(30))?
        .map_err(ApiError::internal)?
        .map(Some)
}

/// The fonts, to measure with and to draw with.
struct Fonts {
    measure: Measure,
    regular: Font,
    bold: Font,
}

impl Fonts {
    fn load() -> Option<Self> {
        Some(Self {
            measure: Measure::new(REGULAR, BOLD)?,
            regular: Font::new(REGULAR.into(), 0)?,
            bold: Font::new(BOLD.into(), 0)?,
        })
    }
}

fn draw(work: Work<impl FnOnce(&mut Flow<'_>)>) -> Result<Vec<u8>, ApiError> {
    let fonts = Fonts::load().ok_or_else(|| ApiError::internal("the fonts"))?;
    let settings = PageSettings::from_wh(PAPER.0, PAPER.1)
        .ok_or_else(|| ApiError::internal("the size of the paper"))?;
    let mut document = Document::new_with(SerializeSettings {
        enable_tagging: false,
        ..SerializeSettings::default()
    });
    // No date: the content has none of its own.
    let metadata = Metadata::new()
        .title(work.title)
        .language("fr".to_owned())
        .creator("Fifty-Fifty".to_owned());
    document.set_metadata(metadata);
    for marks in pages(&fonts.measure, &work.foot, work.fill) {
        let mut page = document.start_page_with(settings.clone());
        let mut surface = page.surface();
        if let Some(text) = work.stamp {
            stamp(&mut surface, &fonts, text);
        }
        for mark in &marks {
            put(&mut surface, &fonts, mark);
        }
        surface.finish();
        page.finish();
    }
    document
        .finish()
        .map_err(|error| ApiError::internal(format!("{error:?}")))
}

/// Large, pale and across the page, under the text.
fn stamp(surface: &mut Surface<'_>, fonts: &Fonts, text: &str) {
    const SIZE: f32 = 110.0;
    let width = fonts.measure.width(text, Style::Bold) * SIZE / Style::Bold.size();
    let (x, y) = (PAPER.0 / 2.0, PAPER.1 / 2.0);
    surface.set_stroke(None);
    surface.set_fill(Some(Fill {
        paint: rgb::Color::new(200, 0, 0).into(),
        opacity: NormalizedF32::new(0.18).unwrap_or(NormalizedF32::ONE),
        ..Fill::default()
    }));
    surface.push_transform(&Transform::from_rotate_at(-45.0, x, y));
    let start = Point::from_xy(x - width / 2.0, y + SIZE / 3.0);
    let font = fonts.bold.clone();
    let glyphs = fonts.measure.shape(text, Style::Bold, None);
    surface.draw_glyphs(start, &glyphs, font, text, SIZE, false);
    surface.pop();
}

fn put(surface: &mut Surface<'_>, fonts: &Fonts, mark: &Mark) {
    match mark {
        Mark::Line { x, y, style, text } => {
            surface.set_stroke(None);
            surface.set_fill(Some(Fill::default()));
            line(surface, fonts, (*x, *y), *style, text);
        }
        Mark::Frame {
            x,
            y,
            width,
            height,
        } => {
            let mut path = PathBuilder::new();
            if let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) {
                path.push_rect(rect);
            }
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke {
                width: 0.5,
                ..Stroke::default()
            }));
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
}

/// A line of text, its parts in the order in which they are read from left to right.
fn line(surface: &mut Surface<'_>, fonts: &Fonts, (x, y): (f32, f32), style: Style, text: &str) {
    let font = if style.is_bold() {
        &fonts.bold
    } else {
        &fonts.regular
    };
    let mut x = x;
    let mut part = |text: &str, direction| {
        let start = Point::from_xy(x, y);
        let glyphs = fonts.measure.shape(text, style, Some(direction));
        surface.draw_glyphs(start, &glyphs, font.clone(), text, style.size(), false);
        let width: f32 = glyphs.iter().map(|glyph| glyph.x_advance).sum();
        x += width * style.size();
    };
    let bidi = BidiInfo::new(text, None);
    if !bidi.has_rtl() {
        part(text, Direction::LeftToRight);
        return;
    }
    for paragraph in &bidi.paragraphs {
        let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
        for run in runs {
            let leftwards = levels.get(run.start).is_some_and(|level| level.is_rtl());
            let direction = if leftwards {
                Direction::RightToLeft
            } else {
                Direction::LeftToRight
            };
            part(text.get(run).unwrap_or_default(), direction);
        }
    }
}
