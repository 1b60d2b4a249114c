// SPDX-License-Identifier: Apache-2.0
//! Vacuum: files in the folder of a table that no version needs which somebody may still read, and
//! that no commit under way can be about to add.
//!
//! Why nothing goes that is needed: a file is looked at only when it is older than retention, and
//! whoever commits takes no file that was staged for more than half of it. The folder is listed first
//! and the log read after that, and again before each batch is deleted: a file that a version came to
//! need meanwhile is found in it. Ages are by the store's own clock.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arrow::array::{Array, AsArray, StructArray};
use arrow::datatypes::Int64Type;
use delta_kernel::actions::deletion_vector::{DeletionVectorDescriptor, DeletionVectorStorageType};
use delta_kernel::actions::LOG_REMOVE_SCHEMA;
use delta_kernel::engine::arrow_data::EngineDataArrowExt;

use crate::error::{Error, PilakeKind, Result};
use crate::store::Entry;
use crate::table::{text_column, Table};

/// Files deleted between two looks at the log.
const BATCH_FILES: usize = 1000;

impl Table {
    /// What nobody needs and is older than `age`, or than the table's retention if that is not said;
    /// deleted unless it is a `dry_run`. `probe` is a name that nobody else has, for asking the store
    /// what time it is.
    pub fn vacuum(
        &mut self,
        age: Option<Duration>,
        dry_run: bool,
        probe: &str,
    ) -> Result<Vec<Entry>> {
        let retention = self.file_retention();
        let age = age.unwrap_or(retention);
        if age < retention {
            return Err(self.too_young(age, retention));
        }
        // Who only looks writes nothing.
        let now_ms = match dry_run {
            true => now_ms(),
            false => self.location.now_ms(&format!("_pilake/probe-{probe}"))?,
        };
        let before = |age: Duration| now_ms - age.as_millis() as i64;
        let files = self.data_files()?;
        let mut litter = files.clone();
        litter.extend(self.unfinished()?);
        litter.retain(|entry| entry.modified_ms < before(age));
        litter.sort_by(|a, b| a.name.cmp(&b.name));
        self.refresh()?;
        if let Some(refusal) = self.refusal() {
            // A feature that we do not know may need files in a way that we do not know.
            return Err(Error::new(PilakeKind::Invalid, refusal.sentence));
        }
        self.find_needed(&files)?;
        self.spare_needed(&mut litter, before(retention))?;
        if dry_run {
            return Ok(litter);
        }
        let mut deleted = Vec::new();
        for batch in litter.chunks(BATCH_FILES) {
            let mut batch = batch.to_vec();
            let version = self.version();
            self.refresh()?;
            if self.version() != version {
                self.spare_needed(&mut batch, before(retention))?;
            }
            self.location.delete_all(batch.iter().map(|entry| entry.name.as_str()))?;
            deleted.append(&mut batch);
        }
        Ok(deleted)
    }

    fn too_young(&self, age: Duration, retention: Duration) -> Error {
        let message = format!(
            "{} keeps files that left it for {} s, for readers of older versions and for runs under \
             way: {} s would be too short. To keep them for less, ALTER TABLE delta.`{}` SET \
             TBLPROPERTIES ('delta.deletedFileRetentionDuration' = 'interval …')",
            self.location.name,
            retention.as_secs(),
            age.as_secs(),
            self.location.name
        );
        Error::new(PilakeKind::Invalid, message)
    }

    /// All files in the folder that versions may add.
    fn data_files(&self) -> Result<Vec<Entry>> {
        let (mut files, folders) = self.location.entries("")?;
        for folder in folders.iter().filter(|name| !name.starts_with(['_', '.'])) {
            let below = self.location.entries_below(folder)?;
            // Another table has been put there.
            if below.iter().all(|entry| !entry.name.contains("/_delta_log/")) {
                files.extend(below);
            }
        }
        files.retain(|entry| is_data(&entry.name));
        Ok(files)
    }

    /// What a process that was killed left half done.
    fn unfinished(&self) -> Result<Vec<Entry>> {
        let mut files = self.location.unfinished(&["", "_delta_log", "_pilake"])?;
        let (side, _) = self.location.entries("_pilake")?;
        files.extend(side.into_iter().filter(|entry| entry.name.starts_with("_pilake/probe-")));
        Ok(files)
    }

