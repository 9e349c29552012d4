//! What a commune gives to each body in a year, in cash and in kind, and what the law makes of it above a threshold.

pub mod dto;
pub mod figures;
pub mod model;
pub mod routes;
