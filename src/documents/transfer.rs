//! Bytes on their way: in from a request, counted, sieved and hashed while they stream, and out to a reader, whole or
//! a range of them (RFC 9110, 14).

use std::ops::Range;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use futures_util::StreamExt;
use object_store::buffered::BufWriter;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::media::{HEAD_BYTES, Sieve, Unreadable};
use super::model::{NamedDocument, Received};
use super::storage::Storage;
use crate::http::error::{ApiError, Code, FaultCode};
use crate::http::extract::{BodyDigest, refuse_other_types, too_large};
use crate::http::reply::{cache_control, none_match};
use crate::ids::DocumentId;

/// How long an upload may take; less than it may be pending.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// A file on its way in.
pub struct Upload {
    http: HttpRequest,
    payload: Payload,
}

impl FromRequest for Upload {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(http: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let upload = Self {
            http: http.clone(),
            payload: payload.take(),
        };
        std::future::ready(refuse_other_types(http).map(|()| upload))
    }
}

impl From<Unreadable> for ApiError {
    fn from(_: Unreadable) -> Self {
        Self::because(
            Code::UnsupportedMediaType,
            "Ce fichier n'est d'aucun des types acceptés, ou il est abîmé. /v1/reference/media_types les énumère ; un \
             texte est en UTF-8.",
            "This file is of none of the types that are accepted, or it is damaged. /v1/reference/media_types lists \
             them; a text is in UTF-8.",
        )
    }
}

impl Upload {
    /// Streams the file into the store.
    pub async fn receive(
        self,
        storage: &Storage,
        id: DocumentId,
        name: &str,
    ) -> Result<Received, ApiError> {
        let mut writer = storage.writer(id);
        let streamed = tokio::time::timeout(PATIENCE, self.stream(storage, &mut writer, name))
            .await
            .unwrap_or(Err(ApiError::new(Code::RequestTimeout)));
        match streamed {
            Ok(received) => {
                writer.shutdown().await.map_err(ApiError::busy)?;
                Ok(received)
            }
            Err(error) => {
                // What this leaves is taken back with the row.
                let _ = writer.abort().await;
                Err(error)
            }
        }
    }

