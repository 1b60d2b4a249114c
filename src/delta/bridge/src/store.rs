// SPDX-License-Identifier: Apache-2.0
//! Where a table lives: an object store and the folder in it.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt,
    ObjectStoreScheme, PutMode, RetryConfig,
};
use serde_json::Value;
use url::Url;

use crate::catalog::{Catalog, Place, Registration, TableName, Vended};
use crate::error::{Error, PilakeKind, Result};
use crate::lease::Leased;
use crate::profile::{CredentialProcess, Profile};
use crate::runtime::runtime;
use crate::secrets;
use crate::trial::{self, Trial};

/// How to reach a store; what is not said comes from the environment.
#[derive(Default)]
pub struct StoreOptions {
    pub pairs: Vec<(String, String)>,
    pub ca_pems: Vec<Vec<u8>>,
    /// Of the catalog in which `uc://` names are found: url, token, client_id, client_secret,
    /// location, credentials.
    pub catalog: Vec<(String, String)>,
}

/// How often a write is tried whose answer was lost. The client itself repeats only what it takes for
/// harmless.
pub const ATTEMPTS: u32 = 3;

/// The option that names a profile of AWS' own files.
const PROFILE: &str = "aws_profile";

impl StoreOptions {
    fn value_of(&self, wanted: &str) -> Option<&str> {
        self.pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// Those that object_store knows, or should.
    fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        let ours = |name: &str| name == trial::OPTION || name == PROFILE;
        let pairs = self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        pairs.filter(move |(name, _)| !ours(name))
    }

