//! The document that people sign on paper: who sees it, what it says, and that it is text whatever anybody typed.

use serde_json::{Value, json};

use crate::authorities::{deliberation, recorded};
use crate::conventions::{active, agree, drafted, opened, planters, terms, upkeep};
use crate::initiatives::accepted;
use crate::support::TestApp;
use crate::support::app::World;

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_read_a_draft_and_everybody_what_is_in_force() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path) = drafted(&world).await;
    let page = format!("{path}/document.html");
    for outsider in [
        &world.anyone,
        &world.dominique,
        &world.foreign_mayor,
        &world.foreign_agent,
        &world.admin,
    ] {
        outsider.get(&page).await.problem(404, "not_found");
        outsider
            .get(&format!("{path}/document.pdf"))
            .await
            .problem(404, "not_found");
    }
    for insider in [&world.agent, &world.mayor, &world.official, &world.camille] {
        let draft = insider.get(&page).await;
        assert_eq!(draft.status, 200);
        assert_eq!(draft.header("cache-control"), "no-store");
        assert!(
            draft.text.contains("PROJET") && draft.text.contains("camille Dupont"),
            "{}",
            draft.text
        );
        assert!(!draft.text.contains("SHA-256"));
    }
    let open = world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await
        .ok();
    let hash = open["content_sha256"].as_str().unwrap();
    let shown = world.camille.get(&page).await;
    assert!(!shown.text.contains("PROJET") && shown.text.contains(hash));
    assert_eq!(shown.header("content-type"), "text/html; charset=utf-8");
    for said in [
        "Loos-en-Gohelle",
        "Huit jardinières rue Faidherbe",
        "camille Dupont, Présidente",
        "mayor Dupont, Maire",
        "8\u{a0}×\u{a0}50,00\u{a0}€ (jardinière)",
        "Total\u{a0}: 400,00\u{a0}€",
        "1\u{202f}800,00\u{a0}€",
        "Entretien du 15\u{a0}juillet\u{a0}2026 au 30\u{a0}juin\u{a0}2028",
        "le 1er\u{a0}juillet\u{a0}2026",
        "avec un préavis de 30\u{a0}jours",
        "deux exemplaires",
    ] {
        assert!(shown.text.contains(said), "{said}: {}", shown.text);
    }
    // Nothing of what it does not have.
    for unsaid in [
        "Subvention",
        "Redevance",
        "structure porteuse",
        "{{",
        "None",
    ] {
        assert!(!shown.text.contains(unsaid), "{unsaid}: {}", shown.text);
    }
    world.anyone.get(&page).await.problem(404, "not_found");
    for signatory in [&world.camille, &world.mayor] {
        signatory
            .act(&path, "sign", json!({"content_sha256": hash}))
            .await
            .ok();
    }
    // After the signatures the paper says how they were given and nothing else; the public reads it without names.
    let signed = "Signé le 15\u{a0}juin\u{a0}2026 en ligne, depuis son compte";
    let after = world.camille.get(&page).await.text;
    assert_eq!(after.matches(signed).count(), 2);
    let to_sign = "Lieu, date et signature\u{a0}:";
    assert_eq!(after.replace(signed, to_sign), shown.text);
    let public = world.anyone.get(&page).await;
    assert!(public.header("cache-control").starts_with("public"));
    assert!(public.text.contains("Signataire\u{a0}: Présidente") && public.text.contains(hash));
    assert!(!public.text.contains("Dupont"), "{}", public.text);
    assert_eq!(world.dominique.get(&page).await.text, public.text);
    let again = world
        .anyone
        .with("if-none-match", public.header("etag"))
        .get(&page)
        .await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    // A name that was erased is gone from the paper; the rest stays.
    let erased = format!(
        "UPDATE identities SET full_name = NULL, salt = NULL, erased_at = now() WHERE user_id = '{}'",
        world.camille.id()
    );
    app.write_rows(&erased).await;
    let after = world.agent.get(&page).await.text;
    assert!(
        !after.contains("camille Dupont") && after.contains("mayor Dupont"),
        "{after}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_runs_nothing() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path) = active(&world).await;
    let page = world.anyone.get(&format!("{path}/document.html")).await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(
        !policy.contains("unsafe") && !policy.contains("script"),
        "{policy}"
    );
    // The style on the page is the one that the policy lets through.
    let style = page
        .text
        .split_once("<style>")
        .unwrap()
        .1
        .split_once("</style>")
        .unwrap()
        .0;
    let digest = <sha2::Sha256 as sha2::Digest>::digest(style);
    let digest = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, digest);
    assert!(policy.contains(&digest), "{policy}");
    assert!(
        !page.text.contains("<script")
            && !page.text.contains("style=")
            && !page.text.contains("http-equiv")
    );
    // Answers in JSON keep the policy of all.
    assert!(
        world
            .anyone
            .get(&path)
            .await
            .header("content-security-policy")
            .contains("script-src")
    );
}

/// Text that would be markup somewhere.
const HOSTILE: &str = "<script>alert(1)</script></style><img src=x onerror=alert(1)> & \" ' #let x = read(\"/etc/passwd\") \
    #panic() $ x^2 $ *gras* _ital_ @ref <label> \\ // `raw` {{object}} 👩🏽‍🌾🌻 שלום עולם مرحبا \u{202e}renversé\u{2066} \u{1}\u{7}\u{1b}[31m\u{85} \
    \u{feff}\u{200d}\u{fffd}\r\n\t= titre\n- liste\n1. un\n\u{e000}\u{10ffff}";

