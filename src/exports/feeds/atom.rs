//! Published initiatives as an Atom feed (RFC 4287) with their places (GeoRSS Simple), the last to be published first.

use std::io;

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::db::schema::{communes, holders, initiatives};
use crate::exports::dto::LICENCE;
use crate::holders::dto::HolderKind;
use crate::http::error::ApiError;
use crate::ids::InitiativeId;
use crate::initiatives::dto::Theme;
use crate::initiatives::lifecycle::InitiativeState;

/// Entries of a feed.
const ENTRIES: i64 = 50;

/// An initiative in a feed.
#[derive(Queryable)]
pub struct Entry {
    id: InitiativeId,
    title: String,
    description: Option<String>,
    theme: Option<Theme>,
    state: InitiativeState,
    state_changed_at: DateTime<Utc>,
    published_at: Option<DateTime<Utc>>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    commune: String,
    holder: Option<(HolderKind, String)>,
}

impl Entry {
    fn updated_at(&self) -> DateTime<Utc> {
        self.published_at
            .map_or(self.state_changed_at, |at| at.max(self.state_changed_at))
    }
}

/// The last to be published, of a commune or of all.
pub async fn last(
    conn: &mut AsyncPgConnection,
    commune: Option<&str>,
) -> Result<Vec<Entry>, ApiError> {
    let mut query = initiatives::table
        .inner_join(communes::table)
        .left_join(
            holders::table.on(holders::id
                .nullable()
                .eq(initiatives::holder_id)
                .and(holders::commune_code.eq(initiatives::commune_code))),
        )
        .filter(initiatives::published_at.is_not_null())
        .order((initiatives::published_at.desc(), initiatives::id.desc()))
        .limit(ENTRIES)
        .select((
            initiatives::id,
            initiatives::title,
            initiatives::description,
            initiatives::theme,
            initiatives::state,
            initiatives::state_changed_at,
            initiatives::published_at,
            initiatives::latitude,
            initiatives::longitude,
            communes::name,
            (holders::kind, holders::name).nullable(),
        ))
        .into_boxed();
    if let Some(commune) = commune {
        query = query.filter(initiatives::commune_code.eq(commune.to_owned()));
    }
    Ok(query.load(conn).await?)
}

/// The name of a commune; nothing for a code that no commune has, whose feed is empty.
pub async fn commune(conn: &mut AsyncPgConnection, code: &str) -> Result<Option<String>, ApiError> {
    let name = communes::table
        .find(code)
        .select(communes::name)
        .first(conn)
        .await
        .optional()?;
    Ok(name)
}

/// The feed. `address` is that of the API, `own` where the feed is.
pub fn feed(
    address: &str,
    own: &str,
    commune: Option<&str>,
    changed_at: DateTime<Utc>,
    entries: &[Entry],
) -> io::Result<Vec<u8>> {
    let mut xml = Writer::new(Vec::new());
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    let title = commune.map_or_else(
        || "Initiatives citoyennes".to_owned(),
        |commune| format!("Initiatives citoyennes, {commune}"),
    );
    let updated_at = entries
        .iter()
        .map(Entry::updated_at)
        .max()
        .unwrap_or(changed_at);
    xml.create_element("feed")
        .with_attributes([
            ("xmlns", "http://www.w3.org/2005/Atom"),
            ("xmlns:georss", "http://www.georss.org/georss"),
            ("xml:lang", "fr"),
        ])
        .write_inner_content(|xml| {
            element(xml, "id", &format!("{address}{own}"))?;
            element(xml, "title", &title)?;
            element(xml, "updated", &instant(updated_at))?;
            link(
                xml,
                "self",
                &format!("{address}{own}"),
                "application/atom+xml",
            )?;
            element(xml, "rights", &format!("Licence Ouverte 2.0, {LICENCE}"))?;
            for entry in entries {
                xml.create_element("entry")
                    .write_inner_content(|xml| write(xml, address, entry))?;
            }
            Ok(())
        })?;
    Ok(xml.into_inner())
}

fn write(xml: &mut Writer<Vec<u8>>, address: &str, entry: &Entry) -> io::Result<()> {
    let page = format!("{address}/v1/initiatives/{}", entry.id);
    element(xml, "id", &format!("urn:uuid:{}", entry.id))?;
    element(xml, "title", &entry.title)?;
    element(xml, "updated", &instant(entry.updated_at()))?;
    if let Some(at) = entry.published_at {
        element(xml, "published", &instant(at))?;
    }
    // A person's name stays where it can be taken back.
    let author = match &entry.holder {
        Some((kind, name)) if *kind != HolderKind::Person => name,
        _ => &entry.commune,
    };
    xml.create_element("author")
        .write_inner_content(|xml| element(xml, "name", author))?;
    link(xml, "alternate", &page, "application/json")?;
    let labels = [
        entry.theme.and_then(|theme| {
            Theme::LIST
                .labels(theme.code())
                .map(|(fr, _)| (theme.code(), fr))
        }),
        InitiativeState::LIST
            .labels(entry.state.code())
            .map(|(fr, _)| (entry.state.code(), fr)),
    ];
    for (term, label) in labels.into_iter().flatten() {
        xml.create_element("category")
            .with_attributes([("term", term), ("label", label)])
            .write_empty()?;
    }
    if let Some(description) = &entry.description {
        element(xml, "summary", description)?;
    }
    if let Some((latitude, longitude)) = entry.latitude.zip(entry.longitude) {
        element(xml, "georss:point", &format!("{latitude} {longitude}"))?;
    }
    Ok(())
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn link(xml: &mut Writer<Vec<u8>>, rel: &str, href: &str, media_type: &str) -> io::Result<()> {
    xml.create_element("link")
        .with_attributes([("rel", rel), ("type", media_type), ("href", href)])
        .write_empty()?;
    Ok(())
}

fn element(xml: &mut Writer<Vec<u8>>, name: &str, text: &str) -> io::Result<()> {
    // XML has no way to say most control characters.
    let text: String = text
        .chars()
        .filter(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..))
        .collect();
    xml.create_element(name)
        .write_text_content(BytesText::new(&text))?;
    Ok(())
}
