//! What a file is, found from its bytes, and photos without what their metadata tell: where they were taken, when, with
//! whose camera. Files stream through; of a photo no more than one block of metadata is in memory.

use crc32fast::Hasher;

use super::dto::MediaType;

/// How many bytes at the beginning of a file tell its type: offices hide theirs behind the third entry of an archive.
pub const HEAD_BYTES: usize = 32 << 10;

/// Metadata beyond this are dropped unread.
const METADATA_MAX: usize = 64 << 10;

/// The file is none that is taken, or it is damaged.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable;

/// What a PDF ends with, and within how many of its last bytes (ISO 32000-1, annex H.3.18).
const PDF_END: &[u8] = b"%%EOF";
const PDF_END_WITHIN: usize = 1024;

/// What a file goes through on its way in.
pub struct Sieve {
    pub media_type: MediaType,
    /// Bytes that wait for those after them.
    held: Vec<u8>,
    step: Step,
    /// Of a WebP: bytes that it still announces.
    announced: u64,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// As it comes.
    Whole,
    Text,
    Signature,
    /// The head of a part of a photo.
    Part,
    /// So many bytes of a part that stays.
    Copy(u64),
    /// So many bytes of a part that goes.
    Drop(u64),
    /// So many bytes of a part whose length has to stay.
    Blank(u64),
    /// The same as `Copy`, of the last part.
    CopyLast(u64),
    /// What a JPEG has between two markers.
    Scan,
    /// What comes now belongs to nothing.
    End,
}

impl Sieve {
    /// The sieve for a file that begins like this. What is no known type is a text, or nothing that is taken; two texts
    /// only differ by the name.
    pub fn new(head: &[u8], name: &str) -> Self {
        let media_type = recognised(head).unwrap_or(if name.to_lowercase().ends_with(".csv") {
            MediaType::Csv
        } else {
            MediaType::Text
        });
        Self {
            media_type,
            held: Vec::new(),
            step: match media_type {
                MediaType::Jpeg | MediaType::Png | MediaType::Webp => Step::Signature,
                MediaType::Text | MediaType::Csv => Step::Text,
                _ => Step::Whole,
            },
            announced: 0,
        }
    }

