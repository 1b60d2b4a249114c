// SPDX-License-Identifier: Apache-2.0
//! One new version of a table, or the truth about why there is none.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, MapBuilder, RecordBatch, StringArray, StringBuilder, StructArray,
};
use arrow::compute;
use arrow::datatypes::{DataType, Field, Schema};
use delta_kernel::committer::{
    CommitMetadata, CommitResponse, Committer, FileSystemCommitter, PublishMetadata,
};
use delta_kernel::engine::arrow_conversion::{TryFromArrow, TryIntoArrow};
use delta_kernel::engine::arrow_data::{ArrowEngineData, EngineDataArrowExt};
use delta_kernel::engine_data::FilteredEngineData;
use delta_kernel::schema::StructType;
use delta_kernel::transaction::{CommitResult, Transaction, UpdateTableOperation};
use delta_kernel::{Engine, KernelResult, KernelResultIterator};

use crate::error::{Error, PilakeKind, Result};
use crate::files::{FileId, KeyColumns, Vectors};
use crate::log::{self, COMMIT_UUID};
use crate::table::{text_column, Table, ENGINE_INFO};
use crate::writer::FinishedFile;

/// What the new version shall change.
#[derive(Clone, Debug, Default)]
pub struct CommitRequest {
    pub add: Vec<(String, FinishedFile)>,
    pub remove: Vec<FileId>,
    pub data_change: bool,
    pub operation: String,
    pub domain: Option<(String, String)>,
    pub txn: Option<(String, i64)>,
    pub uuid: String,
}

/// How the commit of a version is known again.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// Its uuid is ours.
    Ours(String),
    /// The store's sign of the file, as it was when the version was read.
    Tag(Option<String>),
}

impl Table {
    /// Makes the version after this one and moves to it.
    ///
    /// `Conflict` and every error but `CommitUnknown` mean that nothing of the request landed.
    pub fn commit(&mut self, request: &CommitRequest) -> Result<u64> {
        self.check_standing()?;
        let version = self.make_version(request)?;
        self.mark = if request.uuid.is_empty() {
            // It has landed: a store that does not tell more now is asked nothing next time.
            let tag = self.location.tag(&log::file_of(version));
            tag.map_or(Mark::Ours(String::new()), Mark::Tag)
        } else {
            Mark::Ours(request.uuid.clone())
        };
        Ok(version)
    }

