// SPDX-License-Identifier: Apache-2.0
//! What others switched on in a table, and what that leaves us to do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What a feature keeps us from, least first. The numbers are part of the C ABI.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PilakeEffect {
    /// Nothing.
    None = 0,
    /// Rows can be added but neither be changed nor taken out; files may be merged.
    NoDataRemoves = 1,
    /// Rows can be added; no file can be removed for whatever reason.
    NoRemoves = 2,
    /// The table cannot be written.
    Stop = 3,
}
pub use PilakeEffect as Effect;

#[derive(Clone, Debug, PartialEq)]
pub struct Hindrance {
    /// As the protocol calls it.
    pub feature: String,
    pub effect: Effect,
    /// Names the feature and how to undo it.
    pub sentence: String,
}

/// What of a version decides.
#[derive(Default)]
pub struct Traits {
    features: BTreeSet<String>,
    properties: BTreeMap<String, String>,
    /// Fields of the schema as the log has them.
    fields: Vec<Value>,
    partitioned_by: Vec<String>,
    clustered_by: Vec<String>,
}

impl Traits {
    /// From the bodies of `protocol` and `metaData`.
    pub fn new(protocol: &Value, metadata: &Value, clustered_by: Vec<String>) -> Self {
        let texts = |list: &Value| -> Vec<String> {
            let items = list.as_array().into_iter().flatten();
            items.filter_map(|item| item.as_str().map(str::to_string)).collect()
        };
        let schema = metadata["schemaString"].as_str().unwrap_or_default();
        let mut schema: Value = serde_json::from_str(schema).unwrap_or_default();
        let properties = metadata["configuration"].as_object().into_iter().flatten();
        Self {
            features: texts(&protocol["readerFeatures"])
                .into_iter()
                .chain(texts(&protocol["writerFeatures"]))
                .collect(),
            properties: properties
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_string())))
                .collect(),
            fields: schema["fields"].as_array_mut().map(std::mem::take).unwrap_or_default(),
            partitioned_by: texts(&metadata["partitionColumns"]),
            clustered_by,
        }
    }

    fn is_on(&self, property: &str) -> bool {
        self.properties.get(property).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Names of the columns with a member of that name in their metadata.
    fn columns_with(&self, member: &str) -> Vec<&str> {
        let marked = |field: &&Value| {
            let members = field["metadata"].as_object().into_iter().flatten();
            members.into_iter().any(|(name, _)| name.starts_with(member))
        };
        self.fields.iter().filter(marked).filter_map(|field| field["name"].as_str()).collect()
    }
}

/// Properties that switch a feature on: property, feature, effect, and what it means for us.
const SWITCHES: [(&str, &str, Effect, &str); 9] = [
    (
        "delta.appendOnly",
        "appendOnly",
        Effect::NoDataRemoves,
        "forbids to take rows out, so that edits and deletions of the archive wait and the newest \
         events are not shown before they are final",
    ),
    (
        "delta.enableChangeDataFeed",
        "changeDataFeed",
        Effect::NoDataRemoves,
        "forbids to replace rows in one version, so that edits and deletions of the archive wait \
         and the newest events are not shown before they are final",
    ),
    (
        "delta.enableRowTracking",
        "rowTracking",
        Effect::NoRemoves,
        "wants rows to keep their ids when files are written anew, which pilake cannot do: edits \
         and deletions of the archive wait, the newest events are not shown before they are final, \
         and files are not merged",
    ),
    (
        "delta.enableIcebergCompatV1",
        "icebergCompatV1",
        Effect::Stop,
        "wants files that pilake cannot write",
    ),
    (
        "delta.enableIcebergCompatV2",
        "icebergCompatV2",
        Effect::Stop,
        "wants files that pilake cannot write",
    ),
    (
        "delta.enableIcebergCompatV3",
        "icebergCompatV3",
        Effect::Stop,
        "wants files that pilake cannot write",
    ),
    ("delta.enableDeletionVectors", "deletionVectors", Effect::None, "is read"),
    ("delta.enableInCommitTimestamps", "inCommitTimestamp", Effect::None, "is written"),
    ("delta.enableTypeWidening", "typeWidening", Effect::None, "is read"),
];

