//! What programs of readers follow: the calendar of meetings, and a feed of initiatives.

mod atom;
mod calendar;
pub mod routes;
