//! What machines ask: is it alive, is it ready, how fast is it; and the document with Swagger UI.

use actix_web::http::header;
use actix_web::{HttpResponse, Responder, get, web};
use diesel_async::RunQueryDsl;

use crate::http::error::ApiError;
use crate::state::State;
use crate::telemetry::Metrics;

/// The document as it is served: text made once.
pub struct ServedDocument(pub String);

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(livez)
        .service(readyz)
        .service(metrics)
        .service(openapi)
        .service(crate::http::problem::problem_page)
        .service(web::redirect("/", "/docs/"))
        .service(web::redirect("/docs", "/docs/"));
}

/// The process runs.
#[get("/livez")]
async fn livez() -> impl Responder {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

/// The process can serve: the database answers.
#[get("/readyz")]
async fn readyz(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let mut conn = state.pool.get().await.map_err(ApiError::busy)?;
    diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("1"))
        .execute(&mut conn)
        .await
        .map_err(ApiError::busy)?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ready\n"))
}

/// Measurements in the text format of Prometheus.
#[get("/metrics")]
async fn metrics(metrics: web::Data<Metrics>) -> Result<HttpResponse, ApiError> {
    let text = metrics.render().map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text))
}

/// The OpenAPI document.
#[get("/openapi.json")]
async fn openapi(document: web::Data<ServedDocument>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
        .body(document.0.clone())
}
