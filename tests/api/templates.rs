//! A commune adapts the articles of its conventions, and what is open or signed keeps its own.

use fifty_fifty::templates::articles::{TemplateVariable, fill, own};
use serde_json::{Value, json};

use crate::conventions::{drafted, opened};
use crate::support::app::{LENS, LOOS, World};
use crate::support::{Client, TestApp};

fn path() -> String {
    format!("/v1/communes/{LOOS}/convention-templates")
}

/// Articles of a commune's own.
pub fn adaptation() -> Value {
    json!([
        {"title": "Objet", "text": "La commune et le porteur s’engagent : {{object}}"},
        {"title": "Durée", "text": "Du {{starts_on}} au {{ends_on}}.\nMotif d’une longue durée : {{long_duration_reason}}"},
    ])
}

async fn latest(world: &World) -> i64 {
    let page = world.anyone.get(&path()).await.ok();
    page["data"][0]["version"].as_i64().unwrap()
}

/// The version that follows the latest.
pub async fn next_version(world: &World) -> Value {
    json!({"follows": latest(world).await, "articles": adaptation()})
}

/// A new version, saved.
pub async fn adapted(world: &World) -> String {
    let reply = world.agent.post(&path(), next_version(world).await).await;
    let there = reply.header("location").to_owned();
    reply.created();
    there
}

