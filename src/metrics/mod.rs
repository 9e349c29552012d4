//! Metrics: what the scheme brings, in figures. Each indicator is one entry of a table that holds its definition and
//! the SQL of its cases, so that a number and its meaning cannot drift apart.

pub mod cells;
pub mod chart;
pub mod comparison;
pub mod compute;
pub mod dto;
pub mod indicators;
pub mod model;
pub mod periods;
pub mod records;
pub mod revisions;
pub mod routes;
pub mod territories;
pub mod worker;
