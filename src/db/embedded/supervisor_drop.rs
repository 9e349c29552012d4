//! Removes a throwaway cluster where there is no shell to watch over it: when it is stopped or
//! dropped, which a program that is killed does not do.

use super::Address;
use super::error::EmbeddedError;
use super::place::Place;
use std::path::PathBuf;

/// The folder to remove.
pub(super) struct Supervisor {
    folder: PathBuf,
}

impl Supervisor {
    /// Watches over the cluster that is going to be made in this place.
    pub(super) fn start(place: &Place, _address: &Address) -> Result<Self, EmbeddedError> {
        let folder = place.folder.clone();
        Ok(Self { folder })
    }

    /// Removes the folder.
    pub(super) async fn finish(self) {}
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // A file that is still open elsewhere stays in the temporary folder: no harm done.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