    /// Engines that do not create log files by condition can write over a version: what it held is
    /// lost, and nothing that we know of the table is to be built on.
    fn check_standing(&self) -> Result<()> {
        let file = log::file_of(self.version());
        let stands = match &self.mark {
            Mark::Ours(uuid) => match self.location.get(&file) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).contains(uuid),
                // A checkpoint has it.
                Err(error) if error.kind == PilakeKind::NotFound => true,
                Err(error) => return Err(error),
            },
            Mark::Tag(known) => {
                self.location.tag(&file)?.is_none_or(|tag| known.as_ref() == Some(&tag))
            }
        };
        if stands {
            return Ok(());
        }
        Err(Error::new(
            PilakeKind::Invalid,
            format!(
                "another engine wrote over version {} of {}: it does not create log files by \
                 condition and must not write here. The next run goes on with what the log says now",
                self.version(),
                self.location.name
            ),
        ))
    }

    fn make_version(&mut self, request: &CommitRequest) -> Result<u64> {
        let attempted = Arc::new(AtomicBool::new(false));
        let failure = match self.try_commit(request, attempted.clone()) {
            Ok(CommitResult::Committed(done)) => {
                let version = done.commit_version();
                match done.post_commit_snapshot() {
                    Some(snapshot) => self.snapshot = snapshot.clone(),
                    None => self.move_to(version).map_err(unknown)?,
                }
                return Ok(version);
            }
            Ok(CommitResult::Conflicted(lost)) => Error::new(
                PilakeKind::Conflict,
                format!("another writer made version {} first", lost.conflict_version()),
            ),
            Ok(CommitResult::Retryable(failed)) => failed.error.into(),
            Err(error) if attempted.load(Ordering::Acquire) => error,
            Err(error) => return Err(error),
        };
        self.settle(request, failure)
    }

    /// After a refusal or a lost answer: a store may retry a request that landed and then report a
    /// conflict, so only the log knows. Our version is recognised by its uuid.
    fn settle(&mut self, request: &CommitRequest, failure: Error) -> Result<u64> {
        let log = log::commits_since(&self.location, self.version(), &KeyColumns::default());
        let commits = log.map_err(|error| {
            unknown(Error::new(
                error.kind,
                format!("{failure}; and the log could not be read: {error}"),
            ))
        })?;
        let ours = |commit: &&log::CommitSummary| commit.uuid == request.uuid;
        if let Some(landed) = commits.iter().find(ours).filter(|_| !request.uuid.is_empty()) {
            self.move_to(landed.version).map_err(unknown)?;
            return Ok(landed.version);
        }
        // A conflict without another's version is a contradiction; a remote store may still be
        // working on a request that it has not answered.
        let is_final = match failure.kind {
            PilakeKind::Conflict => !commits.is_empty(),
            _ => self.location.fails_for_good,
        };
        Err(if is_final { failure } else { unknown(failure) })
    }

    fn try_commit(
        &self,
        request: &CommitRequest,
        attempted: Arc<AtomicBool>,
    ) -> Result<CommitResult> {
        let engine = self.engine.as_ref();
        let operation = parse_operation(&request.operation)?;
        let committer = Box::new(WatchedCommitter { attempted, inner: FileSystemCommitter::new() });
        let (commit_info, commit_info_schema) = commit_info(&request.uuid)?;
        let mut transaction = self
            .snapshot
            .clone()
            .update_table(operation, ENGINE_INFO, request.data_change)
            .with_commit_info(commit_info, commit_info_schema)
            .build(engine, committer)?;
        if let Some((app_id, version)) = &request.txn {
            transaction = transaction.with_transaction_id(app_id.clone(), *version);
        }
        if let Some((name, value)) = &request.domain {
            transaction = transaction.with_domain_metadata(name.clone(), value.clone());
        }
        if !request.add.is_empty() {
            let files = add_batch(&transaction, engine, &request.add)?;
            transaction.add_files(Box::new(ArrowEngineData::new(files)));
        }
        for files in self.rows_to_remove(&request.remove)? {
            transaction.remove_files(files);
        }
        Ok(transaction.commit(engine)?)
    }

    /// The scan rows of `files`, which say all of a file that a `remove` has to repeat. The kernel
    /// would accept the removal of a file that is gone.
    fn rows_to_remove(&self, files: &[FileId]) -> Result<Vec<FilteredEngineData>> {
        let mut missing: HashMap<&str, &str> =
            files.iter().map(|file| (file.path.as_str(), file.deletion_vector.as_str())).collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        self.visit_files(|batch, mut selected| {
            let names = text_column(&batch, "path")?;
            let vectors = Vectors::of(&batch)?;
            for (row, selected) in selected.iter_mut().enumerate().filter(|(_, active)| **active) {
                let known = missing.remove(names.value(row));
                *selected = known.is_some();
                if known.is_some_and(|vector| vector != vectors.name(row)) {
                    return Err(self.has_changed(names.value(row)));
                }
            }
            if selected.contains(&true) {
                let data = Box::new(ArrowEngineData::new(batch));
                found.push(FilteredEngineData::try_new(data, selected)?);
            }
            Ok(())
        })?;
        match missing.into_keys().min() {
            None => Ok(found),
            Some(path) => Err(self.is_not_active(path)),
        }
    }

    fn has_changed(&self, path: &str) -> Error {
        let version = self.version();
        let message = format!("rows of {path} were deleted by version {version} since it was read");
        Error::new(PilakeKind::Conflict, message)
    }
}

