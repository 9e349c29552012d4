//! The demonstration of Loos-en-Gohelle: played over HTTP through the API itself, with a clock that travels, so that
//! everything in it obeys every rule. What is real carries its source; the rest says that it is illustrative.

mod project;
mod scenario;
mod stage;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

pub use stage::StageError;

use crate::db::schema::{reference_data, users};
use crate::db::{self, DatabaseError};
use crate::documents::storage::Storage;

/// The password of every account of the demonstration.
pub const PASSWORD: &str = "cinquante-cinquante";

/// The mark of a database that holds the demonstration.
const MARK: &str = "demonstration";

/// One account for each role, with what it may do: address, French words.
pub const ACCOUNTS: &[(&str, &str)] = &[
    ("admin@demo.example", "administre la plateforme"),
    ("agent@demo.example", "agente de Loos-en-Gohelle : instruit"),
    (
        "maire@demo.example",
        "maire de Loos-en-Gohelle : décide et signe",
    ),
    (
        "adjointe@demo.example",
        "adjointe de Loos-en-Gohelle : décide",
    ),
    (
        "agriculteur@demo.example",
        "habitant : porte les chemins agricoles",
    ),
    (
        "habitante@demo.example",
        "habitante : soutient et participe",
    ),
];

/// Why the demonstration could not be played.
#[derive(Debug, thiserror::Error)]
pub enum DemonstrationError {
    #[error("the database holds accounts already: the demonstration needs an empty one")]
    NotEmpty,
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("the demonstration: {0}")]
    Stage(#[from] StageError),
}

/// Whether the database holds the demonstration.
pub async fn is_seeded(conn: &mut AsyncPgConnection) -> Result<bool, DatabaseError> {
    let mark: Option<String> = reference_data::table
        .find(MARK)
        .select(reference_data::name)
        .first(conn)
        .await
        .optional()?;
    Ok(mark.is_some())
}

/// Plays the demonstration on a migrated database without accounts.
pub async fn seed(
    url: &str,
    documents: Storage,
    progress: impl Fn(&str),
) -> Result<(), DemonstrationError> {
    let mut conn = db::connect_unlimited(url).await?;
    let accounts: i64 = users::table
        .count()
        .get_result(&mut conn)
        .await
        .map_err(DatabaseError::from)?;
    if accounts > 0 {
        return Err(DemonstrationError::NotEmpty);
    }
    let stage = stage::Stage::open(url, documents).await?;
    let played = scenario::play(&stage, progress).await;
    stage.close().await;
    played?;
    diesel::insert_into(reference_data::table)
        .values((reference_data::name.eq(MARK), reference_data::sha256.eq("")))
        .execute(&mut conn)
        .await
        .map_err(DatabaseError::from)?;
    Ok(())
}

/// The accounts as the document names them, in Markdown.
pub fn accounts_in_markdown() -> String {
    let mut text = format!(
        "\n**Demonstration** (its data are illustrative where they name no source). The password of every account is \
         `{PASSWORD}`:\n\n| account | role |\n|---|---|\n"
    );
    for (email, role) in ACCOUNTS {
        text.push_str(&format!("| `{email}` | {role} |\n"));
    }
    text
}