/// Marks in the metadata of a column that ask its writers to compute or to check.
const MARKS: [(&str, &str, &str); 3] = [
    ("delta.generationExpression", "generatedColumns", "is computed from others"),
    ("delta.identity.", "identityColumns", "counts rows"),
    ("delta.invariants", "invariants", "must satisfy a condition"),
];

/// Features that no engine takes out of a table again. They come along when a table is brought to an
/// old protocol (`delta.minWriterVersion` 4 to 6), whether or not a column uses them.
const FOR_GOOD: [&str; 2] = ["generatedColumns", "identityColumns"];

/// Features that ask nothing of us by being there; some do when a property switches them on.
const HARMLESS: [&str; 23] = [
    "allowColumnDefaults",
    "appendOnly",
    "changeDataFeed",
    "clustering",
    "columnMapping",
    "deletionVectors",
    "domainMetadata",
    "icebergCompatV2",
    "icebergCompatV3",
    "inCommitTimestamp",
    "invariants",
    "materializePartitionColumns",
    "rowTracking",
    "timestampNtz",
    "timestampWithoutTimezone",
    "typeWidening",
    "typeWidening-preview",
    "v2Checkpoint",
    "vacuumProtocolCheck",
    "variantShredding",
    "variantShredding-preview",
    "variantType",
    "variantType-preview",
];

/// All that a stranger switched on in `table`, whose files have bounds of the columns `bounded`.
pub fn judge(traits: &Traits, bounded: &[String], table: &str) -> Vec<Hindrance> {
    let judge = Judge { table, alter: format!("ALTER TABLE delta.`{table}`") };
    let mut found = judge.switches(traits);
    found.extend(judge.column_mapping(traits));
    found.extend(judge.constraints(traits));
    found.extend(judge.marked_columns(traits));
    found.extend(judge.layout(traits, bounded));
    found.extend(judge.domains(traits));
    let named: BTreeSet<_> = found.iter().map(|one| one.feature.clone()).collect();
    found.extend(judge.other_features(traits, &named));
    found
}

struct Judge<'a> {
    table: &'a str,
    alter: String,
}

