//! Models of the articles of conventions: the program's own, and the versions that a commune makes of it.

pub mod articles;
pub mod dto;
pub mod model;
pub mod routes;
