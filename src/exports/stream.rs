//! A list as a file, page by page: no transaction is open and no connection held while the reader takes what was sent, so
//! that a slow one costs nobody anything, and a long file takes no more memory than a short one.

use std::io;
use std::time::SystemTime;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HttpDate};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::stream;
use serde::Serialize;
use serde_json::Value;

use super::changes::{Stamp, stamp};
use super::columns::Table;
use super::dto::{LICENCE, MapFormat};
use crate::auth::caller::Request;
use crate::http::error::ApiError;
use crate::http::reply::{cache_control, tag};
use crate::state::{Session, State};

/// Items of a list that are read at once.
pub const PAGE: i64 = 500;

/// Seconds for which caches keep a file.
const KEPT: u32 = 60;

/// Some items of a list, and where it goes on if it does.
pub struct Rows<P> {
    items: Vec<Value>,
    next: Option<P>,
}

impl<P> Rows<P> {
    pub fn new<T: Serialize>(items: &[T], next: Option<P>) -> Result<Self, ApiError> {
        let items = items.iter().map(serde_json::to_value);
        Ok(Self {
            items: items
                .collect::<Result<_, _>>()
                .map_err(ApiError::internal)?,
            next,
        })
    }
}

/// What of a list is wanted, and how.
pub struct Wanted {
    pub table: &'static Table,
    pub format: MapFormat,
    /// Only this commune; else all.
    pub commune: Option<String>,
    /// What else it depends on.
    pub edition: String,
}

/// The beginning of the answer: its tag, its age, its licence and where its columns are described; whether the reader has
/// the same already. The tag is a weak one: what changes while a file is sent may be in it or not.
pub fn begin(
    request: &Request,
    stamp: &Stamp,
    edition: &str,
    described: &str,
) -> (bool, HttpResponseBuilder) {
    let follows_from = format!(
        "{}\n{}\n{}\n{edition}",
        request.address(),
        stamp.changed_at,
        env!("CARGO_PKG_VERSION")
    );
    let bare = tag(stamp.changes, &follows_from);
    let unchanged = request.has(&bare);
    let mut answer = HttpResponse::build(if unchanged {
        StatusCode::NOT_MODIFIED
    } else {
        StatusCode::OK
    });
    answer
        .insert_header((header::ETAG, format!("W/{bare}")))
        .insert_header((
            header::LAST_MODIFIED,
            HttpDate::from(SystemTime::from(stamp.changed_at)).to_string(),
        ))
        .insert_header((header::CACHE_CONTROL, cache_control(Some(KEPT))))
        .insert_header((
            header::LINK,
            format!("<{LICENCE}>; rel=\"license\", <{described}>; rel=\"describedby\""),
        ));
    (unchanged, answer)
}

/// Answers with the file. `pages` reads the items after a position, in an order that changes while nobody reads do not
/// disturb: what is added or removed meanwhile neither repeats nor hides the rest.
pub async fn file<P, F>(
    state: &State,
    request: &Request,
    wanted: Wanted,
    pages: F,
) -> Result<HttpResponse, ApiError>
where
    P: 'static,
    F: AsyncFn(&mut Session, Option<P>) -> Result<Rows<P>, ApiError> + 'static,
{
    let Wanted {
        table,
        format,
        commune,
        edition,
    } = wanted;
    let mut session = state.as_everybody().await?;
    // A filter may name any commune, a path only one that is there.
    if let Some(code) = commune.as_ref().filter(|_| table.is_of_a_commune()) {
        crate::communes::model::find(&mut session.conn, code).await?;
    }
    let stamp = stamp(&mut session.conn, table.sources, commune.as_deref()).await?;
    let described = format!("/v1/exports/{}", table.name);
    let (unchanged, mut answer) = begin(request, &stamp, &edition, &described);
    if unchanged {
        return Ok(answer.finish());
    }
    // The first page is read before anything is said, so that what goes wrong is answered as it should be.
    let first = pages(&mut session, None).await?;
    drop(session);
    answer.content_type(format.content_type());
    if request.is_head() {
        return Ok(answer.streaming(stream::empty::<io::Result<Bytes>>()));
    }
    let reading = Reading {
        state: state.clone(),
        table,
        format,
        pages,
        has_begun: false,
        is_first: true,
        step: Step::Write(first),
    };
    Ok(answer.streaming(stream::try_unfold(reading, Reading::step)))
}

/// A file that is being sent.
struct Reading<P, F> {
    state: State,
    table: &'static Table,
    format: MapFormat,
    pages: F,
    has_begun: bool,
    /// Whether no item was sent yet.
    is_first: bool,
    step: Step<P>,
}

enum Step<P> {
    Write(Rows<P>),
    Read(P),
    Done,
}

impl<P, F> Reading<P, F>
where
    F: AsyncFn(&mut Session, Option<P>) -> Result<Rows<P>, ApiError>,
{
    /// The bytes of the next page. A failure cuts the answer short, which the reader sees: its last chunk is missing.
    async fn step(self) -> io::Result<Option<(Bytes, Self)>> {
        self.next_page().await.map_err(|error| {
            tracing::warn!(%error, "an export was cut short");
            io::Error::other("cut short")
        })
    }

    async fn next_page(mut self) -> Result<Option<(Bytes, Self)>, ApiError> {
        let rows = match std::mem::replace(&mut self.step, Step::Done) {
            Step::Done => return Ok(None),
            Step::Write(rows) => rows,
            Step::Read(after) => {
                let mut session = self.state.as_everybody().await?;
                (self.pages)(&mut session, Some(after)).await?
            }
        };
        let mut bytes = if std::mem::replace(&mut self.has_begun, true) {
            Vec::new()
        } else {
            self.format.beginning(self.table)?
        };
        for item in &rows.items {
            bytes.extend(self.format.item(self.table, item, self.is_first)?);
            self.is_first = false;
        }
        match rows.next {
            Some(after) => self.step = Step::Read(after),
            None => bytes.extend_from_slice(self.format.end().as_bytes()),
        }
        Ok(Some((Bytes::from(bytes), self)))
    }
}
