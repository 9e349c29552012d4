//! How each action is asked for.

use reqwest::Method;
use serde_json::{Value, json};

use super::museum::Exhibit;
use crate::evaluations::farm_tracks;
use crate::operations;
use crate::support::Client;
use crate::support::client::Reply;

/// What nobody asks for over HTTP: what time does by itself, or another action brings about.
pub const WITHOUT: &[(&str, &str)] = &[
    ("initiative", "start"),
    ("commitment", "bind"),
    ("commitment", "amend"),
    // Of an initiative, which has no version yet.
    ("convention", "create"),
    ("convention", "expire"),
    ("convention", "supersede"),
];

/// What leads on only when nothing else is missing.
pub const STAYS: &[(&str, &str)] = &[("convention", "sign"), ("convention", "record_signature")];

/// What changes nothing when it is done again, and then is not offered.
pub const REPEATED: &[&str] = &["unpublish"];

/// One request, ready to be sent by anybody.
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    path: String,
    body: Value,
}

impl Request {
    /// Sends it; whichever version there is.
    pub async fn send(&self, client: &Client) -> Reply {
        let content_type = if self.method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let body = match &self.body {
            Value::Null => None,
            body => Some((content_type, body.to_string().into_bytes())),
        };
        client
            .with("if-match", "*")
            .send(self.method.clone(), &self.path, body)
            .await
    }

    /// Whether the document has an operation for it.
    pub fn is_documented(&self) -> bool {
        let parts: Vec<&str> = self.path.split('/').collect();
        operations::all().iter().any(|operation| {
            let pieces: Vec<&str> = operation.path.split('/').collect();
            operation.method == self.method
                && pieces.len() == parts.len()
                && pieces
                    .iter()
                    .zip(&parts)
                    .all(|(piece, part)| piece.starts_with('{') || piece == part)
        })
    }
}

fn post(path: String, body: Value) -> Request {
    Request {
        method: Method::POST,
        path,
        body,
    }
}

fn put(path: String, body: Value) -> Request {
    Request {
        method: Method::PUT,
        path,
        body,
    }
}

/// What an action would look like if it were asked for as most are.
pub fn plain(exhibit: &Exhibit, action: &str) -> Vec<Request> {
    let path = &exhibit.path;
    match action {
        "update" => [Method::PATCH, Method::PUT]
            .map(|method| Request {
                method,
                path: path.clone(),
                body: json!({}),
            })
            .to_vec(),
        _ => vec![post(format!("{path}/{action}"), Value::Null)],
    }
}

/// The request for an action, right in every other way.
pub fn request(exhibit: &Exhibit, action: &str) -> Option<Request> {
    let reason = || json!({"reason": "Le terrain n'est pas libre cette année."});
    let body = match (exhibit.subject, action) {
        ("initiative", "submit" | "resubmit" | "lapse" | "complete" | "close" | "publish")
        | ("commitment", "accept")
        | ("fulfilment", "acknowledge" | "withdraw")
        | ("hand_over", "accept" | "withdraw")
        | ("convention", "open_for_signature")
        | ("practice", "publish")
        | ("evaluation", "agree" | "validate") => Value::Null,
        ("initiative", "start_review" | "withdraw") => json!({}),
        (
            "initiative",
            "accept" | "refuse" | "contest" | "contest_recusal" | "reopen" | "abandon"
            | "unpublish",
        )
        | ("commitment", "decline" | "withdraw" | "mark_unfulfilled" | "end_upkeep")
        | ("fulfilment", "dispute")
        | ("hand_over", "refuse")
        | ("practice", "withdraw")
        | (
            "convention",
            "reopen" | "cancel" | "contest_signature" | "terminate" | "suspend" | "resume"
            | "amend",
        ) => reason(),
        ("convention", "renew") => json!({"reason": "On continue.", "ends_on": "2035-06-30"}),
        ("initiative", "quick_accept") => {
            json!({"opinion": "Sans difficulté.", "reason": "Embellit la rue."})
        }
        ("initiative", "record_decision") => {
            json!({"outcome": "accepted", "reason": "Utile à tous.",
            "mandate_id": exhibit.mandate, "decided_on": "2026-06-15", "paper_reference": "Registre 2026-31"})
        }
        ("initiative", "record_quick_accept") => {
            json!({"opinion": "Sans difficulté.", "reason": "Embellit la rue.",
            "mandate_id": exhibit.mandate, "decided_on": "2026-06-15", "paper_reference": "Registre 2026-31"})
        }
        ("initiative", "request_changes") => json!({"message": "Précisez la longueur."}),
        ("initiative", "give_opinion") => json!({"outcome": "favourable", "text": "Faisable."}),
        ("initiative", "redirect") => {
            json!({"competent_body": "Communauté d'agglomération de Lens-Liévin",
            "reason": "La voirie communautaire est de sa compétence."})
        }
        ("fulfilment", "settle") => json!({"acknowledge": true, "reason": "Vu sur place."}),
        ("convention", "sign") => json!({"content_sha256": exhibit.hash}),
        ("convention", "record_signature") => {
            json!({"content_sha256": exhibit.hash, "party": "holder", "method": "paper",
                "paper_reference": "Registre 2026-31", "signed_on": "2026-06-15"})
        }
        _ => return elsewhere(exhibit, action),
    };
    Some(post(format!("{}/{action}", exhibit.path), body))
}

/// Those whose operation is not named after the action.
fn elsewhere(exhibit: &Exhibit, action: &str) -> Option<Request> {
    let path = &exhibit.path;
    let patch = |body: Value| Request {
        method: Method::PATCH,
        path: path.clone(),
        body,
    };
    Some(match (exhibit.subject, action) {
        ("initiative", "update") => patch(json!({"place": "Plaine de Loos"})),
        ("convention", "update") => {
            patch(json!({"practical_information": "La clé est à l'accueil."}))
        }
        ("practice", "update") => patch(json!({"tips": "Réserver les machines."})),
        ("evaluation", "update") => patch(json!({"municipal_cost_cents": 2_950_000})),
        ("initiative", "evaluate") => post(format!("{path}/evaluation"), farm_tracks()),
        ("initiative", "add_note") => post(
            format!("{path}/notes"),
            json!({"text": "Voir avec les services."}),
        ),
        ("initiative", "recuse") => post(format!("{path}/recusals"), json!({"grounds": "kinship"})),
        ("initiative", "endorse") => put(format!("{path}/endorsement"), Value::Null),
        ("initiative", "take_part") => put(format!("{path}/participation"), Value::Null),
        ("initiative", "record_headcount") => put(
            format!("{path}/headcounts/2026-06-10"),
            json!({"counts": [{"age_band": "11_14", "people": 12}]}),
        ),
        ("commitment", "record_fulfilment") => post(
            format!("{path}/fulfilments"),
            json!({"done_on": "2026-06-15", "quantity": "1", "evidence": "Vu sur place"}),
        ),
        ("commitment", "hand_over") => post(
            format!("{path}/hand_overs"),
            json!({"holder_id": exhibit.successor, "starts_on": "2026-07-01", "reason": "Nous déménageons."}),
        ),
        ("commitment", "check") => post(
            format!("{path}/checks"),
            json!({"occurs_on": "2026-06-15", "outcome": "done"}),
        ),
        _ => return None,
    })
}