impl Judge<'_> {
    fn says(&self, feature: &str, effect: Effect, what: String, undo: &str) -> Hindrance {
        let undo = match effect {
            Effect::None => String::new(),
            _ => format!("; undo it with {} {undo}", self.alter),
        };
        let sentence = format!("{}: {what}{undo}", self.table);
        Hindrance { feature: feature.to_string(), effect, sentence }
    }

    fn stays(&self, feature: &str) -> Hindrance {
        let sentence = format!(
            "{}: {feature} is part of its protocol, which pilake cannot write, and no engine can \
             take it out again: let table.path name a new folder, and the next run fills it",
            self.table
        );
        Hindrance { feature: feature.to_string(), effect: Effect::Stop, sentence }
    }

    fn switches(&self, traits: &Traits) -> Vec<Hindrance> {
        let on = SWITCHES.iter().filter(|(property, ..)| traits.is_on(property));
        on.map(|(property, feature, effect, meaning)| {
            let undo = format!("SET TBLPROPERTIES ('{property}' = 'false')");
            self.says(feature, *effect, format!("{feature} is switched on and {meaning}"), &undo)
        })
        .collect()
    }

    fn column_mapping(&self, traits: &Traits) -> Option<Hindrance> {
        const MODE: &str = "delta.columnMapping.mode";
        let mode = traits.properties.get(MODE).filter(|mode| *mode != "none")?;
        Some(self.says(
            "columnMapping",
            Effect::Stop,
            format!("columnMapping is switched on (mode {mode}), which pilake cannot write"),
            &format!("SET TBLPROPERTIES ('{MODE}' = 'none')"),
        ))
    }

    fn constraints(&self, traits: &Traits) -> Option<Hindrance> {
        const FEATURE: &str = "checkConstraints";
        let names: Vec<&str> = traits
            .properties
            .keys()
            .filter_map(|name| name.strip_prefix("delta.constraints."))
            .collect();
        if names.is_empty() && !traits.features.contains(FEATURE) {
            return None;
        }
        let drops = names.iter().map(|name| format!("DROP CONSTRAINT {name}"));
        let undo: Vec<_> = drops.chain([format!("DROP FEATURE {FEATURE}")]).collect();
        let which = match names.is_empty() {
            true => "though there is no constraint any more".to_string(),
            false => format!("({})", names.join(", ")),
        };
        Some(self.says(
            FEATURE,
            Effect::Stop,
            format!("{FEATURE} is switched on {which}, and pilake cannot check rows"),
            &undo.join(&format!(" and then {} ", self.alter)),
        ))
    }

    fn marked_columns(&self, traits: &Traits) -> Vec<Hindrance> {
        let mut found = Vec::new();
        for (mark, feature, meaning) in MARKS {
            for column in traits.columns_with(mark) {
                let what = format!("column {column} {meaning} ({feature}), which pilake cannot do");
                let undo = format!("DROP COLUMN {column}");
                found.push(self.says(feature, Effect::Stop, what, &undo));
            }
        }
        found
    }

    fn layout(&self, traits: &Traits, bounded: &[String]) -> Option<Hindrance> {
        if !traits.partitioned_by.is_empty() {
            let columns = traits.partitioned_by.join(", ");
            let what = format!(
                "it is partitioned by {columns}, which pilake cannot write: it was replaced by \
                 another table. Restore the version before that"
            );
            let sentence = format!("{}: {what}", self.table);
            return Some(Hindrance {
                feature: "partitioning".to_string(),
                effect: Effect::Stop,
                sentence,
            });
        }
        let unbounded: Vec<_> =
            traits.clustered_by.iter().filter(|name| !bounded.contains(name)).collect();
        let column = unbounded.first()?;
        Some(self.says(
            "clustering",
            Effect::Stop,
            format!("it is clustered by {column}, of which pilake's files have no statistics"),
            "CLUSTER BY (tag_webid, timestamp)",
        ))
    }

    fn domains(&self, traits: &Traits) -> Option<Hindrance> {
        const FEATURE: &str = "domainMetadata";
        let is_there = traits.features.contains(FEATURE);
        (!is_there).then(|| {
            self.says(
                FEATURE,
                Effect::Stop,
                format!("its protocol lacks {FEATURE}, where pilake keeps what the table covers"),
                &format!("SET TBLPROPERTIES ('delta.feature.{FEATURE}' = 'supported')"),
            )
        })
    }

    fn other_features(&self, traits: &Traits, named: &BTreeSet<String>) -> Vec<Hindrance> {
        let others = traits.features.iter().filter(|feature| {
            !HARMLESS.contains(&feature.as_str()) && !named.contains(feature.as_str())
        });
        others
            .map(|feature| match FOR_GOOD.contains(&feature.as_str()) {
                true => self.stays(feature),
                false => {
                    let what = format!("{feature} is switched on, which pilake does not know");
                    self.says(feature, Effect::Stop, what, &format!("DROP FEATURE {feature}"))
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OURS: [&str; 2] = ["domainMetadata", "clustering"];

    fn judged(features: &[&str], metadata: Value) -> Vec<Hindrance> {
        let features: Vec<_> = OURS.iter().chain(features).collect();
        let protocol = json!({"writerFeatures": features});
        let traits = Traits::new(&protocol, &metadata, vec!["tag_webid".to_string()]);
        judge(&traits, &["tag_webid".to_string()], "/lake")
    }

    fn with_properties(properties: &[(&str, &str)]) -> Value {
        json!({"configuration": properties.iter().copied().collect::<BTreeMap<_, _>>()})
    }

    fn only(found: Vec<Hindrance>) -> Hindrance {
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    }

    #[test]
    fn a_feature_that_stays_for_good_is_answered_with_a_new_table() {
        let found = only(judged(&["generatedColumns"], json!({})));
        assert_eq!(found.effect, Effect::Stop);
        assert!(found.sentence.contains("table.path"), "{}", found.sentence);
        assert!(!found.sentence.contains("ALTER"), "{}", found.sentence);
    }

    #[test]
    fn nothing_hinders_in_a_table_of_ours() {
        assert_eq!(judged(&[], with_properties(&[("delta.logRetentionDuration", "x")])), []);
    }

    #[test]
    fn features_that_forbid_removes_still_let_us_add() {
        for (property, effect) in [
            ("delta.appendOnly", Effect::NoDataRemoves),
            ("delta.enableChangeDataFeed", Effect::NoDataRemoves),
            ("delta.enableRowTracking", Effect::NoRemoves),
        ] {
            let one = only(judged(&[], with_properties(&[(property, "TRUE")])));
            assert_eq!(one.effect, effect);
            let undo =
                format!("ALTER TABLE delta.`/lake` SET TBLPROPERTIES ('{property}' = 'false')");
            assert!(one.sentence.contains(&undo), "{}", one.sentence);
            assert_eq!(judged(&["rowTracking"], with_properties(&[(property, "false")])), []);
        }
    }

    #[test]
    fn features_that_change_nothing_for_us_are_named_all_the_same() {
        let one = only(judged(&[], with_properties(&[("delta.enableDeletionVectors", "true")])));
        assert_eq!((one.feature.as_str(), one.effect), ("deletionVectors", Effect::None));
        assert!(!one.sentence.contains("ALTER"), "{}", one.sentence);
    }

    #[test]
    fn column_mapping_stops() {
        let one = only(judged(&[], with_properties(&[("delta.columnMapping.mode", "name")])));
        assert_eq!(one.effect, Effect::Stop);
        assert!(one.sentence.contains("'delta.columnMapping.mode' = 'none'"), "{}", one.sentence);
        let off = with_properties(&[("delta.columnMapping.mode", "none")]);
        assert_eq!(judged(&["columnMapping"], off), []);
    }

    #[test]
    fn constraints_stop_until_their_feature_is_gone() {
        let on = with_properties(&[("delta.constraints.positive", "value > 0")]);
        let one = only(judged(&["checkConstraints"], on));
        assert_eq!(one.effect, Effect::Stop);
        assert!(one.sentence.contains("DROP CONSTRAINT positive and then"), "{}", one.sentence);
        let rest = only(judged(&["checkConstraints"], json!({})));
        assert!(rest.sentence.contains("DROP FEATURE checkConstraints"), "{}", rest.sentence);
        assert!(!rest.sentence.contains("DROP CONSTRAINT"), "{}", rest.sentence);
    }

    #[test]
    fn columns_that_want_work_stop() {
        for (mark, feature) in [
            ("delta.generationExpression", "generatedColumns"),
            ("delta.identity.start", "identityColumns"),
            ("delta.invariants", "invariants"),
        ] {
            let schema = json!({"fields": [{"name": "x", "metadata": {mark: "1"}}]}).to_string();
            let one = only(judged(&[feature], json!({"schemaString": schema})));
            assert_eq!((one.feature.as_str(), one.effect), (feature, Effect::Stop));
            assert!(one.sentence.contains("DROP COLUMN x"), "{}", one.sentence);
        }
    }

    #[test]
    fn another_layout_stops() {
        let one = only(judged(&[], json!({"partitionColumns": ["day"]})));
        assert!(one.effect == Effect::Stop && one.sentence.contains("day"), "{}", one.sentence);
        let traits = Traits {
            features: OURS.iter().map(|one| one.to_string()).collect(),
            clustered_by: vec!["value".to_string()],
            ..Traits::default()
        };
        let one = only(judge(&traits, &["tag_webid".to_string()], "/lake"));
        assert!(one.sentence.contains("CLUSTER BY"), "{}", one.sentence);
    }

    #[test]
    fn a_protocol_without_domains_stops() {
        let one = only(judge(&Traits::default(), &[], "/lake"));
        assert_eq!((one.feature.as_str(), one.effect), ("domainMetadata", Effect::Stop));
    }

    #[test]
    fn a_feature_that_nobody_knows_stops_and_is_named() {
        let one = only(judged(&["frobnication"], json!({})));
        assert_eq!(one.effect, Effect::Stop);
        assert!(one.sentence.contains("DROP FEATURE frobnication"), "{}", one.sentence);
    }
}
