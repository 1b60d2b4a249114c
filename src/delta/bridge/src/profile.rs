// SPDX-License-Identifier: Apache-2.0
//! A named profile of AWS' own files, `~/.aws/credentials` and `~/.aws/config`, which object_store does
//! not read. Roles and single sign-on have their own ways to ask for keys: the AWS command line does
//! that for them, as a `credential_process`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use object_store::aws::AwsCredential;
use serde_json::Value;

use crate::error::{Error, PilakeKind, Result};
use crate::lease::{Lease, Lender};

type Section = BTreeMap<String, String>;

#[derive(Debug, Default, PartialEq)]
pub struct Profile {
    pub name: String,
    /// As object_store names them: region, endpoint, keys.
    pub pairs: Vec<(&'static str, String)>,
    /// A command that says keys.
    pub process: Option<String>,
}

impl Profile {
    /// The profile `name`, or the default one, which need not exist.
    pub fn read(name: Option<&str>) -> Result<Self> {
        let text =
            |variable: &str, file: &str| std::fs::read_to_string(path_of(variable, file)?).ok();
        let credentials = text("AWS_SHARED_CREDENTIALS_FILE", "credentials").unwrap_or_default();
        let config = text("AWS_CONFIG_FILE", "config").unwrap_or_default();
        Self::from_texts(name, &credentials, &config)
    }

    fn from_texts(name: Option<&str>, credentials: &str, config: &str) -> Result<Self> {
        let wanted = name.unwrap_or("default");
        let mut section = sections(config).remove(wanted).unwrap_or_default();
        section.extend(sections(credentials).remove(wanted).unwrap_or_default());
        if section.is_empty() && name.is_some() {
            return Err(invalid(format!(
                "there is no profile '{wanted}' in ~/.aws/credentials or ~/.aws/config"
            )));
        }
        let known = [
            ("region", "aws_region"),
            ("endpoint_url", "aws_endpoint"),
            ("aws_access_key_id", "aws_access_key_id"),
            ("aws_secret_access_key", "aws_secret_access_key"),
            ("aws_session_token", "aws_session_token"),
        ];
        let pairs: Vec<_> = known
            .iter()
            .filter_map(|(word, option)| Some((*option, section.get(*word)?.clone())))
            .collect();
        let has_keys = pairs.iter().any(|(option, _)| *option == "aws_access_key_id");
        let process = section.remove("credential_process").filter(|_| !has_keys);
        let other = ["role_arn", "sso_session", "sso_start_url"];
        let asks_for_more = other.iter().find(|word| section.contains_key(**word));
        match asks_for_more {
            Some(word) if name.is_some() && !has_keys && process.is_none() => {
                Err(invalid(format!(
                "the profile '{wanted}' says {word}, which pilake cannot follow. Give it another \
                 profile that lets the AWS command line do so: credential_process = aws configure \
                 export-credentials --profile {wanted} --format process"
            )))
            }
            _ => Ok(Self { name: wanted.to_string(), pairs, process }),
        }
    }
}

fn path_of(variable: &str, file: &str) -> Option<PathBuf> {
    match std::env::var_os(variable) {
        Some(path) => Some(path.into()),
        None => Some(PathBuf::from(std::env::var_os("HOME")?).join(".aws").join(file)),
    }
}

/// `[name]` and `[profile name]` are the same; what is indented belongs to nested settings.
fn sections(text: &str) -> BTreeMap<String, Section> {
    let mut found: BTreeMap<String, Section> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| !line.starts_with([' ', '\t', '#', ';'])) {
        if let Some(header) =
            line.trim_end().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'))
        {
            let header = header.trim();
            current = header.strip_prefix("profile ").unwrap_or(header).trim().to_string();
        } else if let Some((word, value)) = line.split_once('=') {
            let section = found.entry(current.clone()).or_default();
            section.insert(word.trim().to_string(), value.trim().to_string());
        }
    }
    found
}

/// Keys that a command says on its standard output, as the AWS command line takes them.
#[derive(Debug)]
pub struct CredentialProcess {
    pub profile: String,
    pub command: String,
}

