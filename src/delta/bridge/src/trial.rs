// SPDX-License-Identifier: Apache-2.0
//! Accidents on order, for tests: a process that dies at a named step, and a store that fails, lies,
//! or is full. Nothing of it is there unless a trial is asked for, in the environment
//! (`PILAKE_TRIAL`) or in the options of a store (`pilake_trial`):
//!
//!     die=STEP[:N]      the N-th time (1) that STEP is reached, the process is killed
//!     lies=LIE+LIE…     which lies the store tells
//!     rate=0.05         how often, of all requests that the lie can be told of (1)
//!     seed=1            which of them
//!     of=KIND           only requests about that kind of file
//!     times=3           at most so often
//!     tally=FILE        appends a line per lie told and per death
//!
//! A step is a request about a kind of file, before it is made (`log-put`, `data-delete`) or when it
//! has landed and nobody knows yet (`log-landed`, `data-deleted`).

use std::fmt;
use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result as StoreResult, UploadPart,
};

use crate::error::{Error, PilakeKind, Result};

pub const OPTION: &str = "pilake_trial";
const VARIABLE: &str = "PILAKE_TRIAL";

/// How old an entry must be for a stale list to show it.
const STALE_BY: Duration = Duration::from_secs(2);

const STEPS: [&str; 21] = [
    "data-part",
    "data-put",
    "data-landed",
    "data-delete",
    "data-deleted",
    "side-put",
    "side-landed",
    "side-delete",
    "side-deleted",
    "log-put",
    "log-landed",
    "log-delete",
    "log-deleted",
    "checksum-put",
    "checksum-landed",
    "checkpoint-put",
    "checkpoint-landed",
    "checkpoint-delete",
    "checkpoint-deleted",
    "hint-put",
    "hint-landed",
];

pub fn steps() -> &'static [&'static str] {
    &STEPS
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    /// Nothing happens, and the store says so.
    Fail,
    /// It takes a while.
    Slow,
    /// It happens, but the answer is a failure.
    Lost,
    /// As `Lost`, but it happens after the answer.
    Late,
    /// It happens, and the answer is that another had been there first: the store's own retry.
    Again,
    /// An answer breaks off.
    Cut,
    /// A list does not show what is new.
    Stale,
    /// There is no space left.
    Full,
    /// What shall be created only if it is absent is written over.
    Overwrite,
}

const LIES: [(&str, Lie); 9] = [
    ("fail", Lie::Fail),
    ("slow", Lie::Slow),
    ("lost", Lie::Lost),
    ("late", Lie::Late),
    ("again", Lie::Again),
    ("cut", Lie::Cut),
    ("stale", Lie::Stale),
    ("full", Lie::Full),
    ("overwrite", Lie::Overwrite),
];

pub struct Trial {
    die_at: Option<&'static str>,
    die_after: AtomicI64,
    die: fn(),
    lies: Vec<Lie>,
    rate: f64,
    seed: u64,
    of: Option<String>,
    times: AtomicI64,
    requests: AtomicU64,
    tally: Option<PathBuf>,
}

/// The trial of this process, if its environment asks for one; read once.
pub fn of_process() -> Result<Option<Arc<Trial>>> {
    static TRIAL: LazyLock<Result<Option<Arc<Trial>>>> = LazyLock::new(|| {
        let text = std::env::var(VARIABLE).ok();
        text.map(|text| Trial::parse(&text, crate::ffi::die).map(Arc::new)).transpose()
    });
    TRIAL.clone()
}

impl Trial {
    pub fn parse(text: &str, die: fn()) -> Result<Self> {
        let mut trial = Self {
            die_at: None,
            die_after: AtomicI64::new(1),
            die,
            lies: Vec::new(),
            rate: 1.0,
            seed: 0,
            of: None,
            times: AtomicI64::new(i64::MAX),
            requests: AtomicU64::new(0),
            tally: None,
        };
        for part in text.split(',').filter(|part| !part.is_empty()) {
            trial.read(part).ok_or_else(|| {
                Error::new(PilakeKind::Invalid, format!("'{part}' is no part of a {VARIABLE}"))
            })?;
        }
        Ok(trial)
    }

    fn read(&mut self, part: &str) -> Option<()> {
        let (name, value) = part.split_once('=')?;
        match name {
            "die" => {
                let (step, times) = value.split_once(':').unwrap_or((value, "1"));
                self.die_at = Some(STEPS.into_iter().find(|known| *known == step)?);
                self.die_after = AtomicI64::new(times.parse().ok()?);
            }
            "lies" => {
                let known = |name: &str| LIES.iter().find(|(one, _)| *one == name);
                let lies: Option<Vec<_>> =
                    value.split('+').map(|name| known(name).map(|(_, lie)| *lie)).collect();
                self.lies = lies?;
            }
            "rate" => self.rate = value.parse().ok()?,
            "seed" => self.seed = value.parse().ok()?,
            "of" => self.of = Some(value.to_string()),
            "times" => self.times = AtomicI64::new(value.parse().ok()?),
            "tally" => self.tally = Some(PathBuf::from(value)),
            _ => return None,
        }
        Some(())
    }

