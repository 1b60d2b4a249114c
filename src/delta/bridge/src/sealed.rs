// SPDX-License-Identifier: Apache-2.0
//! A batch of columns as the bytes of one Parquet file that notices any damage.
//!
//! Parquet keeps no sum over a file. Ours carries one in its key-value metadata, taken over the
//! whole file with the sum itself as zeros, so that other readers still see a plain Parquet file.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;

use crate::encoding::{writer_options, ROW_GROUP_ROWS};
use crate::error::{Error, PilakeKind, Result};

const SEAL_KEY: &str = "pilake.seal";
const SEAL_DIGITS: usize = 16;

pub fn encode(batch: &RecordBatch) -> Result<Vec<u8>> {
    let options = writer_options(&batch.schema(), ROW_GROUP_ROWS)?;
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), batch.schema(), options)?;
    writer.write(batch)?;
    let zeros = "0".repeat(SEAL_DIGITS);
    writer.append_key_value_metadata(KeyValue::new(SEAL_KEY.to_string(), zeros));
    let mut bytes = writer.into_inner()?;
    let seal = format!("{:016x}", sum(&bytes));
    let place = seal_place(&bytes).ok_or_else(|| damaged("has no seal"))?;
    bytes[place].copy_from_slice(seal.as_bytes());
    Ok(bytes)
}

pub fn decode(bytes: &[u8]) -> Result<RecordBatch> {
    let mut bytes = bytes.to_vec();
    let place = seal_place(&bytes).ok_or_else(|| damaged("has no seal"))?;
    let seal = bytes[place.clone()].to_vec();
    bytes[place].fill(b'0');
    if seal != format!("{:016x}", sum(&bytes)).as_bytes() {
        return Err(damaged("is damaged: its bytes do not match its seal"));
    }
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes))?
        .with_batch_size(1 << 16)
        .build()?;
    let schema = arrow::array::RecordBatchReader::schema(&reader);
    let batches = reader.collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(compute::concat_batches(&Arc::clone(&schema), &batches)?)
}

fn damaged(what: &str) -> Error {
    Error::new(PilakeKind::Malformed, format!("the file {what}"))
}

/// Where the seal's digits stand. The footer is last, so the last mention of the key is the one.
fn seal_place(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let key = SEAL_KEY.as_bytes();
    let key_end = bytes.windows(key.len()).rposition(|window| window == key)? + key.len();
    // Between key and value: the value's field header and its length, a byte each.
    let begin = key_end + 2;
    let range = begin..begin + SEAL_DIGITS;
    (range.end <= bytes.len()).then_some(range)
}

/// FNV-1a over words of eight bytes. Guards against accidents, not against intent.
fn sum(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut words = bytes.chunks_exact(8);
    let mut sum = 0xcbf2_9ce4_8422_2325u64 ^ bytes.len() as u64;
    let mut mix = |word: u64| {
        sum = (sum ^ word).wrapping_mul(PRIME);
        sum ^= sum >> 29;
    };
    for word in &mut words {
        mix(u64::from_le_bytes(word.try_into().expect("eight bytes")));
    }
    words.remainder().iter().for_each(|byte| mix(u64::from(*byte)));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array, StringArray};

    fn sample(rows: usize) -> RecordBatch {
        let keys: ArrayRef =
            Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("key{row:06}"))));
        let numbers: ArrayRef =
            Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row as i64 * 1_000_003)));
        RecordBatch::try_from_iter([("key", keys), ("number", numbers)]).unwrap()
    }

    #[test]
    fn gives_back_what_it_was_given() {
        for rows in [0, 1, 100_000] {
            let batch = sample(rows);
            let decoded = decode(&encode(&batch).unwrap()).unwrap();
            assert_eq!(decoded.columns(), batch.columns());
        }
    }

    #[test]
    fn notices_every_flipped_bit_and_every_cut() {
        let bytes = encode(&sample(50)).unwrap();
        for position in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[position] ^= 1 << (position % 8);
            let error = decode(&damaged).unwrap_err();
            assert_eq!(error.kind, PilakeKind::Malformed, "bit at {position}");
            assert!(decode(&bytes[..position]).is_err(), "cut at {position}");
        }
    }
}
