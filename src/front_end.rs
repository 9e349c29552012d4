//! The page of the demonstration: a small front end as a third party would write it, in `examples/front-end/`.

use actix_web::http::header;
use actix_web::{HttpResponse, guard, web};

/// Path, content type and text of each file.
const FILES: [(&str, &str, &str); 3] = [
    (
        "/demo/",
        "text/html; charset=utf-8",
        include_str!("../examples/front-end/index.html"),
    ),
    (
        "/demo/app.js",
        "text/javascript; charset=utf-8",
        include_str!("../examples/front-end/app.js"),
    ),
    (
        "/demo/style.css",
        "text/css; charset=utf-8",
        include_str!("../examples/front-end/style.css"),
    ),
];

/// For a server with the demonstration in its database.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(web::redirect("/demo", "/demo/"));
    for (path, content_type, text) in FILES {
        let reading = guard::Any(guard::Get()).or(guard::Head());
        config.service(web::resource(path).guard(reading).to(move || async move {
            HttpResponse::Ok()
                .content_type(content_type)
                .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
                .body(text)
        }));
    }
}