fn articles(title: &str, text: &str) -> Value {
    json!([{"title": title, "text": text}])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commune_adapts_the_programs_own_model() {
    let app = TestApp::new().await;
    let world = app.world().await;
    // Version 0 is there before anybody has done anything, even in a commune that does not take part.
    for commune in [LOOS, "01001"] {
        let page = world
            .anyone
            .get(&format!("/v1/communes/{commune}/convention-templates"))
            .await
            .ok();
        assert_eq!(page["data"].as_array().unwrap().len(), 1);
        assert_eq!(
            (&page["data"][0]["version"], &page["data"][0]["saved_at"]),
            (&json!(0), &json!(null))
        );
        let own = page["data"][0]["id"].as_str().unwrap();
        let own = world
            .anyone
            .get(&format!("/v1/convention-templates/{own}"))
            .await
            .ok();
        assert_eq!(own["commune_code"], commune);
        assert!(own["articles"].as_array().unwrap().len() > 10);
    }
    let body = json!({"follows": 0, "articles": adaptation()});
    for (refused, status) in [
        (&world.mayor, 403),
        (&world.camille, 403),
        (&world.foreign_agent, 403),
        (&world.anyone, 401),
    ] {
        assert_eq!(refused.post(&path(), body.clone()).await.status, status);
    }
    let first = world.agent.post(&path(), body.clone()).await;
    let there = first.header("location").to_owned();
    let first = first.created();
    assert_eq!(
        (&first["version"], &first["articles"]),
        (&json!(1), &adaptation())
    );
    assert_eq!(world.anyone.get(&there).await.ok(), first);
    world
        .agent
        .post(&path(), body)
        .await
        .problem(409, "already_exists");
    let beyond = json!({"follows": 7, "articles": adaptation()});
    let reply = world.agent.post(&path(), beyond).await;
    assert_eq!(
        (reply.status.as_u16(), reply.pointers()),
        (422, vec!["#/follows"])
    );
    adapted(&world).await;
    let page = world.anyone.get(&format!("{}?limit=2", path())).await.ok();
    assert_eq!(page["data"][1]["version"], 1);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = world
        .anyone
        .get(&format!("{}?limit=2&cursor={cursor}", path()))
        .await
        .ok();
    assert_eq!(
        (&rest["data"][0]["version"], &rest["has_more"]),
        (&json!(0), &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_known_and_braces_balanced() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let refused = async |articles: Value| {
        let mut all = Vec::new();
        for path in [path(), format!("{}/preview", path())] {
            let mut body = json!({"articles": articles});
            if !path.ends_with("preview") {
                body["follows"] = json!(0);
            }
            let reply = world.agent.post(&path, body).await;
            assert_eq!(reply.status, 422, "{}", reply.text);
            let mut pointers = reply.pointers();
            pointers.dedup();
            all.push(pointers.join(" "));
        }
        assert_eq!(all[0], all[1]);
        all.remove(0)
    };
    let mut two = adaptation();
    two[1]["text"] = json!("Du {{starts_on}} au {{never}}");
    assert_eq!(refused(two).await, "#/articles/1/text");
    for text in [
        "{{",
        "{{object}",
        "}}",
        "{{object\n}}",
        "{{{object}}}",
        "{{}}",
        " \n ",
        "",
    ] {
        assert_eq!(
            refused(articles("Objet", text)).await,
            "#/articles/0/text",
            "{text:?}"
        );
    }
    for title in ["{{object}}", " ", ""] {
        assert_eq!(
            refused(articles(title, "Rien")).await,
            "#/articles/0/title",
            "{title:?}"
        );
    }
    assert_eq!(refused(json!([])).await, "#/articles");
    let many: Vec<Value> = (0..41)
        .map(|_| json!({"title": "A", "text": "B"}))
        .collect();
    assert_eq!(refused(json!(many)).await, "#/articles");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_every_variable_and_saves_nothing() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let variables = world
        .anyone
        .get("/v1/reference/template_variables")
        .await
        .ok();
    let before = app.fingerprint().await;
    for variable in variables["codes"].as_array().unwrap() {
        let code = variable["code"].as_str().unwrap();
        let text = format!("Ici <b>{{{{{code}}}}}</b> là");
        let body = json!({"articles": articles("Essai", &text)});
        let shown = world
            .agent
            .post(&format!("{}/preview", path()), body)
            .await
            .ok();
        let html = shown["html"].as_str().unwrap();
        assert!(
            html.contains("PROJET") && html.contains("Loos-en-Gohelle"),
            "{html}"
        );
        let (_, value) = html.split_once("Ici &lt;b&gt;").expect(code);
        assert!(
            !value.starts_with("&lt;/b&gt;") && !value.starts_with("{{"),
            "{code}: {value}"
        );
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_convention_keeps_the_articles_with_which_it_was_opened() {
    let app = TestApp::new().await;
    let world = app.world().await;
    // Opened with the program's own.
    let (_, own, _) = opened(&world).await;
    let before = world
        .camille
        .get(&format!("{own}/document.html"))
        .await
        .text;
    assert_eq!(world.agent.get(&own).await.ok()["template_id"], json!(null));
    // A draft follows the model until it is opened.
    let (_, path) = drafted(&world).await;
    let page = async |who: &Client| who.get(&format!("{path}/document.html")).await.text;
    assert!(page(&world.agent).await.contains("Litiges"));
    let first = adapted(&world).await;
    let drawn = page(&world.agent).await;
    assert!(
        !drawn.contains("Litiges") && drawn.contains("Article\u{a0}2. Durée"),
        "{drawn}"
    );
    // A paragraph without its value is left out.
    assert!(!drawn.contains("longue durée"));
    let open = world
        .agent
        .act(&path, "open_for_signature", json!(null))
        .await
        .ok();
    assert!(first.ends_with(open["template_id"].as_str().unwrap()));
    let content = world.agent.get(&format!("{path}/content")).await.ok();
    assert_eq!(content["articles"], adaptation());
    let signed = page(&world.agent).await;
    // Another version changes neither.
    let next = json!({"follows": 1, "articles": articles("Tout", "Autre chose.")});
    world.agent.post(&self::path(), next).await.created();
    assert_eq!(page(&world.agent).await, signed);
    assert_eq!(
        world
            .camille
            .get(&format!("{own}/document.html"))
            .await
            .text,
        before
    );
    // Reopened, it takes the model of the day.
    let reason = json!({"reason": "Une date change."});
    world.agent.act(&path, "reopen", reason).await.ok();
    assert!(page(&world.agent).await.contains("Autre chose."));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_follow_the_same_version_one_saves() {
    let app = TestApp::new().await;
    let world = app.world().await;
    for follows in 0..3 {
        let mut crowd = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let agent = world.agent.clone();
            let body = json!({"follows": follows, "articles": adaptation()});
            crowd.spawn(async move { agent.post(&path(), body).await });
        }
        let mut saved = 0;
        while let Some(reply) = crowd.join_next().await {
            let reply = reply.unwrap();
            match reply.status.as_u16() {
                201 => saved += 1,
                _ => drop(reply.problem(409, "already_exists")),
            }
        }
        assert_eq!((saved, latest(&world).await), (1, follows + 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_versions_as_they_are() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let there = adapted(&world).await;
    let id = there.rsplit('/').next().unwrap();
    let (_, convention, _) = opened(&world).await;
    let convention = convention.rsplit('/').next().unwrap();
    let (_, draft) = drafted(&world).await;
    let draft = draft.rsplit('/').next().unwrap();
    let insert = |id: &str, commune: &str, version: i32, articles: &str| {
        format!(
            "INSERT INTO convention_templates VALUES ('{id}', '{commune}', {version}, '{articles}', '{}', now())",
            world.agent.id()
        )
    };
    let one = r#"[{"title": "A", "text": "B"}]"#;
    let new = app.row_id(LOOS).to_string();
    let of_lens = app.row_id(LENS).to_string();
    assert_eq!(app.attack(&insert(&of_lens, LENS, 1, one)).await, None);
    for (sql, constraint) in [
        (
            "UPDATE convention_templates SET articles = '[1]'".to_owned(),
            "convention_templates_append_only",
        ),
        (
            "DELETE FROM convention_templates".to_owned(),
            "convention_templates_append_only",
        ),
        (
            "TRUNCATE convention_templates CASCADE".to_owned(),
            "convention_templates_append_only",
        ),
        (
            insert(&new, LOOS, 1, one),
            "convention_templates_one_follows",
        ),
        (
            insert(&new, LOOS, 3, one),
            "convention_templates_without_gap",
        ),
        (insert(&new, LOOS, 0, one), "convention_templates_version"),
        (insert(&new, LOOS, 2, "[]"), "convention_templates_articles"),
        (insert(&new, LOOS, 2, "{}"), "convention_templates_articles"),
        (
            insert(&new, LENS, 2, one),
            "convention_templates_id_carries_commune",
        ),
        (
            format!("UPDATE conventions SET template_id = NULL WHERE id = '{convention}'"),
            "conventions_content_is_frozen",
        ),
        (
            format!("UPDATE conventions SET template_id = '{of_lens}' WHERE id = '{draft}'"),
            "conventions_template",
        ),
    ] {
        assert_eq!(app.attack(&sql).await.as_deref(), Some(constraint), "{sql}");
    }
    let kept = app
        .attack(&format!(
            "UPDATE conventions SET template_id = '{id}' WHERE id = '{draft}'"
        ))
        .await;
    assert_eq!(kept, None);
}

/// What a town hall fills in by hand where the program would put a value; nothing where a small project has none.
fn blank(variable: TemplateVariable, small: bool) -> Option<String> {
    use TemplateVariable as V;
    let dots = "………………………………".to_owned();
    match variable {
        V::Number => None,
        V::Host
        | V::LongDurationReason
        | V::Land
        | V::PublicDomain
        | V::LandDescription
        | V::LandFee
        | V::LandFeeExemption
        | V::ClergyAgreement
        | V::CommuneInsurance
        | V::HolderInsurance
        | V::ForbiddenTasks
        | V::SupervisionOfMinors
        | V::ImageConsent
        | V::EvaluationTerms
        | V::Authority
        | V::Subsidy
            if small =>
        {
            None
        }
        V::PublicDomain => Some("domaine public".to_owned()),
        V::Renewal => Some("prend fin sans tacite reconduction".to_owned()),
        V::WorksOwnership => {
            Some("(☐ à la commune ☐ au porteur de projet ☐ aux deux parties)".to_owned())
        }
        V::ContributorStatus => Some(
            "(☐ bénévoles d’une association ☐ collaborateurs occasionnels du service public)"
                .to_owned(),
        ),
        V::Notice => Some("avec un préavis de ………… jours".to_owned()),
        _ => Some(dots),
    }
}

/// The starter kit's conventions have the articles that the program prints; `UPDATE_SNAPSHOTS=1` writes them anew.
#[test]
fn the_starter_kit_has_the_programs_own_articles() {
    for (file, small) in [
        ("4-convention-simple.md", true),
        ("5-convention-complete.md", false),
    ] {
        let path = format!("{}/docs/kit/{file}", env!("CARGO_MANIFEST_DIR"));
        let kit = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = kit.split_once("<!-- articles -->\n").unwrap();
        let (_, after) = rest.split_once("<!-- /articles -->\n").unwrap();
        let mut made = format!("{before}<!-- articles -->\n");
        let articles = own().iter().filter_map(|article| {
            let text = fill(&article.text, |variable| blank(variable, small)).join("\n\n");
            (!text.is_empty()).then_some((&article.title, text))
        });
        for (number, (title, text)) in (1..).zip(articles) {
            made += &format!("\n**Article\u{a0}{number}. {title}**\n\n{text}\n");
        }
        made += &format!("\n<!-- /articles -->\n{after}");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let kit = std::fs::read_to_string(&path).unwrap();
        assert!(
            kit == made,
            "{file} has other articles; UPDATE_SNAPSHOTS=1 writes it anew"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_is_on_the_paper_whatever_the_articles_leave_out() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let preview = async |text: &str| {
        let body = json!({"articles": [{"title": "Objet", "text": text}]});
        let path = format!("/v1/communes/{LOOS}/convention-templates/preview");
        let shown = world.agent.post(&path, body).await.ok();
        shown["html"].as_str().unwrap().to_owned()
    };
    let short = preview("Le présent accord.").await;
    for said in [
        "Article\u{a0}2. Autres termes",
        "Premier jour\u{a0}:",
        "Chaque partie peut résilier\u{a0}: avec un préavis",
    ] {
        assert!(short.contains(said), "{said}: {short}");
    }
    let with_dates = preview("Du {{starts_on}} au {{ends_on}}, {{notice}}.").await;
    assert!(
        !with_dates.contains("Premier jour\u{a0}:") && !with_dates.contains("Chaque partie peut")
    );
}
