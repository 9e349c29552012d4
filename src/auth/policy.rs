//! The vocabulary of rights. A rule says which roles may act; a standing says which roles someone has in one matter.
//! Both are data, and the decision is a pure function.

use crate::codes::codes;
use crate::http::error::{ApiError, Code};
use crate::ids::MandateId;

codes! {
    /// The quality in which somebody acts.
    pub enum Role "roles" {
        Resident = "resident", "Habitant inscrit", "Registered resident";
        Holder = "holder", "Membre du porteur de projet", "Member of the holder";
        Host = "host", "Membre de la structure porteuse", "Member of the host organisation";
        Agent = "agent", "Agent de la commune", "Agent of the commune";
        AgentOnBehalf = "agent_on_behalf", "Agent au nom du porteur venu au guichet", "Agent on behalf of a holder at the counter";
        ElectedOfficial = "elected_official", "Élu de la commune", "Elected official of the commune";
        TownHall = "town_hall", "Agent ou élu de la commune, de quelque côté qu'il se tienne", "Agent or elected official of the commune, on whichever side";
        Admin = "admin", "Administrateur de la plateforme", "Administrator of the platform";
        Client = "client", "Programme d'un partenaire de la commune", "Program of a partner of the commune";
        Clock = "clock", "Le temps qui passe", "The passing of time";
    }
}

codes! {
    /// What a program of a partner may do in its commune. The document names at each operation the scope that opens it;
    /// where none is named, a program is refused.
    pub enum Scope "scopes" {
        Import = "import", "Importer et mettre à jour les données de la commune", "Import and update the data of the commune";
        Webhooks = "webhooks", "Gérer les webhooks de la commune", "Look after the webhooks of the commune";
        Meetings = "meetings", "Enregistrer les réunions publiques", "Record public meetings";
        Measures = "measures", "Déclarer les mesures de la commune", "Report the measures of the commune";
    }
}

/// Who imports for a commune; the program of a partner with the scope `import`.
pub const MAY_IMPORT: &[Role] = &[Role::Agent, Role::Client];

/// Membership of a holder or host organisation, as far as rights go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Membership {
    pub is_lead: bool,
    pub may_sign: bool,
}

/// A mandate that counts today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveMandate {
    pub id: MandateId,
    pub commune: String,
    /// `Agent` or `ElectedOfficial`.
    pub role: Role,
    /// By a delegation that counts today.
    pub may_sign: bool,
    pub capacity: String,
}

/// What someone is in one matter of one commune.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Standing {
    pub signed_in: bool,
    pub is_admin: bool,
    /// It is a program: what it may do in this commune, which is nothing in all communes but its own.
    pub client: Option<Vec<Scope>>,
    /// Their mandates in this commune, today.
    pub mandates: Vec<ActiveMandate>,
    pub holder: Option<Membership>,
    pub host: Option<Membership>,
    /// They have stood aside in this matter.
    pub recused: bool,
    /// Somebody else recorded that, and they may still contest it.
    pub may_contest_recusal: bool,
    /// The matter was entered at the counter: an agent may act for its holder.
    pub entered_on_behalf: bool,
}

/// Why somebody may not act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// Nobody knows who they are.
    Anonymous,
    /// None of their roles is asked for.
    NotAllowed,
    /// They have the role on the commune's side, and stand on the other side too.
    ConflictOfInterest,
    /// They have the role on the commune's side, and have stood aside.
    Recused,
}

impl Standing {
    /// Whether they have this role here.
    pub fn has(&self, role: Role) -> bool {
        match role {
            Role::Resident => self.signed_in && self.client.is_none(),
            Role::Holder => self.holder.is_some(),
            Role::Host => self.host.is_some(),
            Role::Agent | Role::ElectedOfficial => {
                self.mandates.iter().any(|mandate| mandate.role == role)
            }
            Role::AgentOnBehalf => self.entered_on_behalf && self.has(Role::Agent),
            Role::TownHall => self.is_town_hall(),
            Role::Admin => self.is_admin,
            Role::Client => self
                .client
                .as_ref()
                .is_some_and(|scopes| !scopes.is_empty()),
            Role::Clock => false,
        }
    }

    /// A member of the holder or of the host.
    pub fn is_on_the_holders_side(&self) -> bool {
        self.holder.is_some() || self.host.is_some()
    }

    /// Never acts for the commune in this matter.
    pub fn stands_aside(&self) -> bool {
        self.is_on_the_holders_side() || self.recused
    }

    /// Works for the commune: agent or elected official.
    pub fn is_town_hall(&self) -> bool {
        !self.mandates.is_empty()
    }

    /// The mandate under which they act in this role.
    pub fn mandate(&self, role: Role) -> Option<&ActiveMandate> {
        self.mandates.iter().find(|mandate| mandate.role == role)
    }

    /// The mandate under which they sign for the commune.
    pub fn signing_mandate(&self) -> Option<&ActiveMandate> {
        self.mandates
            .iter()
            .find(|mandate| mandate.role == Role::ElectedOfficial && mandate.may_sign)
    }

