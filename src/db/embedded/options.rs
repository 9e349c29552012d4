//! What the caller decides about the cluster.

use std::path::PathBuf;

/// How to start the private cluster.
pub struct Options {
    /// The folder that holds the cluster and whatever had to be downloaded for it.
    pub data_dir: PathBuf,
    /// The folder of PostgreSQL's programs (`PG_BIN_DIR`); nothing else is then looked at.
    pub bin_dir: Option<PathBuf>,
    /// Where to look for the programs instead of the usual places of this machine.
    pub search: Option<Vec<PathBuf>>,
    /// A list of releases, in the JSON of GitHub's API, to download from instead of GitHub.
    pub archive_url: Option<String>,
    /// Whether data must survive a power cut; false is faster, for tests.
    pub durable: bool,
    /// Told what takes long or what the reader should know.
    pub progress: Box<dyn Fn(&str) + Send + Sync>,
}

impl Options {
    /// A durable cluster in `data_dir`, with everything else found by itself and in silence.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bin_dir: None,
            search: None,
            archive_url: None,
            durable: true,
            progress: Box::new(|_| ()),
        }
    }
}
