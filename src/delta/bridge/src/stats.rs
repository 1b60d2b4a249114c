// SPDX-License-Identifier: Apache-2.0
//! Delta statistics of a data file, gathered batch by batch. Text is kept in full: cut to 32
//! characters, as is the custom, our keys would just about fit and longer ones no longer prune.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, Int64Array, PrimitiveArray, RecordBatch,
    StringArray,
};
use arrow::compute;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Int32Type, Int64Type};
use arrow::datatypes::{TimeUnit, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;
use serde_json::{json, Map, Value};

use crate::error::{Error, PilakeKind, Result};

/// Counts rows and nulls of all columns, and keeps the bounds of some.
pub struct FileStats {
    rows: u64,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    nulls: u64,
    bounds: Option<Bounds>,
}

enum Bounds {
    Unseen,
    Integers(i64, i64),
    /// Microseconds since 1970 and the type they have in the table.
    Instants(i64, i64, DataType),
    Texts(String, String),
}

impl FileStats {
    /// Bounds are kept of the columns named in `bounded`.
    pub fn new<'a>(columns: impl Iterator<Item = &'a str>, bounded: &[String]) -> Self {
        let column = |name: &str| Column {
            name: name.to_string(),
            nulls: 0,
            bounds: bounded.iter().any(|one| one == name).then_some(Bounds::Unseen),
        };
        Self { rows: 0, columns: columns.map(column).collect() }
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
            column.nulls += array.logical_null_count() as u64;
            if let Some(bounds) = &mut column.bounds {
                bounds.widen(array).map_err(|error| error.within(&column.name))?;
            }
        }
        Ok(())
    }

    pub fn to_json(&self) -> Value {
        let mut min = Map::new();
        let mut max = Map::new();
        for column in &self.columns {
            if let Some((low, high)) = column.bounds.as_ref().and_then(Bounds::to_json) {
                min.insert(column.name.clone(), low);
                max.insert(column.name.clone(), high);
            }
        }
        let nulls = self.columns.iter().map(|column| (column.name.clone(), json!(column.nulls)));
        json!({
            "numRecords": self.rows,
            "minValues": min,
            "maxValues": max,
            "nullCount": nulls.collect::<Map<_, _>>(),
            "tightBounds": true,
        })
    }
}

impl Bounds {
    fn widen(&mut self, array: &ArrayRef) -> Result<()> {
        let Some(seen) = Bounds::of(array)? else { return Ok(()) };
        *self = match (std::mem::replace(self, Bounds::Unseen), seen) {
            (Bounds::Unseen, seen) => seen,
            (Bounds::Integers(a, b), Bounds::Integers(c, d)) => {
                Bounds::Integers(a.min(c), b.max(d))
            }
            (Bounds::Instants(a, b, kind), Bounds::Instants(c, d, _)) => {
                Bounds::Instants(a.min(c), b.max(d), kind)
            }
            (Bounds::Texts(a, b), Bounds::Texts(c, d)) => Bounds::Texts(a.min(c), b.max(d)),
            _ => return Err(Error::new(PilakeKind::Internal, "a column changed its type")),
        };
        Ok(())
    }

    /// Nothing if there is no value in it.
    fn of(array: &ArrayRef) -> Result<Option<Bounds>> {
        Ok(match array.data_type() {
            DataType::Int64 => primitive::<Int64Type>(array).map(|(a, b)| Bounds::Integers(a, b)),
            DataType::Int32 => primitive::<Int32Type>(array)
                .map(|(a, b)| Bounds::Integers(i64::from(a), i64::from(b))),
            kind @ DataType::Timestamp(TimeUnit::Microsecond, _) => {
                primitive::<TimestampMicrosecondType>(array)
                    .map(|(a, b)| Bounds::Instants(a, b, kind.clone()))
            }
            DataType::Utf8 => texts(array.as_string::<i32>().iter().flatten()),
            DataType::Dictionary(_, _) => used_words(array)?,
            other => {
                let message = format!("no statistics for columns of type {other}");
                return Err(Error::new(PilakeKind::Invalid, message));
            }
        })
    }

