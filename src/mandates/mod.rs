//! Mandates: the dated roles of people in a commune.

pub mod dto;
pub mod model;
pub mod routes;
