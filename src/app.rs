//! Builds the application: the program and the tests serve the same one.

use std::net::TcpListener;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::Server;
use actix_web::http::header::{self, HeaderName};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::contract::Contract;
use crate::http::error::ApiError;
use crate::http::middleware::edge;
use crate::http::routes::Routes;
use crate::state::State;
use crate::system::{self, ServedDocument};
use crate::telemetry::Metrics;
use crate::{
    authorities, changes, clients, commitments, communes, conventions, documents, envelopes,
    evaluations, exports, front_end, holders, imports, initiatives, mandates, measures, meetings,
    metrics, openapi, practices, recusals, reference, reports, sessions, subsidies, templates,
    users, webhooks, worklist,
};

/// Every route of the API, in the order of the document.
pub fn routes(routes: &mut Routes) {
    routes
        .configure(sessions::routes::configure)
        .configure(users::routes::configure)
        // Before the resources: a suffix would be taken for the end of an id.
        .configure(exports::linked::configure)
        .configure(exports::feeds::routes::configure)
        .configure(exports::routes::configure)
        .configure(exports::scdl::routes::configure)
        .configure(exports::catalogue::configure)
        .configure(communes::routes::configure)
        .configure(mandates::routes::configure)
        .configure(worklist::routes::configure)
        .configure(holders::routes::configure)
        .configure(holders::member_routes::configure)
        .configure(initiatives::routes::configure)
        .configure(initiatives::actions::configure)
        .configure(initiatives::engagement::configure)
        .configure(initiatives::notes::configure)
        .configure(recusals::routes::configure)
        .configure(commitments::routes::configure)
        .configure(commitments::fulfilments::routes::configure)
        .configure(commitments::checks::routes::configure)
        .configure(commitments::hand_overs::routes::configure)
        .configure(commitments::balance::routes::configure)
        .configure(envelopes::routes::configure)
        .configure(authorities::routes::configure)
        .configure(conventions::quick::configure)
        .configure(conventions::paper::configure)
        .configure(conventions::ending::configure)
        .configure(conventions::routes::configure)
        .configure(conventions::actions::configure)
        .configure(conventions::signing::configure)
        .configure(conventions::amending::configure)
        .configure(conventions::changes::configure)
        .configure(conventions::verification::configure)
        .configure(conventions::document::routes::configure)
        .configure(templates::routes::configure)
        .configure(subsidies::routes::configure)
        .configure(evaluations::routes::configure)
        .configure(documents::routes::configure)
        .configure(meetings::routes::configure)
        .configure(measures::routes::configure)
        .configure(metrics::routes::configure)
        .configure(reports::routes::configure)
        .configure(practices::routes::configure)
        .configure(changes::routes::configure)
        .configure(webhooks::routes::configure)
        .configure(clients::routes::configure)
        .configure(imports::routes::configure)
        .configure(imports::mappings::configure)
        .configure(reference::routes::configure);
}

/// What a server needs besides its state.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    pub workers: usize,
    pub cors_origins: Vec<String>,
    pub shutdown_timeout_s: u64,
    /// The demonstration's accounts in Markdown, where it is seeded; its page is served then too.
    pub demonstration_accounts: Option<String>,
}

/// Why the application could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Contract(#[from] crate::http::contract::ContractError),
    #[error("measurements: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("cannot serve: {0}")]
    Io(#[from] std::io::Error),
}

/// A server on this listener, not yet running. It leaves signals to the program.
pub fn server(
    state: State,
    listener: TcpListener,
    options: ServerOptions,
) -> Result<Server, BuildError> {
    let document = openapi::document(options.demonstration_accounts.as_deref());
    let contract = web::Data::new(Contract::new(&document)?);
    let served = web::Data::new(ServedDocument(document.to_string()));
    let metrics = web::Data::new(Metrics::new()?);
    let origins = options.cors_origins;
    let workers = options.workers;
    let demonstrates = options.demonstration_accounts.is_some();
    let server = HttpServer::new(move || {
        let state = state.clone();
        App::new()
            .configure(|config| routes(&mut Routes::Serve(config)))
            .app_data(contract.clone())
            .app_data(served.clone())
            .app_data(metrics.clone())
            .data_factory(move || {
                let state = state.for_one_of(workers);
                async { state }
            })
            // A malformed id names nothing that exists.
            .app_data(web::PathConfig::default().error_handler(|_, _| ApiError::not_found().into()))
            .configure(system::configure)
            .configure(|config| {
                if demonstrates {
                    front_end::configure(config);
                }
            })
            .service(
                web::scope("/docs")
                    .wrap(Compress::default())
                    .service(swagger_ui()),
            )
            .default_service(web::to(async || Err::<String, _>(ApiError::not_found())))
            .wrap(from_fn(edge))
            .wrap(cors(&origins))
    })
    // Longer than the minute for which proxies keep theirs: who reuses a connection finds it open.
    .keep_alive(Duration::from_secs(75))
    .workers(workers)
    .shutdown_timeout(options.shutdown_timeout_s)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}

/// Swagger UI, from files in the program.
fn swagger_ui() -> SwaggerUi {
    let config = Config::from("/openapi.json")
        .try_it_out_enabled(true)
        .persist_authorization(true)
        .display_request_duration(true)
        .filter(true)
        .validator_url("none");
    SwaggerUi::new("/{_:.*}").config(config)
}

/// Any origin may call, without cookies: callers show a token.
fn cors(origins: &[String]) -> Cors {
    let name = HeaderName::from_static;
    let cors = Cors::default()
        .allow_any_method()
        .allowed_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            header::ACCEPT_LANGUAGE,
            header::RANGE,
            header::IF_RANGE,
            name("idempotency-key"),
            name("prefer"),
            name("x-request-id"),
        ])
        .expose_headers([
            header::ETAG,
            header::LINK,
            header::LOCATION,
            header::RETRY_AFTER,
            header::ACCEPT_RANGES,
            header::CONTENT_DISPOSITION,
            header::CONTENT_RANGE,
            name("deprecation"),
            name("sunset"),
            name("ratelimit"),
            name("ratelimit-policy"),
            name("idempotency-replayed"),
            name("x-request-id"),
        ])
        .max_age(3600);
    if origins.iter().any(|origin| origin == "*") {
        return cors.allow_any_origin().send_wildcard();
    }
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}
