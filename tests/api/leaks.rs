//! What is private stays so. Unlikely words are planted in everything that is not for everybody; then everybody who is
//! not entitled asks for everything that they can, and none of it is in any answer.

use serde_json::{Value, json};

use crate::conventions::{planters, upkeep};
use crate::initiatives::siret;
use crate::operations;
use crate::support::app::{LOOS, World};
use crate::support::{Client, TestApp};

/// A word of this kind that stands nowhere else. Letters only: searches and indexes take it as one word.
fn word(kind: &str) -> String {
    format!("zqx{kind}xqz")
}

/// What was planted: who may read it is all that differs.
struct Planted {
    /// In the draft, for its author only.
    draft: String,
    /// In the opinion before the decision, in the note, and in the reason why it is not published: for the town hall.
    town_hall: Vec<String>,
    /// In what only the two sides read before it is signed.
    sides: Vec<String>,
    /// Of persons: for themselves, and for whoever deals with them.
    persons: Vec<String>,
    /// Paths of what is there.
    paths: Vec<String>,
}

async fn author(app: &TestApp) -> Client {
    app.person_named(
        &word("authormail"),
        "Voisine",
        &word("author"),
        "1971-11-23",
    )
    .await
}

async fn plant(world: &World, author: &Client) -> Planted {
    let initiatives = format!("/v1/communes/{LOOS}/initiatives");
    let holder = json!({"kind": "association", "name": "Les jardins", "siret": siret(),
        "republican_commitment_on": "2022-01-10", "contact_email": format!("{}@example.org", word("holdermail")),
        "contact_phone": "+33 3 99 88 77 66"});
    let holder = author
        .post(&format!("/v1/communes/{LOOS}/holders"), holder)
        .await
        .created();
    let idea = |title: String| {
        json!({"title": title, "description": "Des jardins.", "theme": "environment", "holder_id": holder["id"],
            "requests_money": true})
    };
    let draft = author
        .post(&initiatives, idea(word("draft")))
        .await
        .created();

    // Submitted and not published: moderated, with a reason.
    let mut hidden = idea(word("hidden"));
    hidden["submit"] = json!(true);
    let hidden = author.post(&initiatives, hidden).await.created();
    let hidden_path = path_of("initiatives", &hidden);
    let withheld = json!({"publish": false, "reason": word("withheld")});
    world
        .agent
        .act(&hidden_path, "start_review", withheld)
        .await
        .ok();

    // Published, with what is inside.
    let mut open = idea("Des jardins pour tous".to_owned());
    open["submit"] = json!(true);
    let open = author.post(&initiatives, open).await.created();
    let open_path = path_of("initiatives", &open);
    let agent = &world.agent;
    agent.act(&open_path, "start_review", json!({})).await.ok();
    let note = json!({"text": word("note")});
    agent
        .post(&format!("{open_path}/notes"), note)
        .await
        .created();
    let opinion = json!({"outcome": "favourable", "text": word("opinion"), "estimated_cost_cents": 4_242_424_242_i64});
    agent.act(&open_path, "give_opinion", opinion).await.ok();

    // Accepted, negotiated and not signed.
    let mut agreed = idea("Des bancs au soleil".to_owned());
    agreed["submit"] = json!(true);
    let agreed = author.post(&initiatives, agreed).await.created();
    let agreed_path = path_of("initiatives", &agreed);
    agent
        .act(&agreed_path, "start_review", json!({}))
        .await
        .ok();
    let opinion = json!({"outcome": "favourable", "text": "Faisable."});
    agent.act(&agreed_path, "give_opinion", opinion).await.ok();
    world
        .official
        .act(&agreed_path, "accept", json!({"reason": "Utile."}))
        .await
        .ok();
    let mut promise = planters();
    promise["title"] = json!(word("promise"));
    let promise = agent
        .post(&format!("{agreed_path}/commitments"), promise)
        .await
        .created();
    author
        .post(&format!("{agreed_path}/commitments"), upkeep())
        .await
        .created();
    let mandate = world.mayor.get("/v1/me").await.ok()["mandates"][0]["id"].clone();
    let convention = json!({"object": word("object"), "starts_on": "2026-07-01", "ends_on": "2028-06-30",
        "parties": {"commune": {"mandate_id": mandate}, "holder": {"person": {"full_name": word("signatory"), "adult": true}, "capacity": "Trésorière"}}});
    let convention = agent
        .post(&format!("{agreed_path}/conventions"), convention)
        .await
        .created();
    let internal = format!(
        "{open_path}/documents?purpose=photo&internal=true&name={}.txt",
        word("paper")
    );
    let document = author
        .upload(&internal, word("inside").as_bytes())
        .await
        .created();
    let of_draft = format!(
        "{}/documents?purpose=plan&name={}.txt",
        path_of("initiatives", &draft),
        word("draft")
    );
    author
        .upload(&of_draft, word("draft").as_bytes())
        .await
        .created();
    author
        .put(&format!("{open_path}/endorsement"), json!({}))
        .await
        .ok();
    author
        .put(&format!("{open_path}/participation"), json!({}))
        .await
        .ok();

    let mut paths: Vec<String> = [&draft, &hidden, &open, &agreed]
        .into_iter()
        .map(|made| path_of("initiatives", made))
        .collect();
    paths.push(path_of("holders", &holder));
    paths.push(path_of("commitments", &promise));
    paths.push(path_of("conventions", &convention));
    paths.push(path_of("documents", &document));
    Planted {
        draft: word("draft"),
        town_hall: vec![
            word("opinion"),
            word("note"),
            word("withheld"),
            "4242424242".to_owned(),
        ],
        sides: ["hidden", "promise", "object", "paper", "inside"]
            .map(word)
            .to_vec(),
        persons: vec![
            word("signatory"),
            word("holdermail"),
            "99 88 77 66".to_owned(),
            word("author"),
            word("authormail"),
            "1971-11-23".to_owned(),
        ],
        paths,
    }
}

