//! The change feed: whoever follows it has what everybody may read, all of it and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::conventions::{active, planters, upkeep};
use crate::evaluations::farm_tracks;
use crate::initiatives::{association, in_review, submitted};
use crate::support::app::{LENS, LOOS, POOL_SIZE, World};
use crate::support::{Client, TestApp};

const ALL: &str = "/v1/changes";
const OF_LOOS: &str = "/v1/communes/62528/changes";

/// What somebody has who follows the feed: kind and id of everything, with what it says.
type Copy = BTreeMap<(String, String), Value>;

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Somebody who keeps a copy.
struct Follower {
    client: Client,
    path: &'static str,
    cursor: Option<String>,
    copy: Copy,
    /// Every cursor that came, in order.
    seen: Vec<String>,
}

impl Follower {
    fn new(client: &Client, path: &'static str, cursor: Option<String>) -> Self {
        Self {
            client: client.clone(),
            path,
            cursor,
            copy: Copy::new(),
            seen: Vec::new(),
        }
    }

    /// Reads a page and takes it over; false when there is no other yet.
    async fn step(&mut self, limit: u64, wait: u64) -> bool {
        let mut path = format!("{}?limit={limit}&wait={wait}", self.path);
        if let Some(cursor) = &self.cursor {
            path.push_str(&format!("&after={cursor}"));
        }
        let page = self.client.get(&path).await.ok();
        for change in page["data"].as_array().unwrap() {
            let key = (text(&change["kind"]), text(&change["id"]));
            assert_eq!(change["change"] == "removed", change["resource"].is_null());
            if change["resource"].is_null() {
                self.copy.remove(&key);
            } else {
                assert_eq!(change["resource"]["id"], change["id"]);
                self.copy.insert(key, change["resource"].clone());
            }
            self.seen.push(text(&change["cursor"]));
        }
        self.cursor = Some(text(&page["next_cursor"]));
        page["has_more"] == true
    }

    async fn catch_up(&mut self) {
        while self.step(100, 0).await {}
    }
}

async fn now(reader: &Client, path: &str) -> String {
    let page = reader.get(&format!("{path}?after=now")).await.ok();
    assert_eq!(
        (&page["data"], &page["has_more"]),
        (&json!([]), &json!(false))
    );
    text(&page["next_cursor"])
}

/// All items of a list of pages.
async fn every(reader: &Client, path: &str) -> Vec<Value> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = reader
            .get(&format!("{path}{joint}limit=100{cursor}"))
            .await
            .ok();
        items.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

/// What the lists and the single resources of the API show to everybody. What goes while it is read is not there.
async fn public_state(reader: &Client, communes: &[&str]) -> Copy {
    let mut state = Copy::new();
    let mut keep = |kind: &str, item: &Value| {
        state.insert((kind.to_owned(), text(&item["id"])), item.clone());
    };
    for initiative in every(reader, "/v1/initiatives").await {
        let path = format!("/v1/initiatives/{}", text(&initiative["id"]));
        let single = reader.get(&path).await;
        let evaluation = reader.get(&format!("{path}/evaluation")).await;
        let commitments = reader.get(&format!("{path}/commitments")).await;
        if single.status == 200 {
            keep("initiative", &single.body);
        }
        if evaluation.status == 200 {
            keep("evaluation", &evaluation.body);
        }
        for commitment in commitments.body["data"].as_array().into_iter().flatten() {
            keep("commitment", commitment);
            let path = format!("/v1/commitments/{}/fulfilments", text(&commitment["id"]));
            let fulfilments = reader.get(&path).await.body;
            for fulfilment in fulfilments["data"].as_array().into_iter().flatten() {
                keep("fulfilment", fulfilment);
            }
        }
    }
    for convention in every(reader, "/v1/conventions").await {
        keep("convention", &convention);
    }
    for commune in communes {
        for (kind, list) in [
            ("meeting", "meetings"),
            ("measure", "measures"),
            ("holder", "holders"),
        ] {
            for item in every(reader, &format!("/v1/communes/{commune}/{list}")).await {
                keep(kind, &item);
            }
        }
    }
    state
}

#[track_caller]
fn same(copy: &Copy, state: &Copy) {
    for (key, item) in state {
        assert_eq!(copy.get(key), Some(item), "{key:?}");
    }
    let more: Vec<_> = copy.keys().filter(|key| !state.contains_key(key)).collect();
    assert!(more.is_empty(), "kept and no longer public: {more:?}");
}

