//! Conventions: who does what, signed by both sides.

pub mod actions;
pub mod amending;
pub mod changes;
pub mod content;
pub mod document;
pub mod drafting;
pub mod dto;
pub mod ending;
pub mod input;
pub mod lifecycle;
pub mod list;
pub mod model;
pub mod naming;
pub mod opening;
pub mod paper;
pub mod parties;
pub mod quick;
pub mod routes;
pub mod signing;
pub mod verification;
pub mod view;