    fn to_json(&self) -> Option<(Value, Value)> {
        match self {
            Bounds::Unseen => None,
            Bounds::Integers(low, high) => Some((json!(low), json!(high))),
            Bounds::Texts(low, high) => Some((json!(low), json!(high))),
            Bounds::Instants(low, high, kind) => {
                // The log keeps milliseconds and cuts the rest. Rounded outwards before, bounds
                // hold for readers that do not know of it, too.
                let low = low.div_euclid(1000) * 1000;
                let high = high.saturating_add(999).div_euclid(1000) * 1000;
                let both: ArrayRef = Arc::new(Int64Array::from(vec![low, high]));
                let both = compute::cast(&both, kind).ok()?;
                let text = |row| array_value_to_string(&both, row).ok();
                Some((json!(text(0)?), json!(text(1)?)))
            }
        }
    }
}

fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef) -> Option<(T::Native, T::Native)> {
    let array: &PrimitiveArray<T> = array.as_primitive();
    Some((compute::min(array)?, compute::max(array)?))
}

fn texts<'a>(values: impl Iterator<Item = &'a str> + Clone) -> Option<Bounds> {
    let low = values.clone().min()?;
    let high = values.max()?;
    Some(Bounds::Texts(low.to_string(), high.to_string()))
}

/// Bounds over the words of a dictionary that rows point to.
fn used_words(array: &ArrayRef) -> Result<Option<Bounds>> {
    let typed = array.as_any().downcast_ref::<DictionaryArray<Int32Type>>();
    let words = typed.and_then(|typed| typed.values().as_any().downcast_ref::<StringArray>());
    let (Some(typed), Some(words)) = (typed, words) else {
        let message = format!("no statistics for columns of type {}", array.data_type());
        return Err(Error::new(PilakeKind::Invalid, message));
    };
    let keys: &Int32Array = typed.keys();
    let mut used = vec![false; words.len()];
    for key in keys.iter().flatten() {
        used[key as usize] = true;
    }
    Ok(texts(words.iter().zip(used).filter_map(|(word, used)| word.filter(|_| used))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::TimestampMicrosecondArray;

    fn stats_of(columns: Vec<(&str, ArrayRef)>, bounded: &[&str]) -> Value {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let schema = batch.schema();
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let bounded: Vec<String> = bounded.iter().map(|name| name.to_string()).collect();
        let mut stats = FileStats::new(names, &bounded);
        stats.add(&batch).unwrap();
        stats.add(&batch).unwrap();
        stats.to_json()
    }

    #[test]
    fn keeps_long_text_and_big_integers_whole() {
        let long = "K".repeat(100);
        let text: ArrayRef = Arc::new(StringArray::from(vec!["a", long.as_str()]));
        let big: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, i64::MIN]));
        let json = stats_of(vec![("text", text), ("big", big)], &["text", "big"]);
        assert_eq!(json["minValues"]["text"], json!(long));
        assert_eq!(json["maxValues"]["text"], json!("a"));
        assert_eq!(json["minValues"]["big"], json!(i64::MIN));
        assert_eq!(json["maxValues"]["big"], json!(i64::MAX));
    }

    #[test]
    fn counts_rows_and_nulls_and_leaves_out_the_bounds_of_empty_columns() {
        let none: ArrayRef = Arc::new(Int64Array::from(vec![None, None]));
        let some: ArrayRef = Arc::new(Int64Array::from(vec![Some(3), None]));
        let json = stats_of(vec![("none", none), ("some", some)], &["none", "some"]);
        assert_eq!(json["numRecords"], json!(4));
        assert_eq!(json["nullCount"], json!({"none": 4, "some": 2}));
        assert_eq!(json["minValues"], json!({"some": 3}));
    }

    #[test]
    fn looks_only_at_words_of_a_dictionary_that_rows_use() {
        let keys = Int32Array::from(vec![Some(1), None]);
        let words = Arc::new(StringArray::from(vec!["a", "b", "c"]));
        let column: ArrayRef = Arc::new(DictionaryArray::new(keys, words));
        let json = stats_of(vec![("word", column)], &["word"]);
        assert_eq!(json["minValues"], json!({"word": "b"}));
        assert_eq!(json["maxValues"], json!({"word": "b"}));
        assert_eq!(json["nullCount"], json!({"word": 2}));
    }

    #[test]
    fn rounds_instants_outwards_to_milliseconds() {
        let times = TimestampMicrosecondArray::from(vec![-1, 1_700_000_000_123_456]);
        let times: ArrayRef = Arc::new(times.with_timezone("UTC"));
        let json = stats_of(vec![("time", times)], &["time"]);
        assert_eq!(json["minValues"]["time"], json!("1969-12-31T23:59:59.999Z"));
        assert_eq!(json["maxValues"]["time"], json!("2023-11-14T22:13:20.124Z"));
    }
}
