// SPDX-License-Identifier: Apache-2.0
//! Keeping a table quick: checkpoints when they are due, and no more log than retention asks for.
//!
//! Ages are differences between times of one clock, the store's: a wrong clock of ours deletes
//! nothing too early.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use delta_kernel::snapshot::CheckpointWriteResult;

use crate::error::{PilakeKind, Result};
use crate::store::Entry;
use crate::table::Table;

/// When a checkpoint is due: the last one is that many commits old, or fewer but for a while.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub commits: u64,
    pub commits_when_old: u64,
    pub old: Duration,
}

/// What Delta's protocol has where a table does not say.
const LOG_RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);
const FILE_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);

/// However short the retention of a table, a commit may take this long.
const FILE_RETENTION_MIN: Duration = Duration::from_secs(3600);

impl Table {
    /// True if a checkpoint was written.
    pub fn checkpoint_if_due(&mut self, pace: Pace) -> Result<bool> {
        let commits = self.commits_since_checkpoint();
        let is_due = commits >= pace.commits.max(1)
            || (commits >= pace.commits_when_old && self.checkpoint_age() >= pace.old);
        if !is_due {
            return Ok(false);
        }
        let (result, snapshot) = self.snapshot.checkpoint(self.engine.as_ref(), None)?;
        self.snapshot = snapshot;
        self.checkpointed = Some(SystemTime::now());
        self.checksum_refused = false;
        Ok(matches!(result, CheckpointWriteResult::Written))
    }

    /// Commits since the last checkpoint, or since the beginning.
    fn commits_since_checkpoint(&self) -> u64 {
        let checkpoint = self.snapshot.log_segment().checkpoint_version;
        self.version() - checkpoint.unwrap_or(0)
    }

    /// Of a table without checkpoint, the age of its log.
    fn checkpoint_age(&self) -> Duration {
        let listed = &self.snapshot.log_segment().listed;
        let oldest = listed.checkpoint_parts.first().or(listed.ascending_commit_files.first());
        let listed = oldest.map_or(0, |file| file.location.last_modified.max(0) as u64);
        let listed = UNIX_EPOCH + Duration::from_millis(listed);
        let begin = self.checkpointed.map_or(listed, |ours| ours.max(listed));
        begin.elapsed().unwrap_or_default()
    }

    /// Deletes files of the log that are older than the table's retention and below a complete
    /// checkpoint, so that each version from that checkpoint on stays as it is. Commits behind
    /// `keep_from` stay. To be called when a checkpoint has just been written. At most `limit` files
    /// go; how many went.
    pub fn clean_log(&self, keep_from: u64, limit: usize) -> Result<usize> {
        if self.snapshot.table_properties().enable_expired_log_cleanup == Some(false) {
            return Ok(0);
        }
        let now_ms = match self.location.modified_ms("_delta_log/_last_checkpoint") {
            Ok(now_ms) => now_ms,
            Err(error) if error.kind == PilakeKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let retention = self.snapshot.table_properties().log_retention_duration;
        let cutoff_ms = now_ms - retention.unwrap_or(LOG_RETENTION).as_millis() as i64;
        let (files, _) = self.location.entries("_delta_log")?;
        let mut expired = expired(&files, cutoff_ms, keep_from.min(self.version()));
        expired.truncate(limit);
        self.location.delete_all(expired.iter().map(|entry| entry.name.as_str()))?;
        Ok(expired.len())
    }

    /// The oldest version that the log tells of with its commit, as it stood then.
    pub fn oldest(&self, domain: &str) -> Result<Option<Oldest>> {
        let (files, _) = self.location.entries("_delta_log")?;
        let Some((version, landed_ms)) = oldest(&files) else { return Ok(None) };
        let snapshot = self.snapshot_at(version)?;
        let domain = snapshot.get_domain_metadata(domain, self.engine.as_ref())?;
        Ok(Some(Oldest { version, landed_ms, domain }))
    }

    /// How long files that left the table stay for readers of older versions, and files that are in no
    /// version yet for those who are about to commit them.
    pub fn file_retention(&self) -> Duration {
        let properties = self.snapshot.table_properties();
        let retention = properties.deleted_file_retention_duration.unwrap_or(FILE_RETENTION);
        retention.max(FILE_RETENTION_MIN)
    }
}

pub struct Oldest {
    pub version: u64,
    /// When its commit was written.
    pub landed_ms: i64,
    pub domain: Option<String>,
}

/// A file of the log, by its name.
#[derive(Clone, Copy, Debug, PartialEq)]
enum LogFile {
    Commit(u64),
    Checksum(u64),
    /// One of so many parts.
    Checkpoint(u64, u32),
    /// Commits up to that version in one file.
    Compacted(u64),
}

impl LogFile {
    /// Nothing for what is not known: it is somebody else's, as checkpoints in the newer format are,
    /// which have files elsewhere.
    fn parse(name: &str) -> Option<Self> {
        let (digits, rest) = name.strip_prefix("_delta_log/")?.split_at_checked(20)?;
        let version = number(digits)?;
        match rest.strip_prefix('.')? {
            "json" => Some(Self::Commit(version)),
            "crc" => Some(Self::Checksum(version)),
            "checkpoint.parquet" => Some(Self::Checkpoint(version, 1)),
            rest => Self::parse_long(version, rest),
        }
    }