fn path_of(kind: &str, made: &Value) -> String {
    format!("/v1/{kind}/{}", made["id"].as_str().unwrap())
}

/// Everything that somebody can read or provoke: each GET of the document at each path that there is, with searches and
/// filters for what was planted, and, of who is not entitled, each write, which is refused and says why.
async fn everything(who: &Client, planted: &Planted, writes: bool) -> Vec<(String, String)> {
    let mut asked = Vec::new();
    let words: Vec<&String> = std::iter::once(&planted.draft)
        .chain(&planted.town_hall)
        .chain(&planted.sides)
        .chain(&planted.persons)
        .collect();
    for operation in operations::all() {
        if !writes && operation.method != reqwest::Method::GET {
            continue;
        }
        let resource = operation
            .path
            .split('/')
            .nth(2)
            .unwrap_or_default()
            .to_owned();
        let mut paths: Vec<String> = if operation.path.contains("{id}") {
            planted
                .paths
                .iter()
                .filter(|path| path.split('/').nth(2) == Some(&resource))
                .map(|path| {
                    operation
                        .path
                        .replace(&format!("/v1/{resource}/{{id}}"), path)
                })
                .collect()
        } else {
            vec![operation.path.clone()]
        };
        for path in &mut paths {
            *path = path
                .replace("{code}", LOOS)
                .replace("{year}", "2026")
                .replace("{indicator}", "associations")
                .replace("{name}", "initiative")
                .replace("{list}", "themes")
                .replace("{day}", "2026-06-15")
                .replace("{user_id}", "019ecab9-4500-726d-8c20-e9ea82b796d8");
        }
        for path in paths {
            let mut queries = vec![String::new()];
            if operation.takes("q") {
                queries.extend(
                    words
                        .iter()
                        .map(|word| format!("?q={}", word.replace(' ', "+").replace('+', "%20"))),
                );
            }
            if operation.takes("sort") && operation.id.contains("initiatives") {
                queries.extend(
                    [
                        "?sort=-created_at",
                        "?sort=created_at",
                        "?sort=reply_due_on",
                    ]
                    .map(str::to_owned),
                );
                queries.push(format!("?commune={LOOS}&limit=100"));
            }
            if operation.id == "get_metrics" {
                queries.push(format!("?communes={LOOS}&from=2026&to=2026"));
            }
            for query in queries {
                let path = format!("{path}{query}");
                let body = operation
                    .content_type()
                    .map(|content_type| (content_type, b"{}".to_vec()));
                let body = body
                    .as_ref()
                    .map(|(content_type, body)| (content_type.as_str(), body.clone()));
                let caller = who.with("if-match", "*");
                let reply = caller.send(operation.method.clone(), &path, body).await;
                let headers = format!("{:?}", reply.headers);
                asked.push((
                    format!("{} {path}", operation.method),
                    reply.text + &headers,
                ));
            }
        }
    }
    asked
}