fn unknown(error: Error) -> Error {
    Error::new(PilakeKind::CommitUnknown, error.message)
}

/// Only operations that the kernel knows: others end its incremental checksum.
fn parse_operation(name: &str) -> Result<UpdateTableOperation> {
    use UpdateTableOperation::*;
    let known = [Write, StreamingUpdate, Delete, Update, Merge, Optimize];
    known.into_iter().find(|one| one.as_str() == name).ok_or_else(|| {
        Error::new(PilakeKind::Invalid, format!("'{name}' is not an operation of a commit"))
    })
}

fn commit_info(uuid: &str) -> Result<(Box<ArrowEngineData>, Arc<StructType>)> {
    let schema = Schema::new(vec![Field::new(COMMIT_UUID, DataType::Utf8, true)]);
    let kernel_schema = StructType::try_from_arrow(&schema)?;
    let uuid: ArrayRef = Arc::new(StringArray::from(vec![uuid]));
    let batch = RecordBatch::try_new(Arc::new(schema), vec![uuid])?;
    Ok((Box::new(ArrowEngineData::new(batch)), Arc::new(kernel_schema)))
}

/// The files in the shape the kernel takes, with our own statistics: the engine's cut text short.
fn add_batch(
    transaction: &Transaction,
    engine: &dyn Engine,
    files: &[(String, FinishedFile)],
) -> Result<RecordBatch> {
    let paths: ArrayRef =
        Arc::new(StringArray::from_iter_values(files.iter().map(|(path, _)| path)));
    let sizes = Int64Array::from_iter_values(files.iter().map(|(_, file)| file.bytes as i64));
    let times = Int64Array::from_iter_values(files.iter().map(|(_, file)| file.modified_ms));
    let columns: [(&str, ArrayRef); 5] = [
        ("path", paths),
        ("partitionValues", no_partitions(transaction, files.len())?),
        ("size", Arc::new(sizes)),
        ("modificationTime", Arc::new(times)),
        ("stats", parse_stats(transaction, engine, files)?),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

fn parse_stats(
    transaction: &Transaction,
    engine: &dyn Engine,
    files: &[(String, FinishedFile)],
) -> Result<ArrayRef> {
    let json: ArrayRef =
        Arc::new(StringArray::from_iter_values(files.iter().map(|(_, file)| &file.stats)));
    let json = RecordBatch::try_from_iter([("stats", json)])?;
    let parsed = engine
        .json_handler()
        .parse_json(Box::new(ArrowEngineData::new(json)), transaction.stats_schema()?)?;
    Ok(Arc::new(StructArray::from(parsed.try_into_record_batch()?)))
}

fn no_partitions(transaction: &Transaction, rows: usize) -> Result<ArrayRef> {
    let mut empty = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for _ in 0..rows {
        empty.append(true)?;
    }
    let wanted: Schema = transaction.add_files_schema().as_ref().try_into_arrow()?;
    let wanted = wanted.field_with_name("partitionValues")?.data_type();
    let empty: ArrayRef = Arc::new(empty.finish());
    Ok(compute::cast(&empty, wanted)?)
}

/// Remembers that the commit was handed to the store: from there on a failure may have landed.
struct WatchedCommitter {
    attempted: Arc<AtomicBool>,
    inner: FileSystemCommitter,
}

impl Committer for WatchedCommitter {
    fn commit(
        &self,
        engine: &dyn Engine,
        actions: KernelResultIterator<'_, FilteredEngineData>,
        commit_metadata: CommitMetadata,
    ) -> KernelResult<CommitResponse> {
        self.attempted.store(true, Ordering::Release);
        self.inner.commit(engine, actions, commit_metadata)
    }

    fn is_catalog_committer(&self) -> bool {
        self.inner.is_catalog_committer()
    }

    fn publish(&self, engine: &dyn Engine, publish_metadata: PublishMetadata) -> KernelResult<()> {
        self.inner.publish(engine, publish_metadata)
    }
}
