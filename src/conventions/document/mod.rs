//! The document that both sides sign on paper and keep. One sheet is made of the content that is signed, and of nothing
//! else that could change; renderers make a page or a PDF of the sheet.

mod french;
pub mod html;
mod layout;
pub mod pdf;
pub mod routes;
pub mod sample;
pub mod sheet;
mod values;
