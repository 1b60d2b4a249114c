// SPDX-License-Identifier: Apache-2.0
//! Commits against stores that lie, and the texts that end up in the log.

use std::time::{Duration, Instant};

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use crate::commit::CommitRequest;
use crate::error::PilakeKind;
use crate::files::KeyColumns;
use crate::log;
use crate::store::{Location, StoreOptions};
use crate::table::{Table, TableLayout};
use crate::trial;
use crate::writer::FinishedFile;

fn layout() -> TableLayout {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    TableLayout {
        schema: Schema::new(vec![
            Field::new("tag_webid", DataType::Utf8, true),
            Field::new("timestamp", time, true),
            Field::new("ticks", DataType::Int64, true),
        ]),
        clustered_by: vec!["tag_webid".to_string(), "timestamp".to_string()],
        properties: vec![("delta.logRetentionDuration".into(), "interval 7 days".into())],
    }
}

fn new_table() -> (tempfile::TempDir, Table) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap().to_string();
    let table = Table::create(&path, &StoreOptions::default(), &layout(), "probe").unwrap();
    (folder, table)
}

const STATS: &str = r#"{"numRecords":2,"tightBounds":true,
    "minValues":{"tag_webid":"F1DP-longer-than-thirty-two-characters-A",
                 "timestamp":"2023-11-14T22:13:20.001Z","ticks":9007199254740993},
    "maxValues":{"tag_webid":"F1DP-longer-than-thirty-two-characters-B",
                 "timestamp":"2023-11-14T22:13:20.999Z","ticks":9223372036854775807},
    "nullCount":{"tag_webid":0,"timestamp":0,"ticks":0}}"#;

fn request(uuid: &str) -> CommitRequest {
    let stats = STATS.to_string();
    let file = FinishedFile { bytes: 123, rows: 2, stats, modified_ms: 1_700_000_000_000 };
    CommitRequest {
        add: vec![(format!("{uuid}.parquet"), file)],
        data_change: true,
        operation: "WRITE".to_string(),
        uuid: uuid.to_string(),
        ..Default::default()
    }
}

#[test]
fn a_version_that_another_wrote_over_is_noticed_by_whoever_made_or_read_it() {
    let (folder, mut maker) = new_table();
    maker.commit(&request("commit-of-ours")).unwrap();
    let path = folder.path().to_str().unwrap();
    let mut reader = Table::open(path, &StoreOptions::default()).unwrap();
    let file = folder.path().join(log::file_of(1));
    let ours = std::fs::read_to_string(&file).unwrap();
    let other = ours.replace("commit-of-ours", "commit-of-another");
    std::fs::write(&file, other + "\n").unwrap();
    for table in [&mut maker, &mut reader] {
        let error = table.commit(&request("b")).unwrap_err();
        assert_eq!(error.kind, PilakeKind::Invalid);
        assert!(error.message.contains("version 1"), "{error}");
    }
    let mut next = Table::open(path, &StoreOptions::default()).unwrap();
    assert_eq!(next.commit(&request("b")).unwrap(), 2);
}

#[test]
fn the_log_has_statistics_with_full_keys_exact_integers() {
    let (_folder, mut table) = new_table();
    table.commit(&request("a")).unwrap();
    let text = table.location.get("_delta_log/00000000000000000001.json").unwrap();
    let text = std::str::from_utf8(&text).unwrap();
    let add = text.lines().find(|line| line.contains("\"add\"")).unwrap();
    let add: serde_json::Value = serde_json::from_str(add).unwrap();
    let stats: serde_json::Value =
        serde_json::from_str(add["add"]["stats"].as_str().unwrap()).unwrap();
    let expected: serde_json::Value = serde_json::from_str(STATS).unwrap();
    assert_eq!(stats, expected);
}

