//! Commitments: what each side promises, valued. The folders beneath hold what becomes of a promise.

pub mod balance;
pub mod checks;
pub mod dto;
pub mod fulfilments;
pub mod hand_overs;
pub mod lifecycle;
pub mod model;
pub mod routes;
pub mod upkeep;
pub mod view;