/// Which of these words stand where they should not. What somebody asked for comes back in `Link` and `instance`.
fn found(asked: &[(String, String)], words: &[&String]) -> Vec<String> {
    let mut found = Vec::new();
    for (what, answer) in asked {
        for word in words {
            if answer.contains(word.as_str()) && !what.contains(word.as_str()) {
                found.push(format!("{word} in the answer to {what}"));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_private_is_in_any_answer() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let author = author(&app).await;
    let planted = plant(&world, &author).await;
    let persons: Vec<&String> = planted.persons.iter().collect();
    let town_hall: Vec<&String> = planted.town_hall.iter().collect();
    let sides: Vec<&String> = planted.sides.iter().collect();
    let all: Vec<&String> = [&planted.draft]
        .into_iter()
        .chain(town_hall.clone())
        .chain(sides.clone())
        .chain(persons.clone())
        .collect();

    for (name, who) in [
        ("anyone", &world.anyone),
        ("another resident", &world.dominique),
        ("the agent of another commune", &world.foreign_agent),
        ("the mayor of another commune", &world.foreign_mayor),
        ("the administrator", &world.admin),
    ] {
        let asked = everything(who, &planted, true).await;
        assert!(asked.len() > 100, "{} questions", asked.len());
        let leaks = found(&asked, &all);
        assert!(leaks.is_empty(), "{name} finds {leaks:#?}");
    }
    // The town hall reads all but drafts and what is a person's own.
    let asked = everything(&world.agent, &planted, false).await;
    let own: Vec<&String> = vec![
        &planted.draft,
        &planted.persons[3],
        &planted.persons[4],
        &planted.persons[5],
    ];
    let leaks = found(&asked, &own);
    assert!(leaks.is_empty(), "the agent finds {leaks:#?}");
    // The author does not read what the town hall keeps to itself, and all of theirs is there: the search finds.
    let asked = everything(&author, &planted, false).await;
    let leaks = found(&asked, &town_hall);
    assert!(leaks.is_empty(), "the author finds {leaks:#?}");
    for theirs in [
        &planted.draft,
        &planted.sides[0],
        &planted.sides[1],
        &planted.sides[2],
        &planted.sides[3],
        &planted.sides[4],
        &planted.persons[1],
    ] {
        assert!(
            !found(&asked, &[theirs]).is_empty(),
            "the author does not find {theirs}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_and_metrics_know_nothing_of_what_is_hidden() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let author = author(&app).await;
    let count = async |who: &Client, query: &str| {
        let reply = who
            .with("prefer", "return=total-count")
            .get(&format!("/v1/initiatives?commune={LOOS}{query}"))
            .await;
        reply.body["data"].as_array().unwrap().len()
    };
    plant(&world, &author).await;
    // Two of the four are published.
    assert_eq!(count(&world.anyone, "").await, 2);
    assert_eq!(count(&world.foreign_agent, "").await, 2);
    assert_eq!(count(&world.agent, "").await, 3);
    for query in [
        "&q=zqxhiddenxqz",
        "&q=zqxdraftxqz",
        "&state=draft",
        "&q=zqxopinionxqz",
    ] {
        assert_eq!(count(&world.anyone, query).await, 0, "{query}");
    }
    // Filters and sorts know published columns only.
    for query in [
        "author=x",
        "sort=author_id",
        "sort=-decided_at",
        "holder_email=x",
        "fields=description",
        "entered_by=x",
    ] {
        world
            .anyone
            .get(&format!("/v1/initiatives?{query}"))
            .await
            .problem(400, "invalid_query");
    }
}