/// Numbers that look random and are the same at each run.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }
}

/// What the writers of the great tests write about.
pub struct Things {
    pub initiatives: Vec<String>,
    conventions: Vec<String>,
    /// Of the commune, and kept by the holder's upkeep.
    commitments: Vec<String>,
    holders: Vec<String>,
}

pub async fn things(world: &World) -> Things {
    let mut things = Things {
        initiatives: Vec::new(),
        conventions: Vec::new(),
        commitments: Vec::new(),
        holders: Vec::new(),
    };
    for _ in 0..4 {
        let (initiative, convention) = active(world).await;
        let columns = world
            .agent
            .get(&format!("{initiative}/commitments"))
            .await
            .ok();
        let planters = columns["data"]
            .as_array()
            .unwrap()
            .iter()
            .find(|commitment| commitment["side"] == "commune")
            .unwrap();
        things
            .commitments
            .push(format!("/v1/commitments/{}", text(&planters["id"])));
        let seen = world.agent.get(&initiative).await.ok();
        things
            .holders
            .push(format!("/v1/holders/{}", text(&seen["holder"]["id"])));
        things.initiatives.push(initiative);
        things.conventions.push(convention);
    }
    // Of people: they show with what they carry.
    for name in ["Les voisins", "Les riverains"] {
        let holder = json!({"kind": "collective", "name": name});
        let holder = world
            .camille
            .post(&format!("/v1/communes/{LOOS}/holders"), holder)
            .await
            .created();
        things
            .holders
            .push(format!("/v1/holders/{}", text(&holder["id"])));
        let idea = json!({"title": "Des bancs", "description": "Pour s'asseoir.", "theme": "living_environment",
            "holder_id": holder["id"], "submit": true});
        let made = world
            .camille
            .post(&format!("/v1/communes/{LOOS}/initiatives"), idea)
            .await
            .created();
        let path = format!("/v1/initiatives/{}", text(&made["id"]));
        world.agent.act(&path, "start_review", json!({})).await.ok();
        things.initiatives.push(path);
    }
    things
}

