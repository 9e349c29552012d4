//! The page that comes with the demonstration. Without the demonstration there is none: see `tests/api/openapi.rs`.

use crate::support::{House, until};

#[tokio::test]
async fn the_demonstration_has_a_page() {
    let house = House::new();
    let program = house.serve();
    let page = format!("{}/demo/", program.address);
    until("it says where the page is", || {
        program.said().contains(&page)
    });

    for (name, content_type) in [
        ("", "text/html; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
    ] {
        let answer = reqwest::get(format!("{page}{name}")).await.unwrap();
        assert_eq!(answer.status(), 200, "{name}");
        let headers = answer.headers().clone();
        assert_eq!(headers["content-type"], content_type);
        assert_eq!(headers["cache-control"], "public, max-age=60");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self'"), "{policy}");
        let file = if name.is_empty() { "index.html" } else { name };
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/front-end/");
        let text = std::fs::read_to_string(format!("{folder}{file}")).unwrap();
        assert_eq!(answer.text().await.unwrap(), text);
    }

    let client = reqwest::Client::new();
    let head = client.head(&page).send().await.unwrap();
    assert_eq!(head.status(), 200);
    let from = reqwest::get(page.trim_end_matches('/')).await.unwrap();
    assert_eq!(from.url().as_str(), page, "the slash may be left out");
    assert_eq!(program.get("/demo/other").await.0, 404);
    assert_eq!(client.post(&page).send().await.unwrap().status(), 404);
    assert_eq!(program.end("TERM").code(), Some(0));
}
