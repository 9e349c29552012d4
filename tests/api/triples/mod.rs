//! Every (state, action, person) triple of every lifecycle, over HTTP. What the tables of `src/*/lifecycle.rs` do not give
//! is refused as api.md says and changes nothing; what they give succeeds, or fails for a requirement that is named
//! here. A state without something that is in it, or an action without a request, fails.

mod museum;
mod requests;
mod requirements;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use fifty_fifty::auth::policy::Role;
use fifty_fifty::lifecycle::{ActionData, LifecycleData};
use fifty_fifty::reference::registry::{LISTS, lifecycles};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::client::Reply;
use crate::support::{Client, TestApp};
use museum::{Cast, Exhibit, Person};
use requirements::REQUIREMENTS;

/// Requests under way at once; the application has as many connections.
const AT_ONCE: usize = 8;

/// Whoever has found so many culprits has enough to begin with.
const ENOUGH: usize = 5;

/// What somebody is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Done,
    /// The status and the code of the problem.
    Refused(u16, &'static str),
}

/// One action that somebody tries on something.
#[derive(Clone, Copy)]
struct Triple<'a> {
    exhibit: &'a Exhibit,
    action: &'a ActionData,
    person: &'a Person,
    verdict: Verdict,
}

impl std::fmt::Display for Triple<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (exhibit, action) = (self.exhibit, self.action.code);
        write!(f, "{exhibit}: {action} by {}", self.person.name)
    }
}

impl Triple<'_> {
    /// What is wrong with an answer.
    fn fault(&self, reply: &Reply) -> Option<String> {
        let (status, code) = (reply.status.as_u16(), reply.body["code"].as_str());
        let right = match self.verdict {
            Verdict::Done => reply.status.is_success(),
            Verdict::Refused(expected, problem) => {
                // Who comes too late or too early is told where it stands.
                let told = problem != "wrong_state" || reply.body["state"] == self.exhibit.state;
                status == expected && code == Some(problem) && told
            }
        };
        (!right).then(|| format!("{self} is {:?}, not {status} {}", self.verdict, reply.text))
    }
}

/// What the table says of somebody who can or cannot read it.
fn verdict(exhibit: &Exhibit, action: &ActionData, person: &Person, readable: bool) -> Verdict {
    if person.roles.is_empty() {
        return Verdict::Refused(401, "unauthorized");
    }
    if !readable {
        return Verdict::Refused(404, "not_found");
    }
    let named = |before_the_table: bool| {
        REQUIREMENTS.iter().find(|requirement| {
            requirement.before_the_table == before_the_table
                && requirement.concerns(exhibit, action.code, person)
        })
    };
    if let Some(requirement) = named(true) {
        return requirement.verdict;
    }
    if let Err(refused) = permitted(exhibit, action, person) {
        return refused;
    }
    if !action.from.contains(&exhibit.state) {
        return Verdict::Refused(409, "wrong_state");
    }
    named(false).map_or(Verdict::Done, |requirement| requirement.verdict)
}

/// Whether the table gives somebody an action, whatever the state. Nobody stands on both sides.
fn permitted(exhibit: &Exhibit, action: &ActionData, person: &Person) -> Result<(), Verdict> {
    // A practice sheet tells what was done: it is no matter between two sides.
    let on_the_holders_side = exhibit.subject != "practice"
        && person
            .roles
            .iter()
            .any(|role| matches!(role, Role::Holder | Role::Host));
    let has = |role: Role| match role {
        Role::AgentOnBehalf => exhibit.at_the_counter && person.roles.contains(&Role::Agent),
        Role::TownHall => [Role::Agent, Role::ElectedOfficial]
            .iter()
            .any(|role| person.roles.contains(role)),
        role => person.roles.contains(&role),
    };
    let of_the_commune = |role: Role| {
        matches!(
            role,
            Role::Agent | Role::AgentOnBehalf | Role::ElectedOfficial
        )
    };
    let theirs: Vec<Role> = action
        .who
        .iter()
        .copied()
        .filter(|role| has(*role))
        .collect();
    if theirs
        .iter()
        .any(|role| !(on_the_holders_side && of_the_commune(*role)))
    {
        Ok(())
    } else if theirs.is_empty() {
        Err(Verdict::Refused(403, "forbidden"))
    } else {
        Err(Verdict::Refused(409, "conflict_of_interest"))
    }
}

/// Whether the tables give it, and only a requirement can stand against it.
fn given(triple: &Triple<'_>) -> bool {
    permitted(triple.exhibit, triple.action, triple.person).is_ok()
        && triple.action.from.contains(&triple.exhibit.state)
}

