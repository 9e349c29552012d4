//! Public meetings as iCalendar (RFC 5545).

use icalendar::{Component, Event, EventLike};

use crate::meetings::model::NamedMeeting;

/// Most meetings of a calendar.
pub const MEETINGS_MAX: i64 = 1000;

/// A calendar. An event keeps its `UID`, so that calendars that read again change it and do not double it.
pub fn calendar(address: &str, commune: &str, meetings: &[NamedMeeting]) -> String {
    let mut calendar = icalendar::Calendar::new();
    calendar.name(&format!("Réunions publiques – {commune}"));
    for meeting in meetings {
        let row = &meeting.row;
        let mut event = Event::new();
        event
            .uid(&format!("meeting-{}@fifty-fifty", row.id))
            .timestamp(row.created_at)
            .sequence(u32::try_from(row.version).unwrap_or_default())
            .starts(row.held_on)
            .summary(&row.title)
            .url(&format!("{address}/v1/meetings/{}", row.id));
        if let Some(place) = &row.place {
            event.location(place);
        }
        if let Some(initiative) = &meeting.initiative {
            event.description(initiative);
        }
        calendar.push(event.done());
    }
    calendar.done().to_string()
}
