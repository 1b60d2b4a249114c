// SPDX-License-Identifier: Apache-2.0
//! What the commits of the log did, read from their files: the kernel shows states, not changes.

use serde_json::Value;

use crate::error::{Error, PilakeKind, Result};
use crate::files::{FileFacts, KeyColumns};
use crate::store::Location;

/// The member of commitInfo in which our commits carry their own name.
pub const COMMIT_UUID: &str = "pilakeCommit";

/// What one version did, as far as trust is concerned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommitSummary {
    pub version: u64,
    pub uuid: String,
    pub operation: String,
    /// Values as they stand in the log: JSON in text.
    pub parameters: Vec<(String, String)>,
    pub engine: String,
    pub is_blind_append: bool,
    pub changes_protocol: bool,
    /// The body of its `metaData`, if it has one.
    pub metadata: Option<Value>,
    /// What `metadata` changed; see `Table::commits_since`.
    pub metadata_change: MetadataChange,
    /// Names of the domains that were set or removed.
    pub domains: Vec<String>,
    pub added: Vec<FileFacts>,
    pub removed: Vec<FileFacts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MetadataChange {
    pub table_id: bool,
    pub schema: bool,
    pub properties: bool,
}

impl MetadataChange {
    pub const EVERYTHING: Self = Self { table_id: true, schema: true, properties: true };

    /// `before` and `after` are bodies of `metaData`.
    pub fn between(before: &Value, after: &Value) -> Self {
        let schema = |body: &Value| {
            let text = body["schemaString"].as_str().unwrap_or_default();
            serde_json::from_str::<Value>(text).ok()
        };
        let differs = |member: &str| before[member] != after[member];
        Self {
            table_id: differs("id"),
            schema: schema(before) != schema(after) || differs("partitionColumns"),
            properties: differs("configuration"),
        }
    }
}

/// The versions beyond `version`, oldest first, up to the newest; none may be missing. What
/// metadata changed is not told.
pub fn commits_since(
    location: &Location,
    version: u64,
    keys: &KeyColumns,
) -> Result<Vec<CommitSummary>> {
    let names = location.list("_delta_log", &file_stem(version))?;
    let newest = names.iter().filter_map(|name| version_of(name)).max().unwrap_or(version);
    let mut commits = Vec::new();
    for next in version + 1.. {
        match read_commit(location, next, keys) {
            Ok(commit) => commits.push(commit),
            // A list may be behind what was written, so the end is where the next file is not.
            Err(error) if error.kind == PilakeKind::NotFound && next > newest => break,
            Err(error) => return Err(error),
        }
    }
    Ok(commits)
}

/// True if the folder has the log of a table.
pub fn has_log(location: &Location) -> Result<bool> {
    let names = location.list("_delta_log", "")?;
    Ok(names.iter().any(|name| version_of(name).is_some()))
}

/// The commit of a version.
pub fn file_of(version: u64) -> String {
    format!("_delta_log/{version:020}.json")
}

fn file_stem(version: u64) -> String {
    format!("{version:020}")
}

/// The version that a file of the log speaks of, be it a commit, a checkpoint or a checksum.
fn version_of(name: &str) -> Option<u64> {
    let digits = name.get(..20)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn read_commit(location: &Location, version: u64, keys: &KeyColumns) -> Result<CommitSummary> {
    let name = format!("_delta_log/{}.json", file_stem(version));
    let bytes = location.get(&name).map_err(|error| match error.kind {
        PilakeKind::NotFound => Error::new(
            PilakeKind::NotFound,
            format!("version {version} of {} is no longer in its log", location.name),
        ),
        _ => error,
    })?;
    let mut summary = CommitSummary { version, ..Default::default() };
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let action: Value = serde_json::from_slice(line).map_err(|error| {
            Error::new(PilakeKind::Malformed, format!("{}: {name}: {error}", location.name))
        })?;
        summary.note(&action, keys);
    }
    Ok(summary)
}

