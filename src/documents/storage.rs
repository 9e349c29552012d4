//! Where the bytes of documents are: a folder of this machine, or a bucket that speaks S3.

use std::ops::Range;
use std::path::{Path as Folder, PathBuf};
use std::sync::Arc;

use actix_web::web::Bytes;
use futures_util::stream::BoxStream;
use object_store::aws::AmazonS3Builder;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectStore, ObjectStoreExt};

use crate::ids::DocumentId;

/// What goes to the store at a time. Up to this a file is one request; a bucket takes no smaller part.
const PART_BYTES: usize = 5 << 20;

/// A folder that only its owner enters, with those around it.
fn make_folder(folder: &Folder) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(around) = folder.parent() {
        std::fs::create_dir_all(around)?;
    }
    let mut maker = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut maker, 0o700);
    maker.create(folder)
}

/// The store; a clone is the same one.
#[derive(Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    /// Where in a bucket documents begin.
    prefix: String,
    /// Where on this machine they are.
    folder: Option<PathBuf>,
    /// Largest document, in bytes.
    pub max_bytes: u64,
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("the folder of documents {0}: {1}")]
    Folder(String, std::io::Error),
    #[error("the store of documents: {0}")]
    Store(#[from] Error),
}

impl Storage {
    /// The store at an address, `s3://bucket/prefix` or `file:///folder`. What a bucket needs besides comes from the
    /// environment: `AWS_ACCESS_KEY_ID` and its like.
    pub fn open(url: &str, max_bytes: u64) -> Result<Self, StorageError> {
        let Some(place) = url.strip_prefix("s3://") else {
            let folder = url.strip_prefix("file://").unwrap_or(url);
            return Self::in_folder(Folder::new(folder), max_bytes);
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .build()?;
        Ok(Self {
            store: Arc::new(store),
            prefix: prefix.to_owned(),
            folder: None,
            max_bytes,
        })
    }

    /// A folder of this machine, which is made when it is not there.
    pub fn in_folder(folder: &Folder, max_bytes: u64) -> Result<Self, StorageError> {
        make_folder(folder)
            .map_err(|error| StorageError::Folder(folder.display().to_string(), error))?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            prefix: String::new(),
            folder: Some(folder.to_owned()),
            max_bytes,
        })
    }

    fn path(&self, id: DocumentId) -> Path {
        Path::from(format!("{}/{}/{id}", self.prefix, id.commune()))
    }

    /// Takes bytes one after the other, with two parts in memory at most; they are there when it is shut down.
    pub fn writer(&self, id: DocumentId) -> BufWriter {
        BufWriter::with_capacity(Arc::clone(&self.store), self.path(id), PART_BYTES)
            .with_max_concurrency(1)
    }

    /// These bytes of a document.
    pub async fn read(
        &self,
        id: DocumentId,
        bytes: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let options = GetOptions {
            range: Some(bytes.into()),
            ..GetOptions::default()
        };
        let found = self.store.get_opts(&self.path(id), options).await?;
        Ok(found.into_stream())
    }

    /// Removes all bytes of a document, also those of an upload that was cut; none may be there.
    pub async fn remove(&self, id: DocumentId) -> Result<(), Error> {
        if let Some(folder) = &self.folder {
            // The name under which the store writes until a file is whole.
            let unfinished = folder.join(id.commune()).join(format!("{id}#1"));
            match tokio::fs::remove_file(unfinished).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::Generic {
                        store: "folder",
                        source: Box::new(error),
                    });
                }
                _ => {}
            }
        }
        match self.store.delete(&self.path(id)).await {
            Err(Error::NotFound { .. }) => Ok(()),
            removed => removed,
        }
    }
}