    /// Lets bytes through, to the end of `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
        if self.step == Step::Whole {
            out.extend_from_slice(bytes);
            // The end is kept: a PDF says there that it is whole.
            self.held.extend_from_slice(bytes);
            let before = self.held.len().saturating_sub(PDF_END_WITHIN);
            self.held.drain(..before);
            return Ok(());
        }
        self.held.extend_from_slice(bytes);
        while self.advance(out)? {}
        Ok(())
    }

    /// After the last byte: whether the file was whole.
    pub fn finish(self) -> Result<MediaType, Unreadable> {
        match self.step {
            Step::Whole if self.media_type == MediaType::Pdf => {
                let whole = self.held.windows(PDF_END.len()).any(|end| end == PDF_END);
                whole.then_some(self.media_type).ok_or(Unreadable)
            }
            Step::Whole | Step::End => Ok(self.media_type),
            Step::Text if self.held.is_empty() => Ok(self.media_type),
            _ => Err(Unreadable),
        }
    }

    /// Takes one step; says no when it needs more bytes.
    fn advance(&mut self, out: &mut Vec<u8>) -> Result<bool, Unreadable> {
        match self.step {
            Step::Whole => Ok(false),
            Step::Text => self.text(out),
            Step::End => {
                self.held.clear();
                Ok(false)
            }
            Step::Copy(left) => {
                Ok(self.pass(left, Step::Copy, |bytes| out.extend_from_slice(bytes)))
            }
            Step::CopyLast(left) => {
                let passed = self.pass(left, Step::CopyLast, |bytes| out.extend_from_slice(bytes));
                if self.step == Step::Part {
                    self.step = Step::End;
                }
                Ok(passed)
            }
            Step::Drop(left) => Ok(self.pass(left, Step::Drop, |_| {})),
            Step::Blank(left) => Ok(self.pass(left, Step::Blank, |bytes| {
                out.resize(out.len() + bytes.len(), 0);
            })),
            Step::Scan => Ok(self.scan(out)),
            Step::Signature => self.signature(out),
            Step::Part => match self.media_type {
                MediaType::Jpeg => self.jpeg_part(out),
                MediaType::Png => self.png_part(out),
                _ => self.webp_part(out),
            },
        }
    }

    /// The first `count` bytes, if they are there.
    fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        (self.held.len() >= count).then(|| self.held.drain(..count).collect())
    }

    /// Up to `left` bytes of a part; then the next part.
    fn pass(&mut self, left: u64, more: fn(u64) -> Step, then: impl FnOnce(&[u8])) -> bool {
        let here = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(self.held.len());
        then(self.held.get(..here).unwrap_or_default());
        self.held.drain(..here);
        let left = left - bytes_of(here);
        self.step = if left == 0 { Step::Part } else { more(left) };
        left == 0
    }

    /// UTF-8 without control characters.
    fn text(&mut self, out: &mut Vec<u8>) -> Result<bool, Unreadable> {
        let whole = match std::str::from_utf8(&self.held) {
            Ok(text) => text.len(),
            // A character may be cut between two pieces.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Err(Unreadable),
        };
        let bytes: Vec<u8> = self.held.drain(..whole).collect();
        let is_control = |byte: &u8| byte.is_ascii_control() && !b"\t\n\x0c\r".contains(byte);
        if bytes.iter().any(is_control) {
            return Err(Unreadable);
        }
        out.extend(bytes);
        Ok(false)
    }

    fn signature(&mut self, out: &mut Vec<u8>) -> Result<bool, Unreadable> {
        let length = match self.media_type {
            MediaType::Jpeg => 2,
            MediaType::Png => 8,
            _ => 12,
        };
        let Some(signature) = self.take(length) else {
            return Ok(false);
        };
        if self.media_type == MediaType::Webp {
            let announced = little(signature.get(4..8).unwrap_or_default());
            self.announced = announced.checked_sub(4).ok_or(Unreadable)?;
        }
        out.extend(signature);
        self.step = Step::Part;
        Ok(true)
    }

    /// A segment between two markers. Those that make the picture stay, with its colours; all others go.
    fn jpeg_part(&mut self, out: &mut Vec<u8>) -> Result<bool, Unreadable> {
        let (first, marker) = match self.held.as_slice() {
            [first, marker, ..] => (*first, *marker),
            _ => return Ok(false),
        };
        match (first, marker) {
            (0xff, 0xff) => {
                self.held.drain(..1);
                return Ok(true);
            }
            (0xff, 0x01 | 0xd0..=0xd7) => {
                out.extend(self.held.drain(..2));
                return Ok(true);
            }
            (0xff, 0xd9) => {
                out.extend(self.held.drain(..2));
                self.step = Step::End;
                return Ok(true);
            }
            (0xff, 0xc0..=0xcf | 0xda..=0xfe) => {}
            _ => return Err(Unreadable),
        }
        let Some(length) = self.held.get(2..4).map(big) else {
            return Ok(false);
        };
        if length < 2 {
            return Err(Unreadable);
        }
        let Some(segment) = self.take(size_of(length + 2)) else {
            return Ok(false);
        };
        let content = segment.get(4..).unwrap_or_default();
        match marker {
            0xc0..=0xcf | 0xda..=0xdf => out.extend_from_slice(&segment),
            // Without its small picture.
            0xe0 if content.starts_with(b"JFIF\0") && content.len() >= 14 => {
                out.extend([0xff, 0xe0, 0, 16]);
                out.extend(content.iter().take(12));
                out.extend([0, 0]);
            }
            0xe1 => {
                if let Some(turned) = content.strip_prefix(b"Exif\0\0").and_then(orientation) {
                    out.extend([0xff, 0xe1, 0, 34]);
                    out.extend(b"Exif\0\0");
                    out.extend(upright(turned));
                }
            }
            0xe2 if content.starts_with(b"ICC_PROFILE\0") => out.extend_from_slice(&segment),
            0xee if content.starts_with(b"Adobe") => out.extend_from_slice(&segment),
            _ => {}
        }
        if marker == 0xda {
            self.step = Step::Scan;
        }
        Ok(true)
    }

    /// Up to the next marker that is none of the scan's own.
    fn scan(&mut self, out: &mut Vec<u8>) -> bool {
        let marker = self
            .held
            .windows(2)
            .position(|pair| matches!(pair, [0xff, after] if !matches!(after, 0x00 | 0xd0..=0xd7)));
        let end = marker.unwrap_or(match self.held.last() {
            Some(0xff) => self.held.len() - 1,
            _ => self.held.len(),
        });
        out.extend(self.held.drain(..end));
        if marker.is_some() {
            self.step = Step::Part;
        }
        marker.is_some()
    }

    /// A chunk. Those that make the picture stay, with its colours; all others go, whoever invented them.
    fn png_part(&mut self, out: &mut Vec<u8>) -> Result<bool, Unreadable> {
        let (Some(length), Some(name)) = (self.held.get(..4).map(big), self.held.get(4..8)) else {
            return Ok(false);
        };
        // With the checksum.
        let rest = length + 4;
        match name {
            b"IHDR" | b"PLTE" | b"IDAT" | b"tRNS" | b"cHRM" | b"gAMA" | b"iCCP" | b"sBIT"
            | b"sRGB" | b"cICP" | b"mDCV" | b"cLLI" | b"bKGD" | b"hIST" | b"pHYs" | b"sPLT"
            | b"acTL" | b"fcTL" | b"fdAT" => {
                out.extend(self.held.drain(..8));
                self.step = Step::Copy(rest);
            }
            b"IEND" => {
                out.extend(self.held.drain(..8));
                self.step = Step::CopyLast(rest);
            }
            b"eXIf" if size_of(length) <= METADATA_MAX => {
                let Some(chunk) = self.take(8 + size_of(rest)) else {
                    return Ok(false);
                };
                let exif = chunk.get(8..8 + size_of(length)).unwrap_or_default();
                if let Some(turned) = orientation(exif) {
                    let exif = upright(turned);
                    let mut checksum = Hasher::new();
                    checksum.update(b"eXIf");
                    checksum.update(&exif);
                    out.extend([0, 0, 0, 26]);
                    out.extend(b"eXIf");
                    out.extend(exif);
                    out.extend(checksum.finalize().to_be_bytes());
                }
            }
            _ => {
                self.held.drain(..8);
                self.step = Step::Drop(rest);
            }
        }
        Ok(true)
    }

    /// A chunk. The length of the whole comes first, so those that go leave as many zeros.
    fn webp_part(&mut self, out: &mut Vec<u8>) -> Result<bool, Unreadable> {
        if self.announced == 0 {
            self.step = Step::End;
            return Ok(true);
        }
        let (Some(name), Some(length)) = (self.held.get(..4), self.held.get(4..8).map(little))
        else {
            return Ok(false);
        };
        let rest = length + length % 2;
        let left = self.announced.checked_sub(8 + rest).ok_or(Unreadable)?;
        match name {
            b"VP8 " | b"VP8L" | b"ALPH" | b"ANIM" | b"ANMF" | b"ICCP" => {
                out.extend(self.held.drain(..8));
                self.step = Step::Copy(rest);
            }
            b"VP8X" | b"EXIF" if size_of(length) <= METADATA_MAX => {
                let is_exif = name == b"EXIF";
                let Some(mut chunk) = self.take(8 + size_of(rest)) else {
                    return Ok(false);
                };
                let content = chunk.get_mut(8..).unwrap_or_default();
                if is_exif {
                    let exif = content.strip_prefix(b"Exif\0\0").unwrap_or(content);
                    let exif = upright(orientation(exif).unwrap_or(1));
                    content.fill(0);
                    for (to, from) in content.iter_mut().zip(exif) {
                        *to = from;
                    }
                } else if let Some(flags) = content.first_mut() {
                    // That there are XMP metadata.
                    *flags &= !0b100;
                }
                out.extend(chunk);
            }
            _ => {
                out.extend(b"JUNK");
                out.extend(self.held.drain(..8).skip(4));
                self.step = Step::Blank(rest);
            }
        }
        self.announced = left;
        Ok(true)
    }
}

