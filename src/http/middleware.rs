//! The edge of the application: every request gets a number, a language, a checked query and a line in the log; every
//! answer that is not a success leaves as a problem.

use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::contract::Contract;
use super::error::{ApiError, Code, Language};
use super::extract::ReadQuery;
use super::{deprecated, problem};
use crate::auth::policy::Scope;
use crate::ids::ClientId;
use crate::state::State;
use crate::telemetry::Metrics;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Swagger UI works under this policy; everything else needs less.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// Wraps the whole application.
pub async fn edge(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let number = request_number(&request);
    let language = Language::of(
        request
            .headers()
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok()),
    );
    let path = request.path().to_owned();
    let method = request.method().clone();
    let route = request
        .match_pattern()
        .unwrap_or_else(|| "unknown".to_owned());
    let metrics = request.app_data::<web::Data<Metrics>>().cloned();
    if let Some(metrics) = &metrics {
        metrics.active_requests.inc();
    }

    let served = match admit(&mut request, &route) {
        Ok(()) => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body),
        Err(Early::Options(allow)) => {
            let answer = HttpResponse::NoContent()
                .insert_header((header::ALLOW, allow))
                .finish();
            Ok(request.into_response(answer))
        }
        Err(Early::Problem(error)) => {
            Ok(request.into_response(problem::respond(&error, language, &path, &number)))
        }
    };
    let mut answer = match served {
        Ok(answer) => match failure(&answer) {
            Some(error) => {
                log_failure(&error, &number);
                let mut problem = problem::respond(&error, language, &path, &number);
                deprecated::carry(answer.headers(), problem.headers_mut());
                answer.into_response(problem)
            }
            None => answer,
        },
        // Only a middleware fails this way, and ours do not; the answer is a problem all the same.
        Err(error) => {
            let error = ApiError::internal(error);
            log_failure(&error, &number);
            let answer = problem::respond(&error, language, &path, &number);
            return Err(InternalError::from_response("middleware", answer).into());
        }
    };

    let status = answer.status();
    let headers = answer.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&number) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    // A page that is no JSON, or a file that somebody uploaded, may have a stricter one of its own.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(CONTENT_SECURITY_POLICY),
        );
    }
    let counted = answer.request().extensions().get::<ByClient>().cloned();
    if let (Some(client), Some(state)) = (counted, answer.request().app_data::<web::Data<State>>())
    {
        let now = state.clock.now();
        state.usage.count(client.id, &client.tag, status, now);
    }
    let elapsed = started.elapsed();
    if let Some(metrics) = &metrics {
        metrics.active_requests.dec();
        let labels = [method.as_str(), &route, status.as_str()];
        metrics
            .request_seconds
            .with_label_values(&labels)
            .observe(elapsed.as_secs_f64());
    }
    let milliseconds = elapsed.as_secs_f64() * 1e3;
    if status.is_server_error() {
        tracing::error!(request_id = number, %method, path, route, status = status.as_u16(), milliseconds, "request");
    } else {
        tracing::debug!(request_id = number, %method, path, route, status = status.as_u16(), milliseconds, "request");
    }
    Ok(answer)
}

/// A mark on requests whose answer is sent without its body: who would have to make a long one need not.
pub struct BodyLeftOut;

/// What the document says of the operation that takes a request.
#[derive(Clone)]
pub struct Taken {
    /// Part of the API.
    pub tag: Arc<str>,
    /// The scope that opens it to programs.
    pub scope: Option<Scope>,
}

/// The program whose token or secret came with a request, and in which part of the API it is counted.
#[derive(Clone)]
pub struct ByClient {
    pub id: ClientId,
    pub tag: Arc<str>,
}

/// An answer that needs no handler.
enum Early {
    /// What a resource allows.
    Options(String),
    Problem(ApiError),
}

/// Checks method and query against the document; what the document does not know passes.
fn admit(request: &mut ServiceRequest, route: &str) -> Result<(), Early> {
    let Some(contract) = request.app_data::<web::Data<Contract>>().cloned() else {
        return Ok(());
    };
    let Some(allow) = contract.methods(route) else {
        return Ok(());
    };
    // PostgreSQL keeps no NUL in text, so nothing is there.
    if percent_decode_str(request.path()).any(|byte| byte == 0) {
        return Err(Early::Problem(ApiError::not_found()));
    }
    if request.method() == Method::OPTIONS {
        return Err(Early::Options(allow));
    }
    // HEAD is GET without the body, which the server leaves out by itself.
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
        request.extensions_mut().insert(BodyLeftOut);
    }
    let Some(operation) = contract.operation(route, request.method().as_str()) else {
        let allow = HeaderValue::from_str(&allow).unwrap_or(HeaderValue::from_static(""));
        return Err(Early::Problem(
            ApiError::new(Code::MethodNotAllowed).header(header::ALLOW, allow),
        ));
    };
    let query = operation
        .read_query(request.query_string())
        .map_err(Early::Problem)?;
    request.extensions_mut().insert(ReadQuery(query));
    request.extensions_mut().insert(Taken {
        tag: operation.tag.clone(),
        scope: operation.scope,
    });
    Ok(())
}

/// The number that the caller gave, when it is one that can be logged as it is; else a new one.
fn request_number(request: &ServiceRequest) -> String {
    request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|text| (8..=64).contains(&text.len()))
        .filter(|text| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The error in an answer, when the answer does not already say it in its own words.
fn failure(answer: &ServiceResponse<BoxBody>) -> Option<ApiError> {
    let status = answer.status();
    if let Some(error) = answer.response().error() {
        if let Some(ours) = error.as_error::<ApiError>() {
            return Some(ours.clone());
        }
        return Some(of_status(status, error.to_string()));
    }
    (status.as_u16() >= 400 && answer.headers().get(header::CONTENT_TYPE).is_none())
        .then(|| of_status(status, String::new()))
}

/// A problem for a failure of the framework, which only has a status.
fn of_status(status: StatusCode, cause: String) -> ApiError {
    let code = Code::ALL
        .iter()
        .copied()
        .find(|code| code.status() == status);
    match code {
        Some(code) => ApiError {
            cause: Some(cause),
            ..ApiError::new(code)
        },
        None if status.is_client_error() => ApiError {
            cause: Some(cause),
            ..ApiError::new(Code::MalformedRequest)
        },
        None => ApiError::internal(cause),
    }
}

fn log_failure(error: &ApiError, number: &str) {
    if error.code.status().is_server_error() {
        tracing::error!(
            request_id = number,
            code = error.code.code(),
            cause = error.cause,
            "failure"
        );
    }
}
