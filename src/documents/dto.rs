//! Documents as the API shows and takes them.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::{IntoParams, ToSchema};

use crate::codes::codes;
use crate::ids::{ConventionId, DocumentId, EvaluationId, FulfilmentId, InitiativeId, MeetingId};
use crate::mandates::dto::PersonSummary;

codes! {
    /// What a document is for.
    pub enum DocumentPurpose "document_purposes" {
        Scan = "scan", "Numérisation d'un acte signé", "Scan of a signed act";
        Photo = "photo", "Photo", "Photo";
        Minutes = "minutes", "Compte rendu", "Minutes";
        Proof = "proof", "Justificatif", "Proof";
        Plan = "plan", "Plan", "Plan";
        Other = "other", "Autre", "Other";
    }

    /// What became of a document.
    pub enum DocumentState "document_states" {
        Pending = "pending", "En cours de dépôt", "Being uploaded";
        Stored = "stored", "Conservé", "Stored";
        Erased = "erased", "Effacé", "Erased";
    }

    /// What is done with documents, in the history.
    pub enum DocumentAction "document_actions" {
        Upload = "upload", "Déposer", "Upload";
        Erase = "erase", "Effacer", "Erase";
    }

    /// What a document's bytes are, as they themselves say.
    pub enum MediaType "media_types" {
        Pdf = "application/pdf", "PDF", "PDF";
        Jpeg = "image/jpeg", "Image JPEG", "JPEG image";
        Png = "image/png", "Image PNG", "PNG image";
        Webp = "image/webp", "Image WebP", "WebP image";
        Text = "text/plain", "Texte", "Text";
        Csv = "text/csv", "Tableau CSV", "CSV table";
        Odt = "application/vnd.oasis.opendocument.text", "Texte OpenDocument", "OpenDocument text";
        Ods = "application/vnd.oasis.opendocument.spreadsheet", "Classeur OpenDocument", "OpenDocument spreadsheet";
        Docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "Document Word", "Word document";
        Xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "Classeur Excel", "Excel workbook";
    }
}

impl MediaType {
    /// The endings of file names of this type, the usual one first.
    const fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &[".pdf"],
            Self::Jpeg => &[".jpg", ".jpeg"],
            Self::Png => &[".png"],
            Self::Webp => &[".webp"],
            Self::Text => &[".txt", ".md"],
            Self::Csv => &[".csv"],
            Self::Odt => &[".odt"],
            Self::Ods => &[".ods"],
            Self::Docx => &[".docx"],
            Self::Xlsx => &[".xlsx"],
        }
    }

    /// The name under which a file is saved: with an ending of its type, so that no machine takes it for something else.
    pub fn file_name(self, name: &str) -> Cow<'_, str> {
        let lower = name.to_lowercase();
        let endings = self.endings();
        match endings.first() {
            Some(usual) if !endings.iter().any(|ending| lower.ends_with(ending)) => {
                format!("{name}{usual}").into()
            }
            _ => name.into(),
        }
    }
}

/// A file: bytes of any kind.
pub struct File;

impl utoipa::PartialSchema for File {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .into()
    }
}

impl ToSchema for File {}

/// What comes with a file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NewDocument {
    /// Name of the file. It may become public, so no names of people.
    #[param(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^/\\\x00-\x1f\x7f]+$",
        example = "presence.txt"
    )]
    pub name: String,
    /// What it is for.
    pub purpose: DocumentPurpose,
    /// Only the two sides read it, even when what it is about is public: photos that show minors, for example. A scan is
    /// internal when nothing is said.
    pub internal: Option<bool>,
    /// The version of a convention that it is about.
    pub convention: Option<ConventionId>,
    /// The fulfilment that it is about.
    pub fulfilment: Option<FulfilmentId>,
    /// The evaluation that it is about.
    pub evaluation: Option<EvaluationId>,
    /// It is the paper from which an agent entered the initiative; then it is an internal scan, and an agent uploads it.
    #[serde(default)]
    #[param(default = false)]
    pub paper: bool,
}

/// What comes with a file about a meeting.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NewMeetingDocument {
    /// Name of the file. It may become public, so no names of people.
    #[param(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^/\\\x00-\x1f\x7f]+$",
        example = "compte-rendu.pdf"
    )]
    pub name: String,
    /// What it is for.
    pub purpose: DocumentPurpose,
    /// Only the town hall reads it, and the holder's side where the meeting was about their initiative.
    #[serde(default)]
    #[param(default = false)]
    pub internal: bool,
}

/// Which documents to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DocumentFilter {
    /// What they are for.
    pub purpose: Option<DocumentPurpose>,
    /// The version of a convention that they are about.
    pub convention: Option<ConventionId>,
    /// The fulfilment that they are about.
    pub fulfilment: Option<FulfilmentId>,
    /// The evaluation that they are about.
    pub evaluation: Option<EvaluationId>,
}

/// A document, without its bytes.
#[derive(Serialize, ToSchema)]
pub struct Document {
    /// Identifier.
    pub id: DocumentId,
    /// The initiative that it is about; null when it is about a meeting.
    #[schema(required)]
    pub initiative_id: Option<InitiativeId>,
    /// The meeting that it is about; null when it is about an initiative.
    #[schema(required)]
    pub meeting_id: Option<MeetingId>,
    /// The version of a convention that it is about; null when it is about something else.
    #[schema(required)]
    pub convention_id: Option<ConventionId>,
    /// The fulfilment that it is about; null when it is about something else.
    #[schema(required)]
    pub fulfilment_id: Option<FulfilmentId>,
    /// The evaluation that it is about; null when it is about something else.
    #[schema(required)]
    pub evaluation_id: Option<EvaluationId>,
    /// What became of it: `stored` or `erased`.
    pub state: DocumentState,
    /// Name of the file; null once it is erased.
    #[schema(required, min_length = 1, max_length = 200, example = "presence.txt")]
    pub name: Option<String>,
    /// What it is for.
    pub purpose: DocumentPurpose,
    /// Only the two sides read it.
    pub internal: bool,
    /// What its bytes are.
    pub media_type: MediaType,
    /// How many bytes it has, or had.
    #[schema(minimum = 1)]
    pub size_bytes: i64,
    /// SHA-256 of its bytes as they are stored: a photo's without its metadata.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// Who uploaded it: for the holder and the town hall only.
    #[schema(required)]
    pub uploaded_by: Option<PersonSummary>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it was erased.
    #[schema(required)]
    pub erased_at: Option<DateTime<Utc>>,
}

/// A page of documents, the newest first.
#[derive(Serialize, ToSchema)]
pub struct DocumentPage {
    /// The documents of this page.
    pub data: Vec<Document>,
    /// Whether another page follows.
    pub has_more: bool,
    /// Cursor of the next page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::MediaType;

    #[test]
    fn a_file_is_saved_as_what_it_is() {
        for (media_type, name, saved) in [
            (MediaType::Pdf, "Convention.PDF", "Convention.PDF"),
            (MediaType::Jpeg, "chantier.jpeg", "chantier.jpeg"),
            (MediaType::Jpeg, "chantier", "chantier.jpg"),
            (MediaType::Text, "notes.html", "notes.html.txt"),
            (MediaType::Png, "run.exe", "run.exe.png"),
        ] {
            assert_eq!(media_type.file_name(name), saved);
        }
    }
}
