// SPDX-License-Identifier: Apache-2.0
//! One Delta table as of one version.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::Schema;
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_conversion::{TryFromArrow, TryIntoArrow};
use delta_kernel::engine::arrow_data::EngineDataArrowExt;
use delta_kernel::schema::StructType;
use delta_kernel::snapshot::{ChecksumWriteResult, Snapshot, SnapshotRef};
use delta_kernel::transaction::create_table::create_table;
use delta_kernel::transaction::data_layout::DataLayout;
use delta_kernel::transaction::{CommitResult, UpdateTableOperation};
use delta_kernel::KernelError;
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use delta_kernel_default_engine::{DefaultEngine, DefaultEngineBuilder};
use serde_json::Value;

use crate::commit::Mark;
use crate::error::{Error, PilakeKind, Result};
use crate::files::{FileFacts, KeyColumns};
use crate::hindrance::{self, Effect, Hindrance, Traits};
use crate::log::{self, CommitSummary, MetadataChange};
use crate::runtime::runtime;
use crate::store::{Location, StoreOptions, ATTEMPTS};

pub const ENGINE_INFO: &str = concat!("pilake/", env!("CARGO_PKG_VERSION"));

/// Rows of a batch that is read. The kernel's thousand cost more in batches than in rows.
const BATCH_ROWS: NonZero<usize> = NonZero::new(8192).unwrap();

pub type Engine = DefaultEngine<TokioMultiThreadExecutor>;

pub struct Table {
    pub location: Location,
    pub engine: Arc<Engine>,
    pub snapshot: SnapshotRef,
    /// The version at which a checksum could not be made; asking again before a checkpoint is vain.
    pub checksum_refused: bool,
    /// When this one last wrote a checkpoint.
    pub checkpointed: Option<SystemTime>,
    /// By what the commit of this version is known again.
    pub mark: Mark,
}

/// What a new table looks like.
pub struct TableLayout {
    pub schema: Schema,
    pub clustered_by: Vec<String>,
    pub properties: Vec<(String, String)>,
}

impl Table {
    pub fn open(url: &str, options: &StoreOptions) -> Result<Self> {
        Self::open_at(Location::parse(url, options)?)
    }

    pub fn open_at(location: Location) -> Result<Self> {
        if !log::has_log(&location)? {
            return Err(no_table(&location));
        }
        let engine = build_engine(&location);
        let snapshot = Snapshot::builder_for(location.url.as_str())
            .build(engine.as_ref())
            .map_err(|error| Error::from(error).within(&location.name))?;
        let mark = Mark::Tag(location.tag(&log::file_of(snapshot.version()))?);
        Ok(Self { location, engine, snapshot, checksum_refused: false, checkpointed: None, mark })
    }

    /// `probe` is a name that nobody else has, to try with whether the store can hold a table.
    pub fn create(
        url: &str,
        options: &StoreOptions,
        layout: &TableLayout,
        probe: &str,
    ) -> Result<Self> {
        let location = Location::parse_for_new(url, options)?;
        // In this order: what another creator writes comes after its log.
        let stranger = location.stranger()?;
        if log::has_log(&location)? {
            // Whoever made it may have died before the catalog heard of it.
            Self::open_at(location.clone())?.register()?;
            return Err(exists(&location));
        }
        if let Some(stranger) = stranger {
            return Err(location.occupied(&stranger));
        }
        let cannot = |error: Error| error.within(format!("cannot create {}", location.name));
        location.make_folder().map_err(cannot)?;
        location.probe_atomic_create(&format!("_pilake/probe-{probe}"))?;
        let engine = build_engine(&location);
        let is_ours = create_version_zero(&location, &engine, layout).map_err(cannot)?;
        let table = Self::open_at(location.clone())?;
        match (table.register()?, is_ours) {
            (_, false) => Err(exists(&location)),
            // Now there are keys of the table itself.
            (true, true) => Self::open(url, options),
            (false, true) => Ok(table),
        }
    }

    /// Tells the catalog of a table that it does not know; true if there was need.
    fn register(&self) -> Result<bool> {
        let schema = metadata_of(&self.snapshot)?["schemaString"].as_str().map(str::to_string);
        let schema: Value = serde_json::from_str(&schema.unwrap_or_default()).map_err(malformed)?;
        self.location.register(schema["fields"].as_array().map_or(&[], Vec::as_slice))
    }

    pub fn refresh(&mut self) -> Result<()> {
        self.snapshot =
            Snapshot::builder_from(self.snapshot.clone()).build(self.engine.as_ref())?;
        self.mark_by_tag()
    }

    /// Moves to a version that is known to exist.
    pub fn move_to(&mut self, version: u64) -> Result<()> {
        self.snapshot = Snapshot::builder_from(self.snapshot.clone())
            .at_version(version)
            .build(self.engine.as_ref())?;
        self.mark_by_tag()
    }

