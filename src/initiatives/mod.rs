//! Initiatives: ideas, and what became of them.

pub mod actions;
pub mod dto;
pub mod engagement;
pub mod lifecycle;
pub mod list;
pub mod model;
pub mod notes;
pub mod routes;
pub mod view;