    /// For tests: the accidents that this store, or all of the process, shall have.
    fn trial(&self) -> Result<Option<Arc<Trial>>> {
        match self.value_of(trial::OPTION) {
            Some(text) => Ok(Some(Arc::new(Trial::parse(text, crate::ffi::die)?))),
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
    /// The catalog has to be told of the table here.
    registration: Option<Arc<Registration>>,
}

impl Location {
    /// Of a table that is there. `NotFound` if `text` is a name that the catalog does not have.
    pub fn parse(text: &str, options: &StoreOptions) -> Result<Self> {
        let Some(name) = TableName::parse(text)? else {
            return Self::at(text, text, options, None);
        };
        let catalog = Catalog::open(options)?;
        let place = catalog.find(&name)?.ok_or_else(|| catalog.no_table(&name))?;
        Self::of_place(text, place, options)
    }

    /// Of a table that may be there, or is to be made.
    pub fn parse_for_new(text: &str, options: &StoreOptions) -> Result<Self> {
        let Some(name) = TableName::parse(text)? else {
            return Self::at(text, text, options, None);
        };
        let catalog = Catalog::open(options)?;
        let place = match catalog.find(&name)? {
            Some(place) => place,
            None => catalog.place_for_new(&name)?,
        };
        Self::of_place(text, place, options)
    }

    fn of_place(name: &str, place: Place, options: &StoreOptions) -> Result<Self> {
        let here = Self::at(name, &place.url, options, place.vended)?;
        Ok(Self { registration: place.registration, ..here })
    }

    fn at(name: &str, url: &str, options: &StoreOptions, vended: Option<Vended>) -> Result<Self> {
        let url = parse_url(url)?;
        let (scheme, root) = ObjectStoreScheme::parse(&url)
            .map_err(|_| invalid(format!("{name}: not a path or a URL that a table can have")))?;
        let is_local = scheme == ObjectStoreScheme::Local;
        if is_local && url.to_file_path().is_ok_and(|path| path.is_file()) {
            return Err(invalid(format!("{name} is a file, not a folder")));
        }
        let store =
            build_store(&scheme, &url, options, vended).map_err(|error| error.within(name))?;
        let (name, fails_for_good) = (name.to_string(), is_local);
        let plain = Self { name, url, store, is_local, fails_for_good, root, registration: None };
        Ok(match options.trial()? {
            Some(trial) => plain.on_trial(trial),
            None => plain,
        })
    }

    /// Tells the catalog of the table, if it does not know it; true if so. `fields` are those of its
    /// schema.
    pub fn register(&self, fields: &[Value]) -> Result<bool> {
        match &self.registration {
            Some(registration) => registration.register(fields).map(|()| true),
            None => Ok(false),
        }
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

    /// Writes a file that must not exist yet. A request whose answer was lost may have landed, so it
    /// can be made again: a file that is there and holds these very bytes is ours.
    pub fn put_new(&self, name: &str, bytes: &[u8]) -> Result<()> {
        for attempt in 1..ATTEMPTS {
            match self.try_put_new(name, bytes) {
                Err(lost) if lost.kind == PilakeKind::Unreachable && !self.is_local => {
                    std::thread::sleep(Duration::from_millis(100 << attempt));
                }
                other => return other,
            }
        }
        self.try_put_new(name, bytes)
    }

    fn try_put_new(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path(name);
        let payload = Bytes::copy_from_slice(bytes).into();
        let put = runtime().block_on(self.store.put_opts(&path, payload, PutMode::Create.into()));
        match put.map_err(Error::from) {
            Err(there) if there.kind == PilakeKind::Conflict => {
                (self.get(name)? == bytes).then_some(()).ok_or(there)
            }
            other => other.map(|_| ()),
        }
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

    /// What the store tells versions of a file apart by; nothing if there is no file, or no such sign.
    pub fn tag(&self, name: &str) -> Result<Option<String>> {
        match runtime().block_on(self.store.head(&self.path(name))) {
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            other => Ok(other?.e_tag),
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
            let error =
                Error::new(kind, error.message).within(format!("cannot write in {}", self.name));
            if is_not_implemented(&error) {
                return self.no_conditional_put(&format!(" ({})", error.message));
            }
            error
        })?;
        match second {
            Err(error) if error.kind == PilakeKind::Conflict => cleaned,
            Err(error) => Err(error.within(format!("cannot write in {}", self.name))),
            Ok(()) => Err(self.no_conditional_put("")),
        }
    }

    fn no_conditional_put(&self, detail: &str) -> Error {
        invalid(format!(
            "{} lets a second writer overwrite what a first one created, so that two commits could \
             both believe they won; put the table on a store with conditional writes{detail}",
            self.name
        ))
    }
}

/// So a store, or its options, say that it knows no condition of a put.
fn is_not_implemented(error: &Error) -> bool {
    error.message.contains("501 Not Implemented") || error.message.contains("PutMode::Create")
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

/// The environment first, then the URL, then what was asked for by name.
fn build_store(
    scheme: &ObjectStoreScheme,
    url: &Url,
    options: &StoreOptions,
    vended: Option<Vended>,
) -> Result<Arc<dyn ObjectStore>> {
    options.pairs.iter().for_each(|(name, value)| secrets::keep_option(name, value));
    macro_rules! remote {
        ($builder:ty, $kind:ident, $prefixes:expr, $more:expr) => {{
            let mut builder =
                <$builder>::from_env().with_client_options(client_options(&options.ca_pems)?);
            // Once more: what the environment said of the client went with its options.
            for (name, value) in environment($prefixes) {
                if let Ok(key) = name.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            builder = $more(builder)?.with_url(url.as_str()).with_retry(short_patience());
            for (name, value) in options.named() {
                builder = builder.with_config(name.parse()?, value);
            }
            match vended {
                None => {}
                Some(Vended::$kind(keys)) => builder = builder.with_credentials(keys),
                Some(_) => {
                    return Err(invalid("the catalog gives keys of another store".to_string()))
                }
            }
            Arc::new(builder.build()?)
        }};
    }
    Ok(match scheme {
        ObjectStoreScheme::Local => Arc::new(LocalFileSystem::new().with_fsync(true)),
        ObjectStoreScheme::AmazonS3 => {
            remote!(AmazonS3Builder, Aws, &["AWS_"], |builder| with_profile(builder, options))
        }
        ObjectStoreScheme::MicrosoftAzure => {
            remote!(MicrosoftAzureBuilder, Azure, &["AZURE_", "MSI_", "IDENTITY_"], Result::Ok)
        }
        ObjectStoreScheme::GoogleCloudStorage => {
            remote!(GoogleCloudStorageBuilder, Gcp, &["GOOGLE_"], Result::Ok)
        }
        _ => return Err(invalid(format!("a table cannot live at a {} URL", url.scheme()))),
    })
}

/// The variables of stores, by the names of options.
fn environment(prefixes: &[&str]) -> Vec<(String, String)> {
    let ours = |name: &String| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let found: Vec<_> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| ours(name))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    found.iter().for_each(|(name, value)| secrets::keep_option(name, value));
    found
}

/// What a profile of AWS' files says, unless the environment or the options give keys themselves.
fn with_profile(builder: AmazonS3Builder, options: &StoreOptions) -> Result<AmazonS3Builder> {
    let keys = [AmazonS3ConfigKey::AccessKeyId, AmazonS3ConfigKey::WebIdentityTokenFile];
    let has_keys =
        options.named().any(|(name, _)| name.parse().is_ok_and(|key| keys.contains(&key)));
    let asked = options.value_of(PROFILE);
    let is_known = keys.iter().any(|key| builder.get_config_value(key).is_some());
    if has_keys || (is_known && asked.is_none()) {
        return Ok(builder);
    }
    let named = asked.map(str::to_string).or_else(|| std::env::var("AWS_PROFILE").ok());
    let profile = Profile::read(named.as_deref())?;
    let mut builder = builder;
    for (name, value) in &profile.pairs {
        secrets::keep_option(name, value);
        let key: AmazonS3ConfigKey = name.parse()?;
        if asked.is_some() || builder.get_config_value(&key).is_none() {
            builder = builder.with_config(key, value);
        }
    }
    Ok(match profile.process {
        Some(command) => {
            let lender = CredentialProcess { profile: profile.name, command };
            builder.with_credentials(Arc::new(Leased::new(lender)))
        }
        None => builder,
    })
}

/// The library's own three minutes are long for an operator who mistyped a host; what outlasts this
/// is the caller's to try again.
fn short_patience() -> RetryConfig {
    let backoff = BackoffConfig { max_backoff: Duration::from_secs(5), ..Default::default() };
    RetryConfig { backoff, max_retries: 5, retry_timeout: Duration::from_secs(30) }
}

/// Trusts what the system trusts, and `ca_pems`.
pub fn client_options(ca_pems: &[Vec<u8>]) -> Result<ClientOptions> {
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
        StoreOptions { pairs: pairs.collect(), ..Default::default() }
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
        let options = StoreOptions { ca_pems: vec![b"hello".to_vec()], ..Default::default() };
        assert!(Location::parse("s3://bucket/table", &options).is_err());
    }

    #[test]
    fn a_file_that_holds_our_bytes_already_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let again = Location::parse(path, &options(&[(trial::OPTION, "lies=again")])).unwrap();
        again.put_new("side", b"bytes").unwrap();
        let error = again.put_new("side", b"other").unwrap_err();
        assert_eq!(error.kind, PilakeKind::Conflict);
        again.probe_atomic_create("probe").unwrap();
    }

    #[test]
    fn a_store_that_writes_over_what_is_there_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let careless = options(&[(trial::OPTION, "lies=overwrite")]);
        let error = Location::parse(path, &careless).unwrap().probe_atomic_create("probe");
        let error = error.unwrap_err();
        assert_eq!(error.kind, PilakeKind::Invalid);
        assert!(error.message.contains("conditional writes"), "{error}");
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
