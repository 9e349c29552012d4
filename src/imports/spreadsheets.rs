//! Spreadsheets as rows of cells: the first sheet, read row by row. What they unfold to is measured before anything of them
//! is read, for a few bytes can unfold to gigabytes.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use calamine::{DataRef, Reader, Xlsx};
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::dto::ImportFault;
use super::files::COLUMNS_MAX;

/// Most bytes that a spreadsheet unfolds to, and most of the texts that XLSX keeps in one place: these are in memory.
const UNFOLDED_MAX: u64 = 1_000_000_000;
const TEXTS_MAX: u64 = 200_000_000;
const TEXTS: &str = "xl/sharedStrings.xml";
/// Most parts of a spreadsheet.
const PARTS_MAX: usize = 10_000;
/// Most times that one row is repeated.
const REPEATED_MAX: usize = 1_000;

/// Told of the cells of each row, until it wants no more.
pub type Each<'a> = dyn FnMut(Vec<String>) -> Result<bool, ImportFault> + 'a;

fn unreadable<E>(_: E) -> ImportFault {
    ImportFault::Unreadable
}

/// Unfolds every part of a file, as far as it may, and keeps nothing of it.
fn measure(file: &File) -> Result<(), ImportFault> {
    let mut file = file.try_clone().map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(unreadable)?;
    if archive.len() > PARTS_MAX {
        return Err(ImportFault::TooLarge);
    }
    let mut left = UNFOLDED_MAX;
    for place in 0..archive.len() {
        let part = archive.by_index(place).map_err(unreadable)?;
        let most = if part.name().is_ok_and(|name| name == TEXTS) {
            left.min(TEXTS_MAX)
        } else {
            left
        };
        let size = std::io::copy(&mut part.take(most + 1), &mut std::io::sink());
        let size = size.map_err(unreadable)?;
        if size > most {
            return Err(ImportFault::TooLarge);
        }
        left -= size;
    }
    Ok(())
}

/// The first sheet of a workbook of Excel.
pub fn xlsx(file: &mut File, each: &mut Each<'_>) -> Result<(), ImportFault> {
    measure(file)?;
    file.rewind().map_err(unreadable)?;
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(unreadable)?;
    let name = book
        .sheet_names()
        .first()
        .cloned()
        .ok_or(ImportFault::Unreadable)?;
    let mut sheet = book.worksheet_cells_reader(&name).map_err(unreadable)?;
    let (mut row, mut cells) = (0, Vec::new());
    while let Some(cell) = sheet.next_cell().map_err(unreadable)? {
        let (at, column) = cell.get_position();
        if at != row {
            if !each(std::mem::take(&mut cells))? {
                return Ok(());
            }
            row = at;
        }
        let column = usize::try_from(column).map_err(unreadable)?;
        if column <= COLUMNS_MAX {
            cells.resize(column.max(cells.len()), String::new());
            cells.truncate(column);
            cells.push(shown(cell.get_value()));
        }
    }
    each(cells)?;
    Ok(())
}