/// Sends so many at once, and returns the answers in the order of the requests.
async fn send_all(triples: &[Triple<'_>]) -> Vec<Reply> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut under_way = JoinSet::new();
    for (number, triple) in triples.iter().enumerate() {
        let request = requests::request(triple.exhibit, triple.action.code).unwrap();
        let client = triple.person.client.clone();
        let places = Arc::clone(&places);
        under_way.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            (number, request.send(&client).await)
        });
    }
    let mut replies: Vec<Option<Reply>> = triples.iter().map(|_| None).collect();
    while let Some(done) = under_way.join_next().await {
        let (number, reply) = done.unwrap();
        replies[number] = Some(reply);
    }
    replies.into_iter().flatten().collect()
}

/// What people see of everything: nothing where they may not read it.
async fn views(exhibits: &[Exhibit], people: &[Person]) -> HashMap<(String, &'static str), Value> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut under_way = JoinSet::new();
    for exhibit in exhibits {
        for person in exhibit.tried_by(people) {
            let (path, client, name) = (exhibit.path.clone(), person.client.clone(), person.name);
            let places = Arc::clone(&places);
            under_way.spawn(async move {
                let _place = places.acquire_owned().await.unwrap();
                let reply = client.get(&path).await;
                ((path, name), reply)
            });
        }
    }
    let mut seen = HashMap::new();
    while let Some(done) = under_way.join_next().await {
        let (key, reply) = done.unwrap();
        if reply.status == 404 {
            continue;
        }
        seen.insert(key, reply.ok());
    }
    seen
}

/// The members of a closed list.
fn codes(list: &str) -> Vec<&'static str> {
    let list = LISTS.iter().find(|known| known.name == list).unwrap();
    list.codes.iter().map(|(code, ..)| *code).collect()
}

/// Every state of every lifecycle has something that is in it, and every action a request.
fn nothing_is_forgotten(tables: &[LifecycleData], exhibits: &[Exhibit]) {
    let shown: BTreeSet<(&str, &str)> = exhibits
        .iter()
        .map(|exhibit| (exhibit.lifecycle, exhibit.state))
        .collect();
    for table in tables {
        for state in codes(&format!("{}_states", table.subject)) {
            assert!(
                shown.contains(&(table.name, state)),
                "nothing is {state} by the lifecycle {}",
                table.name
            );
        }
        let exhibit = exhibits
            .iter()
            .find(|exhibit| exhibit.lifecycle == table.name)
            .unwrap();
        for action in codes(&format!("{}_actions", table.subject)) {
            let request = requests::request(exhibit, action);
            let nobodys = requests::WITHOUT.contains(&(table.subject, action));
            assert_ne!(
                request.is_some(),
                nobodys,
                "{action} of {}: either a request, or it is taken by nobody",
                table.name
            );
            if let Some(request) = request {
                let ruled = table.actions.iter().any(|rule| rule.code == action);
                assert!(ruled, "{action} of {} is in no table", table.name);
                assert!(
                    request.is_documented(),
                    "{request:?} is not in the document"
                );
            } else {
                for request in requests::plain(exhibit, action) {
                    assert!(!request.is_documented(), "{request:?} has an operation");
                }
            }
        }
    }
}

