//! Imports files, one after the other, a thousand rows a transaction. What is written and how far that is are written
//! together: after any end the next start goes on where this one stood, and nothing is done twice or by halves.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{Seek, SeekFrom, Write};
use std::time::Duration;

use futures_util::StreamExt;
use jsonschema::Validator;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::dto::{BulkOutcome, ImportFault, ImportState};
use super::files::{self, Line, Unreadable};
use super::items::{Bulk, CHUNK};
use super::mappings::NewMapping;
use super::model::{self, Counts, ImportRow, Refusal};
use super::upload::stored;
use super::write::{repeated_name, write};
use crate::http::contract::Contract;
use crate::http::error::Language::{English, French};
use crate::http::error::{ApiError, Code};
use crate::state::{Session, State};
use crate::{communes, openapi};

/// How often the database is asked for what waits.
const TURN: Duration = Duration::from_secs(1);

/// Imports what waits, for as long as the program runs.
pub async fn run(state: State) {
    let contract = match Contract::new(&openapi::document(None)) {
        Ok(contract) => contract,
        Err(error) => {
            tracing::error!(cause = %error, "files are not imported");
            return;
        }
    };
    let mut turns = tokio::time::interval(TURN);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        loop {
            match turn(&state, &contract).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(cause = %error, "an import waits for its lease to end");
                    break;
                }
            }
        }
    }
}

/// Imports the file that waits longest, if one does.
async fn turn(state: &State, contract: &Contract) -> Result<bool, ApiError> {
    let mut session = state.as_time_passes().await?;
    let claimed = model::claim(&mut session).await;
    let Some(import) = session.finish(claimed).await? else {
        return Ok(false);
    };
    if let Some(wrong) = work(state, contract, &import).await? {
        let mut session = state.as_time_passes().await?;
        let ended = fail(&mut session, &import, wrong).await;
        session.finish(ended).await?;
    }
    let mut session = state.as_everybody().await?;
    let ended = model::find(&mut session.conn, import.id).await?.ended_at;
    drop(session);
    if ended.is_some() {
        model::empty(state, import.id).await?;
    }
    Ok(true)
}

async fn fail(
    session: &mut Session,
    import: &ImportRow,
    wrong: Unreadable,
) -> Result<(), ApiError> {
    let row = model::lock(&mut session.conn, import.id).await?;
    if row.ended_at.is_none() {
        model::end(session, import.id, ImportState::Failed, Some(wrong)).await?;
    }
    Ok(())
}

/// Reads the file once to count it, and so to learn whether it can be read at all; then once more to write it.
async fn work(
    state: &State,
    contract: &Contract,
    import: &ImportRow,
) -> Result<Option<Unreadable>, ApiError> {
    let path = format!("/v1/communes/{{code}}/bulk/{}", import.resource);
    let schema = contract
        .operation(&path, "POST")
        .and_then(|operation| operation.body("application/json"))
        .ok_or_else(|| ApiError::internal(format!("no schema of {path}")))?;
    let file = fetch(state, import).await?;
    let (file_type, mapping) = (import.file_type, import.mapping());
    let known = mapping.clone();
    let mut counted = file.try_clone().map_err(ApiError::internal)?;
    let count = tokio::task::spawn_blocking(move || {
        let mut rows = 0_i64;
        files::read(&mut counted, file_type, &known, &mut |_| {
            rows += 1;
            true
        })
        .map(|titles| (rows, titles))
    });
    let (total, titles) = match count.await.map_err(ApiError::internal)? {
        Ok(counted) => counted,
        Err(wrong) => return Ok(Some(wrong)),
    };
    let mut session = state.as_time_passes().await?;
    let done = model::count(&mut session, import.id, total, &titles).await;
    session.finish(done).await?;

    let columns = columns(&mapping, &titles);
    let (send, mut chunks) = mpsc::channel::<Vec<Row>>(1);
    let mut file = file;
    let skip = import.rows_read;
    let hasher = RandomState::new();
    let reading = tokio::task::spawn_blocking(move || {
        let mut seen = 0_i64;
        let mut names = HashSet::new();
        let mut chunk = Vec::new();
        let read = files::read(&mut file, file_type, &mapping, &mut |line| {
            seen += 1;
            let name = line.item.get("external_id").and_then(Value::as_str);
            // A hash of each: the names of a large file would be large.
            let is_repeated = name.is_some_and(|name| !names.insert(hasher.hash_one(name)));
            if seen > skip {
                chunk.push(Row { line, is_repeated });
            }
            if chunk.len() == CHUNK {
                return send.blocking_send(std::mem::take(&mut chunk)).is_ok();
            }
            true
        });
        // The last one ends the import, also when nothing is left in it.
        let _ = send.blocking_send(chunk);
        read.map(drop)
    });
    let mut from = skip;
    while let Some(chunk) = chunks.recv().await {
        let size = i64::try_from(chunk.len()).map_err(ApiError::internal)?;
        match write_chunk(state, schema, import, (from, total), &columns, chunk).await? {
            Chunk::Written => from += size,
            // Somebody has cancelled it, or another worker is at it.
            Chunk::NotOurs => return Ok(None),
            Chunk::NotAllowed => return Ok(Some(ImportFault::NotAllowed.into())),
        }
    }
    Ok(reading.await.map_err(ApiError::internal)?.err())
}

