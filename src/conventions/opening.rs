//! Opening for signature: every condition is looked at and all that are not met come at once; then the content is
//! frozen. The database holds the same conditions.

use std::collections::HashMap;

use chrono::Months;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::content;
use super::dto::Party;
use super::lifecycle::{ConventionAction, ConventionState};
use super::model::{self, Found, NewTerms};
use super::parties::{self, Body, PartyState};
use crate::authorities;
use crate::authorities::model::AuthorityRow;
use crate::commitments::dto::{CommitmentKind, CommuneRoute, Side};
use crate::commitments::lifecycle::CommitmentState;
use crate::commitments::lifecycle::FulfilmentState;
use crate::commitments::model::CommitmentRow;
use crate::communes;
use crate::db::schema::{fulfilments, holder_members};
use crate::holders::dto::HolderKind;
use crate::http::error::{ApiError, Code, Fault, FaultCode, Text};
use crate::ids::{CommitmentId, UserId};
use crate::initiatives::dto::Land;
use crate::initiatives::lifecycle::InitiativeState;
use crate::lifecycle::Step;
use crate::state::Session;
use crate::text::fold;
use crate::{recusals, templates};

/// Freezes the content of a draft that the caller holds locked, once every condition is met.
pub async fn open(
    session: &mut Session,
    found: &mut Found,
    step: Step<ConventionState>,
) -> Result<(), ApiError> {
    let bodies = parties::bodies(&mut session.conn, &found.row).await?;
    let parties = parties::of(&mut session.conn, found.row.id).await?;
    let changed = model::new_terms(&mut session.conn, found.row.id).await?;
    let commitments = model::lock_held_as_worded(&mut session.conn, &found.row).await?;
    // What is signed says what the act says: nobody changes it meanwhile.
    let authority = match found.row.authority_id {
        Some(id) => Some(authorities::model::hold(&mut session.conn, id).await?),
        None => None,
    };
    let mut faults = Vec::new();
    of_the_commitments(found, &commitments, &mut faults);
    of_the_amendment(found, &commitments, &changed, &mut faults);
    of_what_is_paid(session, &commitments, &changed, &mut faults).await?;
    of_the_parties(session, found, &parties, &mut faults).await?;
    of_the_authority(found, authority.as_ref(), &commitments, &mut faults);
    of_the_terms(session, found, &bodies, &commitments, &mut faults).await?;
    if !faults.is_empty() {
        return Err(ApiError {
            faults,
            ..ApiError::requirement(
                "La convention n'est pas prête à être signée.",
                "The convention is not ready to be signed.",
            )
        });
    }
    let model = templates::model::latest(&mut session.conn, &found.row.commune_code).await?;
    found.row.template_id = (model.version > 0).then_some(model.id);
    let conn = &mut session.conn;
    let content = content::draw_up(
        conn,
        found,
        &bodies,
        &parties,
        &commitments,
        authority.as_ref(),
        model.articles,
    )
    .await?;
    let (content, hash) = content::freeze(&content)?;
    found.row.content = Some(content);
    found.row.content_sha256 = Some(hash);
    found.row.opened_at = Some(session.now);
    found.row.reason = None;
    let action = ConventionAction::OpenForSignature;
    model::advance(session, &mut found.row, step, action, None).await
}

fn missing(faults: &mut Vec<Fault>, pointer: &str, fr: &'static str, en: &'static str) {
    faults.push(Fault::at(pointer, FaultCode::Required, Text::new(fr, en)));
}

fn wrong(faults: &mut Vec<Fault>, pointer: &str, fr: &'static str, en: &'static str) {
    faults.push(Fault::at(
        pointer,
        FaultCode::Inconsistent,
        Text::new(fr, en),
    ));
}

fn of_the_commitments(found: &Found, commitments: &[CommitmentRow], faults: &mut Vec<Fault>) {
    if !commitments.iter().any(|held| held.side == Side::Commune) {
        missing(
            faults,
            "/commitments",
            "Il faut un engagement de la commune.",
            "A commitment of the commune is needed.",
        );
    }
    if !commitments.iter().any(|held| held.side != Side::Commune) {
        missing(
            faults,
            "/commitments",
            "Il faut un engagement du porteur ou de qui l'aide.",
            "A commitment of the holder, or of who helps them, is needed.",
        );
    }
    for (index, held) in commitments.iter().enumerate() {
        let bound = found.row.number > 1
            && matches!(
                held.state,
                CommitmentState::Binding
                    | CommitmentState::PartiallyFulfilled
                    | CommitmentState::Fulfilled
                    | CommitmentState::Unfulfilled
            );
        if held.state != CommitmentState::Accepted && !bound {
            faults.push(Fault::at(
                &format!("/commitments/{index}/state"),
                FaultCode::Inconsistent,
                Text::made(
                    format!("« {} » n'est pas accepté.", held.title),
                    format!("“{}” is not accepted.", held.title),
                ),
            ));
        }
        if held.side == Side::Host && found.row.host_id.is_none() {
            wrong(
                faults,
                &format!("/commitments/{index}/side"),
                "L'initiative n'a pas de structure porteuse.",
                "The initiative has no host organisation.",
            );
        }
    }
    let kept_up = commitments
        .iter()
        .any(|held| matches!(held.side, Side::Holder | Side::Host) && held.is_upkeep());
    if !kept_up && found.row.no_upkeep_reason.is_none() {
        missing(
            faults,
            "/no_upkeep_reason",
            "Un entretien par le porteur, ou le motif de son absence.",
            "An upkeep by the holder, or why there is none.",
        );
    }
}

