//! What partners and town halls bring along: items in one request, or files as jobs. Each item stands alone, is told apart
//! by the name that the partner's system gives it, and comes as often as they like.

pub mod dto;
mod items;
mod merge;
mod prepare;
pub mod routes;
mod write;
