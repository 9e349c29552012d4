//! Logs and measurements of the program itself. Neither ever holds a token, a password or a query string.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{SecondsFormat, Utc};
use prometheus::{HistogramOpts, HistogramVec, IntGauge, Registry, TextEncoder};
use serde_json::json;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// Whether a line may be written, whatever the operator asks for. What libraries say beyond INFO repeats what passes
/// through them: tokio_postgres the parameters of every statement, others heads and bodies of requests. And the
/// framework calls bytes that are no HTTP an error: they are the client's, and anyone on the network may send them.
fn is_discreet(metadata: &Metadata<'_>) -> bool {
    match metadata.target() {
        target if target.split("::").next() == Some(env!("CARGO_CRATE_NAME")) => true,
        "actix_http::h1::dispatcher" => false,
        _ => *metadata.level() <= Level::INFO,
    }
}

/// Whether machines read what the program says.
static FOR_MACHINES: AtomicBool = AtomicBool::new(false);

/// Tells the person who waits how it goes, whatever the level of the log; machines get it as a line of theirs.
pub fn say(text: &str) {
    if FOR_MACHINES.load(Ordering::Relaxed) {
        let timestamp = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        let line = json!({"timestamp": timestamp, "level": "INFO", "message": text, "target": "fifty_fifty"});
        eprintln!("{line}");
    } else {
        eprintln!("{text}");
    }
}

/// Starts the log; called once by the program.
pub fn start_log(format: LogFormat, filter: &str) {
    FOR_MACHINES.store(format == LogFormat::Json, Ordering::Relaxed);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second subscriber is refused; tests may have started one.
    let _ = match format {
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .finish()
            .with(filter_fn(is_discreet))
            .try_init(),
        LogFormat::Text => log
            .with_target(false)
            .with_ansi(std::io::stderr().is_terminal())
            .finish()
            .with(filter_fn(is_discreet))
            .try_init(),
    };
}

/// What `/metrics` shows.
pub struct Metrics {
    registry: Registry,
    /// By method, route template and status, as OpenTelemetry names it.
    pub request_seconds: HistogramVec,
    pub active_requests: IntGauge,
}

impl Metrics {
    /// Fresh counters.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let request_seconds = HistogramVec::new(
            HistogramOpts::new(
                "http_server_request_duration_seconds",
                "Duration of HTTP server requests.",
            )
            .buckets(vec![
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5,
                5.0, 7.5, 10.0,
            ]),
            &[
                "http_request_method",
                "http_route",
                "http_response_status_code",
            ],
        )?;
        let active_requests =
            IntGauge::new("http_server_active_requests", "Requests being served.")?;
        registry.register(Box::new(request_seconds.clone()))?;
        registry.register(Box::new(active_requests.clone()))?;
        Ok(Self {
            registry,
            request_seconds,
            active_requests,
        })
    }

    /// The text format of Prometheus.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
