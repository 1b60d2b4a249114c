// SPDX-License-Identifier: Apache-2.0
//! What the log says of data files: where they are, how large, and which keys may be inside.

use arrow::array::{Array, AsArray, Int32Array, Int64Array, RecordBatch, StringArray, StructArray};
use arrow::datatypes::Int64Type;
use serde_json::Value;

use crate::error::{Error, PilakeKind, Result};

/// A data file as it was read. The same file with another deletion vector has other rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileId {
    pub path: String,
    pub deletion_vector: String,
}

/// The two columns by which rows are found: a text and a long.
#[derive(Clone, Debug, Default)]
pub struct KeyColumns {
    pub text: String,
    pub number: String,
}

/// One file as an action of the log tells of it. What nobody wrote down is nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileFacts {
    pub path: String,
    pub bytes: i64,
    /// Rows that are still there: those that a deletion vector marks do not count.
    pub rows: Option<i64>,
    pub modified_ms: i64,
    /// Names the deletion vector; empty: there is none.
    pub deletion_vector: String,
    pub data_change: bool,
    /// Least and greatest value of the key columns; true values lie within.
    pub texts: Option<(String, String)>,
    pub numbers: Option<(i64, i64)>,
    /// No row lacks a key.
    pub keys_are_whole: bool,
}

impl FileFacts {
    /// From the body of an `add` or `remove`.
    pub fn from_action(body: &Value, keys: &KeyColumns) -> Self {
        let integer = |name: &str| body[name].as_i64().unwrap_or(0);
        let mut facts = Self {
            path: body["path"].as_str().unwrap_or_default().to_string(),
            bytes: integer("size"),
            modified_ms: integer("modificationTime"),
            deletion_vector: vector_name(&body["deletionVector"]),
            data_change: body["dataChange"].as_bool().unwrap_or(true),
            ..Self::default()
        };
        facts.read_stats(body["stats"].as_str(), keys);
        facts.leave_out_deleted(body["deletionVector"]["cardinality"].as_i64());
        facts
    }

    /// From the active rows of a batch in the kernel's scan-row schema.
    pub fn from_scan(batch: &RecordBatch, active: &[bool], keys: &KeyColumns) -> Result<Vec<Self>> {
        let paths = column(batch, "path")?.as_string::<i32>();
        let stats = column(batch, "stats")?.as_string::<i32>();
        let sizes = column(batch, "size")?.as_primitive::<Int64Type>();
        let times = column(batch, "modificationTime")?.as_primitive::<Int64Type>();
        let vectors = Vectors::of(batch)?;
        let rows = (0..batch.num_rows()).filter(|row| active[*row]);
        let facts = rows.map(|row| {
            let mut facts = Self {
                path: paths.value(row).to_string(),
                bytes: sizes.value(row),
                modified_ms: times.value(row),
                deletion_vector: vectors.name(row),
                ..Self::default()
            };
            facts.read_stats(stats.is_valid(row).then(|| stats.value(row)), keys);
            facts.leave_out_deleted(vectors.cardinality(row));
            facts
        });
        Ok(facts.collect())
    }

    /// Takes what this action does not tell of its file from another that speaks of the same file.
    pub fn complete_from(&mut self, other: &Self) {
        self.texts = self.texts.take().or_else(|| other.texts.clone());
        self.numbers = self.numbers.or(other.numbers);
        self.keys_are_whole |= other.keys_are_whole;
        self.rows = self.rows.or(other.rows);
        if self.bytes == 0 {
            self.bytes = other.bytes;
        }
    }

    pub fn has_bounds(&self) -> bool {
        self.texts.is_some() && self.numbers.is_some()
    }

    /// Bounds hold with a deletion vector too: it only takes rows away.
    fn read_stats(&mut self, stats: Option<&str>, keys: &KeyColumns) {
        let Some(stats) = stats.and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
            return;
        };
        let (min, max) = (&stats["minValues"], &stats["maxValues"]);
        self.rows = stats["numRecords"].as_i64();
        self.texts = both(min[&keys.text].as_str(), max[&keys.text].as_str())
            .map(|(low, high)| (low.to_string(), high.to_string()));
        self.numbers = both(min[&keys.number].as_i64(), max[&keys.number].as_i64());
        let nulls = &stats["nullCount"];
        self.keys_are_whole =
            nulls[&keys.text].as_i64() == Some(0) && nulls[&keys.number].as_i64() == Some(0);
    }

    fn leave_out_deleted(&mut self, deleted: Option<i64>) {
        self.rows = self.rows.map(|rows| rows - deleted.unwrap_or(0));
    }
}

