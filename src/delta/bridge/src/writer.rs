// SPDX-License-Identifier: Apache-2.0
//! One Parquet data file, encoded batch by batch and streamed to its store.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;

use crate::encoding::writer_options;
use crate::error::{Error, PilakeKind, Result};
use crate::runtime::runtime;
use crate::stats::FileStats;
use crate::store::Location;
use crate::upload::{Upload, PART_BYTES};

pub struct FileWriter {
    /// For messages.
    target: String,
    encoder: ArrowWriter<Vec<u8>>,
    /// Gone once the file is finished or given up; a writer dropped before takes it back.
    upload: Option<Upload>,
    uploaded: u64,
    stats: FileStats,
}

/// What a commit needs to know of a file.
#[derive(Clone, Debug, Default)]
pub struct FinishedFile {
    pub bytes: u64,
    pub rows: u64,
    pub stats: String,
    pub modified_ms: i64,
}

impl FileWriter {
    /// `bounded` names the columns whose least and greatest value go into the statistics.
    pub fn open(
        location: &Location,
        name: &str,
        schema: Arc<Schema>,
        bounded: &[String],
        row_group_rows: usize,
    ) -> Result<Self> {
        let columns = schema.fields().iter().map(|field| field.name().as_str());
        let stats = FileStats::new(columns, bounded);
        let options = writer_options(&schema, row_group_rows)?;
        let encoder = ArrowWriter::try_new_with_options(Vec::new(), schema, options)?;
        let upload = Some(Upload::new(location.store.clone(), location.path(name)));
        let target = format!("{} in {}", name, location.name);
        Ok(Self { target, encoder, upload, uploaded: 0, stats })
    }

    pub fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        self.stats.add(batch)?;
        self.encoder.write(batch)?;
        if self.encoder.inner().len() < PART_BYTES {
            return Ok(());
        }
        self.upload_encoded()
    }

    /// Bytes sent and an estimate of those to come.
    pub fn bytes(&self) -> u64 {
        let waiting = self.encoder.inner().len() + self.encoder.in_progress_size();
        self.uploaded + waiting as u64
    }

    /// Memory held by the open row group and by what waits for the store.
    pub fn memory_bytes(&self) -> usize {
        self.encoder.memory_size() + self.encoder.inner().capacity()
    }

    pub fn finish(&mut self) -> Result<FinishedFile> {
        self.encoder.finish()?;
        self.upload_encoded()?;
        let upload = self.upload.take().ok_or_else(|| self.closed())?;
        runtime().block_on(upload.complete()).map_err(|error| self.refused(error))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(FinishedFile {
            bytes: self.uploaded,
            rows: self.stats.rows(),
            stats: self.stats.to_json().to_string(),
            modified_ms: now.as_millis() as i64,
        })
    }

    fn upload_encoded(&mut self) -> Result<()> {
        let encoded = Bytes::from(std::mem::take(self.encoder.inner_mut()));
        self.uploaded += encoded.len() as u64;
        let mut upload = self.upload.take().ok_or_else(|| self.closed())?;
        let put = runtime().block_on(upload.put(encoded));
        self.upload = Some(upload);
        put.map_err(|error| self.refused(error))
    }

    fn refused(&self, error: object_store::Error) -> Error {
        Error::from(error).within(format!("cannot write {}", self.target))
    }

    fn closed(&self) -> Error {
        Error::new(PilakeKind::Internal, format!("{} is closed already", self.target))
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            // Best effort: what stays behind is in no version, and vacuum removes it.
            let _ = runtime().block_on(upload.abort());
        }
    }
}