/// A convention with this text wherever a person may type one.
async fn typed_everywhere(world: &World, text: &str, commitments: usize) -> String {
    let initiative = accepted(world).await;
    let short: String = text.chars().take(200).collect();
    for index in 0..commitments {
        let mut promise = if index % 2 == 0 { planters() } else { upkeep() };
        promise["title"] = json!(short);
        promise["description"] = json!(text);
        promise["valuation"]["unit"] = json!(text.chars().take(40).collect::<String>());
        agree(world, &initiative, promise).await;
    }
    let mut terms = terms(world).await;
    terms["parties"]["holder"]["capacity"] = json!(text.chars().take(120).collect::<String>());
    for name in [
        "object",
        "long_duration_reason",
        "land_description",
        "land_fee_exemption",
        "clergy_agreement",
        "commune_insurance",
        "holder_insurance",
        "forbidden_tasks",
        "supervision_of_minors",
        "image_consent",
        "no_upkeep_reason",
        "evaluation_terms",
    ] {
        terms[name] = json!(text);
    }
    terms["land"] = json!("church");
    terms["authority_id"] = json!(recorded(world, deliberation(&short)).await);
    let reply = world
        .agent
        .post(&format!("{initiative}/conventions"), terms)
        .await;
    let path = reply.header("location").to_owned();
    reply.created();
    world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await
        .ok();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_type_is_text() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = typed_everywhere(&world, HOSTILE, 2).await;
    let page = world.agent.get(&format!("{path}/document.html")).await;
    assert_eq!(page.status, 200);
    for markup in ["<script", "<img", "<label"] {
        assert!(!page.text.contains(markup), "{markup}: {}", page.text);
    }
    assert_eq!(page.text.matches("</style>").count(), 1);
    assert!(page.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(
        page.text.contains("{{object}}") && page.text.contains("שלום") && page.text.contains('🌻')
    );
    // What turns a line around, or is no text, is not on the paper.
    let unfit = page.text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || ('\u{202a}'..='\u{202e}').contains(c)
            || ('\u{2066}'..='\u{2069}').contains(c)
    });
    assert_eq!(unfit, None);
    typeset(&world, &path, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_convention_at_all_limits_has_its_document() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let words = "Arroser les jardinières de la rue, été comme hiver. ".repeat(97);
    let text: String = words.chars().take(5000).collect();
    let path = typed_everywhere(&world, text.trim(), 100).await;
    let page = world.agent.get(&format!("{path}/document.html")).await;
    assert_eq!(
        (page.status.as_u16(), page.text.matches("<tr>").count()),
        (200, 52)
    );
    typeset(&world, &path, 20).await;
    // A word without end.
    let path = typed_everywhere(&world, &"w".repeat(5000), 2).await;
    typeset(&world, &path, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_for_the_typesetter_is_a_page() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let path = typed_everywhere(&world, &"🌻".repeat(5000), 160).await;
    let pdf = world.agent.get(&format!("{path}/document.pdf")).await;
    let link = format!("<{path}/document.html>; rel=\"alternate\"; type=\"text/html\"");
    assert_eq!(pdf.header("link"), link);
    pdf.problem(501, "not_typeset");
    let page = world.agent.get(&format!("{path}/document.html")).await;
    assert_eq!(page.status, 200);
}

/// Holds the PDF against what is promised of it: the same bytes each time, and so many pages at least.
async fn typeset(world: &World, path: &str, pages: usize) {
    let path = format!("{path}/document.pdf");
    let pdf = world.agent.get(&path).await;
    assert_eq!(pdf.status, 200, "{}", pdf.text);
    assert!(pdf.bytes.starts_with(b"%PDF-") && pdf.bytes.trim_ascii_end().ends_with(b"%%EOF"));
    let leaves = pdf.text.matches("/Type/Page/").count();
    assert!(leaves >= pages, "{leaves} pages");
    let again = world.agent.get(&path).await;
    assert!(again.bytes == pdf.bytes, "other bytes");
    let same = world
        .agent
        .with("if-none-match", pdf.header("etag"))
        .get(&path)
        .await;
    assert_eq!(same.status, 304);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pdf_is_for_those_who_may_read_it_and_names_for_those_who_may_see_them() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path, _) = opened(&world).await;
    world
        .anyone
        .get(&format!("{path}/document.pdf"))
        .await
        .problem(404, "not_found");
    typeset(&world, &path, 2).await;
    let (_, path) = active(&world).await;
    typeset(&world, &path, 2).await;
    {
        let ours = world.camille.get(&format!("{path}/document.pdf")).await;
        let public = world.anyone.get(&format!("{path}/document.pdf")).await;
        assert!(ours.bytes != public.bytes);
        assert!(public.header("cache-control").starts_with("public"));
        assert_eq!(ours.header("cache-control"), "no-store");
    }
}

/// Who asks for many at once is told to come back, and nobody else waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_does_not_stop_the_server() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (_, path) = active(&world).await;
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (anyone, path) = (world.anyone.clone(), format!("{path}/document.pdf"));
        crowd.spawn(async move { anyone.get(&path).await });
    }
    let mut shown: Vec<Value> = Vec::new();
    while let Some(reply) = crowd.join_next().await {
        let reply = reply.unwrap();
        match reply.status.as_u16() {
            200 => shown.push(json!(reply.header("etag"))),
            _ => drop(reply.problem(503, "busy")),
        }
    }
    assert!(!shown.is_empty());
    assert_eq!(app.anyone().get("/readyz").await.text, "ready\n");
}
