//! Files about initiatives, their conventions, fulfilments and evaluations, and about meetings: scans, photos, minutes, proofs, plans.

pub mod dto;
pub mod media;
pub mod model;
pub mod routes;
pub mod storage;
mod transfer;