    /// Every active file must be where we look for files: if one is not, we may be reading names in
    /// another way than they were meant, and nothing may go.
    fn find_needed(&self, files: &[Entry]) -> Result<()> {
        let listed: HashSet<_> = files.iter().map(|entry| entry.name.as_str()).collect();
        let mut active = HashSet::new();
        self.need_active(&mut active)?;
        for name in active.iter().filter(|name| !listed.contains(name.as_str())) {
            self.location.modified_ms(name).map_err(|error| {
                error.within(format!(
                    "nothing is removed, as a file of the table is missing ({name})"
                ))
            })?;
        }
        Ok(())
    }

    /// Leaves in `litter` what neither this version holds nor one that left less than retention ago.
    fn spare_needed(&self, litter: &mut Vec<Entry>, cutoff_ms: i64) -> Result<()> {
        let mut needed = HashSet::new();
        self.need_active(&mut needed)?;
        self.need_removed(cutoff_ms, &mut needed)?;
        litter.retain(|entry| !needed.contains(&entry.name));
        Ok(())
    }

    fn need_active(&self, needed: &mut HashSet<String>) -> Result<()> {
        self.visit_files(|batch, active| {
            let paths = text_column(&batch, "path")?;
            let vectors = batch.column_by_name("deletionVector").map(|all| all.as_struct());
            for row in (0..batch.num_rows()).filter(|row| active[*row]) {
                self.need(paths.value(row), vectors, row, needed);
            }
            Ok(())
        })
    }

    /// What was removed since `cutoff_ms`, or nobody says when.
    fn need_removed(&self, cutoff_ms: i64, needed: &mut HashSet<String>) -> Result<()> {
        let engine = self.engine.as_ref();
        for batch in self.snapshot.log_segment().read_actions(engine, LOG_REMOVE_SCHEMA.clone())? {
            let batch = batch?.actions.try_into_record_batch()?;
            let missing = || Error::new(PilakeKind::Internal, "the log's batch has no removes");
            let removes = batch.column_by_name("remove").ok_or_else(missing)?.as_struct();
            let paths = removes.column_by_name("path").ok_or_else(missing)?.as_string::<i32>();
            let times = removes.column_by_name("deletionTimestamp").ok_or_else(missing)?;
            let times = times.as_primitive::<Int64Type>();
            let vectors = removes.column_by_name("deletionVector").map(|all| all.as_struct());
            for row in (0..batch.num_rows()).filter(|row| removes.is_valid(*row)) {
                if paths.is_valid(row) && (times.is_null(row) || times.value(row) >= cutoff_ms) {
                    self.need(paths.value(row), vectors, row, needed);
                }
            }
        }
        Ok(())
    }

    fn need(
        &self,
        path: &str,
        vectors: Option<&StructArray>,
        row: usize,
        needed: &mut HashSet<String>,
    ) {
        needed.extend(self.location.name_of_logged(path));
        let vector = vectors.and_then(|all| self.vector_file(all, row));
        needed.extend(vector.and_then(|path| self.location.name_of_logged(&path)));
    }

    /// Where the deletion vector of a row is stored, if it has one in a file.
    fn vector_file(&self, all: &StructArray, row: usize) -> Option<String> {
        let storage = all.column_by_name("storageType")?.as_string_opt::<i32>()?;
        let path = all.column_by_name("pathOrInlineDv")?.as_string_opt::<i32>()?;
        if all.is_null(row) || storage.is_null(row) || path.is_null(row) {
            return None;
        }
        let descriptor = DeletionVectorDescriptor {
            storage_type: storage.value(row).parse::<DeletionVectorStorageType>().ok()?,
            path_or_inline_dv: path.value(row).to_string(),
            offset: None,
            size_in_bytes: 0,
            cardinality: 0,
        };
        let url = descriptor.absolute_path(self.snapshot.table_root()).ok()??;
        Some(url.to_string())
    }
}

/// By this machine's clock.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}

/// Data files and deletion vectors: what versions add.
fn is_data(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    let is_vector = last.starts_with("deletion_vector_") && last.ends_with(".bin");
    is_vector || (last.ends_with(".parquet") && !last.starts_with(['_', '.']))
}
