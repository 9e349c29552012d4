//! What many people do at once, as chance has it.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::conventions::active;
use crate::initiatives::submitted;
use crate::support::app::{LOOS, World};

pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
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

/// What the crowd writes about.
pub struct Things {
    pub initiatives: Vec<String>,
    pub conventions: Vec<String>,
    /// Of the commune, and kept by the holder's upkeep.
    pub commitments: Vec<String>,
    pub holders: Vec<String>,
    /// Proved by one of the initiatives each.
    pub practices: Vec<String>,
    /// Initiatives that are begun as it goes.
    born: Mutex<Vec<String>>,
}

pub async fn things(world: &World) -> Things {
    let mut things = Things {
        initiatives: Vec::new(),
        conventions: Vec::new(),
        commitments: Vec::new(),
        holders: Vec::new(),
        practices: Vec::new(),
        born: Mutex::default(),
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
    for _ in 0..2 {
        for initiative in &things.initiatives {
            let proof = json!({"initiative_ids": [initiative.rsplit('/').next()]});
            let practice = crate::practices::drafted(&world.agent, LOOS, proof).await;
            things.practices.push(practice);
        }
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
        foreign_agent,
        admin,
        ..
    } = world;
    let initiative = things.initiatives[dice.roll(things.initiatives.len())].clone();
    let reason = json!({"reason": "Il le faut."});
    let meetings = format!("/v1/communes/{LOOS}/meetings");
    let reply = match dice.roll(26) {
        0 | 1 => agent.act(&initiative, "unpublish", reason).await,
        2 | 3 => agent.act(&initiative, "publish", json!(null)).await,
        4 => {
            // Some are yet to come.
            let held_on = ["2026-06-10", "2026-06-10", "2026-09-10"][dice.roll(3)];
            let mut meeting = json!({"title": "Réunion de quartier", "held_on": held_on});
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
        10 | 11 => {
            let resident = [dominique, foreign_agent, admin][dice.roll(3)];
            let path = format!("{initiative}/endorsement");
            match dice.roll(3) {
                0 => resident.delete(&path).await,
                _ => resident.put(&path, json!(null)).await,
            }
        }
        12 => {
            let convention = &things.conventions[dice.roll(things.conventions.len())];
            let action = ["suspend", "resume"][dice.roll(2)];
            mayor.act(convention, action, reason).await
        }
        13 => {
            let path = submitted(world).await;
            things.born.lock().unwrap().push(path.clone());
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
        14 | 15 => {
            let resident = [camille, dominique][dice.roll(2)];
            let path = format!("{initiative}/participation");
            match dice.roll(3) {
                0 => resident.delete(&path).await,
                _ => resident.put(&path, json!(null)).await,
            }
        }
        24 | 25 => {
            let practice = &things.practices[dice.roll(things.practices.len())];
            let born = things.born.lock().unwrap().last().cloned();
            match dice.roll(9) {
                7 | 8 => {
                    let Some(path) = born else { return };
                    let source = json!({"inspired_by_practice_id": practice.rsplit('/').next()});
                    camille.edit(&path, source).await
                }
                0 => agent.act(practice, "withdraw", reason).await,
                1..=3 => agent.act(practice, "publish", json!(null)).await,
                4 => {
                    let proof = json!({"initiative_ids": [initiative.rsplit('/').next()]});
                    agent.edit(practice, proof).await
                }
                _ => {
                    let tips = format!("Conseil {}", dice.roll(1000));
                    agent.edit(practice, json!({"tips": tips})).await
                }
            }
        }
        16 => {
            let day = format!("2026-0{}-1{}", dice.roll(5) + 1, dice.roll(3));
            let counts = ["11_14", "30_59", "60_plus"]
                .map(|band| json!({"age_band": band, "people": dice.roll(12) + 1}));
            agent
                .put(
                    &format!("{initiative}/headcounts/{day}"),
                    json!({"counts": counts}),
                )
                .await
        }
        _ => {
            let born = things.born.lock().unwrap().clone();
            if born.is_empty() {
                return;
            }
            let path = &born[dice.roll(born.len())];
            let opinion = json!({"outcome": "favourable", "text": "Faisable."});
            match dice.roll(9) {
                0..=2 => agent.act(path, "give_opinion", opinion).await,
                3 | 4 => mayor.act(path, "accept", reason).await,
                5 => mayor.act(path, "refuse", reason).await,
                6 => agent.act(path, "publish", json!(null)).await,
                7 => {
                    let elsewhere =
                        json!({"competent_body": "Le département", "reason": "Sa route."});
                    agent.act(path, "redirect", elsewhere).await
                }
                _ => mayor.act(path, "abandon", reason).await,
            }
        }
    };
    assert!(reply.status.as_u16() < 500, "{}", reply.text);
}