/// What a person is offered is what the table gives them, and what they succeed with was offered.
fn offers(
    exhibit: &Exhibit,
    person: &Person,
    seen: &Value,
    verdicts: &BTreeMap<&str, (Verdict, bool)>,
) -> Vec<String> {
    let offered: BTreeSet<&str> = seen["allowed_actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action.as_str().unwrap())
        .collect();
    let mut faults = Vec::new();
    for (action, (verdict, given)) in verdicts {
        let wrong = match verdict {
            // To withhold what is not published is possible: with another reason.
            Verdict::Done => !offered.contains(action) && !requests::REPEATED.contains(action),
            // A right that is missing is known beforehand; other requirements show when it is tried.
            Verdict::Refused(409, _) if *given => false,
            Verdict::Refused(..) => offered.contains(action),
        };
        if wrong {
            faults.push(format!(
                "{exhibit}: {} is offered {offered:?}, and {action} is {verdict:?}",
                person.name
            ));
        }
    }
    for action in &offered {
        if !verdicts.contains_key(action) {
            faults.push(format!(
                "{exhibit}: {} is offered {action}, which has no operation",
                person.name
            ));
        }
    }
    faults
}

/// Where a successful action may have led.
fn targets(triple: &Triple<'_>) -> Vec<&'static str> {
    let action = triple.action;
    let stays =
        action.to.is_none() || requests::STAYS.contains(&(triple.exhibit.subject, action.code));
    let mut targets: Vec<&'static str> = action.to.into_iter().collect();
    targets.extend(&action.or_to);
    targets.extend(stays.then_some(triple.exhibit.state));
    targets
}

/// Tries what is refused. When that changes something after all, halves and halves again find who did.
async fn refuse(app: &TestApp, triples: &[Triple<'_>], faults: &mut Vec<String>) {
    let before = app.fingerprint().await;
    let replies = send_all(triples).await;
    for (triple, reply) in triples.iter().zip(&replies) {
        faults.extend(triple.fault(reply));
    }
    if app.fingerprint().await == before {
        return;
    }
    app.bring_back().await;
    // Who succeeded is named already, and no wonder that something has changed.
    if replies.iter().any(|reply| reply.status.is_success()) {
        return;
    }
    let mut culprits = 0;
    let mut suspects = vec![triples];
    while let Some(some) = suspects.pop()
        && culprits < ENOUGH
    {
        send_all(some).await;
        if app.fingerprint().await == before {
            continue;
        }
        app.bring_back().await;
        if let [triple] = some {
            faults.push(format!("{triple} is refused and changes something"));
            culprits += 1;
        } else {
            let (one, other) = some.split_at(some.len() / 2);
            suspects.extend([one, other]);
        }
    }
    faults.extend((culprits == 0).then(|| "the refused change something together".to_owned()));
}

/// Does what is allowed: of each thing one action at once, then everything is as before.
async fn allow(app: &TestApp, lead: &Client, triples: &[Triple<'_>], faults: &mut Vec<String>) {
    let mut waiting: BTreeMap<&str, Vec<Triple<'_>>> = BTreeMap::new();
    for triple in triples {
        waiting
            .entry(&triple.exhibit.path)
            .or_default()
            .push(*triple);
    }
    loop {
        let round: Vec<Triple<'_>> = waiting.values_mut().filter_map(Vec::pop).collect();
        if round.is_empty() {
            return;
        }
        for (triple, reply) in round.iter().zip(send_all(&round).await) {
            faults.extend(triple.fault(&reply));
        }
        for triple in &round {
            // A holder does not read drafts of the town hall's sheets.
            let reader = match triple.exhibit.subject {
                "practice" => &triple.person.client,
                _ => lead,
            };
            let after = reader.get(&triple.exhibit.path).await.ok();
            let after = after["state"].as_str().unwrap();
            let targets = targets(triple);
            if !targets.contains(&after) {
                faults.push(format!("{triple} leads to {after}, not to {targets:?}"));
            }
        }
        app.bring_back().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_triple_is_answered_by_the_table() {
    let app = TestApp::new().await;
    let cast = Cast::new(&app).await;
    let exhibits = museum::fill(&app, &cast).await;
    let people = &cast.people;
    let tables = lifecycles();
    nothing_is_forgotten(&tables, &exhibits);
    app.keep().await;

    let seen = views(&exhibits, people).await;
    let mut faults = Vec::new();
    let mut triples = Vec::new();
    for exhibit in &exhibits {
        let table = tables
            .iter()
            .find(|table| table.name == exhibit.lifecycle)
            .unwrap();
        for person in exhibit.tried_by(people) {
            let view = seen.get(&(exhibit.path.clone(), person.name));
            if let Some(view) = view {
                assert_eq!(view["state"], exhibit.state, "{exhibit}");
            }
            let mut verdicts = BTreeMap::new();
            for action in &table.actions {
                if requests::request(exhibit, action.code).is_none() {
                    continue;
                }
                let verdict = verdict(exhibit, action, person, view.is_some());
                let triple = Triple {
                    exhibit,
                    action,
                    person,
                    verdict,
                };
                verdicts.insert(action.code, (verdict, given(&triple)));
                triples.push(triple);
            }
            if let Some(view) = view {
                faults.extend(offers(exhibit, person, view, &verdicts));
            }
        }
    }
    for requirement in REQUIREMENTS {
        assert!(
            triples.iter().any(|triple| given(triple)
                && requirement.concerns(triple.exhibit, triple.action.code, triple.person)),
            "this requirement stands in nobody's way: {}",
            requirement.why
        );
    }

    let (allowed, refused): (Vec<Triple<'_>>, Vec<Triple<'_>>) = triples
        .into_iter()
        .partition(|triple| triple.verdict == Verdict::Done);
    refuse(&app, &refused, &mut faults).await;
    allow(&app, &cast.lead, &allowed, &mut faults).await;
    assert!(
        refused.len() > 5_000 && allowed.len() > 300,
        "{} were refused, {} allowed",
        refused.len(),
        allowed.len()
    );
    assert!(
        faults.is_empty(),
        "{} of {} triples are not as the tables say:\n{}",
        faults.len(),
        refused.len() + allowed.len(),
        faults.join("\n")
    );
}
