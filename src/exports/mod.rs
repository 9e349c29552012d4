//! Open data: what everybody may read, as files. Tables with their dictionary, national schemas, feeds and a catalogue.

pub mod catalogue;
pub mod changes;
pub mod columns;
pub mod dto;
pub mod feeds;
pub mod format;
pub mod linked;
pub mod routes;
pub mod scdl;
mod stream;
