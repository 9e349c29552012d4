//! The one clock. Nothing else reads the time: tests and the demonstration travel by moving it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Europe::Paris;

/// Time as the domain sees it: instants in UTC, days in Europe/Paris.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Microseconds since 1970 at which a travelling clock stands; `None` follows the machine's clock.
    travelling: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// A clock that stands at `now` until it is set again.
    pub fn travelling(now: DateTime<Utc>) -> Self {
        Self {
            travelling: Some(Arc::new(AtomicI64::new(now.timestamp_micros()))),
        }
    }

    /// Moves a travelling clock; the machine's clock cannot be moved and stays as it is.
    pub fn set(&self, now: DateTime<Utc>) {
        if let Some(micros) = &self.travelling {
            micros.store(now.timestamp_micros(), Ordering::SeqCst);
        }
    }

    /// The present instant, to the microsecond: what PostgreSQL keeps.
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match &self.travelling {
            Some(micros) => micros.load(Ordering::SeqCst),
            None => Utc::now().timestamp_micros(),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::UNIX_EPOCH)
    }
}

/// The day in Europe/Paris.
pub fn paris_day(instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&Paris).date_naive()
}

/// The instant at which a day begins in Europe/Paris.
pub fn start_of(day: NaiveDate) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    // No hour is left out at midnight there.
    Paris
        .from_local_datetime(&midnight)
        .earliest()
        .map_or_else(|| midnight.and_utc(), |instant| instant.to_utc())
}

/// A day of the past that somebody remembers: a year of two digits is a slip of the pen.
pub fn is_past(day: NaiveDate, today: NaiveDate) -> bool {
    day.year() >= 1900 && day <= today
}

/// `day` moved by a number of days, at the ends of the calendar if it would leave it.
pub fn plus_days(day: NaiveDate, days: i64) -> NaiveDate {
    TimeDelta::try_days(days)
        .and_then(|delta| day.checked_add_signed(delta))
        .unwrap_or(NaiveDate::MAX)
}

/// Whole years between a birthday and a day.
pub fn age_on(birth_on: NaiveDate, day: NaiveDate) -> u32 {
    day.years_since(birth_on).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_paris() {
        let summer_night: DateTime<Utc> = "2026-07-01T22:30:00Z".parse().unwrap();
        assert_eq!(paris_day(summer_night).to_string(), "2026-07-02");
        let winter_night: DateTime<Utc> = "2026-01-01T22:30:00Z".parse().unwrap();
        assert_eq!(paris_day(winter_night).to_string(), "2026-01-01");
    }

    #[test]
    fn a_travelling_clock_stands_where_it_was_put() {
        let clock = Clock::travelling("2020-02-29T10:00:00Z".parse().unwrap());
        assert_eq!(clock.now(), clock.now());
        clock.set("2021-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(clock.now().to_rfc3339(), "2021-01-01T00:00:00+00:00");
    }
}
