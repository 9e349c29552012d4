//! What partners and town halls bring along: items in one request, or files as jobs. Each item stands alone, is told apart
//! by the name that the partner's system gives it, and comes as often as they like.

pub mod dto;
mod fields;
mod files;
mod items;
pub mod mappings;
mod merge;
pub mod model;
mod prepare;
pub mod routes;
mod spreadsheets;
mod upload;
pub mod worker;
mod write;
