//! The document that both sides sign on paper and keep. One sheet is made of the content that is signed, and of nothing
//! else that could change; renderers make a page or a PDF of the sheet.

mod form;
pub mod html;
pub mod routes;
pub mod sample;
pub mod sheet;
mod values;
