//! What a route says before it goes: since when it is deprecated (RFC 9745), when it ends (RFC 8594), and where to read
//! what replaces it.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, LINK};
use actix_web::middleware::{Next, from_fn};
use chrono::{NaiveDate, NaiveTime};

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Year, month and day; what is meant is midnight UTC.
pub type Day = (i32, u32, u32);

/// The end of a route, as its answers announce it.
#[derive(Clone, Copy)]
pub struct Notice {
    since: NaiveDate,
    sunset: NaiveDate,
    link: &'static str,
}

impl Notice {
    /// In a constant, a day that does not exist or less notice than docs/versioning.md promises does not compile.
    pub const fn new(since: Day, sunset: Day, link: &'static str) -> Self {
        assert!(
            number(sunset) >= number((since.0 + 1, since.1, since.2)),
            "a route is announced twelve months before it ends"
        );
        match (date(since), date(sunset)) {
            (Some(since), Some(sunset)) => Self {
                since,
                sunset,
                link,
            },
            _ => panic!("no such day"),
        }
    }

    fn write(self, headers: &mut HeaderMap) {
        let since = self.since.and_time(NaiveTime::MIN).and_utc().timestamp();
        let sunset = self.sunset.format("%a, %d %b %Y 00:00:00 GMT");
        for (name, value) in [
            (DEPRECATION, format!("@{since}")),
            (SUNSET, sunset.to_string()),
            (LINK, format!("<{}>; rel=\"deprecation\"", self.link)),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                // A list has links of its own.
                headers.append(name, value);
            }
        }
    }
}

const fn date(day: Day) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(day.0, day.1, day.2)
}

/// A number that grows with the day.
const fn number(day: Day) -> i64 {
    #[expect(
        clippy::as_conversions,
        reason = "`From` is not constant; both are smaller than i64"
    )]
    {
        day.0 as i64 * 10_000 + day.1 as i64 * 100 + day.2 as i64
    }
}

/// Announces the end of a route in each of its answers: `#[get("/v1/…", wrap = "deprecated(NOTICE)")]`.
pub fn deprecated<S, B>(
    notice: Notice,
) -> impl Transform<S, ServiceRequest, Response = ServiceResponse<B>, Error = Error, InitError = ()>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    from_fn(move |request: ServiceRequest, next: Next<B>| async move {
        let mut answer = next.call(request).await?;
        notice.write(answer.headers_mut());
        Ok::<_, Error>(answer)
    })
}

/// Keeps the announcement when an answer is written anew as a problem.
pub fn carry(from: &HeaderMap, to: &mut HeaderMap) {
    for name in [DEPRECATION, SUNSET, LINK] {
        for value in from.get_all(&name) {
            to.append(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use actix_web::{App, HttpResponse, HttpServer, get};

    use super::*;
    use crate::http::error::ApiError;
    use crate::http::middleware::edge;

    const NOTICE: Notice = Notice::new(
        (2027, 1, 31),
        (2028, 2, 29),
        "https://example.org/changes#old",
    );

    #[get("/old", wrap = "deprecated(NOTICE)")]
    async fn old() -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((LINK, "</old>; rel=\"first\""))
            .body("still here")
    }

    #[get("/refusing", wrap = "deprecated(NOTICE)")]
    async fn refusing() -> Result<HttpResponse, ApiError> {
        Err(ApiError::not_found())
    }

    #[get("/new")]
    async fn new() -> HttpResponse {
        HttpResponse::Ok().body("here")
    }

    async fn get(address: &str, path: &str) -> reqwest::Response {
        reqwest::get(format!("{address}{path}")).await.unwrap()
    }

    fn values(answer: &reqwest::Response, name: &str) -> Vec<String> {
        let values = answer.headers().get_all(name).iter();
        values
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    #[actix_web::test]
    async fn a_deprecated_route_says_since_when_until_when_and_where_to_read_more() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = HttpServer::new(|| {
            App::new()
                .service(old)
                .service(refusing)
                .service(new)
                .wrap(from_fn(edge))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        let running = actix_web::rt::spawn(server);

        let link = "<https://example.org/changes#old>; rel=\"deprecation\"";
        let answer = get(&address, "/old").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(values(&answer, "deprecation"), ["@1801353600"]);
        assert_eq!(values(&answer, "sunset"), ["Tue, 29 Feb 2028 00:00:00 GMT"]);
        assert_eq!(values(&answer, "link"), ["</old>; rel=\"first\"", link]);
        assert_eq!(answer.text().await.unwrap(), "still here");

        let problem = get(&address, "/refusing").await;
        assert_eq!(problem.status(), 404);
        assert_eq!(
            values(&problem, "content-type"),
            ["application/problem+json"]
        );
        assert_eq!(values(&problem, "deprecation"), ["@1801353600"]);
        assert_eq!(
            values(&problem, "sunset"),
            ["Tue, 29 Feb 2028 00:00:00 GMT"]
        );
        assert_eq!(values(&problem, "link"), [link]);

        let other = get(&address, "/new").await;
        for name in ["deprecation", "sunset", "link"] {
            assert!(values(&other, name).is_empty(), "{name}");
        }
        handle.stop(false).await;
        running.await.unwrap().unwrap();
    }

    #[test]
    #[should_panic(expected = "twelve months")]
    fn a_short_notice_is_refused() {
        Notice::new((2027, 1, 31), (2028, 1, 30), "/");
    }
}