    fn mark_by_tag(&mut self) -> Result<()> {
        self.mark = Mark::Tag(self.location.tag(&log::file_of(self.version()))?);
        Ok(())
    }

    pub fn version(&self) -> u64 {
        self.snapshot.version()
    }

    pub fn id(&self) -> String {
        self.snapshot.table_configuration().metadata().id().to_string()
    }

    pub fn schema(&self) -> Result<Schema> {
        let schema: Schema = self.snapshot.schema().as_ref().try_into_arrow()?;
        Ok(schema)
    }

    pub fn domain(&self, name: &str) -> Result<Option<String>> {
        Ok(self.snapshot.get_domain_metadata(name, self.engine.as_ref())?)
    }

    pub fn txn_version(&self, app_id: &str) -> Result<Option<i64>> {
        Ok(self.snapshot.get_app_id_version(app_id, self.engine.as_ref())?)
    }

    /// Calls `visit` with the batches of files of this version and which of their rows are active.
    pub fn visit_files(
        &self,
        mut visit: impl FnMut(RecordBatch, Vec<bool>) -> Result<()>,
    ) -> Result<()> {
        let scan = self.scan_of(&[], None)?;
        for metadata in scan.scan_metadata(self.engine.as_ref())? {
            let (data, mut active) = metadata?.scan_files.into_parts();
            let batch = data.try_into_record_batch()?;
            active.resize(batch.num_rows(), true);
            visit(batch, active)?;
        }
        Ok(())
    }

    pub fn active_files(&self, keys: &KeyColumns) -> Result<Vec<FileFacts>> {
        let mut files = Vec::new();
        self.visit_files(|batch, active| {
            files.extend(FileFacts::from_scan(&batch, &active, keys)?);
            Ok(())
        })?;
        Ok(files)
    }

    /// What the commits beyond `version` did, up to the newest that there is.
    pub fn commits_since(&self, version: u64, keys: &KeyColumns) -> Result<Vec<CommitSummary>> {
        let mut commits = log::commits_since(&self.location, version, keys)?;
        self.compare_metadata(version, &mut commits);
        self.complete_removed(version, keys, &mut commits);
        Ok(commits)
    }

    /// Metadata before `version` that cannot be had any more may have been anything.
    fn compare_metadata(&self, version: u64, commits: &mut [CommitSummary]) {
        if commits.iter().all(|commit| commit.metadata.is_none()) {
            return;
        }
        let mut before = self.snapshot_at(version).and_then(|snapshot| metadata_of(&snapshot)).ok();
        for commit in commits {
            let Some(after) = commit.metadata.clone() else { continue };
            commit.metadata_change = match &before {
                Some(before) => MetadataChange::between(before, &after),
                None => MetadataChange::EVERYTHING,
            };
            before = Some(after);
        }
    }

    /// A `remove` need not say what was in the file; the `add` of the same file may have.
    fn complete_removed(&self, version: u64, keys: &KeyColumns, commits: &mut [CommitSummary]) {
        let removed = commits.iter().flat_map(|commit| &commit.removed);
        let mut vague: HashMap<String, FileFacts> = removed
            .filter(|file| !file.has_bounds())
            .map(|file| (file.path.clone(), FileFacts::default()))
            .collect();
        if vague.is_empty() {
            return;
        }
        let before = self.snapshot_at(version).and_then(|snapshot| {
            let engine = self.engine.clone();
            let location = self.location.clone();
            let then = Self {
                location,
                engine,
                snapshot,
                checksum_refused: true,
                checkpointed: None,
                mark: Mark::Tag(None),
            };
            then.active_files(keys)
        });
        let added = commits.iter().flat_map(|commit| commit.added.clone());
        for file in before.unwrap_or_default().into_iter().chain(added) {
            if let Some(known) = vague.get_mut(&file.path) {
                known.complete_from(&file);
            }
        }
        for file in commits.iter_mut().flat_map(|commit| &mut commit.removed) {
            if let Some(known) = vague.get(&file.path) {
                file.complete_from(known);
            }
        }
    }

    pub fn snapshot_at(&self, version: u64) -> Result<SnapshotRef> {
        if version == self.version() {
            return Ok(self.snapshot.clone());
        }
        let builder = Snapshot::builder_for(self.location.url.as_str()).at_version(version);
        Ok(builder.build(self.engine.as_ref())?)
    }

