//! Files as rows. They are read from the beginning, one row after the other, and never as a whole.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use serde_json::Value;

use super::dto::{ImportFault, ImportFileType, ImportResource};
use super::fields::{self, Field};
use super::mappings::NewMapping;
use super::spreadsheets;

/// Longest line of JSON, in bytes.
const LINE_MAX: u64 = 1 << 20;

/// A row: its cells as they came, and the item that they make.
pub struct Line {
    pub cells: Vec<String>,
    pub item: Value,
}

/// Reads a file; `each` is told of every row until it wants no more. Returns the titles of the columns.
pub fn read(
    file: &mut File,
    file_type: ImportFileType,
    mapping: &NewMapping,
    each: &mut dyn FnMut(Line) -> bool,
) -> Result<Vec<String>, ImportFault> {
    file.seek(SeekFrom::Start(0))
        .map_err(|_| ImportFault::Unreadable)?;
    let mut table = Table {
        mapping,
        titles: Vec::new(),
        fields: Vec::new(),
        faults: None,
        each,
    };
    match file_type {
        ImportFileType::Csv => csv(file, &mut table)?,
        ImportFileType::Xlsx => spreadsheets::xlsx(file, &mut |cells| table.take(cells))?,
        ImportFileType::Ods => spreadsheets::ods(file, &mut |cells| table.take(cells))?,
        ImportFileType::Ndjson => return ndjson(file, mapping.resource, table.each),
    }
    if table.titles.is_empty() {
        return Err(ImportFault::NoColumns);
    }
    Ok(table.titles)
}

/// Rows of cells, the first of which has the titles.
struct Table<'a> {
    mapping: &'a NewMapping,
    titles: Vec<String>,
    fields: Vec<Option<&'static Field>>,
    /// Where what was wrong the last time stands.
    faults: Option<usize>,
    each: &'a mut dyn FnMut(Line) -> bool,
}

impl Table<'_> {
    /// Takes a row; false when no more is wanted. What is empty is no row.
    fn take(&mut self, mut cells: Vec<String>) -> Result<bool, ImportFault> {
        if self.titles.is_empty() {
            let faults = |title: &String| fields::FAULTS.contains(&title.trim());
            self.faults = cells.iter().position(faults);
        }
        if let Some(place) = self.faults.filter(|place| *place < cells.len()) {
            cells.remove(place);
        }
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(true);
        }
        if self.titles.is_empty() {
            let fields = cells.iter().map(|title| self.mapping.field(title));
            self.fields = fields.collect();
            if self.fields.iter().all(Option::is_none) {
                return Err(ImportFault::NoColumns);
            }
            self.titles = cells;
            return Ok(true);
        }
        let item = fields::item(self.mapping, &self.fields, &cells);
        Ok((self.each)(Line { cells, item }))
    }
}

/// Values separated by `;`, `,` or tabs, whichever the first line has most of; in UTF-8, or in Windows-1252 where it is
/// not: that is how spreadsheets of town halls are saved.
fn csv(file: &mut File, table: &mut Table<'_>) -> Result<(), ImportFault> {
    let is_utf8 = is_utf8(file)?;
    let mut reader = BufReader::new(file);
    let start = reader.fill_buf().map_err(|_| ImportFault::Unreadable)?;
    let bom = if start.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let first = start.get(bom..).unwrap_or_default();
    let first = first
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let times = |wanted: u8| first.iter().filter(|byte| **byte == wanted).count();
    let delimiter = [b';', b',', b'\t']
        .into_iter()
        .max_by_key(|byte| times(*byte))
        .unwrap_or(b';');
    reader.consume(bom);
    let mut rows = ::csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(reader);
    let text = |cell: &[u8]| {
        if is_utf8 {
            String::from_utf8_lossy(cell).into_owned()
        } else {
            cell.iter().map(|byte| windows_1252(*byte)).collect()
        }
    };
    let mut record = ::csv::ByteRecord::new();
    while rows
        .read_byte_record(&mut record)
        .map_err(|_| ImportFault::Unreadable)?
    {
        if !table.take(record.iter().map(text).collect())? {
            break;
        }
    }
    Ok(())
}

