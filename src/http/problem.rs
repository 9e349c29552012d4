//! RFC 9457 problems: the body of every answer that is not a success, and the pages that explain the codes.

use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::error::{ApiError, Code, FaultCode, Language};

/// One fault of the input, or one condition that is not met; all come at once, and never with the value that was sent.
#[derive(Serialize, ToSchema)]
pub struct ProblemFault {
    /// JSON pointer into the body as a URI fragment (`#/title`), or the name of the query parameter (`limit`).
    // As long as a body may be, with `~` and `/` in its names written as two characters.
    #[schema(max_length = 600000, example = "#/title")]
    pub pointer: String,
    /// Kind of fault, stable.
    pub code: FaultCode,
    /// The fault in words, in the language asked for.
    #[schema(max_length = 2000, example = "60 caractères au plus.")]
    pub detail: String,
}

/// A problem (RFC 9457): why a request was not carried out.
#[derive(Serialize, ToSchema)]
pub struct Problem {
    /// Address of a page that explains the code.
    #[serde(rename = "type")]
    #[schema(
        example = "/problems/invalid_body",
        format = "uri-reference",
        pattern = "^/problems/[a-z_]+$"
    )]
    pub kind: String,
    /// What the code means, in the language asked for.
    #[schema(max_length = 200)]
    pub title: String,
    /// The HTTP status once more.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    pub status: u16,
    /// What went wrong this time, in the language asked for.
    #[schema(max_length = 2000)]
    pub detail: String,
    /// Path of the request.
    #[schema(example = "/v1/initiatives", format = "uri-reference", pattern = "^/")]
    pub instance: String,
    /// Stable code for programs.
    pub code: Code,
    /// Number of the request, as in `X-Request-Id` and in the logs.
    #[schema(pattern = "^[A-Za-z0-9_-]{8,64}$")]
    pub request_id: String,
    /// The current state, when it stood in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "in_review", nullable = false)]
    pub state: Option<&'static str>,
    /// The hash of the current content, when another one was to be signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[0-9a-f]{64}$")]
    pub content_sha256: Option<String>,
    /// Every fault of the input, or every condition that is not met.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<ProblemFault>,
}

/// What a problem with this code looks like, for the document.
pub fn example(code: Code) -> Value {
    let title = code.title().en;
    let faults = match code {
        Code::InvalidBody => Some(("#/title", FaultCode::Required, "This field is required.")),
        Code::InvalidQuery => Some(("limit", FaultCode::OutOfRange, "At most 100.")),
        _ => None,
    };
    let problem = Problem {
        kind: format!("/problems/{}", code.code()),
        title: title.clone().into_owned(),
        status: code.status().as_u16(),
        detail: title.into_owned(),
        instance: "/v1/communes/62528/initiatives".to_owned(),
        code,
        request_id: "0199a3c1-5d52-7f3e-9a55-0d3c4f1f2a10".to_owned(),
        state: (code == Code::WrongState).then_some("in_review"),
        content_sha256: None,
        errors: faults
            .into_iter()
            .map(|(pointer, code, detail)| ProblemFault {
                pointer: pointer.to_owned(),
                code,
                detail: detail.to_owned(),
            })
            .collect(),
    };
    serde_json::to_value(problem).unwrap_or_default()
}

/// Writes an error as the answer to a request.
pub fn respond(
    error: &ApiError,
    language: Language,
    path: &str,
    request_id: &str,
) -> HttpResponse<BoxBody> {
    let title = error.code.title();
    let problem = Problem {
        kind: format!("/problems/{}", error.code.code()),
        title: title.get(language).to_owned(),
        status: error.code.status().as_u16(),
        detail: error
            .detail
            .as_ref()
            .unwrap_or(&title)
            .get(language)
            .to_owned(),
        instance: path.to_owned(),
        code: error.code,
        request_id: request_id.to_owned(),
        state: error.state,
        content_sha256: error.content_sha256.clone(),
        errors: error
            .faults
            .iter()
            .map(|fault| ProblemFault {
                pointer: fault.pointer.clone(),
                code: fault.code,
                detail: fault.detail.get(language).to_owned(),
            })
            .collect(),
    };
    let mut answer = HttpResponse::build(error.code.status());
    for (name, value) in &error.headers {
        answer.insert_header((name.clone(), value.clone()));
    }
    answer
        .insert_header((header::CONTENT_LANGUAGE, language.tag()))
        .insert_header((header::VARY, "Accept-Language"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/problem+json")
        .body(serde_json::to_string(&problem).unwrap_or_default())
}

/// The page that a problem's `type` leads to, in French and English, for people.
#[get("/problems/{code}")]
pub async fn problem_page(code: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let code = Code::ALL
        .iter()
        .find(|known| known.code() == code.as_str())
        .ok_or_else(ApiError::not_found)?;
    let title = code.title();
    let (name, status) = (code.code(), code.status());
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(format!(
        "<!doctype html><html lang=\"fr\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{name}</title><h1><code>{name}</code></h1><p>HTTP {status}</p>\
         <p>{}</p><p lang=\"en\">{}</p><p><a href=\"/docs/\">Documentation</a></p></html>",
        title.fr, title.en,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_as_short_as_the_document_says() {
        for code in Code::ALL {
            let title = code.title();
            for text in [&title.fr, &title.en] {
                assert!(text.chars().count() <= 200, "{text}");
            }
        }
    }
}
