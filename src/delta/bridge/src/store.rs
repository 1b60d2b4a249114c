// SPDX-License-Identifier: Apache-2.0
//! Where a table lives: an object store and the folder in it.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt,
    ObjectStoreScheme, PutMode, RetryConfig,
};
use url::Url;

use crate::error::{Error, PilakeKind, Result};
use crate::runtime::runtime;
use crate::trial::{self, Trial};

/// How to reach a store; what is not said comes from the environment.
#[derive(Default)]
pub struct StoreOptions {
    pub pairs: Vec<(String, String)>,
    pub ca_pems: Vec<Vec<u8>>,
}

impl StoreOptions {
    /// For tests: the accidents that this store, or all of the process, shall have.
    fn trial(&self) -> Result<Option<Arc<Trial>>> {
        match self.pairs.iter().find(|(name, _)| name == trial::OPTION) {
            Some((_, text)) => Ok(Some(Arc::new(Trial::parse(text, crate::ffi::die)?))),
            None => trial::of_process(),
        }
    }
}

/// A file in a folder of a store.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Below the location.
    pub name: String,
    pub bytes: u64,
    /// By the store's own clock.
    pub modified_ms: i64,
}

/// A folder of a store. Names below it are relative, with `/` between their parts.
#[derive(Clone)]
pub struct Location {
    /// As the operator wrote it, for messages.
    pub name: String,
    pub url: Url,
    pub store: Arc<dyn ObjectStore>,
    pub is_local: bool,
    /// Where an operation that failed has ended, nothing lands later.
    pub fails_for_good: bool,
    root: Path,
}

impl Location {
    pub fn parse(text: &str, options: &StoreOptions) -> Result<Self> {
        let url = parse_url(text)?;
        let (scheme, root) = ObjectStoreScheme::parse(&url)
            .map_err(|_| invalid(format!("{text}: not a path or a URL that a table can have")))?;
        let is_local = scheme == ObjectStoreScheme::Local;
        if is_local && url.to_file_path().is_ok_and(|path| path.is_file()) {
            return Err(invalid(format!("{text} is a file, not a folder")));
        }
        let store = build_store(&scheme, &url, options).map_err(|error| error.within(text))?;
        let plain =
            Self { name: text.to_string(), url, store, is_local, fails_for_good: is_local, root };
        Ok(match options.trial()? {
            Some(trial) => plain.on_trial(trial),
            None => plain,
        })
    }

    fn on_trial(self, trial: Arc<Trial>) -> Self {
        let fails_for_good = self.fails_for_good && !trial.lies_late();
        let store = trial.wrap(self.store);
        Self { store, fails_for_good, ..self }
    }

    /// Makes the folder where folders need making.
    pub fn make_folder(&self) -> Result<()> {
        match self.url.to_file_path() {
            Ok(path) if self.is_local => Ok(std::fs::create_dir_all(path)?),
            _ => Ok(()),
        }
    }

    pub fn path(&self, name: &str) -> Path {
        name.split('/').fold(self.root.clone(), |path, part| path.join(part))
    }

    /// A name as lists have it is not to be encoded once more.
    fn listed_path(&self, name: &str) -> std::result::Result<Path, object_store::path::Error> {
        Path::parse(format!("{}/{name}", self.root))
    }

    pub fn get(&self, name: &str) -> Result<Bytes> {
        let path = self.path(name);
        runtime().block_on(async { Ok(self.store.get(&path).await?.bytes().await?) })
    }

    /// Writes a file that must not exist yet.
    pub fn put_new(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path(name);
        let payload = Bytes::copy_from_slice(bytes).into();
        runtime().block_on(self.store.put_opts(&path, payload, PutMode::Create.into()))?;
        Ok(())
    }

