//! What the columns of the tables do not say and their sentences do: who is refused what the table gives to their role,
//! and why.

use super::Verdict;
use super::museum::{Exhibit, Person};

/// A named requirement.
pub struct Requirement {
    /// The lifecycle, or the beginning of its name.
    lifecycle: &'static str,
    actions: &'static [&'static str],
    whom: fn(&Exhibit, &Person) -> bool,
    /// Whether it is a right, looked at before the table.
    pub before_the_table: bool,
    pub verdict: Verdict,
    pub why: &'static str,
}

impl Requirement {
    pub fn concerns(&self, exhibit: &Exhibit, action: &str, person: &Person) -> bool {
        exhibit.lifecycle.starts_with(self.lifecycle)
            && self.actions.contains(&action)
            && !person.roles.is_empty()
            && (self.whom)(exhibit, person)
    }
}

const FORBIDDEN: Verdict = Verdict::Refused(403, "forbidden");
const CONFLICT: Verdict = Verdict::Refused(409, "conflict_of_interest");
const MISSING: Verdict = Verdict::Refused(409, "requirement_missing");

fn is(person: &Person, names: &[&str]) -> bool {
    names.contains(&person.name)
}

pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        lifecycle: "initiative",
        actions: &["evaluate"],
        whom: |exhibit, _| exhibit.state == "completed",
        before_the_table: false,
        verdict: Verdict::Refused(409, "already_exists"),
        why: "an initiative is evaluated once",
    },
    Requirement {
        lifecycle: "evaluation",
        actions: &["validate"],
        whom: |exhibit, _| exhibit.state == "draft",
        before_the_table: false,
        verdict: MISSING,
        why: "the holder agrees before an official validates",
    },
    Requirement {
        lifecycle: "initiative",
        actions: &["contest"],
        whom: |_, _| true,
        before_the_table: false,
        verdict: MISSING,
        why: "what was decided here, not on paper, is not contested",
    },
    Requirement {
        lifecycle: "initiative",
        actions: &["publish"],
        whom: |exhibit, _| !exhibit.at_the_counter,
        before_the_table: false,
        verdict: Verdict::Refused(409, "already_exists"),
        why: "what is published is not published again",
    },
    Requirement {
        lifecycle: "initiative",
        actions: &["contest_recusal"],
        whom: |_, _| true,
        before_the_table: false,
        verdict: MISSING,
        why: "only what somebody else recorded in one's name is contested",
    },
    Requirement {
        lifecycle: "convention",
        actions: &["contest_signature"],
        whom: |_, _| true,
        before_the_table: false,
        verdict: MISSING,
        why: "what was signed here, not on paper, is not contested",
    },
    Requirement {
        lifecycle: "initiative",
        actions: &["endorse", "take_part"],
        whom: |exhibit, _| exhibit.at_the_counter,
        before_the_table: false,
        verdict: MISSING,
        why: "people support and join what is published",
    },
    Requirement {
        lifecycle: "convention",
        actions: &["sign"],
        whom: |_, person| !is(person, &["lead", "host", "mayor"]),
        before_the_table: true,
        verdict: FORBIDDEN,
        why: "only the named signatory of a party signs",
    },
    Requirement {
        lifecycle: "convention",
        actions: &["terminate"],
        whom: |_, person| is(person, &["member", "agent in the holder"]),
        before_the_table: true,
        verdict: FORBIDDEN,
        why: "for the holder a member who may sign terminates",
    },
    Requirement {
        lifecycle: "commitment_proposed_by_commune",
        actions: &["record_fulfilment", "end_upkeep"],
        whom: |_, person| is(person, &["lead", "member", "host", "mayor in the host"]),
        before_the_table: true,
        verdict: FORBIDDEN,
        why: "what the commune owes is recorded and ended by the commune",
    },
    Requirement {
        lifecycle: "commitment_proposed_by_commune",
        actions: &["record_fulfilment", "end_upkeep"],
        whom: |_, person| is(person, &["agent in the holder"]),
        before_the_table: true,
        verdict: CONFLICT,
        why: "what the commune owes is recorded and ended by an agent on no other side",
    },
    Requirement {
        lifecycle: "commitment_proposed_by_holder",
        actions: &["record_fulfilment", "end_upkeep"],
        whom: |_, person| is(person, &["host", "mayor in the host"]),
        before_the_table: true,
        verdict: FORBIDDEN,
        why: "what the holder owes is recorded and ended by the holder",
    },
    Requirement {
        lifecycle: "commitment_proposed_by_commune",
        actions: &["check"],
        whom: |_, person| is(person, &["agent", "official", "mayor"]),
        before_the_table: true,
        verdict: FORBIDDEN,
        why: "what the commune keeps up is looked after by the holder",
    },
    Requirement {
        lifecycle: "commitment_proposed_by_holder",
        actions: &["check"],
        whom: |_, person| is(person, &["lead", "member", "host"]),
        before_the_table: true,
        verdict: FORBIDDEN,
        why: "what the holder keeps up is looked after by the commune",
    },
    Requirement {
        lifecycle: "commitment_proposed_by_holder",
        actions: &["check"],
        whom: |_, person| is(person, &["agent in the holder", "mayor in the host"]),
        before_the_table: true,
        verdict: CONFLICT,
        why: "what the holder keeps up is looked after by the commune, and by nobody on its own side",
    },
    Requirement {
        lifecycle: "commitment_proposed_by_commune",
        actions: &["hand_over"],
        whom: |_, _| true,
        before_the_table: true,
        verdict: FORBIDDEN,
        why: "what the commune keeps up stays with the commune",
    },
    Requirement {
        lifecycle: "commitment_proposed_by_holder",
        actions: &["hand_over"],
        whom: |_, person| is(person, &["host", "mayor in the host"]),
        before_the_table: true,
        verdict: FORBIDDEN,
        why: "what the holder keeps up is handed over by the holder",
    },
    Requirement {
        lifecycle: "commitment_proposed_by_holder",
        actions: &["hand_over"],
        whom: |exhibit, _| exhibit.at_the_counter,
        before_the_table: false,
        verdict: MISSING,
        why: "who takes an upkeep over is to see it: the initiative is public",
    },
    Requirement {
        lifecycle: "hand_over",
        actions: &["accept", "refuse"],
        whom: |_, person| !is(person, &["resident"]),
        before_the_table: true,
        verdict: FORBIDDEN,
        why: "who takes an upkeep over answers: the resident's association",
    },
    Requirement {
        lifecycle: "hand_over",
        actions: &["withdraw"],
        whom: |_, person| is(person, &["host", "mayor in the host"]),
        before_the_table: true,
        verdict: FORBIDDEN,
        why: "who offered it withdraws it: the holder",
    },
    Requirement {
        lifecycle: "commitment_proposed_by_commune",
        actions: &["accept", "decline"],
        whom: |exhibit, person| exhibit.at_the_counter && is(person, &["agent"]),
        before_the_table: false,
        verdict: CONFLICT,
        why: "nobody answers what they have proposed, on behalf of others neither",
    },
    Requirement {
        lifecycle: "fulfilment_by_commune",
        actions: &["withdraw"],
        whom: |_, person| !is(person, &["agent"]),
        before_the_table: false,
        verdict: FORBIDDEN,
        why: "who recorded it withdraws it: the agent",
    },
    Requirement {
        lifecycle: "fulfilment_by_holder",
        actions: &["withdraw"],
        whom: |_, person| !is(person, &["lead"]),
        before_the_table: false,
        verdict: FORBIDDEN,
        why: "who recorded it withdraws it: the lead of the holder",
    },
];
