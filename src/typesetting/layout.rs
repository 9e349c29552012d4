//! Text and tables on pages of A4: what stands where, in points from the upper left corner. Lines break at spaces and hyphens,
//! and anywhere in a word that is wider than its column, so that nothing runs off the paper.

use std::cell::RefCell;
use std::collections::HashMap;

use krilla::text::{GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face, GlyphInfo, UnicodeBuffer};

/// Width and height of A4.
pub const PAPER: (f32, f32) = (595.28, 841.89);
pub const LEFT: f32 = 62.0;
const TOP: f32 = 57.0;
pub const WIDTH: f32 = PAPER.0 - 2.0 * LEFT;
/// Lowest line of the footer.
const FOOT: f32 = PAPER.1 - 34.0;
pub const PADDING: f32 = 6.0;
pub const GAP: f32 = 8.0;

/// How a line is set.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    Title,
    Heading,
    Body,
    Bold,
    Foot,
}

impl Style {
    pub const fn size(self) -> f32 {
        match self {
            Self::Title => 15.0,
            Self::Heading => 11.5,
            Self::Body | Self::Bold => 10.5,
            Self::Foot => 7.5,
        }
    }

    pub const fn is_bold(self) -> bool {
        matches!(self, Self::Title | Self::Heading | Self::Bold)
    }

    pub fn leading(self) -> f32 {
        self.size() * 1.3
    }
}

/// Something on a page.
pub enum Mark {
    /// A line of text that begins here, on its baseline.
    Line {
        x: f32,
        y: f32,
        style: Style,
        text: String,
    },
    Frame {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
    },
}

/// Shapes and widths of text in the fonts of the program.
pub struct Measure {
    regular: Face<'static>,
    bold: Face<'static>,
    /// Of words already measured, in units of their size.
    known: RefCell<HashMap<(bool, String), f32>>,
}

impl Measure {
    /// Nothing when the bytes are no fonts.
    pub fn new(regular: &'static [u8], bold: &'static [u8]) -> Option<Self> {
        Some(Self {
            regular: Face::from_slice(regular, 0)?,
            bold: Face::from_slice(bold, 0)?,
            known: RefCell::default(),
        })
    }

    /// Width of a text on one line, in points.
    pub fn width(&self, text: &str, style: Style) -> f32 {
        let key = (style.is_bold(), text.to_owned());
        let known = self.known.borrow().get(&key).copied();
        let width = known.unwrap_or_else(|| {
            let glyphs = self.shape(text, style, None);
            let width = glyphs.iter().map(|glyph| glyph.x_advance).sum();
            self.known.borrow_mut().insert(key, width);
            width
        });
        width * style.size()
    }

    /// The glyphs of a text that runs in one direction, that of its script by default.
    pub fn shape(
        &self,
        text: &str,
        style: Style,
        direction: Option<Direction>,
    ) -> Vec<KrillaGlyph> {
        let face = if style.is_bold() {
            &self.bold
        } else {
            &self.regular
        };
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        if let Some(direction) = direction {
            buffer.set_direction(direction);
        }
        let shaped = rustybuzz::shape(face, &[], buffer);
        let em = small(face.units_per_em());
        let start = |glyph: &GlyphInfo| usize::try_from(glyph.cluster).unwrap_or(0);
        // A glyph stands for the text from where it begins to where the next one in the text does.
        let mut starts: Vec<usize> = shaped.glyph_infos().iter().map(start).collect();
        starts.sort_unstable();
        let glyphs = shaped.glyph_infos().iter().zip(shaped.glyph_positions());
        glyphs
            .map(|(glyph, at)| {
                let from = start(glyph);
                let next = starts.partition_point(|start| *start <= from);
                let to = starts.get(next).copied().unwrap_or(text.len());
                KrillaGlyph::new(
                    GlyphId::new(glyph.glyph_id),
                    small(at.x_advance) / em,
                    small(at.x_offset) / em,
                    small(at.y_offset) / em,
                    small(at.y_advance) / em,
                    from..to,
                    None,
                )
            })
            .collect()
    }

    /// The lines that a text takes in a column.
    pub fn wrap(&self, text: &str, style: Style, column: f32) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in text.split('\n') {
            let (mut line, mut used) = (String::new(), 0.0);
            for word in paragraph.split_inclusive(may_break_after) {
                let bare = self.width(word.trim_end_matches(' '), style);
                if used + bare > column && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                if bare <= column {
                    line.push_str(word);
                    used += self.width(word, style);
                    continue;
                }
                for c in word.chars() {
                    let width = self.width(c.encode_utf8(&mut [0; 4]), style);
                    if used + width > column && !line.is_empty() {
                        lines.push(std::mem::take(&mut line));
                        used = 0.0;
                    }
                    line.push(c);
                    used += width;
                }
            }
            lines.push(line);
        }
        lines
    }
}