    /// The first of these roles that they may act in.
    pub fn permit(&self, who: &[Role]) -> Result<Role, Denial> {
        let mut conflict = false;
        for role in who.iter().copied().filter(|role| self.has(*role)) {
            if matches!(
                role,
                Role::Agent | Role::AgentOnBehalf | Role::ElectedOfficial
            ) && self.stands_aside()
            {
                conflict = true;
            } else {
                return Ok(role);
            }
        }
        Err(if conflict && self.is_on_the_holders_side() {
            Denial::ConflictOfInterest
        } else if conflict {
            Denial::Recused
        } else if self.signed_in {
            Denial::NotAllowed
        } else {
            Denial::Anonymous
        })
    }
}

impl From<Denial> for ApiError {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Anonymous => Self::unauthorized(false),
            Denial::NotAllowed => Self::forbidden(
                "Aucune de vos qualités ne permet cette action.",
                "None of the qualities that you have here allows this action.",
            ),
            Denial::ConflictOfInterest => Self::because(
                Code::ConflictOfInterest,
                "Nul n'est des deux côtés : vous êtes membre du porteur ou de la structure porteuse.",
                "Nobody stands on both sides: you are a member of the holder or of the host organisation.",
            ),
            Denial::Recused => Self::because(
                Code::ConflictOfInterest,
                "Vous vous êtes récusé dans cette affaire, ou un agent l'a enregistré pour vous.",
                "You stand aside in this matter, or an agent recorded that you do.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(roles: &[Role]) -> Standing {
        let mandate = |role| ActiveMandate {
            id: MandateId(uuid::Uuid::nil()),
            commune: "62528".to_owned(),
            role,
            may_sign: false,
            capacity: String::new(),
        };
        let has = |role: Role| roles.contains(&role);
        Standing {
            signed_in: !roles.is_empty(),
            is_admin: has(Role::Admin),
            client: None,
            mandates: [Role::Agent, Role::ElectedOfficial]
                .into_iter()
                .filter(|r| has(*r))
                .map(mandate)
                .collect(),
            holder: has(Role::Holder).then(Membership::default),
            host: has(Role::Host).then(Membership::default),
            recused: false,
            may_contest_recusal: false,
            entered_on_behalf: has(Role::AgentOnBehalf),
        }
    }

    #[test]
    fn the_table_of_standings() {
        use Role::{Admin, Agent, AgentOnBehalf, ElectedOfficial, Holder, Host, Resident};
        type Case = (&'static [Role], &'static [Role], Result<Role, Denial>);
        let cases: &[Case] = &[
            (&[], &[Agent], Err(Denial::Anonymous)),
            (&[Resident], &[Agent], Err(Denial::NotAllowed)),
            (&[Resident, Agent], &[Agent], Ok(Agent)),
            (
                &[Resident, Agent],
                &[ElectedOfficial],
                Err(Denial::NotAllowed),
            ),
            (
                &[Resident, ElectedOfficial],
                &[Agent, ElectedOfficial],
                Ok(ElectedOfficial),
            ),
            (
                &[Resident, Agent, Holder],
                &[Agent],
                Err(Denial::ConflictOfInterest),
            ),
            (
                &[Resident, ElectedOfficial, Host],
                &[ElectedOfficial],
                Err(Denial::ConflictOfInterest),
            ),
            // On their own side they act as anybody else would.
            (&[Resident, Agent, Holder], &[Holder, Agent], Ok(Holder)),
            (&[Resident, Agent, Holder], &[Agent, Holder], Ok(Holder)),
            (
                &[Resident, Admin],
                &[Agent, ElectedOfficial, Holder],
                Err(Denial::NotAllowed),
            ),
            (
                &[Resident, Agent],
                &[Holder, AgentOnBehalf],
                Err(Denial::NotAllowed),
            ),
            (
                &[Resident, Agent, AgentOnBehalf],
                &[Holder, AgentOnBehalf],
                Ok(AgentOnBehalf),
            ),
            (
                &[Resident, AgentOnBehalf],
                &[AgentOnBehalf],
                Err(Denial::NotAllowed),
            ),
            (&[Resident, Admin], &[Admin], Ok(Admin)),
            (&[Resident, Admin], &[Role::Clock], Err(Denial::NotAllowed)),
            // Whoever stands on both sides may still say so.
            (
                &[Resident, Agent, Holder],
                &[Role::TownHall],
                Ok(Role::TownHall),
            ),
            (
                &[Resident, Holder],
                &[Role::TownHall],
                Err(Denial::NotAllowed),
            ),
        ];
        for (has, who, expected) in cases {
            assert_eq!(
                standing(has).permit(who),
                *expected,
                "{has:?} acting as one of {who:?}"
            );
        }
    }

    #[test]
    fn who_was_recused_is_a_resident_like_others() {
        let recused = |roles| Standing {
            recused: true,
            ..standing(roles)
        };
        let official = recused(&[Role::Resident, Role::ElectedOfficial]);
        assert_eq!(
            official.permit(&[Role::ElectedOfficial]),
            Err(Denial::Recused)
        );
        assert_eq!(official.permit(&[Role::Resident]), Ok(Role::Resident));
        assert_eq!(official.permit(&[Role::Agent]), Err(Denial::NotAllowed));
        let agent = recused(&[Role::Resident, Role::Agent, Role::AgentOnBehalf]);
        assert_eq!(
            agent.permit(&[Role::Holder, Role::AgentOnBehalf]),
            Err(Denial::Recused)
        );
    }
}
