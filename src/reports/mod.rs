//! The published year: what happened in a commune, on paper, for those who would rather read than query.

pub mod routes;
mod sheet;