#[test]
fn a_new_table_has_the_retention_it_was_asked_for() {
    let (_folder, table) = new_table();
    let text = table.location.get("_delta_log/00000000000000000000.json").unwrap();
    let text = std::str::from_utf8(&text).unwrap();
    assert!(text.contains(r#""delta.logRetentionDuration":"interval 7 days""#), "{text}");
    assert!(text.contains("clustering"), "{text}");
}

#[test]
fn a_commit_whose_answer_was_lost_is_found_by_its_uuid() {
    let (_folder, table) = new_table();
    let mut table = remote(lying(table, "lost"));
    assert_eq!(table.commit(&request("mine")).unwrap(), 1);
    assert_eq!(table.version(), 1);
    assert_eq!(table.commit(&request("next")).unwrap(), 2);
}

#[test]
fn a_retried_put_that_reports_a_conflict_with_itself_is_a_commit() {
    let (_folder, table) = new_table();
    let mut table = remote(lying(table, "again"));
    assert_eq!(table.commit(&request("mine")).unwrap(), 1);
    assert_eq!(table.active_files(&KeyColumns::default()).unwrap().len(), 1);
}

#[test]
fn a_failure_of_a_remote_store_leaves_the_outcome_unknown() {
    let (_folder, table) = new_table();
    let mut table = remote(lying(table, "full,times=1"));
    let error = table.commit(&request("mine")).unwrap_err();
    assert_eq!(error.kind, PilakeKind::CommitUnknown, "{error}");
    assert_eq!(table.version(), 0);
    assert_eq!(log::commits_since(&table.location, 0, &KeyColumns::default()).unwrap(), []);
}

#[test]
fn a_failure_of_a_local_disk_is_final_once_the_log_was_looked_at() {
    let (_folder, table) = new_table();
    let mut table = lying(table, "full,times=1");
    let error = table.commit(&request("mine")).unwrap_err();
    assert_eq!(error.kind, PilakeKind::Unreachable, "{error}");
    assert_eq!(table.commit(&request("mine")).unwrap(), 1);
}

#[test]
fn a_commit_that_lands_after_its_failure_is_found_when_it_is_tried_again() {
    let (_folder, table) = new_table();
    let mut table = lying(table, "late,times=1");
    let error = table.commit(&request("mine")).unwrap_err();
    assert_eq!(error.kind, PilakeKind::CommitUnknown, "{error}");
    let deadline = Instant::now() + Duration::from_secs(10);
    while log::commits_since(&table.location, 0, &KeyColumns::default()).unwrap().is_empty() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(table.commit(&request("mine")).unwrap(), 1);
    assert_eq!(table.active_files(&KeyColumns::default()).unwrap().len(), 1);
}

#[test]
fn a_list_that_is_behind_hides_no_commit() {
    let (_folder, mut table) = new_table();
    let trial = (trial::OPTION.to_string(), "lies=stale".to_string());
    let options = StoreOptions { pairs: vec![trial], ..Default::default() };
    let behind = Location::parse(&table.location.name, &options).unwrap();
    table.commit(&request("new")).unwrap();
    assert_eq!(log::commits_since(&behind, 0, &KeyColumns::default()).unwrap().len(), 1);
}

#[test]
fn a_conflict_with_another_is_a_conflict_even_on_a_store_that_lies() {
    let (_folder, table) = new_table();
    let path = table.location.name.clone();
    let mut table = remote(table);
    Table::open(&path, &StoreOptions::default()).unwrap().commit(&request("other")).unwrap();
    let error = table.commit(&request("mine")).unwrap_err();
    assert_eq!(error.kind, PilakeKind::Conflict, "{error}");
}

#[test]
fn a_store_that_overwrites_cannot_hold_a_table() {
    let (_folder, table) = new_table();
    let path = table.location.name.clone();
    let trial = (trial::OPTION.to_string(), "lies=overwrite".to_string());
    let options = StoreOptions { pairs: vec![trial], ..Default::default() };
    let table = Table::open(&path, &options).unwrap();
    let error = table.location.probe_atomic_create("_pilake/probe").unwrap_err();
    assert_eq!(error.kind, PilakeKind::Invalid);
    assert!(error.message.contains("conditional writes"), "{error}");
}

/// The same table, seen through a store that has accidents with the log.
fn lying(table: Table, lies: &str) -> Table {
    let trial = (trial::OPTION.to_string(), format!("lies={lies},of=log"));
    let options = StoreOptions { pairs: vec![trial], ..Default::default() };
    Table::open(&table.location.name, &options).unwrap()
}

/// As on a store whose requests may land after they failed.
fn remote(mut table: Table) -> Table {
    table.location.fails_for_good = false;
    table
}
