// SPDX-License-Identifier: Apache-2.0
//! Rows read back, with files and row groups that cannot hold them left unread.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use delta_kernel::engine::arrow_data::EngineDataArrowExt;
use delta_kernel::expressions::{Expression, Predicate, PredicateRef};
use delta_kernel::scan::state::{transform_to_logical, ScanFile};
use delta_kernel::scan::Scan;
use delta_kernel::{Engine, FileMeta};

use crate::error::{Error, PilakeKind, Result};
use crate::table::Table;

/// Which rows are of interest. It prunes files and row groups; rows that do not match may come too.
#[derive(Default)]
pub struct RowFilter {
    pub columns: Vec<String>,
    /// A text column, the least and the greatest value wanted of it.
    pub texts: Option<(String, String, String)>,
    /// A long column and the half-open range wanted of it.
    pub numbers: Option<(String, i64, i64)>,
    /// Only rows of these active files, in this order. None named: of all files.
    pub files: Vec<String>,
}

impl Table {
    /// Calls `visit` with batches of the columns asked for until it returns false. The rows of a file
    /// come in their order, those that its deletion vector marks left out.
    pub fn scan(
        &self,
        filter: &RowFilter,
        mut visit: impl FnMut(RecordBatch) -> Result<bool>,
    ) -> Result<()> {
        let scan = self.scan_of(&filter.columns, filter.predicate())?;
        for file in self.files_to_read(&scan, filter)? {
            for batch in self.read_file(&scan, &file)? {
                if !visit(batch?)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A scan of some columns, or of all of them if none is named.
    pub fn scan_of(&self, columns: &[String], predicate: Option<Predicate>) -> Result<Scan> {
        let builder = self.snapshot.clone().scan_builder().with_predicate(predicate.map(Arc::new));
        if columns.is_empty() {
            return Ok(builder.build()?);
        }
        let schema = self.snapshot.schema().project(columns).map_err(|error| {
            Error::new(PilakeKind::Invalid, format!("{}: {error}", self.location.name))
        })?;
        Ok(builder.with_schema(schema).build()?)
    }

    fn files_to_read(&self, scan: &Scan, filter: &RowFilter) -> Result<Vec<ScanFile>> {
        let files = self.scan_files(scan)?;
        if filter.files.is_empty() {
            return Ok(files);
        }
        let mut by_path: HashMap<_, _> =
            files.into_iter().map(|file| (file.path.clone(), file)).collect();
        let (found, absent): (Vec<_>, Vec<_>) = filter
            .files
            .iter()
            .map(|path| by_path.remove(path).ok_or(path))
            .partition(|file| file.is_ok());
        let absent: Vec<_> = absent.into_iter().filter_map(|file| file.err()).collect();
        if !absent.is_empty() {
            self.check_active(absent.into_iter().map(String::as_str).collect())?;
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// The files that statistics did not rule out.
    pub fn scan_files(&self, scan: &Scan) -> Result<Vec<ScanFile>> {
        let mut files = Vec::new();
        for metadata in scan.scan_metadata(self.engine.as_ref())? {
            files = metadata?.visit_scan_files(files, |files, file| files.push(file))?;
        }
        Ok(files)
    }

    /// `Conflict` if one of `paths` is not part of this version.
    pub fn check_active(&self, mut paths: HashSet<&str>) -> Result<()> {
        for file in self.scan_files(&self.scan_of(&[], None)?)? {
            paths.remove(file.path.as_str());
        }
        match paths.into_iter().min() {
            None => Ok(()),
            Some(path) => Err(self.is_not_active(path)),
        }
    }

    pub fn is_not_active(&self, path: &str) -> Error {
        let message = format!("{path} is not part of version {}", self.version());
        Error::new(PilakeKind::Conflict, message)
    }

    /// The rows of one file in its order, a batch at a time. The kernel's own way reads every row
    /// group; where no deletion vector counts rows, those that statistics rule out can be left.
    pub fn read_file(
        &self,
        scan: &Scan,
        file: &ScanFile,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>>> {
        let engine: Arc<dyn Engine> = self.engine.clone();
        let root = self.snapshot.table_root();
        let kept = file.dv_info.get_selection_vector(engine.as_ref(), root)?;
        let meta = FileMeta {
            location: root.join(&file.path).map_err(|error| {
                Error::new(PilakeKind::Malformed, format!("the path {}: {error}", file.path))
            })?,
            last_modified: file.modification_time,
            size: file.size.max(0) as u64,
        };
        let physical = scan.physical_schema().clone();
        let logical = scan.logical_schema().clone();
        let predicate: Option<PredicateRef> =
            scan.physical_predicate().filter(|_| !file.dv_info.has_vector());
        let batches =
            engine.parquet_handler().read_parquet_files(&[meta], physical.clone(), predicate)?;
        let transform = file.transform.clone();
        let mut next = 0;
        Ok(batches.map(move |data| {
            let data = transform_to_logical(
                engine.as_ref(),
                data?,
                &physical,
                &logical,
                transform.clone(),
            )?;
            let batch = data.try_into_record_batch()?;
            let Some(kept) = &kept else { return Ok(batch) };
            let first = next;
            next += batch.num_rows();
            Ok(filter_record_batch(&batch, &mask(kept, first..next))?)
        }))
    }
}

/// The part of `kept` that speaks of `rows`; rows beyond its end are kept.
fn mask(kept: &[bool], rows: Range<usize>) -> BooleanArray {
    rows.map(|row| Some(kept.get(row).copied().unwrap_or(true))).collect()
}

impl RowFilter {
    fn predicate(&self) -> Option<Predicate> {
        let texts = self.texts.iter().flat_map(|(name, first, last)| {
            [
                column(name).ge(Expression::literal(first.as_str())),
                column(name).le(Expression::literal(last.as_str())),
            ]
        });
        let numbers = self.numbers.iter().flat_map(|(name, begin, end)| {
            [
                column(name).ge(Expression::literal(*begin)),
                column(name).lt(Expression::literal(*end)),
            ]
        });
        let all: Vec<_> = texts.chain(numbers).collect();
        (!all.is_empty()).then(|| Predicate::and_from(all))
    }
}

fn column(name: &str) -> Expression {
    Expression::column([name])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_vector_is_spent_batch_by_batch() {
        let kept = [true, false, true, false];
        assert_eq!(mask(&kept, 0..3), BooleanArray::from(vec![true, false, true]));
        assert_eq!(mask(&kept, 3..6), BooleanArray::from(vec![false, true, true]));
        assert_eq!(mask(&kept, 6..8), BooleanArray::from(vec![true, true]));
    }
}