impl CommitSummary {
    fn note(&mut self, action: &Value, keys: &KeyColumns) {
        let Some((kind, body)) = action.as_object().and_then(|members| members.iter().next())
        else {
            return;
        };
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_string();
        match kind.as_str() {
            "add" => self.added.push(FileFacts::from_action(body, keys)),
            "remove" => self.removed.push(FileFacts::from_action(body, keys)),
            "metaData" => self.metadata = Some(body.clone()),
            "protocol" => self.changes_protocol = true,
            "domainMetadata" => self.domains.push(text("domain")),
            "commitInfo" => {
                self.uuid = text(COMMIT_UUID);
                self.operation = text("operation");
                self.parameters = parameters(&body["operationParameters"]);
                self.engine = text("engineInfo");
                self.is_blind_append = body["isBlindAppend"].as_bool().unwrap_or(false);
            }
            _ => {}
        }
    }
}

fn parameters(body: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_string);
    let members = body.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreOptions;
    use serde_json::json;

    fn log_of(files: &[(&str, &str)]) -> (tempfile::TempDir, Location) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let location = Location::parse(path, &StoreOptions::default()).unwrap();
        for (name, text) in files {
            location.put_new(&format!("_delta_log/{name}"), text.as_bytes()).unwrap();
        }
        (folder, location)
    }

    #[test]
    fn tells_what_a_foreign_commit_did() {
        let (_folder, location) = log_of(&[
            ("00000000000000000007.json", "{}"),
            (
                "00000000000000000008.json",
                r#"{"commitInfo":{"operation":"DELETE","operationParameters":{"predicate":"[\"x\"]"},"engineInfo":"Spark"}}
                   {"domainMetadata":{"domain":"d","configuration":"","removed":false}}
                   {"remove":{"path":"a","dataChange":true}}
                   {"add":{"path":"b","dataChange":true}}"#,
            ),
            ("00000000000000000009.json", r#"{"add":{"path":"c","dataChange":false}}"#),
        ]);
        let commits = commits_since(&location, 7, &KeyColumns::default()).unwrap();
        assert_eq!(commits.len(), 2);
        assert_eq!((commits[0].version, commits[0].operation.as_str()), (8, "DELETE"));
        assert_eq!(commits[0].engine, "Spark");
        assert_eq!(commits[0].uuid, "");
        assert_eq!(commits[0].parameters, [("predicate".to_string(), "[\"x\"]".to_string())]);
        assert!(commits[0].added[0].data_change && commits[0].removed[0].data_change);
        assert!(!commits[0].is_blind_append);
        assert_eq!(commits[0].added[0].path, "b");
        assert_eq!(commits[0].removed[0].path, "a");
        assert_eq!(commits[0].domains, ["d"]);
        assert!(!commits[1].added[0].data_change);
    }

    #[test]
    fn misses_a_commit_that_only_a_checkpoint_remembers() {
        let (_folder, location) = log_of(&[
            ("00000000000000000003.json", "{}"),
            ("00000000000000000005.checkpoint.parquet", ""),
        ]);
        let error = commits_since(&location, 3, &KeyColumns::default()).unwrap_err();
        assert_eq!(error.kind, PilakeKind::NotFound);
        assert!(error.message.contains("version 4"), "{}", error.message);
    }

    #[test]
    fn tells_what_metadata_changed() {
        let before = json!({"id": "a", "schemaString": r#"{"fields":[],"type":"struct"}"#,
                            "partitionColumns": [], "configuration": {"x": "1"}});
        let with = |member: &str, value: Value| {
            let mut after = before.clone();
            after[member] = value;
            MetadataChange::between(&before, &after)
        };
        let nothing = MetadataChange::default();
        let same_words = json!(r#"{ "type": "struct", "fields": [] }"#);
        assert_eq!(with("schemaString", same_words), nothing);
        assert_eq!(with("description", json!("new")), nothing);
        assert_eq!(with("id", json!("b")), MetadataChange { table_id: true, ..nothing });
        let schema = MetadataChange { schema: true, ..nothing };
        assert_eq!(with("schemaString", json!(r#"{"fields":[1]}"#)), schema);
        assert_eq!(with("partitionColumns", json!(["p"])), schema);
        let properties = MetadataChange { properties: true, ..nothing };
        assert_eq!(with("configuration", json!({})), properties);
    }

    #[test]
    fn names_a_commit_that_is_not_json() {
        let (_folder, location) = log_of(&[("00000000000000000001.json", "oops")]);
        assert_eq!(
            commits_since(&location, 0, &KeyColumns::default()).unwrap_err().kind,
            PilakeKind::Malformed
        );
    }
}
