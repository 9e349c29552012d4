//! A file on its way into the store: counted and hashed while it streams.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use object_store::buffered::BufWriter;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::dto::ImportFileType;
use crate::documents::storage::Storage;
use crate::http::error::{ApiError, Code, FaultCode};
use crate::http::extract::{BodyDigest, content_type, refuse_other_types, too_large};
use crate::ids::{DocumentId, ImportId};

/// How long it may take; less than it may be awaited.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";

/// The name under which the store keeps the file of an import.
pub const fn stored(id: ImportId) -> DocumentId {
    DocumentId(id.0)
}

/// A file on its way in, and what its content type says that it is.
pub struct Upload {
    http: HttpRequest,
    payload: Payload,
    pub file_type: ImportFileType,
}

impl FromRequest for Upload {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(http: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let file_type = match content_type(http).as_str() {
            "application/x-ndjson" => ImportFileType::Ndjson,
            XLSX => ImportFileType::Xlsx,
            ODS => ImportFileType::Ods,
            _ => ImportFileType::Csv,
        };
        let upload = Self {
            http: http.clone(),
            payload: payload.take(),
            file_type,
        };
        std::future::ready(refuse_other_types(http).map(|()| upload))
    }
}

impl Upload {
    /// Streams the file into the store; returns its size in bytes.
    pub async fn receive(
        self,
        storage: &Storage,
        id: ImportId,
        max_bytes: u64,
    ) -> Result<i64, ApiError> {
        let mut writer = storage.writer(stored(id));
        let streamed = tokio::time::timeout(PATIENCE, self.stream(&mut writer, max_bytes))
            .await
            .unwrap_or(Err(ApiError::new(Code::RequestTimeout)));
        match streamed {
            Ok(size) => {
                writer.shutdown().await.map_err(ApiError::busy)?;
                Ok(size)
            }
            Err(error) => {
                // What this leaves is taken back with the row.
                let _ = writer.abort().await;
                Err(error)
            }
        }
    }

    async fn stream(mut self, writer: &mut BufWriter, max_bytes: u64) -> Result<i64, ApiError> {
        let mut came = 0_u64;
        let mut hash = Sha256::new();
        while let Some(chunk) = self.payload.next().await {
            let chunk = chunk.map_err(|_| ApiError::new(Code::MalformedRequest))?;
            came += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            if came > max_bytes {
                return Err(too_large(max_bytes));
            }
            hash.update(&chunk);
            writer.put(chunk).await.map_err(ApiError::busy)?;
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
            .insert(BodyDigest(hash.finalize().into()));
        i64::try_from(came).map_err(ApiError::internal)
    }
}
