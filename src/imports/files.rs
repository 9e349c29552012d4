//! Files as rows. They are read from the beginning, one row after the other, and never as a whole.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use serde_json::Value;

use super::dto::{ImportFault, ImportFileType, ImportResource};
use super::fields::{self, Field};
use super::mappings::NewMapping;
use super::spreadsheets;

/// Longest line of JSON, and of what is looked at for titles, in bytes.
const LINE_MAX: u64 = 1 << 20;

/// Lines above the titles of the columns at most: a town hall's table has a title of its own.
const ABOVE_MAX: usize = 20;
/// Columns at most.
pub const COLUMNS_MAX: usize = 1_000;

/// A row: its cells as they came, and the item that they make.
pub struct Line {
    pub cells: Vec<String>,
    pub item: Value,
}

/// Why a file is not imported, and at which of its lines, where that is known; the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub fault: ImportFault,
    pub line: Option<i64>,
}

impl Unreadable {
    const fn at(line: i64, fault: ImportFault) -> Self {
        Self {
            fault,
            line: Some(line),
        }
    }
}

impl From<ImportFault> for Unreadable {
    fn from(fault: ImportFault) -> Self {
        Self { fault, line: None }
    }
}

impl From<std::io::Error> for Unreadable {
    fn from(_: std::io::Error) -> Self {
        ImportFault::Unreadable.into()
    }
}

/// Reads a file; `each` is told of every row until it wants no more. Returns the titles of the columns.
pub fn read(
    file: &mut File,
    file_type: ImportFileType,
    mapping: &NewMapping,
    each: &mut dyn FnMut(Line) -> bool,
) -> Result<Vec<String>, Unreadable> {
    file.rewind()?;
    let mut table = Table {
        mapping,
        above: 0,
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
        return Err(ImportFault::NoColumns.into());
    }
    Ok(table.titles)
}

/// Rows of cells, one of the first of which has the titles.
struct Table<'a> {
    mapping: &'a NewMapping,
    /// How many lines there are above the titles.
    above: usize,
    titles: Vec<String>,
    fields: Vec<Option<&'static Field>>,
    /// Where what was wrong the last time stands.
    faults: Option<usize>,
    each: &'a mut dyn FnMut(Line) -> bool,
}

impl Table<'_> {
    /// Takes a row; false when no more is wanted. What is empty is no row.
    fn take(&mut self, mut cells: Vec<String>) -> Result<bool, ImportFault> {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(true);
        }
        if self.titles.is_empty() {
            self.begin(cells)?;
            return Ok(true);
        }
        if let Some(place) = self.faults.filter(|place| *place < cells.len()) {
            cells.remove(place);
        }
        let item = fields::item(self.mapping, &self.fields, &cells);
        Ok((self.each)(Line { cells, item }))
    }

    /// Takes the titles, if these are.
    fn begin(&mut self, mut titles: Vec<String>) -> Result<(), ImportFault> {
        let faults = |title: &String| fields::FAULTS.contains(&title.trim());
        self.faults = titles.iter().position(faults);
        if let Some(place) = self.faults {
            titles.remove(place);
        }
        let fields: Vec<_> = titles
            .iter()
            .map(|title| self.mapping.field(title))
            .collect();
        let mut named: Vec<&str> = fields.iter().flatten().map(|field| field.target).collect();
        if named.is_empty() && self.above < ABOVE_MAX {
            self.above += 1;
            return Ok(());
        }
        if named.is_empty() {
            return Err(ImportFault::NoColumns);
        }
        if titles.len() > COLUMNS_MAX {
            return Err(ImportFault::TooManyColumns);
        }
        let all = named.len();
        named.sort_unstable();
        named.dedup();
        if named.len() < all {
            return Err(ImportFault::RepeatedColumn);
        }
        (self.titles, self.fields) = (titles, fields);
        Ok(())
    }
}