    /// True if what fails may yet happen.
    pub fn lies_late(&self) -> bool {
        self.lies.contains(&Lie::Late)
    }

    pub fn wrap(self: Arc<Self>, inner: Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore> {
        Arc::new(TrialStore { inner, trial: self })
    }

    fn reach(&self, kind: Option<&str>, moment: &str) {
        let (Some(kind), Some(at)) = (kind, self.die_at) else { return };
        let is_there =
            at.strip_prefix(kind).and_then(|rest| rest.strip_prefix('-')) == Some(moment);
        if is_there && self.die_after.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.note("die", at);
            (self.die)();
        }
    }

    /// The lie to tell of this request, among those it can be told of.
    fn draw(&self, path: &Path, possible: &[Lie]) -> Option<Lie> {
        let told: Vec<_> = self.lies.iter().filter(|lie| possible.contains(lie)).collect();
        let kind = kind_of(path).unwrap_or("other");
        if told.is_empty() || self.of.as_ref().is_some_and(|of| of != kind) {
            return None;
        }
        let draw = mix(self.seed ^ mix(self.requests.fetch_add(1, Ordering::Relaxed)));
        if (draw >> 11) as f64 / (1u64 << 53) as f64 >= self.rate {
            return None;
        }
        if self.times.fetch_sub(1, Ordering::AcqRel) <= 0 {
            return None;
        }
        let lie = *told[(mix(draw) % told.len() as u64) as usize];
        let name = LIES.iter().find(|(_, one)| *one == lie).map_or("", |(name, _)| name);
        self.note(name, kind);
        Some(lie)
    }

    fn note(&self, what: &str, of: &str) {
        let Some(file) = &self.tally else { return };
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
        // One write a line: several processes append to one file.
        let _ = opened.and_then(|mut file| file.write_all(format!("{what} {of}\n").as_bytes()));
    }
}

/// The kind of file, as in the names of steps.
fn kind_of(path: &Path) -> Option<&'static str> {
    let name = path.filename()?;
    let folder = path.parts().rev().nth(1)?;
    match folder.as_ref() {
        "_delta_log" if name == "_last_checkpoint" => Some("hint"),
        "_delta_log" if name.ends_with(".crc") => Some("checksum"),
        "_delta_log" if name.contains(".checkpoint") => Some("checkpoint"),
        "_delta_log" => Some("log"),
        "_pilake" => (!name.starts_with("probe-")).then_some("side"),
        _ => name.ends_with(".parquet").then_some("data"),
    }
}

/// SplitMix64.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn broken() -> StoreError {
    StoreError::Generic { store: "trial", source: "connection reset by the trial".into() }
}

fn full() -> StoreError {
    let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
    StoreError::Generic { store: "trial", source: source.into() }
}

fn exists(path: &Path) -> StoreError {
    StoreError::AlreadyExists { path: path.to_string(), source: "it is there".into() }
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(30)).await;
}

struct TrialStore {
    inner: Arc<dyn ObjectStore>,
    trial: Arc<Trial>,
}

impl fmt::Debug for TrialStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for TrialStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on trial", self.inner)
    }
}

