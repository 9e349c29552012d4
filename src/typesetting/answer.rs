//! Paper as an answer.

use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use sha2::{Digest, Sha256};

use crate::http::reply::cache_control;

/// The bytes of a PDF, for the document.
pub struct Pdf;

impl utoipa::PartialSchema for Pdf {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .into()
    }
}

impl utoipa::ToSchema for Pdf {}

/// A document as an answer, or that the reader has it.
pub struct Paper {
    pub content_type: &'static str,
    pub policy: Option<&'static str>,
    pub etag: String,
    pub is_public: bool,
    /// Nothing where the reader has it.
    pub body: Option<Vec<u8>>,
}

impl Responder for Paper {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut answer = match self.body {
            Some(_) => HttpResponse::Ok(),
            None => HttpResponse::NotModified(),
        };
        answer
            .insert_header((header::ETAG, self.etag))
            .insert_header((
                header::CACHE_CONTROL,
                cache_control(self.is_public.then_some(30)),
            ))
            .insert_header((header::VARY, "Authorization"));
        if let Some(policy) = self.policy {
            answer.insert_header((header::CONTENT_SECURITY_POLICY, policy));
        }
        match self.body {
            Some(body) => answer.content_type(self.content_type).body(body),
            None => answer.finish(),
        }
    }
}

/// The tag of what paper is made of.
pub fn tag(of: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in of {
        hash.update(part);
    }
    let hash: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hash}\"")
}
