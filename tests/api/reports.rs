//! The yearly report of a commune: what everybody may read, on paper.

use serde_json::json;

use crate::conventions::active;
use crate::initiatives::accepted;
use crate::support::TestApp;
use crate::support::client::Reply;

fn pages(pdf: &Reply) -> usize {
    assert_eq!(pdf.status, 200, "{}", pdf.text);
    assert_eq!(pdf.header("content-type"), "application/pdf");
    assert!(pdf.bytes.starts_with(b"%PDF-") && pdf.bytes.trim_ascii_end().ends_with(b"%%EOF"));
    pdf.text.matches("/Type/Page/").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_is_published_as_everybody_may_read_it() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = "/v1/communes/62528/reports/2026.pdf";
    let empty = world.anyone.get(path).await;
    // Each figure with its definition takes some room, even of nothing.
    assert!(pages(&empty) >= 3);
    assert!(empty.header("cache-control").starts_with("public"));
    let again = world.anyone.get(path).await;
    assert!(again.bytes == empty.bytes, "other bytes");
    let reader = world.anyone.with("if-none-match", empty.header("etag"));
    assert_eq!(reader.get(path).await.status, 304);

    // What is public is in it, for whoever asks the same.
    let (initiative, _) = active(&world).await;
    let full = world.agent.get(path).await;
    assert!(pages(&full) >= pages(&empty));
    assert_ne!(full.header("etag"), empty.header("etag"));
    assert_eq!(
        world.anyone.get(path).await.header("etag"),
        full.header("etag")
    );
    // What is not, is not; though that somebody submitted something counts.
    let hidden = accepted(&world).await;
    let with_both = world.anyone.get(path).await;
    assert_ne!(with_both.header("etag"), full.header("etag"));
    let reason = json!({"reason": "Un nom."});
    world
        .agent
        .act(&hidden, "unpublish", reason.clone())
        .await
        .ok();
    let after = world.anyone.get(path).await;
    assert_ne!(after.header("etag"), with_both.header("etag"));
    let drafts = format!("{hidden}/conventions");
    let draft = world
        .agent
        .post(&drafts, crate::conventions::terms(&world).await)
        .await;
    assert_eq!(draft.status, 201);
    assert_eq!(
        world.anyone.get(path).await.header("etag"),
        after.header("etag")
    );
    world.agent.act(&initiative, "unpublish", reason).await.ok();
    assert_ne!(
        world.anyone.get(path).await.header("etag"),
        after.header("etag")
    );

    // A year that is over is closed, one that has not begun is not there.
    assert!(
        pages(
            &world
                .anyone
                .get("/v1/communes/62528/reports/2024.pdf")
                .await
        ) >= 3
    );
    for nothing in [
        "/v1/communes/62528/reports/2027.pdf",
        "/v1/communes/62528/reports/1989.pdf",
        "/v1/communes/62528/reports/x.pdf",
        "/v1/communes/99999/reports/2026.pdf",
    ] {
        world.anyone.get(nothing).await.problem(404, "not_found");
    }
}
