//! Evaluations: what an initiative achieved, what it cost and what it saved. Agents write them, elected officials
//! validate them.

pub mod dto;
pub mod lifecycle;
pub mod model;
pub mod routes;