    fn parse_long(version: u64, rest: &str) -> Option<Self> {
        if let Some(last) = rest.strip_suffix(".compacted.json") {
            return Some(Self::Compacted(number(last)?));
        }
        let parts = rest.strip_prefix("checkpoint.")?.strip_suffix(".parquet")?;
        let (part, parts) = parts.split_once('.')?;
        number(part)?;
        Some(Self::Checkpoint(version, number(parts)? as u32))
    }

    fn version(self) -> u64 {
        match self {
            Self::Commit(version) | Self::Checksum(version) => version,
            Self::Checkpoint(version, _) | Self::Compacted(version) => version,
        }
    }
}

fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// The files below the newest checkpoint that is complete, itself older than `cutoff_ms`, and not
/// beyond `keep_from`; oldest versions first, as not all of them may go at once.
fn expired(files: &[Entry], cutoff_ms: i64, keep_from: u64) -> Vec<&Entry> {
    let mut old: Vec<_> = files
        .iter()
        .filter(|entry| entry.modified_ms < cutoff_ms)
        .filter_map(|entry| Some((LogFile::parse(&entry.name)?, entry)))
        .collect();
    let Some(base) = newest_checkpoint(old.iter().map(|(file, _)| *file), keep_from) else {
        return Vec::new();
    };
    old.retain(|(file, _)| file.version() < base);
    old.sort_by_key(|(file, entry)| (file.version(), entry.name.as_str()));
    old.into_iter().map(|(_, entry)| entry).collect()
}

/// The first version if the log begins with it, else that of the oldest checkpoint; with the time of
/// its commit, which must be there too.
fn oldest(files: &[Entry]) -> Option<(u64, i64)> {
    let parsed = || files.iter().filter_map(|entry| LogFile::parse(&entry.name));
    let landed_ms = |version| {
        let commit = |entry: &&Entry| LogFile::parse(&entry.name) == Some(LogFile::Commit(version));
        files.iter().find(commit).map(|entry| (version, entry.modified_ms))
    };
    landed_ms(0).or_else(|| landed_ms(complete_checkpoints(parsed()).next()?))
}

fn newest_checkpoint(files: impl Iterator<Item = LogFile>, keep_from: u64) -> Option<u64> {
    complete_checkpoints(files).filter(|version| *version <= keep_from).last()
}

/// The versions of checkpoints of which all parts are there, oldest first.
fn complete_checkpoints(files: impl Iterator<Item = LogFile>) -> impl Iterator<Item = u64> {
    let mut found: BTreeMap<(u64, u32), u32> = BTreeMap::new();
    for file in files {
        if let LogFile::Checkpoint(version, parts) = file {
            *found.entry((version, parts)).or_default() += 1;
        }
    }
    let complete = found.into_iter().filter(|((_, parts), found)| *parts == *found);
    complete.map(|((version, _), _)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(files: &[(&str, i64)]) -> Vec<Entry> {
        let entry = |(name, modified_ms): &(&str, i64)| Entry {
            name: format!("_delta_log/{name}"),
            bytes: 1,
            modified_ms: *modified_ms,
        };
        files.iter().map(entry).collect()
    }

    fn commits(versions: std::ops::Range<u64>) -> Vec<Entry> {
        versions
            .map(|version| Entry {
                name: format!("_delta_log/{version:020}.json"),
                bytes: 1,
                modified_ms: version as i64,
            })
            .collect()
    }

    fn names(files: &[Entry], cutoff_ms: i64, keep_from: u64) -> Vec<String> {
        let names = expired(files, cutoff_ms, keep_from);
        names.iter().map(|entry| entry.name["_delta_log/".len()..].to_string()).collect()
    }

    #[test]
    fn only_what_lies_below_an_old_and_complete_checkpoint_goes() {
        let mut files = commits(0..10);
        assert!(names(&files, 100, 9).is_empty(), "there is no checkpoint");
        files.extend(log(&[
            ("00000000000000000003.checkpoint.parquet", 3),
            ("00000000000000000007.checkpoint.parquet", 7),
            ("00000000000000000002.crc", 2),
        ]));
        assert_eq!(names(&files, 100, 9).len(), 9, "0 to 6, a checksum and a checkpoint");
        assert_eq!(
            names(&files, 5, 9),
            [
                "00000000000000000000.json",
                "00000000000000000001.json",
                "00000000000000000002.crc",
                "00000000000000000002.json"
            ],
            "the second checkpoint is too young"
        );
        assert_eq!(names(&files, 100, 6).len(), 4, "commits behind 6 are still asked for");
        assert!(names(&files, 100, 2).is_empty());
        assert!(names(&files, 3, 9).is_empty());
    }

    #[test]
    fn a_checkpoint_in_parts_counts_when_all_of_them_are_there() {
        let mut files = commits(0..6);
        files.extend(log(&[("00000000000000000004.checkpoint.0000000001.0000000002.parquet", 4)]));
        assert!(names(&files, 100, 5).is_empty());
        files.extend(log(&[("00000000000000000004.checkpoint.0000000002.0000000002.parquet", 4)]));
        assert_eq!(names(&files, 100, 5).len(), 4);
    }

    #[test]
    fn the_oldest_version_is_where_the_log_begins() {
        let mut files = commits(0..10);
        assert_eq!(oldest(&files), Some((0, 0)));
        files.retain(|entry| entry.modified_ms >= 4);
        assert_eq!(oldest(&files), None, "nothing to begin with");
        files.extend(log(&[
            ("00000000000000000007.checkpoint.parquet", 70),
            ("00000000000000000005.checkpoint.parquet", 50),
            ("00000000000000000004.checkpoint.0000000001.0000000002.parquet", 40),
        ]));
        assert_eq!(oldest(&files), Some((5, 5)), "when the commit landed, not its checkpoint");
    }

    #[test]
    fn what_is_not_known_stays() {
        let mut files = commits(0..6);
        files.extend(log(&[
            ("00000000000000000005.checkpoint.parquet", 5),
            ("00000000000000000001.checkpoint.3a0d65cd-4a56-49a8-937b-95f9e3ee90e5.parquet", 1),
            ("00000000000000000001.00000000000000000003.compacted.json", 3),
            ("00000000000000000004.00000000000000000005.compacted.json", 5),
            ("_last_checkpoint", 1),
            ("_staged_commits", 1),
            ("notes.txt", 1),
        ]));
        let gone = names(&files, 100, 5);
        assert_eq!(gone.len(), 6, "{gone:?}");
        assert!(gone.contains(&"00000000000000000001.00000000000000000003.compacted.json".into()));
    }
}