fn is_utf8(file: &mut File) -> Result<bool, ImportFault> {
    let mut left: Vec<u8> = Vec::new();
    let mut block = vec![0; 1 << 16];
    let is_utf8 = loop {
        let count = file.read(&mut block).map_err(|_| ImportFault::Unreadable)?;
        left.extend_from_slice(block.get(..count).unwrap_or_default());
        match std::str::from_utf8(&left) {
            Ok(_) if count == 0 => break true,
            Ok(_) => left.clear(),
            // A character that goes on in the next block.
            Err(error) if error.error_len().is_none() && count > 0 => {
                drop(left.drain(..error.valid_up_to()));
            }
            Err(_) => break false,
        }
    };
    file.seek(SeekFrom::Start(0))
        .map_err(|_| ImportFault::Unreadable)?;
    Ok(is_utf8)
}

/// The characters of Windows-1252 that are not those of Latin-1.
const SPECIAL: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn windows_1252(byte: u8) -> char {
    match byte.checked_sub(0x80) {
        Some(place) => SPECIAL
            .get(usize::from(place))
            .copied()
            .unwrap_or(char::from(byte)),
        None => char::from(byte),
    }
}

/// A JSON object a line; its columns are the fields.
fn ndjson(
    file: &mut File,
    resource: ImportResource,
    each: &mut dyn FnMut(Line) -> bool,
) -> Result<Vec<String>, ImportFault> {
    let titles = resource
        .fields()
        .iter()
        .map(|field| field.name.to_owned())
        .collect();
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let count = (&mut reader)
            .take(LINE_MAX)
            .read_until(b'\n', &mut line)
            .map_err(|_| ImportFault::Unreadable)?;
        if count == 0 {
            return Ok(titles);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let item: Value = serde_json::from_slice(&line).map_err(|_| ImportFault::Unreadable)?;
        let cells = fields::cells(resource, &item);
        if !each(Line { cells, item }) {
            return Ok(titles);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde_json::json;

    use super::*;

    fn rows(bytes: &[u8], file_type: ImportFileType) -> Result<Vec<Value>, ImportFault> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut items = Vec::new();
        let mapping = NewMapping::none(ImportResource::Holders);
        read(&mut file, file_type, &mapping, &mut |line| {
            items.push(line.item);
            true
        })?;
        Ok(items)
    }

    #[test]
    fn tables_are_read_as_they_are_saved() {
        let expected = vec![json!({"external_id": "1", "name": "Œuvre d'été", "kind": "school"})];
        for text in [
            "Identifiant;Nom;Nature\r\n1;Œuvre d'été;École\r\n;;\r\n",
            "\u{feff}Identifiant;Nom;Nature\n1;Œuvre d'été;École\n",
            "external_id,name,kind\n1,\"Œuvre d'été\",school",
            "Identifiant\tNom\tNature\n1\tŒuvre d'été\tEcole\n",
        ] {
            assert_eq!(
                rows(text.as_bytes(), ImportFileType::Csv),
                Ok(expected.clone()),
                "{text}"
            );
        }
        let saved = b"Identifiant;Nom;Nature\r\n1;\x8cuvre d'\xe9t\xe9;\xc9cole\r\n";
        assert_eq!(rows(saved, ImportFileType::Csv), Ok(expected));
        assert_eq!(
            rows(b"a;b\n1;2\n", ImportFileType::Csv),
            Err(ImportFault::NoColumns)
        );
        assert_eq!(rows(b"", ImportFileType::Csv), Err(ImportFault::NoColumns));
        let lines = b"{\"external_id\":\"1\"}\n\n{\"external_id\":\"2\"}";
        assert_eq!(rows(lines, ImportFileType::Ndjson).unwrap().len(), 2);
        assert_eq!(
            rows(b"{]\n", ImportFileType::Ndjson),
            Err(ImportFault::Unreadable)
        );
    }
}