/// When the work is done, an amendment only changes the upkeep.
fn of_the_amendment(
    found: &Found,
    commitments: &[CommitmentRow],
    changed: &HashMap<CommitmentId, NewTerms>,
    faults: &mut Vec<Fault>,
) {
    if found.initiative.row.state != InitiativeState::Completed {
        return;
    }
    for (index, held) in commitments.iter().enumerate() {
        let new = held.state == CommitmentState::Accepted || changed.contains_key(&held.id);
        if new && !held.is_upkeep() {
            wrong(
                faults,
                &format!("/commitments/{index}"),
                "L'initiative est achevée : seul l'entretien change encore.",
                "The initiative is completed: only upkeep changes any more.",
            );
        }
    }
}

/// What is paid already stays promised.
async fn of_what_is_paid(
    session: &mut Session,
    commitments: &[CommitmentRow],
    changed: &HashMap<CommitmentId, NewTerms>,
    faults: &mut Vec<Fault>,
) -> Result<(), ApiError> {
    let Some(first) = commitments.first() else {
        return Ok(());
    };
    let counts = [
        FulfilmentState::Recorded,
        FulfilmentState::Acknowledged,
        FulfilmentState::Disputed,
    ];
    let paid: Vec<(CommitmentId, i64)> = fulfilments::table
        .filter(fulfilments::commitment_id.eq_any(changed.keys()))
        .filter(fulfilments::commune_code.eq(&first.commune_code))
        .filter(fulfilments::state.eq_any(counts))
        .filter(fulfilments::amount_cents.is_not_null())
        .select((
            fulfilments::commitment_id,
            fulfilments::amount_cents.assume_not_null(),
        ))
        .load(&mut session.conn)
        .await?;
    for (index, held) in commitments.iter().enumerate() {
        let theirs = paid.iter().filter(|(of, _)| *of == held.id);
        let sum: i64 = theirs.map(|(_, cents)| cents).sum();
        if held.amount_cents.is_some_and(|amount| amount < sum) {
            wrong(
                faults,
                &format!("/commitments/{index}/amount_cents"),
                "Moins que ce qui est déjà payé.",
                "Less than what is paid already.",
            );
        }
    }
    Ok(())
}

async fn of_the_parties(
    session: &mut Session,
    found: &Found,
    parties: &[PartyState],
    faults: &mut Vec<Fault>,
) -> Result<(), ApiError> {
    let row = &found.row;
    let accounts: Vec<UserId> = parties
        .iter()
        .filter_map(|party| party.row.user_id)
        .collect();
    let bodies: Vec<_> = [Some(row.holder_id), row.host_id]
        .into_iter()
        .flatten()
        .collect();
    let memberships: Vec<(crate::ids::HolderId, UserId, bool)> = holder_members::table
        .filter(holder_members::commune_code.eq(&row.commune_code))
        .filter(holder_members::holder_id.eq_any(bodies))
        .filter(holder_members::user_id.eq_any(&accounts))
        .filter(holder_members::state.eq("active"))
        .select((
            holder_members::holder_id,
            holder_members::user_id,
            holder_members::may_sign,
        ))
        .load(&mut session.conn)
        .await?;
    let recused =
        recusals::model::who(&mut session.conn, found.row.initiative_id, &accounts).await?;
    let needed = [
        (Party::Commune, true),
        (Party::Holder, true),
        (Party::Host, row.host_id.is_some()),
    ];
    for (party, _) in needed.into_iter().filter(|(_, needed)| *needed) {
        let pointer = format!("/parties/{party}");
        let Some(named) = parties
            .iter()
            .find(|named| named.row.party == party && named.identity.hash().is_some())
        else {
            missing(
                faults,
                &pointer,
                "Un signataire majeur est à désigner.",
                "An adult signatory is to be named.",
            );
            continue;
        };
        if !named.identity.is_adult {
            wrong(
                faults,
                &pointer,
                "Un signataire est majeur.",
                "A signatory is of age.",
            );
        }
        let body = match party {
            Party::Commune => None,
            Party::Holder => Some(row.holder_id),
            Party::Host => row.host_id,
        };
        let Some(account) = named.row.user_id else {
            // Two people of one name sign with their accounts.
            let namesake = |other: &&PartyState| {
                let name = |party: &PartyState| party.identity.full_name.as_deref().map(fold);
                other.row.party != party && name(other) == name(named)
            };
            if parties.iter().any(|other| namesake(&other)) {
                wrong(
                    faults,
                    &pointer,
                    "Le même nom signe pour une autre partie : nul ne signe pour deux.",
                    "The same name signs for another party: nobody signs for two.",
                );
            }
            continue;
        };
        let mut theirs = memberships.iter().filter(|(_, user, _)| *user == account);
        match body {
            None if theirs.next().is_some() || recused.contains(&account) => wrong(
                faults,
                &pointer,
                "Le signataire de la commune est membre du porteur ou de la structure porteuse, ou récusé.",
                "The commune's signatory is a member of the holder or of the host organisation, or was recused.",
            ),
            Some(body) if !theirs.any(|(of, _, may_sign)| *of == body && *may_sign) => wrong(
                faults,
                &pointer,
                "Ce membre ne peut plus signer.",
                "This member may not sign any more.",
            ),
            _ => {}
        }
    }
    Ok(())
}