fn both<T>(low: Option<T>, high: Option<T>) -> Option<(T, T)> {
    low.zip(high)
}

/// As the protocol derives it, so that two vectors of one file are told apart.
fn vector_name(body: &Value) -> String {
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    name_of(text("storageType"), text("pathOrInlineDv"), body["offset"].as_i64())
}

fn name_of(storage: &str, path: &str, offset: Option<i64>) -> String {
    let offset = offset.map_or_else(String::new, |offset| format!("@{offset}"));
    format!("{storage}{path}{offset}")
}

/// The deletion vectors of a batch in the kernel's scan-row schema.
pub struct Vectors<'a> {
    all: &'a StructArray,
    storage: &'a StringArray,
    path: &'a StringArray,
    offset: &'a Int32Array,
    cardinality: &'a Int64Array,
}

impl<'a> Vectors<'a> {
    pub fn of(batch: &'a RecordBatch) -> Result<Self> {
        let all = column(batch, "deletionVector")?.as_struct();
        let member = |name: &str| {
            let missing = || Error::new(PilakeKind::Internal, format!("there is no column {name}"));
            all.column_by_name(name).ok_or_else(missing)
        };
        Ok(Self {
            all,
            storage: member("storageType")?.as_string(),
            path: member("pathOrInlineDv")?.as_string(),
            offset: member("offset")?.as_primitive(),
            cardinality: member("cardinality")?.as_primitive(),
        })
    }

    /// Empty: there is none.
    pub fn name(&self, row: usize) -> String {
        // Without a vector the struct is there all the same, but empty.
        if self.all.is_null(row) || self.storage.is_null(row) {
            return String::new();
        }
        let offset = self.offset.is_valid(row).then(|| i64::from(self.offset.value(row)));
        name_of(self.storage.value(row), self.path.value(row), offset)
    }

    fn cardinality(&self, row: usize) -> Option<i64> {
        let is_there = self.all.is_valid(row) && self.cardinality.is_valid(row);
        is_there.then(|| self.cardinality.value(row))
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow::array::ArrayRef> {
    let missing = || Error::new(PilakeKind::Internal, format!("there is no column {name}"));
    batch.column_by_name(name).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn keys() -> KeyColumns {
        KeyColumns { text: "id".to_string(), number: "ticks".to_string() }
    }

    fn facts_of(stats: Value) -> FileFacts {
        let body = json!({"path": "a", "size": 7, "stats": stats.to_string()});
        FileFacts::from_action(&body, &keys())
    }

    #[test]
    fn bounds_are_exact_beyond_the_integers_of_a_double() {
        let facts = facts_of(json!({
            "numRecords": 2,
            "minValues": {"id": "A", "ticks": 9007199254740993i64},
            "maxValues": {"id": "B", "ticks": i64::MAX},
            "nullCount": {"id": 0, "ticks": 0},
        }));
        assert_eq!(facts.texts, Some(("A".to_string(), "B".to_string())));
        assert_eq!(facts.numbers, Some((9007199254740993, i64::MAX)));
        assert_eq!(facts.rows, Some(2));
        assert!(facts.keys_are_whole);
    }

    #[test]
    fn what_statistics_leave_out_is_unbounded() {
        let half =
            facts_of(json!({"minValues": {"id": "A", "ticks": 1}, "maxValues": {"id": "B"}}));
        assert!(half.texts.is_some() && half.numbers.is_none() && half.rows.is_none());
        assert!(!half.keys_are_whole, "nobody counted nulls");
        let nulls = facts_of(json!({"nullCount": {"id": 0, "ticks": 3}}));
        assert!(!nulls.keys_are_whole);
        let none = FileFacts::from_action(&json!({"path": "a", "stats": "oops"}), &keys());
        assert!(none.texts.is_none() && none.numbers.is_none() && none.rows.is_none());
        assert!(none.data_change, "an action that does not say so may have changed rows");
    }

    #[test]
    fn rows_that_a_deletion_vector_marks_do_not_count() {
        let body = json!({"path": "a", "stats": r#"{"numRecords":10}"#,
                          "deletionVector": {"storageType": "u", "pathOrInlineDv": "ab", "offset": 4,
                                             "cardinality": 3}});
        let facts = FileFacts::from_action(&body, &keys());
        assert_eq!(facts.deletion_vector, "uab@4");
        assert_eq!(facts.rows, Some(7));
    }
}
