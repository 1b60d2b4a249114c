// SPDX-License-Identifier: Apache-2.0
//! Many small files become few large ones that are sorted by their key. Nothing is committed here.
//!
//! Files are not taken to be sorted, as others may have written them. Their keys are counted first;
//! by that the rows are read in parts that fit into memory, each sorted and written, next to next.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{
    concat, filter_record_batch, interleave_record_batch, lexsort_to_indices, SortColumn,
};
use arrow::datatypes::Int64Type;

use crate::error::{Error, PilakeKind, Result};
use crate::scan::RowFilter;
use crate::table::Table;
use crate::writer::{FileWriter, FinishedFile};

/// Smaller than those of other files: whoever looks for one series reads a row group, not a file.
const ROW_GROUP_ROWS: usize = 1 << 17;

/// Rows handed to the writer at once.
const CHUNK_ROWS: usize = 1 << 14;

/// Of a row in memory, without its text of any length.
const ROW_BYTES: u64 = 180;

#[derive(Default)]
pub struct MergeRequest {
    /// Active ones.
    pub files: Vec<String>,
    /// A text and a long first.
    pub sorted_by: Vec<String>,
    /// The text column whose values may be of any length.
    pub text: String,
    /// New files have this name and a number.
    pub name: String,
    /// Columns whose bounds go into the statistics.
    pub bounded: Vec<String>,
    /// A file ends when it has reached this size.
    pub file_bytes: u64,
    /// Rows that are held at a time, by estimate.
    pub memory_bytes: u64,
}

/// The rows of one key text. Those without a key come first of all.
#[derive(Clone, Debug, Default, PartialEq)]
struct Weight {
    rows: u64,
    bytes: u64,
}

/// Rows that are sorted at once: texts from one to another, both included. Of a single text that is
/// too heavy, numbers from one to before another.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    first: Option<String>,
    last: Option<String>,
    numbers: Range<i64>,
}

/// Numbers are longs of times: none is the greatest of them.
const ALL_NUMBERS: Range<i64> = i64::MIN..i64::MAX;

impl Table {
    /// The files that may stand in place of those of the request, holding the same rows.
    pub fn merge(&self, request: &MergeRequest) -> Result<Vec<(String, FinishedFile)>> {
        if request.sorted_by.len() < 2 {
            return Err(Error::new(
                PilakeKind::Internal,
                "rows are sorted by two columns at least",
            ));
        }
        let weights = self.weigh(request)?;
        let expected: u64 = weights.values().map(|weight| weight.rows).sum();
        let mut output = Output { table: self, request, open: None, finished: Vec::new() };
        for part in self.parts(request, weights)? {
            let batches = self.read_part(request, &part)?;
            output.append_sorted(&batches)?;
        }
        let finished = output.finish()?;
        let written: u64 = finished.iter().map(|(_, file)| file.rows).sum();
        if written != expected {
            let message =
                format!("{expected} rows were counted, {written} merged: nothing is changed");
            return Err(Error::new(PilakeKind::Internal, message));
        }
        Ok(finished)
    }

    fn weigh(&self, request: &MergeRequest) -> Result<BTreeMap<Option<String>, Weight>> {
        let mut weights: BTreeMap<Option<String>, Weight> = BTreeMap::new();
        let columns = vec![request.sorted_by[0].clone(), request.text.clone()];
        let files = request.files.clone();
        self.scan(&RowFilter { columns, files, ..Default::default() }, |batch| {
            let keys = batch.column(0).as_string::<i32>();
            let texts = batch.column(1).as_string::<i32>();
            let mut row = 0;
            while row < batch.num_rows() {
                let begin = row;
                let key = keys.is_valid(row).then(|| keys.value(row));
                while row < batch.num_rows() && keys.is_valid(row).then(|| keys.value(row)) == key {
                    row += 1;
                }
                let bytes = texts.value_offsets()[row] - texts.value_offsets()[begin];
                let rows = (row - begin) as u64;
                let weight = weights.entry(key.map(str::to_string)).or_default();
                weight.rows += rows;
                weight.bytes += rows * ROW_BYTES + bytes as u64;
            }
            Ok(true)
        })?;
        Ok(weights)
    }