/// Values separated by `;`, `,` or tabs, whichever tells most titles apart; in UTF-8, or in Windows-1252: that is how
/// spreadsheets of town halls are saved.
fn csv(file: &mut File, table: &mut Table<'_>) -> Result<(), Unreadable> {
    let mut head = Vec::new();
    (&mut *file).take(LINE_MAX).read_to_end(&mut head)?;
    let bom = if head.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let delimiter = delimiter(head.get(bom..).unwrap_or_default(), table.mapping);
    let begin = SeekFrom::Start(u64::try_from(bom).unwrap_or(0));
    file.seek(begin)?;
    let is_utf8 = is_utf8(file)?;
    file.seek(begin)?;
    if let Some(line) = open_quote(file, delimiter)? {
        return Err(Unreadable::at(line, ImportFault::OpenQuote));
    }
    file.seek(begin)?;
    let mut rows = ::csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(BufReader::new(file));
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

/// What tells most of the titles apart that are known.
fn delimiter(head: &[u8], mapping: &NewMapping) -> u8 {
    let known = |line: &[u8], delimiter: u8| {
        let titles = line.split(|byte| *byte == delimiter).map(|title| {
            let title = match std::str::from_utf8(title) {
                Ok(title) => title.to_owned(),
                Err(_) => title.iter().map(|byte| windows_1252(*byte)).collect(),
            };
            mapping.field(title.trim().trim_matches('"'))
        });
        titles.flatten().count()
    };
    let lines = head.split(|byte| *byte == b'\n').take(ABOVE_MAX + 1);
    lines
        .flat_map(|line| [b'\t', b',', b';'].map(|delimiter| (known(line, delimiter), delimiter)))
        .max_by_key(|(known, _)| *known)
        .map_or(b';', |(_, delimiter)| delimiter)
}

/// Whether what follows is UTF-8, and not Windows-1252. A file that is mostly the one and somewhere the other is neither.
fn is_utf8(file: &mut File) -> Result<bool, Unreadable> {
    let (mut bytes, mut block): (Vec<u8>, _) = (Vec::new(), vec![0; 1 << 16]);
    let (mut line, mut first_wrong) = (1, None);
    let (mut right, mut wrong) = (0_usize, 0_usize);
    loop {
        let count = file.read(&mut block)?;
        bytes.extend_from_slice(block.get(..count).unwrap_or_default());
        let mut goes_on = 0;
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            right += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
            line += newlines(chunk.valid().as_bytes());
            if chunk.invalid().is_empty() {
                continue;
            }
            if count > 0 && chunks.peek().is_none() {
                // A character that may go on in the next block.
                goes_on = chunk.invalid().len();
            } else {
                wrong += 1;
                first_wrong.get_or_insert(line);
            }
        }
        drop(bytes.drain(..bytes.len() - goes_on));
        if count == 0 {
            break;
        }
    }
    match first_wrong {
        Some(line) if right >= wrong => Err(Unreadable::at(line, ImportFault::BadEncoding)),
        wrong => Ok(wrong.is_none()),
    }
}

fn newlines(bytes: &[u8]) -> i64 {
    let count = bytes.iter().filter(|byte| **byte == b'\n').count();
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Where a reader of cells stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Inside,
    Quoted,
    Closed,
}

