//! One project of the demonstration as data, and the path that it walks.

use serde_json::{Value, json};

use super::stage::{Stage, StageError, id_of};

/// Where a project stops today.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    Draft,
    Submitted,
    InReview,
    Opinion,
    Accepted,
    Open,
    Active,
    Done,
    Completed,
    Evaluated,
    Closed,
}

/// What was done of a commitment: its place in the list, the day, how much, the evidence.
pub struct Done {
    pub commitment: usize,
    pub on: &'static str,
    pub how_much: Value,
    pub evidence: &'static str,
}

/// A project: who, what, when.
pub struct Project {
    pub commune: &'static str,
    pub agent: &'static str,
    pub mayor: &'static str,
    /// Who carries it, by account and by holder.
    pub by: &'static str,
    pub holder: String,
    pub host: Option<String>,
    /// What `POST …/initiatives` takes besides the holder.
    pub idea: Value,
    pub submitted: &'static str,
    pub reviewed: &'static str,
    pub decided: &'static str,
    pub opinion: Value,
    pub reason: &'static str,
    pub commitments: Vec<Value>,
    /// What `POST …/conventions` takes besides the parties; in `authority` the act that it rests on.
    pub convention: Value,
    pub signed: &'static str,
    pub done: Vec<Done>,
    pub completed: &'static str,
    pub evaluation: Value,
    pub until: Until,
}

impl Project {
    /// Walks the path as far as the project has come. Returns the initiative's path.
    pub async fn play(&self, stage: &Stage) -> Result<String, StageError> {
        stage.day(self.submitted)?;
        let mut idea = self.idea.clone();
        if let Some(idea) = idea.as_object_mut() {
            idea.insert("holder_id".to_owned(), self.holder.clone().into());
            if let Some(host) = &self.host {
                idea.insert("host_id".to_owned(), host.clone().into());
            }
        }
        let made = stage
            .post(
                self.by,
                &format!("/v1/communes/{}/initiatives", self.commune),
                idea,
            )
            .await?;
        let path = format!("/v1/initiatives/{}", id_of(&made)?);
        if self.until >= Until::Submitted {
            stage
                .post(self.by, &format!("{path}/submit"), Value::Null)
                .await?;
        }
        if self.until >= Until::InReview {
            stage.day(self.reviewed)?;
            stage
                .post(self.agent, &format!("{path}/start_review"), json!({}))
                .await?;
        }
        if self.until >= Until::Opinion {
            stage
                .post(
                    self.agent,
                    &format!("{path}/give_opinion"),
                    self.opinion.clone(),
                )
                .await?;
        }
        if self.until >= Until::Accepted {
            stage.day(self.decided)?;
            stage
                .post(
                    self.mayor,
                    &format!("{path}/accept"),
                    json!({"reason": self.reason}),
                )
                .await?;
        }
        if self.until >= Until::Open {
            self.sign(stage, &path).await?;
        }
        Ok(path)
    }