#[async_trait]
impl Lender<AwsCredential> for CredentialProcess {
    async fn lend(&self) -> Result<Lease<AwsCredential>> {
        let (command, name) = (self.command.clone(), self.profile.clone());
        let said = tokio::task::spawn_blocking(move || {
            Command::new("sh").arg("-c").arg(command).stdin(Stdio::null()).output()
        });
        let output = said.await.map_err(|error| invalid(error.to_string()))??;
        let failed = |what: &str| {
            Error::new(
                PilakeKind::Auth,
                format!(
                    "the credential_process of the AWS profile '{name}' {what}; run it by hand"
                ),
            )
        };
        if !output.status.success() {
            return Err(failed(&format!("ended with {}", output.status)));
        }
        let said: Value =
            serde_json::from_slice(&output.stdout).map_err(|_| failed("did not say JSON"))?;
        lease_of(&said, Utc::now()).ok_or_else(|| failed("said no AccessKeyId and SecretAccessKey"))
    }
}

fn lease_of(said: &Value, now: DateTime<Utc>) -> Option<Lease<AwsCredential>> {
    let text = |name: &str| said[name].as_str().map(str::to_string);
    let ends = said["Expiration"].as_str().and_then(|ends| ends.parse::<DateTime<Utc>>().ok());
    Some(Lease {
        credential: AwsCredential {
            key_id: text("AccessKeyId")?,
            secret_key: text("SecretAccessKey")?,
            token: text("SessionToken"),
        },
        life: ends.map(|ends| (ends - now).to_std().unwrap_or(Duration::ZERO)),
    })
}

fn invalid(message: String) -> Error {
    Error::new(PilakeKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &str = "[default]\naws_access_key_id = ID\naws_secret_access_key=SECRET\n\
                               # a word\n[plant]\naws_access_key_id=PLANT\n\
                               aws_secret_access_key = a=b\naws_session_token = T\n";
    const CONFIG: &str = "[default]\nregion = eu-west-1\ns3 =\n  region = nested\n\
                          [profile plant]\nregion = eu-central-1\nendpoint_url = http://here\n\
                          [profile role]\nrole_arn = arn:aws:iam::1:role/x\n\
                          [profile asks]\ncredential_process = say keys\n";

    fn profile(name: Option<&str>) -> Result<Profile> {
        Profile::from_texts(name, CREDENTIALS, CONFIG)
    }

    #[test]
    fn a_profile_is_both_files_together() {
        let plant = profile(Some("plant")).unwrap();
        let wanted = [
            ("aws_region", "eu-central-1"),
            ("aws_endpoint", "http://here"),
            ("aws_access_key_id", "PLANT"),
            ("aws_secret_access_key", "a=b"),
            ("aws_session_token", "T"),
        ];
        assert_eq!(plant.pairs, wanted.map(|(name, value)| (name, value.to_string())));
    }

    #[test]
    fn without_a_name_it_is_the_default_one_which_need_not_exist() {
        assert_eq!(profile(None).unwrap().pairs[0], ("aws_region", "eu-west-1".to_string()));
        assert!(Profile::from_texts(None, "", "").unwrap().pairs.is_empty());
    }

    #[test]
    fn a_profile_that_is_missing_or_wants_more_than_keys_is_named() {
        for (name, word) in [("nobody", "'nobody'"), ("role", "role_arn")] {
            let error = profile(Some(name)).unwrap_err();
            assert_eq!(error.kind, PilakeKind::Invalid);
            assert!(error.message.contains(word), "{error}");
        }
    }

    #[test]
    fn a_command_may_say_the_keys() {
        assert_eq!(profile(Some("asks")).unwrap().process.as_deref(), Some("say keys"));
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let said = serde_json::json!({"Version": 1, "AccessKeyId": "I", "SecretAccessKey": "S",
                                      "SessionToken": "T", "Expiration": "2026-01-01T01:00:00Z"});
        let lease = lease_of(&said, now).unwrap();
        assert_eq!(lease.life, Some(Duration::from_secs(3600)));
        assert_eq!(lease.credential.token.as_deref(), Some("T"));
        assert!(lease_of(&serde_json::json!({"AccessKeyId": "I"}), now).is_none());
    }

    #[test]
    fn a_command_that_fails_is_named_with_its_profile() {
        let process = CredentialProcess { profile: "p".to_string(), command: "exit 3".to_string() };
        let error = crate::runtime::runtime().block_on(process.lend()).err().unwrap();
        assert_eq!(error.kind, PilakeKind::Auth);
        assert!(error.message.contains("'p'") && error.message.contains('3'), "{error}");
    }
}