/// The line of a quote that nothing closes, or that closes in the middle of a cell: rows would be swallowed.
fn open_quote(file: &mut File, delimiter: u8) -> Result<Option<i64>, Unreadable> {
    let mut reader = BufReader::new(file);
    let (mut at, mut line, mut opened) = (At::Start, 1, 1);
    loop {
        let block = reader.fill_buf()?;
        if block.is_empty() {
            return Ok((at == At::Quoted).then_some(opened));
        }
        for byte in block {
            at = match (at, *byte) {
                (At::Quoted, b'"') => At::Closed,
                (At::Quoted, _) => At::Quoted,
                (At::Start, b'"') => {
                    opened = line;
                    At::Quoted
                }
                // Two of them are one that is meant.
                (At::Closed, b'"') => At::Quoted,
                (_, b'\n' | b'\r') => At::Start,
                (_, byte) if byte == delimiter => At::Start,
                (At::Closed, b' ') => At::Closed,
                (At::Closed, _) => return Ok(Some(opened)),
                (At::Start | At::Inside, _) => At::Inside,
            };
            line += i64::from(*byte == b'\n');
        }
        let read = block.len();
        reader.consume(read);
    }
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
) -> Result<Vec<String>, Unreadable> {
    let titles = fields::names(resource).map(str::to_owned).collect();
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let count = (&mut reader).take(LINE_MAX).read_until(b'\n', &mut line)?;
        if count == 0 {
            break;
        }
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        if text.trim_ascii().is_empty() {
            continue;
        }
        let item: Value = serde_json::from_slice(text)
            .map_err(|_| Unreadable::at(number, ImportFault::BadJson))?;
        let cells = fields::cells(resource, &item);
        if !each(Line { cells, item }) {
            break;
        }
    }
    Ok(titles)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde_json::json;

    use super::*;

    fn rows(bytes: &[u8], file_type: ImportFileType) -> Result<Vec<Value>, Unreadable> {
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
        assert_eq!(rows(saved, ImportFileType::Csv), Ok(expected.clone()));
        let marked = b"\xef\xbb\xbf{\"external_id\":\"1\"}\n\n{\"external_id\":\"2\"}";
        assert_eq!(rows(marked, ImportFileType::Ndjson).unwrap().len(), 2);
        // A table of a town hall has a title of its own.
        let titled =
            "Associations de la commune, 2024;;\n\nIdentifiant;Nom;Nature\n1;Œuvre d'été;École\n";
        assert_eq!(rows(titled.as_bytes(), ImportFileType::Csv), Ok(expected));
    }

    #[test]
    fn what_would_spoil_a_file_is_told_by_its_line() {
        use ImportFault::{
            BadEncoding, BadJson, NoColumns, OpenQuote, RepeatedColumn, TooManyColumns,
        };
        let many = format!("name{}\n", ";x".repeat(1_000));
        for (bytes, fault, line) in [
            (&b"a;b\n1;2\n"[..], NoColumns, None),
            (b"", NoColumns, None),
            (b"\xff\xfeI\0d\0", NoColumns, None),
            (b"kind;name\nschool;\"A b\nschool;C\n", OpenQuote, Some(2)),
            (
                b"kind;name\n\nschool;\"A b\nschool;\"C\"\n",
                OpenQuote,
                Some(3),
            ),
            (
                b"kind;name\nschool;\xc3\x89t\xc3\xa9\nschool;\xff\n",
                BadEncoding,
                Some(3),
            ),
            (
                b"\xef\xbb\xbfkind;name\nschool;\xc9t\xc3\xa9\n",
                BadEncoding,
                Some(2),
            ),
            (b"name;kind;nom\nA;school;B\n", RepeatedColumn, None),
            (many.as_bytes(), TooManyColumns, None),
        ] {
            let wrong = Unreadable { fault, line };
            assert_eq!(rows(bytes, ImportFileType::Csv), Err(wrong), "{bytes:?}");
        }
        let lines = b"{\"external_id\":\"1\"}\n{]\n";
        let wrong = Unreadable::at(2, BadJson);
        assert_eq!(rows(lines, ImportFileType::Ndjson), Err(wrong));
        let quoted = b"\xef\xbb\xbf\"Identifiant\";\"Nom\"\r\n1;\"Le \"\"12\"\" \" ;x\r\n";
        assert_eq!(
            rows(quoted, ImportFileType::Csv).unwrap(),
            [json!({"external_id": "1", "name": "Le \"12\"", "colonne 3": "x"})]
        );
    }
}