/// The file, in one of this machine that nobody sees and that goes with the program.
async fn fetch(state: &State, import: &ImportRow) -> Result<File, ApiError> {
    let size = u64::try_from(import.size_bytes.unwrap_or(0)).map_err(ApiError::internal)?;
    let mut file = tempfile::tempfile().map_err(ApiError::internal)?;
    let mut bytes = state
        .documents
        .read(stored(import.id), 0..size)
        .await
        .map_err(ApiError::busy)?;
    while let Some(part) = bytes.next().await {
        file.write_all(&part.map_err(ApiError::busy)?)
            .map_err(ApiError::internal)?;
    }
    file.seek(SeekFrom::Start(0)).map_err(ApiError::internal)?;
    Ok(file)
}

/// A row, and whether one before it has its name.
struct Row {
    line: Line,
    is_repeated: bool,
}

enum Chunk {
    Written,
    NotOurs,
    NotAllowed,
}

/// Writes rows, and how far that is, in one transaction of whoever brought the file, with the rights that they have now.
async fn write_chunk(
    state: &State,
    schema: &Validator,
    import: &ImportRow,
    (from, total): (i64, i64),
    columns: &HashMap<&'static str, String>,
    rows: Vec<Row>,
) -> Result<Chunk, ApiError> {
    let mut session = match state.in_the_name_of(import.created_by).await {
        Err(error) if error.code == Code::Unauthorized => return Ok(Chunk::NotAllowed),
        session => session?,
    };
    let done = async {
        let row = model::lock(&mut session.conn, import.id).await?;
        if row.state != ImportState::Running || row.rows_read != from {
            return Ok(Chunk::NotOurs);
        }
        let Ok(role) = session.actor.permit_import(&import.commune_code) else {
            return Ok(Chunk::NotAllowed);
        };
        let commune = communes::model::enrolled(&mut session.conn, &import.commune_code).await?;
        let (mut cells, mut items, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            cells.push(row.line.cells);
            items.push(row.line.item);
            repeated.push(row.is_repeated);
        }
        let mut counts = Counts::default();
        let mut refused = Vec::new();
        if !items.is_empty() {
            let mut checked = Bulk::of_rows(schema, items)?.checked(import.resource);
            for (checked, is_repeated) in checked.iter_mut().zip(repeated) {
                if is_repeated && checked.item.is_ok() {
                    checked.item = Err(repeated_name());
                }
            }
            let results =
                write(&mut session, role, &commune, checked, import.validate_only).await?;
            for ((number, cells), done) in (from + 1..).zip(cells).zip(results) {
                match done.merged {
                    Ok((BulkOutcome::Created, _)) => counts.created += 1,
                    Ok((BulkOutcome::Updated, _)) => counts.updated += 1,
                    Ok(_) => counts.unchanged += 1,
                    Err(error) => {
                        counts.refused += 1;
                        refused.push(Refusal {
                            import_id: import.id,
                            commune_code: import.commune_code.clone(),
                            row_number: number,
                            // PostgreSQL keeps no NUL.
                            cells: json!(
                                cells
                                    .iter()
                                    .map(|cell| cell.replace('\0', ""))
                                    .collect::<Vec<_>>()
                            ),
                            faults: faults(&error, columns),
                        });
                    }
                }
            }
        }
        let read = counts.created + counts.updated + counts.unchanged + counts.refused;
        model::proceed(&mut session, import.id, &counts, &refused).await?;
        if from + read == total {
            model::end(&mut session, import.id, ImportState::Done, None).await?;
        }
        Ok(Chunk::Written)
    }
    .await;
    session.finish(done).await
}

/// The title that the file has for each field.
fn columns(mapping: &NewMapping, titles: &[String]) -> HashMap<&'static str, String> {
    let named = titles
        .iter()
        .filter_map(|title| Some((mapping.field(title)?.target, title.trim().to_owned())));
    named.collect()
}

/// What is wrong with a row, in French and in English: a sentence, or one for each column.
fn faults(error: &ApiError, columns: &HashMap<&'static str, String>) -> Value {
    let say = |language| {
        if error.faults.is_empty() {
            let title = error.code.title();
            let detail = error.detail.as_ref().unwrap_or(&title);
            return detail.get(language).to_owned();
        }
        let each: Vec<String> = error
            .faults
            .iter()
            .take(20)
            .map(|fault| {
                let field = fault.pointer.trim_start_matches("#/").replace('/', ".");
                let column = columns.get(field.as_str()).unwrap_or(&field);
                format!(
                    "{} : {}",
                    column.replace('\0', ""),
                    fault.detail.get(language)
                )
            })
            .collect();
        each.join(" ; ")
    };
    json!({"fr": say(French), "en": say(English)})
}