    /// Both columns, the convention, the signatures; then what was done.
    async fn sign(&self, stage: &Stage, path: &str) -> Result<(), StageError> {
        let mut commitments = Vec::new();
        for commitment in &self.commitments {
            let communes = commitment.get("side").and_then(Value::as_str) == Some("commune");
            let (own, other) = if communes {
                (self.agent, self.by)
            } else {
                (self.by, self.agent)
            };
            let proposed = stage
                .post(own, &format!("{path}/commitments"), commitment.clone())
                .await?;
            let id = id_of(&proposed)?;
            stage
                .post(other, &format!("/v1/commitments/{id}/accept"), Value::Null)
                .await?;
            commitments.push((id, other));
        }
        let mandate = self.mandate(stage).await?;
        let mut convention = self.convention.clone();
        let mut parties = json!({
            "commune": {"mandate_id": mandate},
            "holder": {"user_id": stage.id(self.by)?, "capacity": "Pour le porteur"},
        });
        if let (Some(parties), true) = (parties.as_object_mut(), self.host.is_some()) {
            let signatory = json!({"user_id": stage.id("presidente")?, "capacity": "Présidente"});
            parties.insert("host".to_owned(), signatory);
        }
        if let Some(convention) = convention.as_object_mut() {
            convention.insert("parties".to_owned(), parties);
            if let Some(authority) = convention.remove("authority") {
                let id = self.record(stage, authority).await?;
                convention.insert("authority_id".to_owned(), id.into());
            }
        }
        let draft = stage
            .post(self.agent, &format!("{path}/conventions"), convention)
            .await?;
        let convention = format!("/v1/conventions/{}", id_of(&draft)?);
        let open = stage
            .post(
                self.agent,
                &format!("{convention}/open_for_signature"),
                Value::Null,
            )
            .await?;
        if self.until < Until::Active {
            return Ok(());
        }
        stage.day(self.signed)?;
        let hash = json!({"content_sha256": open.get("content_sha256")});
        stage
            .post(self.by, &format!("{convention}/sign"), hash.clone())
            .await?;
        if self.host.is_some() {
            stage
                .post("presidente", &format!("{convention}/sign"), hash.clone())
                .await?;
        }
        stage
            .post(self.mayor, &format!("{convention}/sign"), hash)
            .await?;
        for done in &self.done {
            stage.day(done.on)?;
            let Some((commitment, other)) = commitments.get(done.commitment) else {
                continue;
            };
            let own = if *other == self.agent {
                self.by
            } else {
                self.agent
            };
            let mut body = json!({"done_on": done.on, "evidence": done.evidence});
            if let (Some(body), Some(how_much)) = (body.as_object_mut(), done.how_much.as_object())
            {
                body.extend(how_much.clone());
            }
            let recorded = stage
                .post(
                    own,
                    &format!("/v1/commitments/{commitment}/fulfilments"),
                    body,
                )
                .await?;
            let fulfilment = id_of(&recorded)?;
            stage
                .post(
                    other,
                    &format!("/v1/fulfilments/{fulfilment}/acknowledge"),
                    Value::Null,
                )
                .await?;
        }
        if self.until >= Until::Completed {
            stage.day(self.completed)?;
            stage
                .post(self.agent, &format!("{path}/complete"), Value::Null)
                .await?;
        }
        if self.until >= Until::Evaluated {
            stage
                .post(
                    self.agent,
                    &format!("{path}/evaluation"),
                    self.evaluation.clone(),
                )
                .await?;
            stage
                .post(self.by, &format!("{path}/evaluation/agree"), Value::Null)
                .await?;
            stage
                .post(
                    self.mayor,
                    &format!("{path}/evaluation/validate"),
                    Value::Null,
                )
                .await?;
        }
        if self.until >= Until::Closed {
            stage
                .post(self.agent, &format!("{path}/close"), Value::Null)
                .await?;
        }
        Ok(())
    }

    /// Records the act on the day on which it is executory, when the project is decided by then.
    async fn record(&self, stage: &Stage, mut authority: Value) -> Result<String, StageError> {
        if let Some(authority) = authority.as_object_mut() {
            let object = self.convention.get("object").cloned();
            authority.insert("object".to_owned(), object.into());
        }
        let executory_on = authority.get("executory_on").and_then(Value::as_str);
        if let Some(day) = executory_on.filter(|day| *day > self.decided) {
            stage.day(day)?;
        }
        let path = format!("/v1/communes/{}/authorities", self.commune);
        id_of(&stage.post(self.agent, &path, authority).await?)
    }

    async fn mandate(&self, stage: &Stage) -> Result<String, StageError> {
        let me = stage.get(self.mayor, "/v1/me").await?;
        let mandates = me
            .get("mandates")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        mandates
            .first()
            .map_or_else(|| Err(StageError::Unknown(self.mayor.to_owned())), id_of)
    }
}
