//! The sheet on pages of A4: what stands where, in points from the upper left corner. Lines break at spaces and hyphens,
//! and anywhere in a word that is wider than its column, so that nothing runs off the paper.

use std::cell::RefCell;
use std::collections::HashMap;

use krilla::text::{GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face, GlyphInfo, UnicodeBuffer};

use super::html;
use super::sheet::{Entry, Sheet};

/// Width and height of A4.
pub const PAPER: (f32, f32) = (595.28, 841.89);
const LEFT: f32 = 62.0;
const TOP: f32 = 57.0;
const WIDTH: f32 = PAPER.0 - 2.0 * LEFT;
/// Lowest line of the footer.
const FOOT: f32 = PAPER.1 - 34.0;
const PADDING: f32 = 6.0;
const GAP: f32 = 8.0;
/// Room for a signature.
const TO_SIGN: f32 = 80.0;

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

    fn leading(self) -> f32 {
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
    fn wrap(&self, text: &str, style: Style, column: f32) -> Vec<String> {
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

/// The pages of a sheet.
pub fn pages(sheet: &Sheet, measure: &Measure) -> Vec<Vec<Mark>> {
    let foot: Vec<String> = sheet
        .proof
        .iter()
        .flat_map(|proof| {
            let hash = format!("Empreinte SHA-256 du contenu signé\u{a0}: {}", proof.sha256);
            let address = format!("Vérification\u{a0}: {}", proof.address);
            [hash, address].map(|line| measure.wrap(&line, Style::Foot, WIDTH))
        })
        .flatten()
        .collect();
    let foot_height: f32 = foot.iter().map(|_| Style::Foot.leading()).sum();
    let mut flow = Flow {
        measure,
        pages: vec![Vec::new()],
        y: TOP,
        bottom: FOOT - foot_height - 20.0,
    };
    flow.whole(sheet);
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
struct Flow<'m> {
    measure: &'m Measure,
    pages: Vec<Vec<Mark>>,
    y: f32,
    bottom: f32,
}

/// A line in a cell.
type CellLine = (Style, String);

impl Flow<'_> {
    fn whole(&mut self, sheet: &Sheet) {
        self.centred(&sheet.title, Style::Title);
        self.centred(&sheet.subtitle, Style::Heading);
        self.y += GAP;
        for line in &sheet.preamble {
            self.text(line);
        }
        self.text("Entre les parties suivantes\u{a0}:");
        for party in &sheet.parties {
            self.heading(party.heading);
            for line in &party.lines {
                self.lines(line, Style::Body);
            }
        }
        self.y += GAP;
        self.text("il est convenu ce qui suit.");
        for article in &sheet.articles {
            self.heading(&article.title);
            for paragraph in &article.paragraphs {
                self.text(paragraph);
            }
        }
        self.table(sheet);
        self.signatures(sheet);
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// Turns the page unless this height is left on it.
    fn need(&mut self, height: f32) {
        if self.y + height > self.bottom {
            self.pages.push(Vec::new());
            self.y = TOP;
        }
    }

    fn lines(&mut self, text: &str, style: Style) {
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

    fn text(&mut self, text: &str) {
        self.lines(text, Style::Body);
        self.y += 4.0;
    }

    /// A heading stays with what follows it.
    fn heading(&mut self, text: &str) {
        self.need(Style::Heading.leading() * 4.0);
        self.y += GAP;
        self.lines(text, Style::Heading);
        self.y += 2.0;
    }

    fn centred(&mut self, text: &str, style: Style) {
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

    fn table(&mut self, sheet: &Sheet) {
        let bold = |text: &str| vec![(Style::Bold, text.to_owned())];
        let total = |sum: &str| bold(&format!("Total\u{a0}: {sum}"));
        let titles = [
            bold("La commune s’engage"),
            bold("Le porteur de projet et ceux qui l’aident s’engagent"),
        ];
        self.heading("Tableau des engagements");
        let titles = titles.map(|cell| self.cell(&cell));
        self.row(&titles, None);
        for (ours, theirs) in &sheet.columns.rows {
            let cells = [ours, theirs]
                .map(|entry| self.cell(&entry.as_ref().map(entry_lines).unwrap_or_default()));
            self.row(&cells, Some(&titles));
        }
        let totals = [&sheet.columns.commune_total, &sheet.columns.others_total];
        let cells = totals.map(|sum| self.cell(&total(sum)));
        self.row(&cells, Some(&titles));
    }

    /// The lines of a cell, each as wide as its column.
    fn cell(&self, lines: &[CellLine]) -> Vec<CellLine> {
        let column = WIDTH / 2.0 - 2.0 * PADDING;
        let wrapped = lines.iter().flat_map(|(style, text)| {
            let lines = self.measure.wrap(text, *style, column);
            lines.into_iter().map(|line| (*style, line))
        });
        wrapped.collect()
    }

    /// A row that goes on over the pages, under the titles again.
    fn row(&mut self, cells: &[Vec<CellLine>; 2], titles: Option<&[Vec<CellLine>; 2]>) {
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
                    self.row(titles, None);
                }
                continue;
            }
            for (cell, x) in cells.iter().zip([LEFT, LEFT + WIDTH / 2.0]) {
                self.mark(Mark::Frame {
                    x,
                    y: self.y,
                    width: WIDTH / 2.0,
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
            }
            self.y = room;
            done += count;
        }
    }

    fn signatures(&mut self, sheet: &Sheet) {
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
                        let lines = self.measure.wrap(text, style, width - 2.0 * PADDING);
                        lines.into_iter().map(move |line| (style, line))
                    })
                    .collect()
            })
            .collect();
        let tall = |block: &Vec<CellLine>| block.iter().map(|_| leading).sum::<f32>();
        let height = blocks.iter().map(tall).fold(0.0, f32::max) + 2.0 * PADDING + TO_SIGN;
        // Who signs sees what the boxes are for: heading and boxes stay together.
        self.need(height + 5.0 * leading);
        self.heading("Signatures");
        self.text(&format!(
            "Fait en {} exemplaires originaux.",
            sheet.originals
        ));
        self.y += GAP;
        let mut x = LEFT;
        for block in blocks {
            self.mark(Mark::Frame {
                x,
                y: self.y,
                width,
                height,
            });
            let mut y = self.y + PADDING - 3.0;
            for (style, text) in block {
                y += leading;
                self.mark(Mark::Line {
                    x: x + PADDING,
                    y,
                    style,
                    text,
                });
            }
            x += width + GAP;
        }
        self.y += height;
    }
}

fn entry_lines(entry: &Entry) -> Vec<CellLine> {
    let title = (Style::Bold, entry.title.clone());
    let lines = entry.lines.iter().map(|line| (Style::Body, line.clone()));
    std::iter::once(title).chain(lines).collect()
}