    /// Removes a file; one that is not there is removed already.
    pub fn delete(&self, name: &str) -> Result<()> {
        match runtime().block_on(self.store.delete(&self.path(name))) {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Removes files; those that are not there are removed already.
    pub fn delete_all<'a>(&self, names: impl Iterator<Item = &'a str>) -> Result<()> {
        let (unfinished, plain): (Vec<_>, Vec<_>) =
            names.partition(|name| self.is_local && is_unfinished(name));
        for name in unfinished {
            self.delete_unfinished(name)?;
        }
        let paths: Vec<_> = plain.into_iter().map(|name| Ok(self.listed_path(name)?)).collect();
        let mut deleted = self.store.delete_stream(futures::stream::iter(paths).boxed());
        runtime().block_on(async {
            while let Some(one) = deleted.next().await {
                match one {
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(())
        })
    }

    /// All files below `folder`, at any depth; of the root if it is empty.
    pub fn entries_below(&self, folder: &str) -> Result<Vec<Entry>> {
        let listed = self.store.list(Some(&self.folder(folder)));
        let found: Vec<ObjectMeta> = runtime().block_on(listed.try_collect())?;
        Ok(found.iter().filter_map(|meta| self.entry(meta)).collect())
    }

    /// The files of `folder` itself, and the names of the folders in it.
    pub fn entries(&self, folder: &str) -> Result<(Vec<Entry>, Vec<String>)> {
        let folder = self.folder(folder);
        let listed = runtime().block_on(self.store.list_with_delimiter(Some(&folder)))?;
        let files = listed.objects.iter().filter_map(|meta| self.entry(meta)).collect();
        let below = listed.common_prefixes.iter().filter_map(|path| self.relative(path)).collect();
        Ok((files, below))
    }

    /// Files that a local store began to write in `folders` and never finished: lists do not show
    /// them. Other stores keep what is unfinished to themselves.
    pub fn unfinished(&self, folders: &[&str]) -> Result<Vec<Entry>> {
        let root = match self.url.to_file_path() {
            Ok(root) if self.is_local => root,
            _ => return Ok(Vec::new()),
        };
        let mut found = Vec::new();
        for folder in folders.iter().filter(|folder| root.join(folder).is_dir()) {
            for file in std::fs::read_dir(root.join(folder))? {
                let file = file?;
                let name = file.file_name().to_string_lossy().into_owned();
                // One that was finished meanwhile is gone.
                let Some(meta) = file.metadata().ok().filter(|_| is_unfinished(&name)) else {
                    continue;
                };
                let modified = meta.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
                found.push(Entry {
                    name: if folder.is_empty() { name } else { format!("{folder}/{name}") },
                    bytes: meta.len(),
                    modified_ms: modified.as_millis() as i64,
                });
            }
        }
        Ok(found)
    }

    /// The store itself does not know of such files.
    fn delete_unfinished(&self, name: &str) -> Result<()> {
        let Ok(root) = self.url.to_file_path() else { return Ok(()) };
        match std::fs::remove_file(root.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    pub fn modified_ms(&self, name: &str) -> Result<i64> {
        let path = self.listed_path(name).map_err(object_store::Error::from)?;
        let meta = runtime().block_on(self.store.head(&path))?;
        Ok(meta.last_modified.timestamp_millis())
    }

    /// The store's own time, told by the file `name`, which is written for it and removed.
    pub fn now_ms(&self, name: &str) -> Result<i64> {
        self.put_new(name, b"now")?;
        let now = self.modified_ms(name);
        self.delete(name)?;
        now
    }

    fn folder(&self, name: &str) -> Path {
        if name.is_empty() {
            return self.root.clone();
        }
        self.path(name)
    }

    fn entry(&self, meta: &ObjectMeta) -> Option<Entry> {
        let name = self.relative(&meta.location)?;
        let modified_ms = meta.last_modified.timestamp_millis();
        Some(Entry { name, bytes: meta.size, modified_ms })
    }

    /// The name of a path below the location.
    pub fn relative(&self, path: &Path) -> Option<String> {
        let parts: Vec<_> =
            path.prefix_match(&self.root)?.map(|part| part.as_ref().to_string()).collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    }

    /// The name below the location of a file that the log tells of; nothing if it lies elsewhere.
    pub fn name_of_logged(&self, path: &str) -> Option<String> {
        let url = match Url::parse(path) {
            Ok(absolute) => absolute,
            Err(_) => self.url.join(path).ok()?,
        };
        let below = url.as_str().strip_prefix(self.url.as_str())?;
        let below = Path::from_url_path(below).ok()?;
        Some(below.parts().map(|part| part.as_ref().to_string()).collect::<Vec<_>>().join("/"))
    }

    /// Names (last parts) of all files directly below `folder` that sort after `after`.
    pub fn list(&self, folder: &str, after: &str) -> Result<Vec<String>> {
        let folder = self.path(folder);
        let offset = folder.clone().join(after);
        let direct = folder.parts_count() + 1;
        let found = self.store.list_with_offset(Some(&folder), &offset);
        let names = found.try_filter_map(|meta| async move {
            let is_direct = meta.location.parts_count() == direct;
            Ok(meta.location.filename().filter(|_| is_direct).map(str::to_string))
        });
        let mut names: Vec<String> = runtime().block_on(names.try_collect())?;
        names.sort_unstable();
        Ok(names)
    }

    /// A file or folder in the table's folder that is neither the log nor ours, if there is one.
    pub fn stranger(&self) -> Result<Option<String>> {
        let found = runtime().block_on(self.store.list_with_delimiter(Some(&self.root)))?;
        let files = found.objects.into_iter().map(|meta| meta.location);
        let mut names = files
            .chain(found.common_prefixes)
            .filter_map(|path| path.filename().map(str::to_string));
        Ok(names.find(|name| name != "_delta_log" && name != "_pilake" && !name.starts_with('.')))
    }

    /// Proves that a table could be made here, without making one. A local folder that is still
    /// missing is judged by the nearest one above it, so that nothing stays behind.
    pub fn probe(&self, name: &str) -> Result<()> {
        if let Some(stranger) = self.stranger()? {
            return Err(self.occupied(&stranger));
        }
        if !self.is_local {
            return self.probe_atomic_create(&format!("_pilake/{name}"));
        }
        let folder =
            self.url.to_file_path().map_err(|()| invalid(format!("{}: not a path", self.name)))?;
        let existing = folder.ancestors().find(|above| above.exists()).unwrap_or(&folder);
        Self::parse(&existing.to_string_lossy(), &StoreOptions::default())?
            .probe_atomic_create(&format!(".{name}"))
    }

    pub fn occupied(&self, stranger: &str) -> Error {
        invalid(format!("{} holds other files ({stranger}); choose an empty folder", self.name))
    }

    /// Proves with the file `name` that of two writers of one name the second is refused: commits
    /// stand on that.
    pub fn probe_atomic_create(&self, name: &str) -> Result<()> {
        let first = self.put_new(name, b"first");
        let second = if first.is_ok() { self.put_new(name, b"second") } else { Ok(()) };
        let cleaned = self.delete(name);
        first.map_err(|error| {
            let kind = if self.is_local { PilakeKind::Invalid } else { error.kind };
            Error::new(kind, error.message).within(format!("cannot write in {}", self.name))
        })?;
        match second {
            Err(error) if error.kind == PilakeKind::Conflict => cleaned,
            Err(error) => Err(error.within(format!("cannot write in {}", self.name))),
            Ok(()) => Err(invalid(format!(
                "{} lets a second writer overwrite what a first one created, so that two commits \
                 could both believe they won; put the table on a store with conditional writes",
                self.name
            ))),
        }
    }
}

/// A name under which a local store writes before it gives the file its own.
fn is_unfinished(name: &str) -> bool {
    let digits = name.rsplit_once('#').map_or("", |(_, digits)| digits);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn invalid(message: String) -> Error {
    Error::new(PilakeKind::Invalid, message)
}

fn parse_url(text: &str) -> Result<Url> {
    let mut url = if text.contains("://") {
        Url::parse(text).map_err(|error| invalid(format!("{text}: {error}")))?
    } else {
        let path =
            std::path::absolute(text).map_err(|error| invalid(format!("'{text}': {error}")))?;
        Url::from_directory_path(&path).map_err(|()| invalid(format!("{text}: not a path")))?
    };
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn build_store(
    scheme: &ObjectStoreScheme,
    url: &Url,
    options: &StoreOptions,
) -> Result<Arc<dyn ObjectStore>> {
    // The environment first, then the URL, then what was asked for by name.
    macro_rules! remote {
        ($builder:ty) => {{
            let mut builder =
                <$builder>::from_env().with_url(url.as_str()).with_retry(short_patience());
            if !options.ca_pems.is_empty() {
                builder = builder.with_client_options(trusting(&options.ca_pems)?);
            }
            for (key, value) in options.pairs.iter().filter(|(key, _)| key != trial::OPTION) {
                builder = builder.with_config(key.parse()?, value);
            }
            Arc::new(builder.build()?)
        }};
    }
    Ok(match scheme {
        ObjectStoreScheme::Local => Arc::new(LocalFileSystem::new().with_fsync(true)),
        ObjectStoreScheme::AmazonS3 => remote!(AmazonS3Builder),
        ObjectStoreScheme::MicrosoftAzure => remote!(MicrosoftAzureBuilder),
        ObjectStoreScheme::GoogleCloudStorage => remote!(GoogleCloudStorageBuilder),
        _ => return Err(invalid(format!("a table cannot live at a {} URL", url.scheme()))),
    })
}

/// The library's own three minutes are long for an operator who mistyped a host; what outlasts this
/// is the caller's to try again.
fn short_patience() -> RetryConfig {
    let backoff = BackoffConfig { max_backoff: Duration::from_secs(5), ..Default::default() };
    RetryConfig { backoff, max_retries: 5, retry_timeout: Duration::from_secs(30) }
}

fn trusting(ca_pems: &[Vec<u8>]) -> Result<ClientOptions> {
    let mut client = ClientOptions::new();
    for pem in ca_pems {
        let certificates = Certificate::from_pem_bundle(pem)?;
        if certificates.is_empty() {
            return Err(invalid("a CA file holds no certificate (PEM)".to_string()));
        }
        for certificate in certificates {
            client = client.with_root_certificate(certificate);
        }
    }
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn options(pairs: &[(&str, &str)]) -> StoreOptions {
        let pairs = pairs.iter().map(|(key, value)| (key.to_string(), value.to_string()));
        StoreOptions { pairs: pairs.collect(), ca_pems: Vec::new() }
    }

    #[test]
    fn a_store_that_does_not_answer_is_unreachable() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let endpoint = format!("http://{closed}");
        let options = options(&[
            ("aws_endpoint", &endpoint),
            ("aws_allow_http", "true"),
            ("aws_region", "us-east-1"),
            ("aws_access_key_id", "id"),
            ("aws_secret_access_key", "secret"),
        ]);
        let location = Location::parse("s3://bucket/table", &options).unwrap();
        let error = location.get("file").unwrap_err();
        assert_eq!(error.kind, PilakeKind::Unreachable, "{error}");
        assert!(!error.message.contains("secret"), "{error}");
    }

    #[test]
    fn an_option_that_the_store_does_not_know_is_named() {
        let options = options(&[("aws_regoin", "us-east-1")]);
        let error = Location::parse("s3://bucket/table", &options).err().unwrap();
        assert_eq!(error.kind, PilakeKind::Invalid);
        assert!(error.message.contains("aws_regoin"), "{error}");
    }

    #[test]
    fn a_ca_file_that_is_no_certificate_is_refused() {
        let options = StoreOptions { pairs: Vec::new(), ca_pems: vec![b"hello".to_vec()] };
        assert!(Location::parse("s3://bucket/table", &options).is_err());
    }

    #[test]
    fn names_with_blanks_and_percent_signs_are_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b%20c#d");
        let location = Location::parse(path.to_str().unwrap(), &options(&[])).unwrap();
        location.put_new("x/y", b"bytes").unwrap();
        assert!(path.join("x/y").is_file());
        assert_eq!(location.list("x", "").unwrap(), ["y"]);
    }
}