    fn parts(
        &self,
        request: &MergeRequest,
        weights: BTreeMap<Option<String>, Weight>,
    ) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        for (first, last, weight) in packed(weights, request.memory_bytes) {
            if weight.bytes <= request.memory_bytes || first != last {
                parts.push(Part { first, last, numbers: ALL_NUMBERS });
                continue;
            }
            let fits = (weight.rows * request.memory_bytes / weight.bytes).max(1) as usize;
            let numbers = self.numbers_of(request, &first)?;
            let ranges = ranges(numbers, fits).into_iter();
            parts.extend(ranges.map(|numbers| Part {
                first: first.clone(),
                last: last.clone(),
                numbers,
            }));
        }
        Ok(parts)
    }

    /// The numbers of the rows of one key text.
    fn numbers_of(&self, request: &MergeRequest, key: &Option<String>) -> Result<Vec<i64>> {
        let mut numbers = Vec::new();
        let part = Part { first: key.clone(), last: key.clone(), numbers: ALL_NUMBERS };
        let columns = request.sorted_by[..2].to_vec();
        self.scan(&part.filter(request, columns), |batch| {
            let batch = filter_record_batch(&batch, &part.mask(&batch, request)?)?;
            let found = batch.column(1).as_primitive::<Int64Type>();
            numbers.extend(found.iter().map(|number| number.unwrap_or(i64::MIN)));
            Ok(true)
        })?;
        Ok(numbers)
    }

    fn read_part(&self, request: &MergeRequest, part: &Part) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        self.scan(&part.filter(request, Vec::new()), |batch| {
            let kept = filter_record_batch(&batch, &part.mask(&batch, request)?)?;
            if kept.num_rows() > 0 {
                batches.push(kept);
            }
            Ok(true)
        })?;
        Ok(batches)
    }
}

impl Part {
    fn filter(&self, request: &MergeRequest, columns: Vec<String>) -> RowFilter {
        let (text, number) = (request.sorted_by[0].clone(), request.sorted_by[1].clone());
        let files = request.files.clone();
        // Rows without a key are in no bounds: files that may have them are read whole.
        let texts = self.first.clone().zip(self.last.clone());
        let texts = texts.map(|(first, last)| (text, first, last));
        let numbers = (self.numbers.start > i64::MIN).then_some((
            number,
            self.numbers.start,
            self.numbers.end,
        ));
        RowFilter { columns, texts, numbers, files }
    }

    fn mask(&self, batch: &RecordBatch, request: &MergeRequest) -> Result<BooleanArray> {
        let column = |name: &str| {
            let missing = || Error::new(PilakeKind::Internal, format!("there is no column {name}"));
            batch.column_by_name(name).ok_or_else(missing)
        };
        let texts = column(&request.sorted_by[0])?.as_string::<i32>();
        let numbers = column(&request.sorted_by[1])?.as_primitive::<Int64Type>();
        let within = |row: usize| {
            let text = texts.is_valid(row).then(|| texts.value(row));
            let number = if numbers.is_valid(row) { numbers.value(row) } else { i64::MIN };
            self.first.as_deref() <= text
                && text <= self.last.as_deref()
                && self.numbers.start <= number
                && (number < self.numbers.end || self.numbers.end == i64::MAX)
        };
        Ok((0..batch.num_rows()).map(|row| Some(within(row))).collect())
    }
}

/// Neighbouring keys together, as many as fit.
fn packed(
    weights: BTreeMap<Option<String>, Weight>,
    memory_bytes: u64,
) -> Vec<(Option<String>, Option<String>, Weight)> {
    let mut packed: Vec<(Option<String>, Option<String>, Weight)> = Vec::new();
    for (key, weight) in weights {
        match packed.last_mut() {
            Some((_, last, all)) if all.bytes + weight.bytes <= memory_bytes => {
                *last = key;
                all.rows += weight.rows;
                all.bytes += weight.bytes;
            }
            _ => packed.push((key.clone(), key, weight)),
        }
    }
    packed
}

/// Half-open ranges, next to next, that hold about so many of `numbers` each; equal ones together.
fn ranges(mut numbers: Vec<i64>, each: usize) -> Vec<Range<i64>> {
    numbers.sort_unstable();
    let mut bounds: Vec<i64> = numbers.into_iter().step_by(each.max(1)).skip(1).collect();
    bounds.dedup();
    bounds.retain(|bound| *bound > i64::MIN);
    let starts = std::iter::once(i64::MIN).chain(bounds.iter().copied());
    let ends = bounds.iter().copied().chain(std::iter::once(i64::MAX));
    starts.zip(ends).map(|(start, end)| start..end).collect()
}

