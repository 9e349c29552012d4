//! Who may do what with a holder: pure functions of who somebody is to it.

use super::dto::{HolderAction, HolderKind, MemberState};
use crate::auth::policy::{Denial, Role, Standing};
use crate::http::error::{ApiError, Code};

/// Who sees the members, and what is private.
pub const MAY_READ_INSIDE: &[Role] = &[Role::Holder, Role::Agent, Role::ElectedOfficial];
/// Who enters a holder for someone else, and keeps it until it has a member.
pub const MAY_ENTER: &[Role] = &[Role::Agent];
/// Who asks to join, and leaves.
const MAY_COME_AND_GO: &[Role] = &[Role::Resident];
/// Who decides for the holder: of its members, the lead.
const MAY_LEAD: &[Role] = &[Role::Holder];

/// What somebody is to a holder.
#[derive(Clone, Debug)]
pub struct Relation {
    pub kind: HolderKind,
    /// Its active members.
    pub members: i64,
    pub standing: Standing,
    /// Where their own membership stands, if they ever asked.
    pub membership: Option<MemberState>,
}

impl Relation {
    /// Whether they may do this at all.
    pub fn permit(&self, action: HolderAction) -> Result<(), Denial> {
        match action {
            HolderAction::Join | HolderAction::Leave => {
                self.standing.permit(MAY_COME_AND_GO).map(drop)
            }
            // What has no member is kept by the town hall, which lets the first one in.
            HolderAction::Update | HolderAction::ManageMembers if self.members == 0 => {
                self.standing.permit(MAY_ENTER).map(drop)
            }
            HolderAction::Update | HolderAction::HandOver | HolderAction::ManageMembers => {
                self.standing.permit(MAY_LEAD)?;
                if self.leads() {
                    Ok(())
                } else {
                    Err(Denial::NotAllowed)
                }
            }
        }
    }

    /// Whether this can be done as things stand, by somebody who may do it.
    pub fn ready(&self, action: HolderAction) -> Result<(), ApiError> {
        match action {
            HolderAction::Join if self.kind == HolderKind::Person && self.members > 0 => {
                Err(ApiError::requirement(
                    "Une personne agit seule : à plusieurs, formez un collectif.",
                    "A person acts alone: several people form a collective.",
                ))
            }
            HolderAction::Join => match self.membership {
                Some(MemberState::Requested) => Err(ApiError::because(
                    Code::AlreadyExists,
                    "Vous avez déjà demandé à rejoindre ce porteur.",
                    "You have asked to join this holder already.",
                )),
                Some(MemberState::Active) => Err(ApiError::because(
                    Code::AlreadyExists,
                    "Vous êtes déjà membre de ce porteur.",
                    "You are a member of this holder already.",
                )),
                Some(MemberState::Left) | None => Ok(()),
            },
            HolderAction::Leave => match self.membership {
                Some(MemberState::Active) if self.leads() && self.members > 1 => {
                    Err(ApiError::requirement(
                        "Passez d'abord la main à un autre membre.",
                        "Hand over to another member first.",
                    ))
                }
                Some(MemberState::Requested | MemberState::Active) => Ok(()),
                Some(MemberState::Left) | None => Err(ApiError::requirement(
                    "Vous n'êtes pas membre de ce porteur.",
                    "You are not a member of this holder.",
                )),
            },
            HolderAction::HandOver if self.members < 2 => Err(ApiError::requirement(
                "Il n'y a pas d'autre membre à qui passer la main.",
                "There is no other member to hand over to.",
            )),
            HolderAction::Update | HolderAction::HandOver | HolderAction::ManageMembers => Ok(()),
        }
    }

    /// What they may do now.
    pub fn allowed_actions(&self) -> Vec<HolderAction> {
        HolderAction::ALL
            .iter()
            .copied()
            .filter(|action| self.permit(*action).is_ok() && self.ready(*action).is_ok())
            .collect()
    }

    /// Whether they read what is private.
    pub fn is_inside(&self) -> bool {
        self.standing.has(Role::Holder) || self.standing.is_town_hall()
    }

    fn leads(&self) -> bool {
        self.standing.holder.is_some_and(|member| member.is_lead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::policy::{ActiveMandate, Membership};
    use crate::ids::MandateId;
    use HolderAction::{HandOver, Join, Leave, ManageMembers, Update};

    fn relation(who: &str, members: i64) -> Relation {
        let mandate = |role| ActiveMandate {
            id: MandateId(uuid::Uuid::nil()),
            commune: "62528".to_owned(),
            role,
            may_sign: false,
            capacity: String::new(),
        };
        let has = |word: &str| who.split(' ').any(|part| part == word);
        let active = has("lead") || has("member");
        Relation {
            kind: if has("person") {
                HolderKind::Person
            } else {
                HolderKind::Collective
            },
            members,
            standing: Standing {
                signed_in: !has("anonymous"),
                mandates: [("agent", Role::Agent), ("official", Role::ElectedOfficial)]
                    .into_iter()
                    .filter(|(word, _)| has(word))
                    .map(|(_, role)| mandate(role))
                    .collect(),
                holder: active.then(|| Membership {
                    is_lead: has("lead"),
                    may_sign: false,
                }),
                is_admin: has("admin"),
                ..Standing::default()
            },
            membership: match who {
                _ if active => Some(MemberState::Active),
                _ if has("asking") => Some(MemberState::Requested),
                _ if has("left") => Some(MemberState::Left),
                _ => None,
            },
        }
    }

    #[test]
    fn the_table_of_actions() {
        let cases: &[(&str, i64, &[HolderAction])] = &[
            ("anonymous", 3, &[]),
            ("anonymous", 0, &[]),
            ("resident", 3, &[Join]),
            ("resident", 0, &[Join]),
            ("resident person", 1, &[]),
            ("asking", 3, &[Leave]),
            ("left", 3, &[Join]),
            ("member", 3, &[Leave]),
            ("lead", 3, &[Update, HandOver, ManageMembers]),
            ("lead", 1, &[Update, Leave, ManageMembers]),
            // The town hall keeps what has no member, and nothing else.
            ("agent", 0, &[Update, Join, ManageMembers]),
            ("agent asking", 0, &[Update, Leave, ManageMembers]),
            // Somebody entered at the counter asks for what is theirs.
            ("resident person", 0, &[Join]),
            ("agent", 3, &[Join]),
            ("official", 0, &[Join]),
            ("admin", 0, &[Join]),
            ("agent member", 3, &[Leave]),
            ("agent lead", 3, &[Update, HandOver, ManageMembers]),
        ];
        for (who, members, expected) in cases {
            let allowed = relation(who, *members).allowed_actions();
            assert_eq!(allowed, *expected, "{who}, {members} members");
        }
    }

    #[test]
    fn who_reads_the_inside() {
        for (who, inside) in [
            ("anonymous", false),
            ("resident", false),
            ("asking", false),
            ("left", false),
            ("admin", false),
            ("member", true),
            ("agent", true),
            ("official", true),
        ] {
            assert_eq!(relation(who, 3).is_inside(), inside, "{who}");
        }
    }
}