    /// Without a checksum every commit reads all commits since the checkpoint; with one, later
    /// versions carry it on in memory. True if one was written.
    pub fn checksum_if_missing(&mut self) -> Result<bool> {
        if self.checksum_refused || self.snapshot.get_file_stats_if_present().is_some() {
            return Ok(false);
        }
        match self.snapshot.write_checksum(self.engine.as_ref()) {
            Ok((result, snapshot)) => {
                self.snapshot = snapshot;
                // Another's checksum file is seen by reading the version anew.
                self.checksum_refused = !matches!(result, ChecksumWriteResult::Written);
                Ok(!self.checksum_refused)
            }
            Err(KernelError::ChecksumWriteUnsupported(_)) => {
                self.checksum_refused = true;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What a stranger switched on in this version, judged by what it means for us. The columns in
    /// `bounded` are those that our files have statistics of.
    pub fn hindrances(&self, bounded: &[String]) -> Result<Vec<Hindrance>> {
        let configuration = self.snapshot.table_configuration();
        let clustering = self.snapshot.get_physical_clustering_columns(self.engine.as_ref())?;
        let traits = Traits::new(
            &serde_json::to_value(configuration.protocol()).map_err(malformed)?,
            &metadata_of(&self.snapshot)?,
            clustering.unwrap_or_default().iter().map(|name| name.to_string()).collect(),
        );
        let mut found = hindrance::judge(&traits, bounded, &self.location.name);
        if found.iter().all(|one| one.effect < Effect::Stop) {
            found.extend(self.refusal());
        }
        Ok(found)
    }

    /// The kernel's own word, for what we did not think of.
    pub fn refusal(&self) -> Option<Hindrance> {
        let built = self
            .snapshot
            .clone()
            .update_table(UpdateTableOperation::Write, ENGINE_INFO, true)
            .build(self.engine.as_ref(), Box::new(FileSystemCommitter::new()));
        let error = Error::from(built.err()?);
        Some(Hindrance {
            feature: "protocol".to_string(),
            effect: Effect::Stop,
            sentence: format!("{} cannot be written: {error}", self.location.name),
        })
    }
}

/// The body of the `metaData` action that a snapshot stands on.
fn metadata_of(snapshot: &Snapshot) -> Result<Value> {
    serde_json::to_value(snapshot.table_configuration().metadata()).map_err(malformed)
}

fn malformed(error: serde_json::Error) -> Error {
    Error::new(PilakeKind::Malformed, error.to_string())
}

pub fn build_engine(location: &Location) -> Arc<Engine> {
    // The default single-thread executor deadlocks when a checkpoint is written.
    let executor = TokioMultiThreadExecutor::new(runtime().handle().clone());
    let builder = DefaultEngineBuilder::new(location.store.clone()).with_batch_size(BATCH_ROWS);
    Arc::new(builder.with_task_executor(Arc::new(executor)).build())
}

/// False if another was first, or we were ourselves, in an answer that was lost.
fn create_version_zero(location: &Location, engine: &Engine, layout: &TableLayout) -> Result<bool> {
    for attempt in 1..ATTEMPTS {
        match try_version_zero(location, engine, layout) {
            Err(lost) if lost.kind == PilakeKind::Unreachable && !location.is_local => {
                std::thread::sleep(Duration::from_millis(100 << attempt));
            }
            other => return other,
        }
    }
    try_version_zero(location, engine, layout)
}

fn try_version_zero(location: &Location, engine: &Engine, layout: &TableLayout) -> Result<bool> {
    let schema = StructType::try_from_arrow(&layout.schema)?;
    let columns = layout.clustered_by.iter().map(String::as_str);
    let built = create_table(location.url.as_str(), Arc::new(schema), ENGINE_INFO, false)
        .with_data_layout(DataLayout::clustered(columns))
        .with_table_properties(layout.properties.iter().cloned())
        .build(engine, Box::new(FileSystemCommitter::new()));
    let transaction = match built {
        Err(KernelError::TableAlreadyExistsAtPath(_)) => return Ok(false),
        other => other?,
    };
    match transaction.commit(engine)? {
        CommitResult::Committed(_) => Ok(true),
        CommitResult::Conflicted(_) => Ok(false),
        CommitResult::Retryable(failed) => Err(failed.error.into()),
    }
}

fn exists(location: &Location) -> Error {
    Error::new(PilakeKind::Conflict, format!("{} is a Delta table already", location.name))
}

fn no_table(location: &Location) -> Error {
    let found = match location.stranger() {
        Ok(Some(name)) => format!("; the folder holds other files ({name})"),
        Ok(None) => String::new(),
        Err(error) => return error,
    };
    Error::new(PilakeKind::NotFound, format!("no Delta table at {}{found}", location.name))
}

pub fn text_column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    let wrong = || Error::new(PilakeKind::Internal, format!("column {name} is not text"));
    column(batch, name)?.as_any().downcast_ref().ok_or_else(wrong)
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    let missing = || Error::new(PilakeKind::Internal, format!("there is no column {name}"));
    batch.column_by_name(name).ok_or_else(missing)
}