/// Where each row of `batches` stands in key order: batch and row.
fn order_of(batches: &[RecordBatch], sorted_by: &[String]) -> Result<Vec<(usize, usize)>> {
    let mut columns = Vec::new();
    for name in sorted_by {
        let missing = || Error::new(PilakeKind::Internal, format!("there is no column {name}"));
        let pieces: Option<Vec<&ArrayRef>> =
            batches.iter().map(|batch| batch.column_by_name(name)).collect();
        let pieces: Vec<&dyn Array> =
            pieces.ok_or_else(missing)?.into_iter().map(|piece| piece.as_ref()).collect();
        columns.push(SortColumn { values: concat(&pieces)?, options: None });
    }
    let places: Vec<_> = batches
        .iter()
        .enumerate()
        .flat_map(|(at, batch)| (0..batch.num_rows()).map(move |row| (at, row)))
        .collect();
    let order = lexsort_to_indices(&columns, None)?;
    Ok(order.values().iter().map(|at| places[*at as usize]).collect())
}

/// The files that are being written.
struct Output<'a> {
    table: &'a Table,
    request: &'a MergeRequest,
    open: Option<(String, FileWriter)>,
    finished: Vec<(String, FinishedFile)>,
}

impl Output<'_> {
    fn append_sorted(&mut self, batches: &[RecordBatch]) -> Result<()> {
        if batches.is_empty() {
            return Ok(());
        }
        let order = order_of(batches, &self.request.sorted_by)?;
        let batches: Vec<&RecordBatch> = batches.iter().collect();
        for chunk in order.chunks(CHUNK_ROWS) {
            self.append(&interleave_record_batch(&batches, chunk)?)?;
        }
        Ok(())
    }

    fn append(&mut self, rows: &RecordBatch) -> Result<()> {
        let (name, mut writer) = match self.open.take() {
            Some(open) => open,
            None => self.new_file(rows)?,
        };
        writer.append(rows)?;
        if writer.bytes() >= self.request.file_bytes {
            self.finished.push((name, writer.finish()?));
        } else {
            self.open = Some((name, writer));
        }
        Ok(())
    }

    fn new_file(&self, rows: &RecordBatch) -> Result<(String, FileWriter)> {
        let name = format!("{}-{}.parquet", self.request.name, self.finished.len() + 1);
        let bounded = &self.request.bounded;
        let location = &self.table.location;
        let writer = FileWriter::open(location, &name, rows.schema(), bounded, ROW_GROUP_ROWS)?;
        Ok((name, writer))
    }

    fn finish(mut self) -> Result<Vec<(String, FinishedFile)>> {
        if let Some((name, mut writer)) = self.open.take() {
            self.finished.push((name, writer.finish()?));
        }
        Ok(self.finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_packed_as_they_fit() {
        let weight = |bytes| Weight { rows: 1, bytes };
        let weights = [("a", 4), ("b", 5), ("c", 20), ("d", 1)]
            .map(|(key, bytes)| (Some(key.to_string()), weight(bytes)));
        let packed = packed(weights.into_iter().collect(), 10);
        let text = |key: &Option<String>| key.clone().unwrap();
        let ends: Vec<_> =
            packed.iter().map(|(first, last, _)| text(first) + &text(last)).collect();
        assert_eq!(ends, ["ab", "cc", "dd"]);
        assert_eq!(packed[0].2, Weight { rows: 2, bytes: 9 });
    }

    #[test]
    fn ranges_cover_all_numbers_and_part_no_equal_ones() {
        let numbers = vec![7, 1, 3, 3, 3, 3, 9];
        assert_eq!(ranges(numbers, 3), [i64::MIN..3, 3..9, 9..i64::MAX]);
        assert_eq!(ranges(vec![i64::MIN; 4], 1), vec![ALL_NUMBERS; 1]);
        assert_eq!(ranges(vec![5], 3), vec![ALL_NUMBERS; 1]);
    }
}