/// A cell as text: numbers as programs write them, days as `2019-03-20`.
fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(day) if day.is_datetime() => {
            let (year, month, day, ..) = day.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::DateTime(time) => time.as_f64().to_string(),
        DataRef::DateTimeIso(day) => day.chars().take(10).collect(),
        DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// The first sheet of an OpenDocument spreadsheet.
pub fn ods(file: &mut File, each: &mut Each<'_>) -> Result<(), ImportFault> {
    measure(file)?;
    file.rewind().map_err(unreadable)?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(unreadable)?;
    let content = archive.by_name("content.xml").map_err(unreadable)?;
    let mut xml = quick_xml::Reader::from_reader(BufReader::new(content));
    let mut buffer = Vec::new();
    let mut sheet = Sheet::default();
    loop {
        buffer.clear();
        let event = xml.read_event_into(&mut buffer).map_err(unreadable)?;
        match event {
            Event::Start(tag) => sheet.begin(&tag)?,
            Event::Empty(tag) => {
                sheet.begin(&tag)?;
                if !sheet.end(tag.name().as_ref(), each)? {
                    return Ok(());
                }
            }
            Event::End(tag) if !sheet.end(tag.name().as_ref(), each)? => return Ok(()),
            Event::Text(text) => sheet.say(&text.decode().map_err(unreadable)?),
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().map_err(unreadable)? {
                    Some(character) => Some(character),
                    None => match reference.decode().map_err(unreadable)?.as_ref() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => None,
                    },
                };
                sheet.say(character.map(String::from).unwrap_or_default().as_str());
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// What is known of the row and the cell that are being read.
#[derive(Default)]
struct Sheet {
    cells: Vec<String>,
    row_repeated: usize,
    cell: Option<Cell>,
    paragraphs: usize,
    in_paragraph: bool,
}

#[derive(Default)]
struct Cell {
    value: Option<String>,
    text: String,
    repeated: usize,
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, ImportFault> {
    let attribute = tag.try_get_attribute(name).map_err(unreadable)?;
    attribute
        .map(|attribute| String::from_utf8(attribute.value.into_owned()).map_err(unreadable))
        .transpose()
}

fn repeated(tag: &BytesStart<'_>, name: &str) -> Result<usize, ImportFault> {
    let times = attribute(tag, name)?;
    times.map_or(Ok(1), |times| times.parse().map_err(unreadable))
}

impl Sheet {
    fn begin(&mut self, tag: &BytesStart<'_>) -> Result<(), ImportFault> {
        match tag.name().as_ref() {
            b"table:table-row" => {
                self.cells.clear();
                self.row_repeated = repeated(tag, "table:number-rows-repeated")?;
            }
            b"table:table-cell" | b"table:covered-table-cell" => {
                let kind = attribute(tag, "office:value-type")?;
                let value = match kind.as_deref() {
                    Some("float" | "percentage" | "currency") => attribute(tag, "office:value")?
                        .map(|number| number.trim_end_matches(".0").to_owned()),
                    Some("date") => attribute(tag, "office:date-value")?
                        .map(|day| day.chars().take(10).collect()),
                    Some("boolean") => attribute(tag, "office:boolean-value")?,
                    _ => None,
                };
                self.paragraphs = 0;
                self.cell = Some(Cell {
                    value,
                    text: String::new(),
                    repeated: repeated(tag, "table:number-columns-repeated")?,
                });
            }
            b"text:p" => {
                if self.paragraphs > 0 {
                    self.in_paragraph = true;
                    self.say("\n");
                }
                self.paragraphs += 1;
                self.in_paragraph = true;
            }
            b"text:s" => self.say(" "),
            _ => {}
        }
        Ok(())
    }

    fn say(&mut self, text: &str) {
        if let Some(cell) = self.cell.as_mut().filter(|_| self.in_paragraph) {
            cell.text.push_str(text);
        }
    }

    /// False when the sheet has ended, or nobody wants more.
    fn end(&mut self, name: &[u8], each: &mut Each<'_>) -> Result<bool, ImportFault> {
        match name {
            b"text:p" => self.in_paragraph = false,
            b"table:table-cell" | b"table:covered-table-cell" => {
                let cell = self.cell.take().unwrap_or_default();
                let room = (COLUMNS_MAX + 1).saturating_sub(self.cells.len());
                let text = cell.value.unwrap_or(cell.text);
                let times = cell.repeated.min(room);
                self.cells.extend(std::iter::repeat_n(text, times));
            }
            b"table:table-row" => {
                let is_empty = self.cells.iter().all(String::is_empty);
                let times = if is_empty { 1 } else { self.row_repeated };
                for _ in 0..times.min(REPEATED_MAX) {
                    if !each(self.cells.clone())? {
                        return Ok(false);
                    }
                }
            }
            b"table:table" => return Ok(false),
            _ => {}
        }
        Ok(true)
    }
}
