//! Who may do what, as one readable table: every lifecycle, every action, every kind of person. A change of rights is
//! a change of `policies.snap`; `UPDATE_SNAPSHOTS=1 cargo test --test policies` writes it anew.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fmt::Write;

use fifty_fifty::auth::policy::{ActiveMandate, Denial, Membership, Role, Scope, Standing};
use fifty_fifty::codes::Coded;
use fifty_fifty::commitments::lifecycle::{
    OWED_BY_COMMUNE, OWED_BY_OTHERS, PROPOSED_BY_COMMUNE, PROPOSED_BY_OTHERS,
};
use fifty_fifty::conventions::lifecycle::CONVENTION;
use fifty_fifty::evaluations::lifecycle::{EVALUATION, EvaluationState};
use fifty_fifty::ids::MandateId;
use fifty_fifty::initiatives::lifecycle::INITIATIVE;
use fifty_fifty::lifecycle::Lifecycle;

/// The commune of the matter.
const OWN: &str = "62528";

fn mandate(role: Role, may_sign: bool) -> Vec<ActiveMandate> {
    vec![ActiveMandate {
        id: MandateId(uuid::Uuid::nil()),
        commune: OWN.to_owned(),
        role,
        may_sign,
        capacity: String::new(),
    }]
}

/// Every kind of person, in the order of the columns. A mandate of another commune is no standing in this one.
fn people() -> Vec<(&'static str, Standing)> {
    let someone = Standing {
        signed_in: true,
        ..Standing::default()
    };
    let member = Some(Membership {
        is_lead: true,
        may_sign: true,
    });
    vec![
        ("anonymous", Standing::default()),
        ("resident", someone.clone()),
        (
            "holder",
            Standing {
                holder: member,
                ..someone.clone()
            },
        ),
        (
            "host",
            Standing {
                host: member,
                ..someone.clone()
            },
        ),
        (
            "agent",
            Standing {
                mandates: mandate(Role::Agent, false),
                ..someone.clone()
            },
        ),
        (
            "agent, at the counter",
            Standing {
                mandates: mandate(Role::Agent, false),
                entered_on_behalf: true,
                ..someone.clone()
            },
        ),
        (
            "official",
            Standing {
                mandates: mandate(Role::ElectedOfficial, true),
                ..someone.clone()
            },
        ),
        (
            "official, recused",
            Standing {
                mandates: mandate(Role::ElectedOfficial, true),
                recused: true,
                may_contest_recusal: true,
                ..someone.clone()
            },
        ),
        (
            "agent in the holder",
            Standing {
                mandates: mandate(Role::Agent, false),
                holder: member,
                ..someone.clone()
            },
        ),
        (
            "official in the host",
            Standing {
                mandates: mandate(Role::ElectedOfficial, true),
                host: member,
                ..someone.clone()
            },
        ),
        ("agent elsewhere", someone.clone()),
        (
            "admin",
            Standing {
                is_admin: true,
                ..someone.clone()
            },
        ),
        (
            "client",
            Standing {
                client: Some(Scope::ALL.to_vec()),
                ..someone
            },
        ),
    ]
}

fn table<S: Coded + Copy + PartialEq, A: Coded + Copy + PartialEq>(
    title: &str,
    lifecycle: &Lifecycle<S, A>,
) -> String {
    let mut text = format!("## {title}\n\n| action | from | to |");
    for (name, _) in people() {
        write!(text, " {name} |").unwrap();
    }
    text.push_str("\n|---|---|---|");
    text.push_str(&"---|".repeat(people().len()));
    for rule in lifecycle.rules {
        let from: Vec<&str> = rule.from.iter().map(|state| state.code()).collect();
        let to = rule.to.map_or("–", Coded::code);
        write!(
            text,
            "\n| {} | {} | {to} |",
            rule.action.code(),
            from.join(", ")
        )
        .unwrap();
        for (_, standing) in people() {
            let verdict = match standing.permit(rule.who) {
                Ok(role) => role.code(),
                Err(Denial::Anonymous) => "401",
                Err(Denial::NotAllowed) => "403",
                Err(Denial::ConflictOfInterest | Denial::Recused) => "409",
            };
            write!(text, " {verdict} |").unwrap();
        }
    }
    text.push_str("\n\n");
    text
}

#[test]
fn rights_are_those_of_the_snapshot() {
    let mut text = "# Who may do what\n\nA cell names the role in which the person acts, or the status that refuses.\n\n".to_owned();
    text += &table("initiative", &INITIATIVE);
    text += &table(
        "commitment that the commune put on the table",
        &PROPOSED_BY_COMMUNE,
    );
    text += &table(
        "commitment that the holder's side put on the table",
        &PROPOSED_BY_OTHERS,
    );
    text += &table("fulfilment of what the commune owes", &OWED_BY_COMMUNE);
    text += &table("fulfilment of what the others owe", &OWED_BY_OTHERS);
    text += &table("convention", &CONVENTION);
    text += &table("evaluation", &EVALUATION);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/policies.snap");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == text,
        "rights have changed: UPDATE_SNAPSHOTS=1 cargo test --test policies, and look at the diff"
    );
}

/// Every (state, action, person) triple: what the table does not give is refused, right first and state second.
#[test]
fn every_triple_follows_the_table() {
    fn check<S: Coded + Copy + PartialEq, A: Copy + PartialEq>(
        lifecycle: &Lifecycle<S, A>,
        states: &[S],
    ) {
        for (name, standing) in people() {
            for state in states.iter().copied() {
                let allowed = lifecycle.allowed(state, &standing);
                for rule in lifecycle.rules {
                    let step = lifecycle.step(state, rule.action, &standing);
                    let status = step
                        .as_ref()
                        .err()
                        .map(|error| error.code.status().as_u16());
                    let right = standing.permit(rule.who);
                    let expected = match right {
                        Err(Denial::Anonymous) => Some(401),
                        Err(Denial::NotAllowed) => Some(403),
                        Err(Denial::ConflictOfInterest | Denial::Recused) => Some(409),
                        Ok(_) if !rule.from.contains(&state) => Some(409),
                        Ok(_) => None,
                    };
                    assert_eq!(status, expected, "{name} in {}", state.code());
                    assert_eq!(allowed.contains(&rule.action), expected.is_none());
                }
            }
        }
    }
    check(
        &INITIATIVE,
        fifty_fifty::initiatives::lifecycle::InitiativeState::ALL,
    );
    check(
        &CONVENTION,
        fifty_fifty::conventions::lifecycle::ConventionState::ALL,
    );
    check(&EVALUATION, EvaluationState::ALL);
    for lifecycle in [&PROPOSED_BY_COMMUNE, &PROPOSED_BY_OTHERS] {
        check(
            lifecycle,
            fifty_fifty::commitments::lifecycle::CommitmentState::ALL,
        );
    }
    for lifecycle in [&OWED_BY_COMMUNE, &OWED_BY_OTHERS] {
        check(
            lifecycle,
            fifty_fifty::commitments::lifecycle::FulfilmentState::ALL,
        );
    }
}