fn of_the_authority(
    found: &Found,
    authority: Option<&AuthorityRow>,
    commitments: &[CommitmentRow],
    faults: &mut Vec<Fault>,
) {
    let money = commitments
        .iter()
        .any(|held| held.side == Side::Commune && held.kind == CommitmentKind::Financial);
    let subsidy = commitments
        .iter()
        .any(|held| held.route == Some(CommuneRoute::Subsidy));
    let Some(authority) = authority else {
        if money || found.row.land != Land::None {
            missing(
                faults,
                "/authority",
                "L'argent de la commune et un terrain public demandent un acte d'autorisation.",
                "The commune's money and public land need an authority.",
            );
        }
        return;
    };
    if subsidy && !authority.kind.is_of_the_council() {
        wrong(
            faults,
            "/authority/kind",
            "Une subvention demande une délibération.",
            "A subsidy needs a deliberation.",
        );
    }
    // When the votes are equal, the mayor's counts for two.
    let rejected = authority
        .votes()
        .is_some_and(|votes| votes.in_favour < votes.against);
    if rejected {
        wrong(
            faults,
            "/authority/votes",
            "Le conseil municipal a rejeté cette délibération.",
            "The council has rejected this deliberation.",
        );
    }
    if authority.executory_on.is_none() {
        missing(
            faults,
            "/authority/executory_on",
            "Le jour où l'acte est exécutoire fait partie de ce qui se signe.",
            "The day on which the act is executory is part of what is signed.",
        );
    }
}

async fn of_the_terms(
    session: &mut Session,
    found: &Found,
    (holder, host): &(Body, Option<Body>),
    commitments: &[CommitmentRow],
    faults: &mut Vec<Fault>,
) -> Result<(), ApiError> {
    let row = &found.row;
    let opens_in: &[InitiativeState] = match row.supersedes_id {
        None => &[InitiativeState::Accepted],
        Some(_) => &[InitiativeState::InProgress, InitiativeState::Completed],
    };
    if !opens_in.contains(&found.initiative.row.state) {
        return Err(ApiError {
            state: Some(found.initiative.row.state.code()),
            ..ApiError::because(
                Code::WrongState,
                "L'initiative n'est pas acceptée, ou pour un avenant ni en cours ni achevée.",
                "The initiative is not accepted, or for an amendment neither in progress nor completed.",
            )
        });
    }
    let helped = commitments.iter().any(|held| {
        matches!(
            held.route,
            Some(CommuneRoute::Subsidy | CommuneRoute::InKind)
        )
    });
    for (pointer, body) in [("/holder", Some(holder)), ("/host", host.as_ref())] {
        let late = body.is_some_and(|body| {
            body.kind == HolderKind::Association
                && body
                    .republican_commitment_on
                    .is_none_or(|day| day > row.starts_on)
        });
        if helped && late {
            missing(
                faults,
                pointer,
                "L'association aidée a souscrit le contrat d'engagement républicain au plus tard le premier jour.",
                "The association that is helped has subscribed to the republican commitment by the first day.",
            );
        }
    }
    let commune = communes::model::enrolled(&mut session.conn, &row.commune_code).await?;
    let months = u32::try_from(commune.convention_max_months).unwrap_or(0);
    let limit = row.starts_on.checked_add_months(Months::new(months));
    if limit.is_some_and(|limit| row.ends_on > limit) && row.long_duration_reason.is_none() {
        missing(
            faults,
            "/long_duration_reason",
            "Plus longue que la commune ne le permet : un motif est nécessaire.",
            "Longer than the commune allows: a reason is needed.",
        );
    }
    if row.land == Land::Church && row.clergy_agreement.is_none() {
        missing(
            faults,
            "/clergy_agreement",
            "L'accord de l'affectataire est nécessaire pour une église.",
            "A church needs the agreement of the clergy in charge.",
        );
    }
    if row.land == Land::PublicDomain {
        if row.land_fee_cents.unwrap_or(0) == 0 && row.land_fee_exemption.is_none() {
            missing(
                faults,
                "/land_fee_cents",
                "Le domaine public demande une redevance, ou le motif de l'exonération.",
                "The public domain needs a fee, or the name of the exemption.",
            );
        }
        if row.tacit_renewal {
            wrong(
                faults,
                "/tacit_renewal",
                "Pas de tacite reconduction sur le domaine public.",
                "No tacit renewal on the public domain.",
            );
        }
    }
    Ok(())
}