/// The type that the first bytes tell.
fn recognised(head: &[u8]) -> Option<MediaType> {
    match head {
        [b'%', b'P', b'D', b'F', b'-', ..] => Some(MediaType::Pdf),
        [0xff, 0xd8, 0xff, ..] => Some(MediaType::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(MediaType::Png),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(MediaType::Webp),
        [b'P', b'K', 3, 4, ..] => in_archive(head),
        _ => None,
    }
}

/// Offices write archives. OpenDocument names the type in the first entry; Microsoft's are known by a folder, in any order.
fn in_archive(head: &[u8]) -> Option<MediaType> {
    if entry_name(head)? == b"mimetype" {
        let length = size_of(little(head.get(18..22)?));
        let named = head.get(38..)?.get(..length)?;
        let named: MediaType = std::str::from_utf8(named).ok()?.parse().ok()?;
        return matches!(named, MediaType::Odt | MediaType::Ods).then_some(named);
    }
    head.windows(4)
        .enumerate()
        .filter(|(_, bytes)| *bytes == b"PK\x03\x04")
        .filter_map(|(at, _)| entry_name(head.get(at..)?))
        .find_map(|name| match name {
            [b'w', b'o', b'r', b'd', b'/', ..] => Some(MediaType::Docx),
            [b'x', b'l', b'/', ..] => Some(MediaType::Xlsx),
            _ => None,
        })
}

/// The name of an archive's entry that begins here.
fn entry_name(entry: &[u8]) -> Option<&[u8]> {
    let length = size_of(little(entry.get(26..28)?));
    entry.get(30..)?.get(..length)
}

fn bytes_of(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A length that a file tells: never above 32 bits.
fn size_of(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

fn big(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn little(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// How a photo is turned, by its EXIF metadata (tag 0x0112); nothing for one that is upright.
fn orientation(exif: &[u8]) -> Option<u8> {
    let number = match exif.get(..4)? {
        b"II*\0" => little,
        b"MM\0*" => big,
        _ => return None,
    };
    let directory = exif.get(size_of(number(exif.get(4..8)?))..)?;
    let count = size_of(number(directory.get(..2)?));
    let entry = directory
        .get(2..)?
        .chunks_exact(12)
        .take(count)
        .find(|entry| entry.get(..2).map(number) == Some(0x0112))?;
    let turned = u8::try_from(number(entry.get(8..10)?)).ok()?;
    (2..=8).contains(&turned).then_some(turned)
}

/// EXIF metadata that say how a photo is turned and nothing else. Without them it would lie on its side.
const fn upright(turned: u8) -> [u8; 26] {
    [
        b'I', b'I', b'*', 0, 8, 0, 0, 0, // little-endian; the directory follows
        1, 0, // one entry:
        0x12, 0x01, 3, 0, 1, 0, 0, 0, turned, 0, 0, 0, // orientation, one short
        0, 0, 0, 0, // no other directory
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out when the file comes in pieces of this size.
    fn sieved(file: &[u8], piece: usize) -> Result<(MediaType, Vec<u8>), Unreadable> {
        let mut sieve = Sieve::new(file, "x");
        let mut out = Vec::new();
        for bytes in file.chunks(piece) {
            sieve.push(bytes, &mut out)?;
        }
        Ok((sieve.finish()?, out))
    }

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker][..], &length, content].concat()
    }

    /// EXIF metadata with an orientation, and a secret behind them.
    fn exif(turned: u8) -> Vec<u8> {
        let mut exif = b"MM\0*\0\0\0\x08\0\x02".to_vec();
        exif.extend(b"\x01\x0f\0\x02\0\0\0\x06SECR");
        exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, turned, 0, 0]);
        exif.extend(b"\0\0\0\0SECRET");
        exif
    }

    #[test]
    fn a_jpeg_keeps_its_picture_and_how_it_is_turned() {
        let tables = [segment(0xdb, &[7; 65]), segment(0xc0, &[8; 15])].concat();
        // Stuffed, restarted, filled, and a second scan.
        let scans = [
            segment(0xda, &[9; 10]),
            vec![1, 0xff, 0x00, 2, 0xff, 0xd3, 3],
            segment(0xc4, &[5; 20]),
            segment(0xda, &[9; 10]),
            vec![4, 0xff, 0x00],
        ]
        .concat();
        let profile = segment(0xe2, b"ICC_PROFILE\0\x01\x01colours");
        let dirty = [
            &[0xff, 0xd8][..],
            &segment(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01SECRET"),
            &segment(0xe1, &[b"Exif\0\0", &exif(6)[..]].concat()),
            &segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0SECRET"),
            &profile,
            &segment(0xe2, b"MPF\0SECRET"),
            &segment(0xed, b"Photoshop 3.0\0SECRET"),
            &segment(0xfe, b"SECRET"),
            &tables,
            &scans,
            &[0xff, 0xff, 0xd9],
            b"a film, or SECRET",
        ]
        .concat();
        let clean = [
            &[0xff, 0xd8][..],
            &segment(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"),
            &segment(0xe1, &[b"Exif\0\0", &upright(6)[..]].concat()),
            &profile,
            &tables,
            &scans,
            &[0xff, 0xd9],
        ]
        .concat();
        for piece in [1, 2, 3, 7, 64, 100_000] {
            assert_eq!(sieved(&dirty, piece), Ok((MediaType::Jpeg, clean.clone())));
        }
        // What is clean stays as it is; what is cut is refused.
        assert_eq!(sieved(&clean, 5), Ok((MediaType::Jpeg, clean.clone())));
        for end in 3..clean.len() {
            assert_eq!(sieved(&clean[..end], 50), Err(Unreadable), "{end}");
        }
    }

    fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let mut checksum = Hasher::new();
        checksum.update(name);
        checksum.update(content);
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [
            &length[..],
            name,
            content,
            &checksum.finalize().to_be_bytes(),
        ]
        .concat()
    }

    #[test]
    fn a_png_keeps_its_picture_and_how_it_is_turned() {
        let begin = [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &[1; 13])].concat();
        let end = [chunk(b"IDAT", &[2; 500]), chunk(b"IEND", &[])].concat();
        let dirty = [
            &begin[..],
            &chunk(b"tEXt", b"Author\0SECRET"),
            &chunk(b"eXIf", &exif(3)),
            &chunk(b"prIv", b"SECRET"),
            &end,
            b"SECRET",
        ]
        .concat();
        let clean = [&begin[..], &chunk(b"eXIf", &upright(3)), &end].concat();
        for piece in [1, 9, 100_000] {
            assert_eq!(sieved(&dirty, piece), Ok((MediaType::Png, clean.clone())));
        }
        assert_eq!(sieved(&clean[..clean.len() - 1], 50), Err(Unreadable));
        let upright = [&begin[..], &chunk(b"eXIf", &exif(1)), &end].concat();
        assert_eq!(
            sieved(&upright, 50),
            Ok((MediaType::Png, [begin, end].concat()))
        );
    }

    fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut content = b"WEBP".to_vec();
        for (name, bytes) in chunks {
            content.extend(*name);
            content.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
            content.extend(*bytes);
            content.resize(content.len().next_multiple_of(2), 0);
        }
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        [b"RIFF", &length[..], &content].concat()
    }

    #[test]
    fn a_webp_keeps_its_picture_and_how_it_is_turned() {
        let (picture, metadata) = ([3; 33], exif(8));
        let mut dirty = riff(&[
            (b"VP8X", &[0b1100, 0, 0, 0, 9, 0, 0, 9, 0, 0]),
            (b"VP8 ", &picture),
            (b"EXIF", &metadata),
            (b"XMP ", b"SECRET"),
        ]);
        let mut turned = upright(8).to_vec();
        turned.resize(metadata.len(), 0);
        let clean = riff(&[
            (b"VP8X", &[0b1000, 0, 0, 0, 9, 0, 0, 9, 0, 0]),
            (b"VP8 ", &picture),
            (b"EXIF", &turned),
            (b"JUNK", &[0; 6]),
        ]);
        dirty.extend(b"SECRET");
        for piece in [1, 9, 100_000] {
            assert_eq!(sieved(&dirty, piece), Ok((MediaType::Webp, clean.clone())));
        }
        assert_eq!(sieved(&clean[..clean.len() - 1], 50), Err(Unreadable));
    }

    #[test]
    fn a_text_is_text_to_its_end() {
        let text = "Réunion du 3 mars :\r\n\thuit jardinières 🌱".as_bytes();
        for piece in [1, 2, 3, 1000] {
            assert_eq!(sieved(text, piece), Ok((MediaType::Text, text.to_vec())));
        }
        for wrong in [
            &b"GIF89a\x01\0\x01\0"[..],
            b"caf\xe9",
            b"\x7fELF\x02",
            b"cut \xc3",
            b"PK\x05\x06\0",
        ] {
            assert_eq!(sieved(wrong, 4), Err(Unreadable), "{wrong:?}");
        }
    }

    #[test]
    fn no_bytes_make_it_stumble() {
        // Lengths that lie, in every format.
        let lies: [&[u8]; 6] = [
            b"\xff\xd8\xff\xe1\0\x01",
            b"\xff\xd8\xff\xe1\xff\xffExif\0\0MM\0*\xff\xff\xff\xff",
            b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffeXIf",
            b"RIFF\0\0\0\0WEBPVP8 ",
            b"RIFF\xff\xff\xff\xffWEBPEXIF\xff\xff\xff\xff",
            b"PK\x03\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0[Content_Types].xml",
        ];
        for lie in lies {
            assert_eq!(sieved(lie, 1), Err(Unreadable), "{lie:?}");
        }
        for tiff in [
            &b"II*\0\xff\xff\xff\xff"[..],
            b"MM\0*\0\0\0\x08\xff\xff\x01\x12",
            b"II",
            b"",
        ] {
            assert_eq!(orientation(tiff), None);
        }
    }
}