/// Font units as a number of points can be made of: no font has more than 16 bits of them.
fn small(units: i32) -> f32 {
    i16::try_from(units).map_or(0.0, f32::from)
}

const fn may_break_after(c: char) -> bool {
    matches!(c, ' ' | '-' | '\u{200b}' | '\u{2000}'..='\u{2006}' | '\u{2008}'..='\u{200a}' | '\u{3000}')
}

/// Pages filled by `fill`, with these lines and the number of the page at the foot of each.
pub fn pages(
    measure: &Measure,
    foot: &[String],
    fill: impl FnOnce(&mut Flow<'_>),
) -> Vec<Vec<Mark>> {
    let foot: Vec<String> = foot
        .iter()
        .flat_map(|line| measure.wrap(line, Style::Foot, WIDTH))
        .collect();
    let foot_height: f32 = foot.iter().map(|_| Style::Foot.leading()).sum();
    let mut flow = Flow {
        measure,
        pages: vec![Vec::new()],
        y: TOP,
        bottom: FOOT - foot_height - 20.0,
    };
    fill(&mut flow);
    let mut pages = flow.pages;
    let count = pages.len();
    for (page, number) in pages.iter_mut().zip(1..) {
        let mut y = FOOT - foot_height;
        for line in &foot {
            page.push(Mark::Line {
                x: LEFT,
                y,
                style: Style::Foot,
                text: line.clone(),
            });
            y += Style::Foot.leading();
        }
        let text = format!("Page {number} sur {count}");
        let x = LEFT + WIDTH - measure.width(&text, Style::Foot);
        page.push(Mark::Line {
            x,
            y,
            style: Style::Foot,
            text,
        });
    }
    pages
}

/// Pages being filled from top to bottom.
pub struct Flow<'m> {
    pub measure: &'m Measure,
    pages: Vec<Vec<Mark>>,
    pub y: f32,
    bottom: f32,
}

/// A line in a cell.
pub type CellLine = (Style, String);

impl Flow<'_> {
    pub fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// Turns the page unless this height is left on it.
    pub fn need(&mut self, height: f32) {
        if self.y + height > self.bottom {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
    }

    pub fn lines(&mut self, text: &str, style: Style) {
        for text in self.measure.wrap(text, style, WIDTH) {
            self.need(style.leading());
            self.y += style.leading();
            self.mark(Mark::Line {
                x: LEFT,
                y: self.y,
                style,
                text,
            });
        }
    }

    pub fn text(&mut self, text: &str) {
        self.lines(text, Style::Body);
        self.y += 4.0;
    }

    /// A heading stays with what follows it.
    pub fn heading(&mut self, text: &str) {
        self.need(Style::Heading.leading() * 4.0);
        self.y += GAP;
        self.lines(text, Style::Heading);
        self.y += 2.0;
    }

    pub fn centred(&mut self, text: &str, style: Style) {
        for text in self.measure.wrap(text, style, WIDTH) {
            self.need(style.leading());
            self.y += style.leading();
            let x = LEFT + (WIDTH - self.measure.width(&text, style)) / 2.0;
            self.mark(Mark::Line {
                x,
                y: self.y,
                style,
                text,
            });
        }
    }

    /// The lines of a cell, each as wide as its column.
    pub fn cell(&self, lines: &[CellLine], width: f32) -> Vec<CellLine> {
        let wrapped = lines.iter().flat_map(|(style, text)| {
            let lines = self.measure.wrap(text, *style, width - 2.0 * PADDING);
            lines.into_iter().map(|line| (*style, line))
        });
        wrapped.collect()
    }

    /// A row of cells that are so wide; it goes on over the pages, under the titles again.
    pub fn row(
        &mut self,
        widths: &[f32],
        cells: &[Vec<CellLine>],
        titles: Option<&[Vec<CellLine>]>,
    ) {
        let leading = Style::Body.leading();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        let mut done = 0;
        while done < height {
            let (mut count, mut room) = (0, self.y + 2.0 * PADDING);
            while done + count < height && room + leading <= self.bottom {
                room += leading;
                count += 1;
            }
            // Rather all of a short row on the next page than one line of it here.
            if count < 2 && done + count < height {
                self.need(PAPER.1);
                if let Some(titles) = titles {
                    self.row(widths, titles, None);
                }
                continue;
            }
            let mut x = LEFT;
            for (cell, width) in cells.iter().zip(widths) {
                self.mark(Mark::Frame {
                    x,
                    y: self.y,
                    width: *width,
                    height: room - self.y,
                });
                let mut y = self.y + PADDING - 3.0;
                for (style, text) in cell.iter().skip(done).take(count) {
                    y += leading;
                    self.mark(Mark::Line {
                        x: x + PADDING,
                        y,
                        style: *style,
                        text: text.clone(),
                    });
                }
                x += width;
            }
            self.y = room;
            done += count;
        }
    }
}