/// What a request that can only fail or wait does before it is made.
async fn before(lie: Option<Lie>) -> StoreResult<()> {
    match lie {
        Some(Lie::Fail) => Err(broken()),
        Some(Lie::Full) => Err(full()),
        Some(Lie::Slow) => {
            pause().await;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Entries that are not older than the list: a list that is behind does not show them.
fn is_known(meta: &ObjectMeta, lie: Option<Lie>) -> bool {
    let modified = SystemTime::from(meta.last_modified);
    let is_old = modified.elapsed().is_ok_and(|age| age >= STALE_BY);
    lie != Some(Lie::Stale) || is_old
}

impl TrialStore {
    fn lists(
        &self,
        lie: Option<Lie>,
        list: BoxStream<'static, StoreResult<ObjectMeta>>,
    ) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        let begun =
            futures::stream::once(before(lie)).filter_map(|begun| async { begun.err().map(Err) });
        if lie == Some(Lie::Fail) {
            return begun.boxed();
        }
        let shown = list.try_filter(move |meta| futures::future::ready(is_known(meta, lie)));
        begun.chain(shown).boxed()
    }
}

const LIST_LIES: [Lie; 3] = [Lie::Fail, Lie::Slow, Lie::Stale];

#[async_trait::async_trait]
impl ObjectStore for TrialStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        let kind = kind_of(location);
        self.trial.reach(kind, "put");
        let mut possible = vec![Lie::Fail, Lie::Slow, Lie::Lost, Lie::Late, Lie::Full];
        if options.mode == PutMode::Create {
            possible.extend([Lie::Again, Lie::Overwrite]);
        }
        let lie = self.trial.draw(location, &possible);
        before(lie).await?;
        if lie == Some(Lie::Late) {
            let (inner, location) = (self.inner.clone(), location.clone());
            tokio::spawn(async move {
                pause().await;
                let _ = inner.put_opts(&location, payload, options).await;
            });
            return Err(broken());
        }
        let options = match lie {
            Some(Lie::Overwrite) => PutOptions { mode: PutMode::Overwrite, ..options },
            _ => options,
        };
        let put = self.inner.put_opts(location, payload, options).await?;
        self.trial.reach(kind, "landed");
        match lie {
            Some(Lie::Lost) => Err(broken()),
            Some(Lie::Again) => Err(exists(location)),
            _ => Ok(put),
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        before(self.trial.draw(location, &[Lie::Fail, Lie::Slow, Lie::Full])).await?;
        let inner = self.inner.put_multipart_opts(location, options).await?;
        Ok(Box::new(TrialUpload { inner, location: location.clone(), trial: self.trial.clone() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
        let lie = self.trial.draw(location, &[Lie::Fail, Lie::Slow, Lie::Cut]);
        before(lie).await?;
        let mut got = self.inner.get_opts(location, options).await?;
        if lie == Some(Lie::Cut) {
            let half = (got.range.end - got.range.start) as usize / 2;
            let bytes = got.bytes().await?;
            let parts = [Ok(bytes.slice(..half.min(bytes.len()))), Err(broken())];
            got = self.inner.get_opts(location, GetOptions::default()).await?;
            got.payload = GetResultPayload::Stream(futures::stream::iter(parts).boxed());
        }
        Ok(got)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        before(self.trial.draw(location, &[Lie::Fail, Lie::Slow])).await?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        let (inner, trial) = (self.inner.clone(), self.trial.clone());
        let deleted = locations.and_then(move |location| {
            let (inner, trial) = (inner.clone(), trial.clone());
            async move {
                let kind = kind_of(&location);
                trial.reach(kind, "delete");
                let lie = trial.draw(&location, &[Lie::Fail, Lie::Slow, Lie::Lost]);
                before(lie).await?;
                let one = futures::stream::iter([Ok(location.clone())]).boxed();
                inner.delete_stream(one).try_collect::<Vec<_>>().await?;
                trial.reach(kind, "deleted");
                if lie == Some(Lie::Lost) {
                    return Err(broken());
                }
                Ok(location)
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        let lie = self.trial.draw(prefix.unwrap_or(&Path::default()), &LIST_LIES);
        self.lists(lie, self.inner.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        let lie = self.trial.draw(offset, &LIST_LIES);
        self.lists(lie, self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        let lie = self.trial.draw(prefix.unwrap_or(&Path::default()), &LIST_LIES);
        before(lie).await?;
        let mut listed = self.inner.list_with_delimiter(prefix).await?;
        listed.objects.retain(|meta| is_known(meta, lie));
        Ok(listed)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        before(self.trial.draw(to, &[Lie::Fail, Lie::Slow])).await?;
        self.inner.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct TrialUpload {
    inner: Box<dyn MultipartUpload>,
    location: Path,
    trial: Arc<Trial>,
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a trial")
    }
}

#[async_trait::async_trait]
impl MultipartUpload for TrialUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let lie = self.trial.draw(&self.location, &[Lie::Fail, Lie::Slow, Lie::Full]);
        let part = self.inner.put_part(data);
        let (trial, kind) = (self.trial.clone(), kind_of(&self.location));
        Box::pin(async move {
            before(lie).await?;
            part.await?;
            trial.reach(kind, "part");
            Ok(())
        })
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        let kind = kind_of(&self.location);
        self.trial.reach(kind, "put");
        let lie = self.trial.draw(&self.location, &[Lie::Slow, Lie::Lost]);
        before(lie).await?;
        let done = self.inner.complete().await?;
        self.trial.reach(kind, "landed");
        if lie == Some(Lie::Lost) {
            return Err(broken());
        }
        Ok(done)
    }

    async fn abort(&mut self) -> StoreResult<()> {
        self.inner.abort().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;
    use object_store::ObjectStoreExt;

    use crate::runtime::runtime;

    fn store(text: &str) -> (Arc<dyn ObjectStore>, Arc<dyn ObjectStore>) {
        let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let trial = Arc::new(Trial::parse(text, || panic!("died")).unwrap());
        (inner.clone(), trial.wrap(inner))
    }

    fn put(store: &Arc<dyn ObjectStore>, name: &str) -> StoreResult<PutResult> {
        let create = PutOptions { mode: PutMode::Create, ..Default::default() };
        let path = Path::from(name);
        runtime().block_on(store.put_opts(&path, PutPayload::from_static(b"body"), create))
    }

    fn is_there(store: &Arc<dyn ObjectStore>, name: &str) -> bool {
        let path = Path::from(name);
        runtime().block_on(store.head(&path)).is_ok()
    }

    const LOG: &str = "t/_delta_log/00000000000000000001.json";

    #[test]
    fn a_write_fails_or_lands_as_the_lie_says() {
        for (lie, lands) in [("fail", false), ("full", false), ("lost", true), ("again", true)] {
            let (inner, store) = store(&format!("lies={lie}"));
            let answer = put(&store, LOG).unwrap_err();
            assert_eq!(is_there(&inner, LOG), lands, "{lie}");
            let says_exists = matches!(answer, StoreError::AlreadyExists { .. });
            assert_eq!(says_exists, lie == "again", "{answer}");
        }
    }

    #[test]
    fn lies_end_after_their_times_and_are_told_of_one_kind_of_file() {
        let (_, store) = store("lies=fail,of=log,times=1");
        assert!(put(&store, "t/a.parquet").is_ok());
        assert!(put(&store, LOG).is_err());
        assert!(put(&store, LOG).is_ok());
    }

    #[test]
    fn a_careless_store_writes_over_what_is_there() {
        let (_, store) = store("lies=overwrite");
        assert!(put(&store, LOG).is_ok());
        assert!(put(&store, LOG).is_ok());
    }

    #[test]
    fn a_late_write_lands_after_its_failure() {
        let (inner, store) = store("lies=late");
        assert!(put(&store, LOG).is_err());
        assert!(!is_there(&inner, LOG));
        let deadline = SystemTime::now() + Duration::from_secs(10);
        while !is_there(&inner, LOG) && SystemTime::now() < deadline {
            runtime().block_on(pause());
        }
        assert!(is_there(&inner, LOG));
    }

    #[test]
    fn a_stale_list_does_not_show_what_is_new() {
        let (inner, store) = store("lies=stale");
        put(&inner, LOG).unwrap();
        let folder = Path::from("t/_delta_log");
        let list = |store: &Arc<dyn ObjectStore>| {
            runtime().block_on(store.list(Some(&folder)).try_collect::<Vec<_>>()).unwrap().len()
        };
        assert_eq!((list(&inner), list(&store)), (1, 0));
    }

    #[test]
    fn an_answer_that_is_cut_breaks_off_in_the_middle() {
        let (inner, store) = store("lies=cut");
        put(&inner, LOG).unwrap();
        let got = runtime().block_on(async { store.get(&Path::from(LOG)).await?.bytes().await });
        assert!(got.is_err());
    }

    #[test]
    fn lies_come_at_their_rate_and_alike_for_a_seed() {
        let told = |seed: u64| -> Vec<bool> {
            let (_, store) = store(&format!("lies=fail,rate=0.1,seed={seed}"));
            (0..1000).map(|i| put(&store, &format!("t/{i}.parquet")).is_err()).collect()
        };
        let count = told(1).iter().filter(|lie| **lie).count();
        assert!((50..200).contains(&count), "{count}");
        assert_eq!(told(1), told(1));
        assert_ne!(told(1), told(2));
    }

    #[test]
    #[should_panic(expected = "died")]
    fn death_comes_at_the_step_and_time_asked_for() {
        let (_, store) = store("die=log-landed:2");
        put(&store, "t/a.parquet").unwrap();
        put(&store, LOG).unwrap();
        let _ = put(&store, "t/_delta_log/00000000000000000002.json");
    }

    #[test]
    fn every_kind_of_file_has_its_steps() {
        for (name, kind) in [
            ("t/a.parquet", "data"),
            (LOG, "log"),
            ("t/_delta_log/00000000000000000001.crc", "checksum"),
            ("t/_delta_log/00000000000000000001.checkpoint.parquet", "checkpoint"),
            ("t/_delta_log/_last_checkpoint", "hint"),
            ("t/_pilake/coverage-1.parquet", "side"),
        ] {
            assert_eq!(kind_of(&Path::from(name)), Some(kind), "{name}");
            assert!(STEPS.contains(&format!("{kind}-put").as_str()), "{kind}");
            assert!(STEPS.contains(&format!("{kind}-landed").as_str()), "{kind}");
        }
        assert_eq!(kind_of(&Path::from("t/_pilake/probe-1")), None);
    }

    #[test]
    fn what_is_no_trial_is_named() {
        for text in ["die=nowhere", "lies=white", "rate=often", "hello"] {
            let error = Trial::parse(text, || ()).err().unwrap();
            assert!(error.message.contains(text), "{error}");
        }
    }
}