    async fn stream(
        mut self,
        storage: &Storage,
        writer: &mut BufWriter,
        name: &str,
    ) -> Result<Received, ApiError> {
        let (mut came, mut stored) = (0_u64, 0_u64);
        // Another name is another request; what came is hashed apart from what is stored.
        let mut digest = Sha256::new_with_prefix(self.http.query_string());
        digest.update([0]);
        let mut hash = Sha256::new();
        let mut head = Vec::new();
        let mut sieve: Option<Sieve> = None;
        loop {
            let chunk = match self.payload.next().await {
                Some(chunk) => chunk.map_err(|_| ApiError::new(Code::MalformedRequest))?,
                None => Bytes::new(),
            };
            let is_last = chunk.is_empty();
            came += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            if came > storage.max_bytes {
                return Err(too_large(storage.max_bytes));
            }
            digest.update(&chunk);
            head.extend_from_slice(&chunk);
            if sieve.is_none() && head.len() < HEAD_BYTES && !is_last {
                continue;
            }
            let sieve = sieve.get_or_insert_with(|| Sieve::new(&head, name));
            let mut out = Vec::with_capacity(head.len());
            sieve.push(&std::mem::take(&mut head), &mut out)?;
            hash.update(&out);
            stored += u64::try_from(out.len()).unwrap_or(u64::MAX);
            writer.put(out.into()).await.map_err(ApiError::busy)?;
            if is_last {
                break;
            }
        }
        if came == 0 {
            return Err(ApiError::fault(
                "",
                FaultCode::TooShort,
                "Le fichier est vide.",
                "The file is empty.",
            ));
        }
        self.http
            .extensions_mut()
            .insert(BodyDigest(digest.finalize().into()));
        let media_type = sieve.map_or(Err(Unreadable), Sieve::finish)?;
        Ok(Received {
            media_type,
            size_bytes: i64::try_from(stored).map_err(ApiError::internal)?,
            sha256: hex(&hash.finalize()),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What of a file is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Range<u64>),
    /// A range that begins behind the end.
    Nothing,
}

/// Reads `Range`. Several ranges, other units and nonsense are answered with the whole, as the standard allows.
fn wanted(range: &str, size: u64) -> Wanted {
    let Some((first, last)) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.trim().split_once('-'))
    else {
        return Wanted::Whole;
    };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // Whatever has more digits is behind the end.
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (number(first), number(last)) {
        (None, Some(0)) if first.is_empty() => Wanted::Nothing,
        (None, Some(count)) if first.is_empty() => Wanted::Part(size.saturating_sub(count)..size),
        (Some(first), None) if last.is_empty() && first < size => Wanted::Part(first..size),
        (Some(_), None) if last.is_empty() => Wanted::Nothing,
        (Some(first), Some(last)) if first > last => Wanted::Whole,
        (Some(first), Some(last)) if first < size => {
            Wanted::Part(first..last.saturating_add(1).min(size))
        }
        (Some(_), Some(_)) => Wanted::Nothing,
        _ => Wanted::Whole,
    }
}

/// Answers with the bytes of a document, or with the range of them that is asked for.
pub async fn send(
    http: &HttpRequest,
    storage: &Storage,
    document: &NamedDocument,
    public_for: Option<u32>,
) -> Result<HttpResponse, ApiError> {
    let size = u64::try_from(document.size_bytes).map_err(ApiError::internal)?;
    let etag = format!("\"{}\"", document.sha256);
    let text = |name: header::HeaderName| {
        http.headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let is_same = text(header::IF_RANGE).is_none_or(|tag| tag == etag);
    let wanted = match text(header::RANGE) {
        Some(range) if is_same => wanted(range, size),
        _ => Wanted::Whole,
    };
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::ETAG, etag.as_str()))
        .insert_header((header::CACHE_CONTROL, cache_control(public_for)))
        .insert_header((header::VARY, "Authorization"));
    if none_match(http, &etag) {
        return Ok(answer.status(StatusCode::NOT_MODIFIED).finish());
    }
    let bytes = match wanted {
        Wanted::Whole => 0..size,
        Wanted::Part(bytes) => {
            let range = format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1);
            answer.status(StatusCode::PARTIAL_CONTENT);
            answer.insert_header((header::CONTENT_RANGE, range));
            bytes
        }
        Wanted::Nothing => {
            let range =
                HeaderValue::from_str(&format!("bytes */{size}")).map_err(ApiError::internal)?;
            return Err(
                ApiError::new(Code::RangeNotSatisfiable).header(header::CONTENT_RANGE, range)
            );
        }
    };
    let length = bytes.end - bytes.start;
    let stream = storage
        .read(document.row.id, bytes)
        .await
        .map_err(ApiError::internal)?;
    let name = document.row.name.as_deref().unwrap_or_default();
    let name = document.media_type.file_name(name);
    let name = utf8_percent_encode(&name, NON_ALPHANUMERIC);
    let disposition = format!("attachment; filename*=UTF-8''{name}");
    Ok(answer
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        // Whoever opens it in place all the same runs nothing.
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'",
        ))
        .content_type("application/octet-stream")
        .body(SizedStream::new(length, stream)))
}

#[cfg(test)]
mod tests {
    use super::{Wanted, wanted};

    #[test]
    fn one_range_is_understood() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=2-5", Wanted::Part(2..6)),
            ("bytes=2-", Wanted::Part(2..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-30", Wanted::Part(0..10)),
            ("bytes=9-99999999999999999999999", Wanted::Part(9..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=10-12", Wanted::Nothing),
            ("bytes=99999999999999999999999-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            assert_eq!(wanted(range, 10), expected, "{range}");
        }
    }
}
