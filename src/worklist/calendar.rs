//! The worklist as iCalendar.

use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use chrono::{DateTime, NaiveDate, Utc};
use icalendar::{Component, Event, EventLike};

use super::model::Work;
use crate::audit::Subject;

/// Most events of a calendar.
pub const EVENTS_MAX: i64 = 1000;

/// A calendar as an answer.
pub struct Calendar(String);

impl Calendar {
    /// Work that has a day, and the meetings of the council. An event keeps its `UID`, so that calendars that read again
    /// change it and do not double it.
    pub fn new(
        issuer: &str,
        commune: &str,
        now: DateTime<Utc>,
        work: &[Work],
        council: &[NaiveDate],
    ) -> Self {
        let mut calendar = icalendar::Calendar::new();
        calendar.name("Fifty-Fifty");
        for item in work {
            let Some(day) = item.due_on else { continue };
            let label = super::dto::WorkKind::LIST
                .labels(item.kind.code())
                .map_or("", |(french, _)| french);
            let event = Event::new()
                .uid(&format!(
                    "{}-{}-{}@{commune}.fifty-fifty",
                    item.kind, item.subject_id, item.waits_for
                ))
                .timestamp(now)
                .starts(day)
                .summary(&format!(
                    "{label} : {}",
                    item.commitment.as_deref().unwrap_or(&item.title)
                ))
                .url(&format!("{issuer}/v1/{}", address(item)))
                .done();
            calendar.push(event);
        }
        for day in council {
            let event = Event::new()
                .uid(&format!("council-{day}@{commune}.fifty-fifty"))
                .timestamp(now)
                .starts(*day)
                .summary("Conseil municipal")
                .done();
            calendar.push(event);
        }
        Self(calendar.done().to_string())
    }
}

/// Where the API shows what a piece of work is about.
fn address(work: &Work) -> String {
    match (work.subject, work.initiative_id) {
        (Subject::Recusal, Some(initiative)) => format!("initiatives/{initiative}/recusals"),
        (subject, _) => format!("{subject}s/{}", work.subject_id),
    }
}

impl Responder for Calendar {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::VARY, "Authorization"))
            .content_type("text/calendar; charset=utf-8")
            .body(self.0)
    }
}