/// Does one thing out of many; what does not go as things stand is refused, and never fails.
pub async fn do_something(world: &World, things: &Things, dice: &mut Dice) {
    let World {
        agent,
        mayor,
        camille,
        dominique,
        ..
    } = world;
    let initiative = things.initiatives[dice.roll(things.initiatives.len())].clone();
    let reason = json!({"reason": "Il le faut."});
    let meetings = format!("/v1/communes/{LOOS}/meetings");
    let reply = match dice.roll(14) {
        0 | 1 => agent.act(&initiative, "unpublish", reason).await,
        2 | 3 => agent.act(&initiative, "publish", json!(null)).await,
        4 => {
            let mut meeting = json!({"title": "Réunion de quartier", "held_on": "2026-06-10"});
            if dice.roll(3) > 0 {
                meeting["initiative_id"] = json!(initiative.rsplit('/').next());
            }
            agent.post(&meetings, meeting).await
        }
        5 | 6 => {
            let known = agent.get(&format!("{meetings}?limit=100")).await.ok();
            let known = known["data"].as_array().unwrap().clone();
            if known.is_empty() {
                return;
            }
            let path = format!(
                "/v1/meetings/{}",
                text(&known[dice.roll(known.len())]["id"])
            );
            let about = initiative.rsplit('/').next();
            match dice.roll(4) {
                0 => agent.with("if-match", "*").delete(&path).await,
                1 => agent.edit(&path, json!({"initiative_id": about})).await,
                2 => agent.edit(&path, json!({"initiative_id": null})).await,
                _ => {
                    agent
                        .edit(&path, json!({"attendance": dice.roll(200)}))
                        .await
                }
            }
        }
        7 => {
            let path = format!(
                "/v1/communes/{LOOS}/measures/associations/{}",
                2000 + dice.roll(8)
            );
            let agent = agent.with("if-match", "*");
            if dice.roll(3) == 0 {
                agent.delete(&path).await
            } else {
                let measure = json!({"value": dice.roll(99).to_string(), "unit": "associations", "source": "Annuaire"});
                let reply = agent.put(&path, measure.clone()).await;
                match reply.status.as_u16() {
                    412 => world.agent.put(&path, measure).await,
                    _ => reply,
                }
            }
        }
        8 => {
            let holder = &things.holders[dice.roll(things.holders.len())];
            let name = format!("Les amis, {}", dice.roll(1000));
            camille.edit(holder, json!({"name": name})).await
        }
        9 => {
            let commitment = &things.commitments[dice.roll(things.commitments.len())];
            let done =
                json!({"done_on": "2026-06-15", "quantity": "0.1", "evidence": "Bon de livraison"});
            let recorded = agent.post(&format!("{commitment}/fulfilments"), done).await;
            if recorded.status != 201 {
                recorded
            } else {
                let path = recorded.header("location").to_owned();
                camille.act(&path, "acknowledge", json!(null)).await
            }
        }
        10 => {
            dominique
                .put(&format!("{initiative}/endorsement"), json!(null))
                .await
        }
        11 => dominique.delete(&format!("{initiative}/endorsement")).await,
        12 => {
            let convention = &things.conventions[dice.roll(things.conventions.len())];
            let action = ["suspend", "resume"][dice.roll(2)];
            mayor.act(convention, action, reason).await
        }
        _ => {
            let path = submitted(world).await;
            // Some are never published.
            let publish = dice.roll(2) == 0;
            agent
                .act(
                    &path,
                    "start_review",
                    json!({"publish": publish, "reason": "Un nom."}),
                )
                .await
        }
    };
    assert!(reply.status.as_u16() < 500, "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_and_feed_give_what_is_public() {
    let app = TestApp::new().await;
    let world = Arc::new(app.world().await);
    let things = Arc::new(things(&world).await);
    let over = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for seed in 1..=6_u64 {
        let (world, things) = (Arc::clone(&world), Arc::clone(&things));
        writers.push(tokio::spawn(async move {
            let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            for _ in 0..250 {
                do_something(&world, &things, &mut dice).await;
            }
        }));
    }
    // One begins in the midst of it, with the lists.
    let (reader, done) = (world.anyone.clone(), Arc::clone(&over));
    let follower = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let cursor = now(&reader, ALL).await;
        let mut follower = Follower::new(&reader, ALL, Some(cursor));
        follower.copy = public_state(&reader, &[LOOS, LENS]).await;
        while !done.load(Ordering::SeqCst) {
            follower.step(7, 1).await;
        }
        follower
    });
    for writer in writers {
        writer.await.unwrap();
    }
    over.store(true, Ordering::SeqCst);
    let mut follower = follower.await.unwrap();
    follower.catch_up().await;
    let state = public_state(&world.anyone, &[LOOS, LENS]).await;
    let kinds: BTreeSet<&str> = state.keys().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    same(&follower.copy, &state);
    // Another reads the feed alone, from its start.
    for path in [ALL, OF_LOOS] {
        let mut late = Follower::new(&world.anyone, path, None);
        late.catch_up().await;
        same(&late.copy, &state);
        let cursors: BTreeSet<&String> = late.seen.iter().collect();
        assert_eq!(cursors.len(), late.seen.len(), "a change came twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_writers_lose_nothing_and_repeat_nothing() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let mut writers = Vec::new();
    for writer in 0..16_u32 {
        let url = app.database_url();
        let (agent, now) = (world.agent.id(), app.state.clock.now());
        writers.push(tokio::spawn(async move {
            let (mut client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
                .await
                .unwrap();
            tokio::spawn(connection);
            let mut dice = Dice(u64::from(writer) + 1);
            let mut written = Vec::new();
            for round in 0..40 {
                // As long as they like, so that they are committed in another order than they were written.
                let transaction = client.transaction().await.unwrap();
                let mut ids = Vec::new();
                for _ in 0..=dice.roll(3) {
                    let id = fifty_fifty::ids::tenant_uuid(LOOS, now).unwrap();
                    let insert = format!(
                        "INSERT INTO meetings (id, commune_code, title, held_on, recorded_by, created_at) \
                         VALUES ('{id}', '{LOOS}', 'Réunion {writer}.{round}', '2026-06-01', '{agent}', now()); \
                         SELECT pg_sleep({})",
                        f64::from(u8::try_from(dice.roll(20)).unwrap()) / 1000.0
                    );
                    transaction.batch_execute(&insert).await.unwrap();
                    ids.push(id.to_string());
                }
                if dice.roll(5) == 0 {
                    transaction.rollback().await.unwrap();
                } else {
                    transaction.commit().await.unwrap();
                    written.extend(ids);
                }
            }
            written
        }));
    }
    let over = Arc::new(AtomicBool::new(false));
    let (reader, done) = (world.anyone.clone(), Arc::clone(&over));
    let poller = tokio::spawn(async move {
        let mut cursor = String::new();
        let mut seen = Vec::new();
        loop {
            let last = done.load(Ordering::SeqCst);
            let page = reader
                .get(&format!("{OF_LOOS}?kind=meeting&limit=10{cursor}"))
                .await
                .ok();
            for change in page["data"].as_array().unwrap() {
                assert_eq!(change["change"], "created");
                seen.push(text(&change["id"]));
            }
            cursor = format!("&after={}", text(&page["next_cursor"]));
            if last && page["has_more"] == false {
                return seen;
            }
        }
    });
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    over.store(true, Ordering::SeqCst);
    let mut seen = poller.await.unwrap();
    assert!(written.len() > 500, "{}", written.len());
    seen.sort_unstable();
    written.sort_unstable();
    assert_eq!(seen, written);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_public_is_nowhere() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let before = now(&world.anyone, ALL).await;
    let mut follower = Follower::new(&world.anyone, ALL, Some(before.clone()));
    // A person, their draft, and what is proposed in it.
    let person = json!({"kind": "person", "name": "Camille"});
    let person = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/holders"), person)
        .await
        .created();
    let idea = json!({"title": "Un banc devant chez moi", "description": "Au soleil.", "theme": "living_environment",
        "holder_id": person["id"], "commitments": [planters(), upkeep()]});
    let made = world
        .camille
        .post(&format!("/v1/communes/{LOOS}/initiatives"), idea)
        .await
        .created();
    let path = format!("/v1/initiatives/{}", text(&made["id"]));
    world
        .camille
        .edit(&path, json!({"title": "Un banc au soleil"}))
        .await
        .ok();
    world.camille.act(&path, "submit", json!(null)).await.ok();
    let meeting =
        json!({"title": "Autour du banc", "held_on": "2026-06-10", "initiative_id": made["id"]});
    let meetings = format!("/v1/communes/{LOOS}/meetings");
    world.agent.post(&meetings, meeting).await.created();
    follower.catch_up().await;
    assert!(follower.seen.is_empty() && follower.copy.is_empty());

    // Published with what belongs to it, and taken back.
    world.agent.act(&path, "start_review", json!({})).await.ok();
    follower.catch_up().await;
    let kinds: Vec<&str> = follower
        .copy
        .keys()
        .map(|(kind, _)| kind.as_str())
        .collect();
    assert_eq!(kinds, ["holder", "initiative", "meeting"]);
    assert_eq!(follower.seen.len(), 3, "each once");
    let reason = json!({"reason": "Le voisin est nommé."});
    world.agent.act(&path, "unpublish", reason).await.ok();
    follower.catch_up().await;
    assert!(follower.copy.is_empty(), "{:?}", follower.copy);
    assert_eq!(follower.seen.len(), 6);

    // Whoever comes now learns what is gone, and no word of it.
    let again = world
        .anyone
        .get(&format!("{ALL}?after={before}&limit=100"))
        .await;
    assert!(
        !again.text.contains("banc") && !again.text.contains("Camille"),
        "{}",
        again.text
    );
    for change in again.ok()["data"].as_array().unwrap() {
        assert_eq!(
            (&change["change"], &change["resource"]),
            (&json!("removed"), &json!(null))
        );
    }
    // The same for who may read it elsewhere: the feed is of what everybody may read.
    let agents = world
        .agent
        .get(&format!("{ALL}?after={before}&limit=100"))
        .await;
    assert!(!agents.text.contains("banc"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_is_one_change_of_each_thing_that_it_changes() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let (initiative, convention) = active(&world).await;
    let fulfilled = world
        .agent
        .get(&format!("{initiative}/commitments"))
        .await
        .ok();
    let planters = fulfilled["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|commitment| commitment["side"] == "commune")
        .unwrap()["id"]
        .clone();
    let done = json!({"done_on": "2026-06-15", "quantity": "8", "evidence": "Bon de livraison"});
    let fulfilments = format!("/v1/commitments/{}/fulfilments", text(&planters));
    let recorded = world.agent.post(&fulfilments, done).await.created();
    let fulfilment = format!("/v1/fulfilments/{}", text(&recorded["id"]));
    let cursor = now(&world.anyone, ALL).await;
    world
        .camille
        .act(&fulfilment, "acknowledge", json!(null))
        .await
        .ok();
    let page = world
        .anyone
        .get(&format!("{ALL}?after={cursor}"))
        .await
        .ok();
    let mut changes: Vec<(String, String, &Value)> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            (
                text(&change["kind"]),
                text(&change["change"]),
                &change["resource"],
            )
        })
        .collect();
    changes.sort_unstable_by_key(|(kind, ..)| kind.clone());
    let words: Vec<(&str, &str)> = changes
        .iter()
        .map(|(kind, change, _)| (kind.as_str(), change.as_str()))
        .collect();
    assert_eq!(
        words,
        [("commitment", "updated"), ("fulfilment", "created")]
    );
    assert_eq!(changes[0].2["state"], "fulfilled");

    // What names something else changes with its name.
    let cursor = now(&world.anyone, ALL).await;
    let holder = world.agent.get(&initiative).await.ok()["holder"]["id"].clone();
    let named = json!({"name": "Les chemins de la plaine"});
    world
        .camille
        .edit(&format!("/v1/holders/{}", text(&holder)), named)
        .await
        .ok();
    let only = format!("{ALL}?after={cursor}&kind=convention,initiative");
    let page = world.anyone.get(&only).await.ok();
    let items = page["data"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{page}");
    for change in items {
        assert_eq!(
            change["resource"]["holder"]["name"],
            "Les chemins de la plaine"
        );
    }
    // A validated evaluation is the eighth kind.
    let evaluation = world
        .agent
        .post(&format!("{initiative}/evaluation"), farm_tracks())
        .await;
    evaluation.created();
    let reason = json!({"reason": "Fait autrement."});
    world
        .mayor
        .act(&convention, "terminate", reason.clone())
        .await
        .ok();
    app.travel_to("2026-09-15T10:00:00Z");
    let upkeeps = world
        .agent
        .get(&format!("{initiative}/commitments"))
        .await
        .ok();
    for commitment in upkeeps["data"].as_array().unwrap() {
        let path = format!("/v1/commitments/{}", text(&commitment["id"]));
        world
            .agent
            .act(&path, "mark_unfulfilled", reason.clone())
            .await;
    }
    world
        .agent
        .act(&initiative, "complete", json!(null))
        .await
        .ok();
    let evaluation = format!("{initiative}/evaluation");
    world
        .camille
        .act(&evaluation, "agree", json!(null))
        .await
        .ok();
    let cursor = now(&world.anyone, OF_LOOS).await;
    world
        .mayor
        .act(&evaluation, "validate", json!(null))
        .await
        .ok();
    let page = world
        .anyone
        .get(&format!("{OF_LOOS}?after={cursor}&kind=evaluation"))
        .await
        .ok();
    assert_eq!(page["data"][0]["change"], "created");
    assert_eq!(
        page["data"][0]["resource"],
        world.anyone.get(&evaluation).await.ok()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_answered_at_once_and_holds_nothing() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let cursor = now(&world.anyone, ALL).await;
    let begin = Instant::now();
    let page = world
        .anyone
        .get(&format!("{ALL}?after={cursor}&wait=1"))
        .await
        .ok();
    assert_eq!(page["data"], json!([]));
    assert!(begin.elapsed() >= Duration::from_secs(1));

    // More wait than there are connections, of this commune and of another.
    let waiting = |path: &str| {
        let (reader, path) = (
            world.anyone.clone(),
            format!("{path}?after={cursor}&wait=30"),
        );
        tokio::spawn(async move { (reader.get(&path).await.ok(), Instant::now()) })
    };
    let of_loos: Vec<_> = (0..3 * POOL_SIZE).map(|_| waiting(OF_LOOS)).collect();
    let of_lens = waiting("/v1/communes/62498/changes");
    // They are there: nobody else uses the API.
    while app.active_requests().await <= 3 * POOL_SIZE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let meeting = json!({"title": "Réunion de quartier", "held_on": "2026-06-10"});
    let begin = Instant::now();
    world
        .agent
        .post(&format!("/v1/communes/{LOOS}/meetings"), meeting)
        .await
        .created();
    for waiter in of_loos {
        let (page, at) = waiter.await.unwrap();
        assert_eq!(page["data"][0]["resource"]["title"], "Réunion de quartier");
        assert!(at - begin < Duration::from_secs(1), "{:?}", at - begin);
    }
    // The end of the program keeps nobody.
    assert!(!of_lens.is_finished());
    let begin = Instant::now();
    app.state.feed.end();
    let (page, at) = of_lens.await.unwrap();
    assert_eq!(page["data"], json!([]));
    assert!(at - begin < Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_of_the_feed_and_goes_on_for_ever() {
    let app = TestApp::new().await;
    let world = app.world().await;
    let begin = now(&world.anyone, ALL).await;
    for _ in 0..5 {
        in_review(&world).await;
    }
    // A month later, in small pages, of the commune and with a kind.
    app.travel_to("2026-07-15T10:00:00Z");
    let mut follower = Follower::new(&world.anyone, OF_LOOS, Some(begin.clone()));
    let mut pages = 1;
    while follower.step(3, 0).await {
        pages += 1;
    }
    assert_eq!(
        follower.copy.len(),
        10,
        "five initiatives and their holders"
    );
    assert!(pages >= 4);
    let measures = world
        .anyone
        .get(&format!("{OF_LOOS}?after={begin}&kind=measure"))
        .await
        .ok();
    assert_eq!(measures["data"], json!([]));
    let after = text(&measures["next_cursor"]);
    let rest = world.anyone.get(&format!("{ALL}?after={after}")).await.ok();
    assert_eq!(rest["data"], json!([]), "what was passed over is behind");

    for wrong in ["x", "bm93", "now2"] {
        world
            .anyone
            .get(&format!("{ALL}?after={wrong}"))
            .await
            .problem(400, "invalid_cursor");
    }
    for wrong in [
        "wait=31",
        "wait=-1",
        "limit=101",
        "kind=user",
        "cursor=x",
        "after=",
    ] {
        world
            .anyone
            .get(&format!("{ALL}?{wrong}"))
            .await
            .problem(400, "invalid_query");
    }
    world
        .anyone
        .get("/v1/communes/99999/changes")
        .await
        .problem(404, "not_found");
    // The database was restored from before: whoever knows more than it begins anew.
    let ahead = follower.cursor.unwrap();
    app.write_rows("DELETE FROM changes").await;
    world
        .anyone
        .get(&format!("{ALL}?after={ahead}"))
        .await
        .problem(400, "invalid_cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_the_feed() {
    let app = TestApp::new().await;
    let world = app.world().await;
    association(&world.camille, "Les jardiniers").await;
    let unplaced = app
        .attack("DO $$ BEGIN PERFORM FROM changes WHERE position IS NULL; ASSERT FOUND; END $$")
        .await;
    assert_eq!(unplaced, None);
    now(&world.anyone, ALL).await;
    let id = app.row_id(LOOS);
    let insert = |commune: &str, kind: &str| {
        format!(
            "INSERT INTO changes (commune_code, kind, subject_id, was_public) VALUES ('{commune}', '{kind}', '{id}', true)"
        )
    };
    for (attack, refusal) in [
        (
            "UPDATE changes SET position = position + 1".to_owned(),
            "changes_append_only",
        ),
        (
            "UPDATE changes SET position = NULL".to_owned(),
            "changes_append_only",
        ),
        (
            "UPDATE changes SET was_public = NOT was_public".to_owned(),
            "changes_append_only",
        ),
        ("DELETE FROM changes".to_owned(), "changes_append_only"),
        ("TRUNCATE changes CASCADE".to_owned(), "changes_append_only"),
        (insert(LENS, "meeting"), "changes_id_carries_commune"),
        (insert(LOOS, "user"), "changes_kind"),
        (
            format!(
                "{0}; UPDATE changes SET position = 1 WHERE position IS NULL",
                insert(LOOS, "meeting")
            ),
            "changes_by_position",
        ),
        (
            format!(
                "{0}; UPDATE changes SET position = 9, kind = 'measure' WHERE position IS NULL",
                insert(LOOS, "meeting")
            ),
            "changes_append_only",
        ),
        (
            format!("{0}; {0}", insert(LOOS, "meeting")),
            "changes_once_a_transaction",
        ),
    ] {
        assert_eq!(
            app.attack(&attack).await.as_deref(),
            Some(refusal),
            "{attack}"
        );
    }
}
