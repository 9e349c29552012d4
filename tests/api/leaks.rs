//! What is private stays so. Unlikely words are planted in everything that is not for everybody; then everybody who is
//! not entitled asks for everything that they can, and none of it is in any answer.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::conventions::{planters, upkeep};
use crate::evaluations::farm_tracks;
use crate::initiatives::{association, siret};
use crate::operations::{self, Operation};
use crate::support::app::{LOOS, World};
use crate::support::client::Reply;
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
    let recusal = json!({"grounds": "kinship", "text": word("recusal")});
    world
        .official
        .post(&format!("{open_path}/recusals"), recusal)
        .await
        .created();

    // Asked back, and taken back from the public: the history tells it to some.
    let mut asked = idea("Des haies".to_owned());
    asked["submit"] = json!(true);
    let asked = author.post(&initiatives, asked).await.created();
    let asked_path = path_of("initiatives", &asked);
    agent.act(&asked_path, "start_review", json!({})).await.ok();
    let message = json!({"message": word("asked")});
    agent
        .act(&asked_path, "request_changes", message)
        .await
        .ok();
    let mut shut = idea(word("shut"));
    shut["submit"] = json!(true);
    let shut = author.post(&initiatives, shut).await.created();
    let shut_path = path_of("initiatives", &shut);
    agent.act(&shut_path, "start_review", json!({})).await.ok();
    let reason = json!({"reason": word("unpublished")});
    agent.act(&shut_path, "unpublish", reason).await.ok();
    // A meeting about what is hidden is hidden too.
    let meeting =
        json!({"title": word("meeting"), "held_on": "2026-06-10", "initiative_id": hidden["id"]});
    let meeting = agent
        .post(&format!("/v1/communes/{LOOS}/meetings"), meeting)
        .await
        .created();

    // Accepted, negotiated and not signed.
    let (agreed, agreed_path) =
        accepted(world, author, idea("Des bancs au soleil".to_owned())).await;
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
    let gift = json!({"side": "third_party", "third_party_name": word("giver"), "kind": "advice", "title": "Conseils",
        "due_on": "2026-09-01", "valuation": {"quantity": "2", "unit": "heure", "unit_value_cents": 3000, "method": "hourly_rate"}});
    let gift = author
        .post(&format!("{agreed_path}/commitments"), gift)
        .await
        .created();
    let mut refused = upkeep();
    refused["title"] = json!(word("refused"));
    let refused = author
        .post(&format!("{agreed_path}/commitments"), refused)
        .await
        .created();
    let refused_path = path_of("commitments", &refused);
    let reason = json!({"reason": word("declined")});
    agent.act(&refused_path, "decline", reason).await.ok();
    let mandate = world.mayor.get("/v1/me").await.ok()["mandates"][0]["id"].clone();
    let cancelled = json!({"object": word("cancelled"), "starts_on": "2026-07-01", "ends_on": "2028-06-30",
        "parties": {"commune": {"mandate_id": mandate}}});
    let cancelled = agent
        .post(&format!("{agreed_path}/conventions"), cancelled)
        .await
        .created();
    let cancelled_path = path_of("conventions", &cancelled);
    let reason = json!({"reason": word("cancelling")});
    agent.act(&cancelled_path, "cancel", reason).await.ok();
    let convention = json!({"object": word("object"), "starts_on": "2026-07-01", "ends_on": "2028-06-30",
        "parties": {"commune": {"mandate_id": mandate}, "holder": {"person": {"full_name": word("signatory"), "adult": true}, "capacity": "Trésorière"}}});
    let convention = agent
        .post(&format!("{agreed_path}/conventions"), convention)
        .await
        .created();
    let internal = format!(
        "{open_path}/documents?purpose=photo&internal=true&name={}.txt",
        word("file")
    );
    let document = author.upload(&internal, word("inside")).await.created();
    let of_draft = format!(
        "{}/documents?purpose=plan&name={}.txt",
        path_of("initiatives", &draft),
        word("draft")
    );
    author.upload(&of_draft, word("draft")).await.created();
    author
        .put(&format!("{open_path}/endorsement"), json!({}))
        .await
        .ok();
    author
        .put(&format!("{open_path}/participation"), json!({}))
        .await
        .ok();

    let (kept, fulfilments) = kept(world, author, idea("Des nichoirs".to_owned()), &mandate).await;

    let mut paths: Vec<String> = [&draft, &hidden, &open, &asked, &shut, &agreed, &kept]
        .into_iter()
        .map(|made| path_of("initiatives", made))
        .collect();
    paths.push(path_of("holders", &holder));
    paths.extend([&promise, &gift, &refused].map(|made| path_of("commitments", made)));
    paths.extend([&convention, &cancelled].map(|made| path_of("conventions", made)));
    paths.push(path_of("meetings", &meeting));
    paths.extend(fulfilments);
    paths.push(path_of("documents", &document));
    Planted {
        draft: word("draft"),
        town_hall: vec![
            word("opinion"),
            word("note"),
            word("recusal"),
            word("withheld"),
            word("unpublished"),
            word("paper"),
            "4242424242".to_owned(),
        ],
        sides: [
            "hidden",
            "promise",
            "object",
            "asked",
            "shut",
            "meeting",
            "giver",
            "refused",
            "declined",
            "cancelled",
            "cancelling",
            "evidence",
            "disputed",
            "balance",
            "file",
            "inside",
            "remark",
            "handing",
        ]
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

/// An initiative that is accepted, and its path.
async fn accepted(world: &World, author: &Client, mut idea: Value) -> (Value, String) {
    idea["submit"] = json!(true);
    let made = author
        .post(&format!("/v1/communes/{LOOS}/initiatives"), idea)
        .await
        .created();
    let path = path_of("initiatives", &made);
    let agent = &world.agent;
    agent.act(&path, "start_review", json!({})).await.ok();
    let opinion = json!({"outcome": "favourable", "text": "Faisable."});
    agent.act(&path, "give_opinion", opinion).await.ok();
    let yes = json!({"reason": "Utile."});
    world.official.act(&path, "accept", yes).await.ok();
    (made, path)
}

/// An initiative whose convention is signed and public. What was done, and not acknowledged, is between the two sides;
/// and so is the evaluation until it is validated.
async fn kept(
    world: &World,
    author: &Client,
    idea: Value,
    mandate: &Value,
) -> (Value, Vec<String>) {
    let (made, path) = accepted(world, author, idea).await;
    let agent = &world.agent;
    let mut promises = Vec::new();
    let mut kept_up = upkeep();
    kept_up["upkeep"]["starts_on"] = json!("2026-06-15");
    for (own, other, promise) in [(agent, author, planters()), (author, agent, kept_up)] {
        let promise = own
            .post(&format!("{path}/commitments"), promise)
            .await
            .created();
        let promise = path_of("commitments", &promise);
        other.act(&promise, "accept", Value::Null).await.ok();
        promises.push(promise);
    }
    let terms = json!({"object": "Des nichoirs", "starts_on": "2026-06-15", "ends_on": "2028-06-30",
        "parties": {"commune": {"mandate_id": mandate}, "holder": {"person": {"full_name": word("signatory"), "adult": true}, "capacity": "Trésorière"}}});
    let convention = agent
        .post(&format!("{path}/conventions"), terms)
        .await
        .created();
    let convention = path_of("conventions", &convention);
    let open = agent
        .act(&convention, "open_for_signature", Value::Null)
        .await
        .ok();
    let hash = json!({"content_sha256": open["content_sha256"]});
    world
        .mayor
        .post(&format!("{convention}/sign"), hash.clone())
        .await
        .ok();
    let mut paper = hash;
    paper["party"] = json!("holder");
    paper["signed_on"] = json!("2026-06-15");
    paper["paper_reference"] = json!(word("paper"));
    let record = format!("{convention}/record_signature");
    let signed = agent.post(&record, paper).await.ok();
    assert_eq!(signed["state"], "active");
    let mut fulfilments = Vec::new();
    let missed =
        json!({"occurs_on": "2026-06-15", "outcome": "not_done", "remark": word("remark")});
    agent
        .post(&format!("{}/checks", promises[1]), missed)
        .await
        .created();
    let successor = association(agent, "Les jardiniers de la cité").await;
    let offer =
        json!({"holder_id": successor, "starts_on": "2026-07-01", "reason": word("handing")});
    let reply = author
        .post(&format!("{}/hand_overs", promises[1]), offer)
        .await;
    fulfilments.push(reply.header("location").to_owned());
    reply.created();
    for _ in 0..2 {
        let done = json!({"done_on": "2026-06-15", "quantity": "1", "evidence": word("evidence")});
        let reply = agent
            .post(&format!("{}/fulfilments", promises[0]), done)
            .await;
        fulfilments.push(reply.header("location").to_owned());
        reply.created();
    }
    let reason = json!({"reason": word("disputed")});
    author.act(&fulfilments[1], "dispute", reason).await.ok();
    let mut balance = farm_tracks();
    for field in ["summary", "method", "source"] {
        balance[field] = json!(word("balance"));
    }
    agent
        .post(&format!("{path}/evaluation"), balance)
        .await
        .created();
    fulfilments.extend(promises);
    fulfilments.push(convention);
    (made, fulfilments)
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
        if !writes && operation.method != Method::GET {
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
        let formats = if operation.path.contains("{format}") {
            &["csv", "ndjson", "geojson"][..]
        } else {
            &[""]
        };
        let paths = paths.iter().flat_map(|path| {
            let with = |format: &&str| path.replace("{format}", format);
            formats.iter().map(with)
        });
        for path in paths {
            for query in queries(&operation, planted, &words) {
                let path = format!("{path}{query}");
                for body in bodies(&operation, planted) {
                    let content_type = operation.content_type();
                    let body = body.map(|body| {
                        let content_type = content_type.as_deref().unwrap();
                        (content_type, operations::encoded(content_type, &body))
                    });
                    let caller = who.with("if-match", "*");
                    let reply = caller.send(operation.method.clone(), &path, body).await;
                    asked.push(asked_for(&operation.method, &path, reply));
                }
            }
            // A list in other clothes is the same list.
            if operation.method == Method::GET && !operation.path.contains('{') {
                for format in ["text/csv", "application/x-ndjson", "application/geo+json"] {
                    let reply = who.with("accept", format).get(&path).await;
                    asked.push(asked_for(&operation.method, &path, reply));
                }
            }
        }
    }
    // Measurements come last: they have seen all that was asked.
    for path in ["/openapi.json", "/v1/nothing", "/metrics"] {
        asked.push(asked_for(&Method::GET, path, who.get(path).await));
    }
    asked
}

fn asked_for(method: &Method, path: &str, reply: Reply) -> (String, String) {
    let headers = format!("{:?}", reply.headers);
    (format!("{method} {path}"), reply.text + &headers)
}

/// Searches for all that was planted; every order and every value that the document lets one filter by.
fn queries(operation: &Operation, planted: &Planted, words: &[&String]) -> Vec<String> {
    let id_of = |kind: &str| {
        let path = planted.paths.iter().filter(|path| path.contains(kind));
        path.filter_map(|path| path.rsplit('/').next().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    // Its required parameters alone.
    let base = match operation.id.as_str() {
        "get_metrics" => format!("?communes={LOOS}&from=2020&to=2026"),
        _ => String::new(),
    };
    let mut queries = vec![base.clone()];
    let parameters = operation.described["parameters"].as_array();
    for parameter in parameters.into_iter().flatten() {
        // Headers are referred to.
        let Some(name) = parameter["name"].as_str() else {
            continue;
        };
        if parameter["in"] != "query" || base.contains(&format!("{name}=")) {
            continue;
        }
        let schema = &parameter["schema"];
        let listed = schema["enum"]
            .as_array()
            .or_else(|| schema["items"]["enum"].as_array());
        let values: Vec<String> = match (name, listed) {
            ("q", _) => words
                .iter()
                .map(|word| word.replace('+', "%2B").replace(' ', "%20"))
                .collect(),
            ("holder", _) => id_of("/holders/"),
            ("initiative", _) => id_of("/initiatives/"),
            ("commune", _) => vec![LOOS.to_owned()],
            ("limit", _) => vec!["100".to_owned()],
            ("bbox", _) => vec!["-180,-90,180,90".to_owned()],
            (_, Some(values)) => values
                .iter()
                .map(|value| value.as_str().unwrap().to_owned())
                .collect(),
            _ => Vec::new(),
        };
        let sign = if base.is_empty() { '?' } else { '&' };
        queries.extend(
            values
                .iter()
                .map(|value| format!("{base}{sign}{name}={value}")),
        );
    }
    if operation.takes("sort") && operation.takes("commune") {
        for state in ["draft", "submitted", "in_review", "accepted"] {
            queries.push(format!("?commune={LOOS}&state={state}&limit=100"));
        }
    }
    queries
}

/// Nothing of what an operation needs, and all of it: the example of the document, with references to what was planted.
fn bodies(operation: &Operation, planted: &Planted) -> Vec<Option<Value>> {
    let Some(content_type) = operation.content_type() else {
        return vec![None];
    };
    let mut whole = operation.described["requestBody"]["content"][&content_type]["example"].clone();
    let id_of = |kind: &str| {
        let path = planted.paths.iter().find(|path| path.contains(kind));
        path.and_then(|path| path.rsplit('/').next()).unwrap()
    };
    for (name, kind) in [
        ("holder_id", "/holders/"),
        ("host_id", "/holders/"),
        ("follows_id", "/initiatives/"),
        ("initiative_id", "/initiatives/"),
    ] {
        if whole[name].is_string() {
            whole[name] = json!(id_of(kind));
        }
    }
    // Who registers with an address that is taken learns nothing of whose it is.
    if operation.id == "register_account" {
        whole["email"] = json!(format!("{}@example.org", word("authormail")));
    }
    vec![Some(json!({})), Some(whole)]
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
    for theirs in [&planted.draft, &planted.persons[1]]
        .into_iter()
        .chain(&planted.sides)
    {
        assert!(
            !found(&asked, &[theirs]).is_empty(),
            "the author does not find {theirs}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_know_nothing_of_what_is_hidden() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let author = author(&app).await;
    let count = async |who: &Client, query: &str| {
        let path = format!("/v1/initiatives?commune={LOOS}{query}");
        who.get(&path).await.body["data"].as_array().unwrap().len()
    };
    plant(&world, &author).await;
    // Four of the seven are published; the draft is its holder's alone.
    assert_eq!(count(&world.anyone, "").await, 4);
    assert_eq!(count(&world.foreign_agent, "").await, 4);
    assert_eq!(count(&world.agent, "").await, 6);
    for query in [
        "&q=zqxhiddenxqz",
        "&q=zqxdraftxqz",
        "&q=zqxshutxqz",
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

/// The figures of Loos-en-Gohelle by the code of their indicator.
async fn figures(world: &World) -> BTreeMap<String, Value> {
    let path = format!("/v1/metrics?communes={LOOS}&from=2026&to=2026");
    let metrics = world.anyone.get(&path).await.ok();
    let values = metrics["territories"][0]["periods"][0]["values"].as_array();
    let mut figures = BTreeMap::new();
    for figure in values.unwrap() {
        let code = figure["indicator"].as_str().unwrap().to_owned();
        figures.insert(code, figure.clone());
    }
    figures
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_know_nothing_of_what_is_hidden() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let author = author(&app).await;
    let holder = crate::initiatives::association(&author, "Les jardins").await;
    let before = figures(&world).await;
    assert!(before.len() > 20, "{} figures", before.len());

    // A draft counts nowhere; a submission that is not published counts as such and in no other way.
    let initiatives = format!("/v1/communes/{LOOS}/initiatives");
    let mut idea = crate::initiatives::idea(&holder);
    author.post(&initiatives, idea.clone()).await.created();
    assert_eq!(figures(&world).await, before);
    idea["submit"] = json!(true);
    let hidden = author.post(&initiatives, idea).await.created();
    let path = path_of("initiatives", &hidden);
    let withheld = json!({"publish": false, "reason": "Un nom à retirer."});
    world.agent.act(&path, "start_review", withheld).await.ok();
    let opinion = json!({"outcome": "favourable", "text": "Faisable."});
    world.agent.act(&path, "give_opinion", opinion).await.ok();
    let yes = json!({"reason": "Utile."});
    world.official.act(&path, "accept", yes).await.ok();
    let meeting = json!({"title": "Réunion", "held_on": "2026-06-10", "attendance": 12, "initiative_id": hidden["id"]});
    let meetings = format!("/v1/communes/{LOOS}/meetings");
    world.agent.post(&meetings, meeting).await.created();
    let counts = json!({"counts": [{"age_band": "11_14", "people": 12}]});
    let headcount = format!("{path}/headcounts/2026-06-10");
    world.agent.put(&headcount, counts).await.ok();
    let after = figures(&world).await;
    let changed: Vec<&String> = after
        .iter()
        .filter(|(code, figure)| before[*code] != **figure)
        .map(|(code, _)| code)
        .collect();
    assert_eq!(changed, ["initiatives_submitted"]);
}
