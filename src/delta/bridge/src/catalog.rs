// SPDX-License-Identifier: Apache-2.0
//! Unity Catalog by REST: where a table is, credentials for its store, and its entry when it is new.
//!
//! The catalog is a place to find tables by name and the lender of keys. Commits stay what they are
//! everywhere: files of the log, created only if absent.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::prelude::{Engine, BASE64_STANDARD};
use chrono::{DateTime, Utc};
use http::{header, Method, StatusCode};
use object_store::aws::AwsCredential;
use object_store::azure::AzureCredential;
use object_store::client::{HttpClient, HttpConnector, HttpRequestBody, ReqwestConnector};
use object_store::gcp::GcpCredential;
use serde_json::{json, Value};

use crate::error::{Error, PilakeKind, Result};
use crate::lease::{Lease, Leased, Lender};
use crate::runtime::runtime;
use crate::secrets;
use crate::store::{client_options, StoreOptions};

const SCHEME: &str = "uc://";
const ATTEMPTS: u32 = 5;

/// `uc://catalog.schema.table`
#[derive(Clone, Debug, PartialEq)]
pub struct TableName {
    catalog: String,
    schema: String,
    table: String,
}

impl TableName {
    /// Nothing if `text` is no name in a catalog.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let Some(name) = text.strip_prefix(SCHEME) else { return Ok(None) };
        let parts: Vec<_> = name.trim_end_matches('/').split('.').collect();
        match parts[..] {
            [catalog, schema, table]
                if parts.iter().all(|part| !part.is_empty() && !part.contains('/')) =>
            {
                let [catalog, schema, table] = [catalog, schema, table].map(str::to_string);
                Ok(Some(Self { catalog, schema, table }))
            }
            _ => Err(invalid(format!("{text}: a table of a catalog is uc://catalog.schema.table"))),
        }
    }

    fn schema_name(&self) -> String {
        format!("{}.{}", self.catalog, self.schema)
    }

    fn full(&self) -> String {
        format!("{}.{}.{}", self.catalog, self.schema, self.table)
    }
}

/// Where a table is, or is to be.
pub struct Place {
    pub url: String,
    /// Nothing: the options and the environment have the credentials, or none are needed.
    pub vended: Option<Vended>,
    /// The table is not in the catalog yet.
    pub registration: Option<Arc<Registration>>,
}

/// A table that the catalog shall know once it is there.
pub struct Registration {
    catalog: Catalog,
    name: TableName,
    url: String,
}

#[derive(Clone)]
pub struct Catalog(Arc<Inner>);

struct Inner {
    client: HttpClient,
    host: String,
    token: Token,
    vends: bool,
    location: Option<String>,
}

enum Token {
    None,
    Fixed(String),
    Leased(Leased<String>),
}

/// An answer that is none.
struct Refusal {
    status: Option<StatusCode>,
    code: String,
    message: String,
}

impl Catalog {
    pub fn open(options: &StoreOptions) -> Result<Self> {
        let said = |name: &str, variable: &str| {
            let value = options.catalog.iter().find(|(known, _)| known == name);
            value.map(|(_, value)| value.clone()).or_else(|| std::env::var(variable).ok())
        };
        let host = said("url", "DATABRICKS_HOST").ok_or_else(|| {
            invalid(
                "table.path names a table of a catalog, but nobody says where that is: set \
                 table.catalog.url, or DATABRICKS_HOST in the environment"
                    .to_string(),
            )
        })?;
        let host = match host.trim_end_matches('/') {
            plain if plain.contains("://") => plain.to_string(),
            name => format!("https://{name}"),
        };
        let client_options = client_options(&options.ca_pems)?
            .with_allow_http(host.starts_with("http://"))
            .with_timeout(Duration::from_secs(30));
        let client = ReqwestConnector::default().connect(&client_options)?;
        let token = said("token", "DATABRICKS_TOKEN");
        let id = said("client_id", "DATABRICKS_CLIENT_ID");
        let secret = said("client_secret", "DATABRICKS_CLIENT_SECRET");
        [&token, &secret].into_iter().flatten().for_each(|text| secrets::keep(text));
        let token = match (token, id, secret) {
            (Some(token), _, _) => Token::Fixed(token),
            (None, Some(id), Some(secret)) => Token::Leased(Leased::new(ServicePrincipal {
                client: client.clone(),
                url: format!("{host}/oidc/v1/token"),
                id,
                secret,
            })),
            _ => Token::None,
        };
        let vends = said("credentials", "").as_deref() != Some("own");
        let location = said("location", "");
        Ok(Self(Arc::new(Inner { client, host, token, vends, location })))
    }

    /// Where the table is; nothing if the catalog does not have it.
    pub fn find(&self, name: &TableName) -> Result<Option<Place>> {
        runtime().block_on(async {
            match self.get("tables", &name.full()).await {
                Ok(table) => Ok(Some(self.place_of(name, &table).await?)),
                Err(refusal) if refusal.status == Some(StatusCode::NOT_FOUND) => {
                    self.find_schema(name).await?;
                    Ok(None)
                }
                Err(refusal) => {
                    Err(self.told(refusal, &format!("to show {}", name.full()), &may_read(name)))
                }
            }
        })
    }

    /// Where a table that the catalog does not have is to be made.
    pub fn place_for_new(&self, name: &TableName) -> Result<Place> {
        let location = self.0.location.as_deref().ok_or_else(|| {
            invalid(format!(
                "the catalog at {} has no table {}, and table.location does not say in which folder \
                 of an external location to make it",
                self.0.host,
                name.full()
            ))
        })?;
        let url = format!("{}/{}", location.trim_end_matches('/'), name.table);
        let subject = Subject::Path(url.clone());
        let vended = runtime().block_on(self.vended(name, &url, subject))?;
        let registration =
            Registration { catalog: self.clone(), name: name.clone(), url: url.clone() };
        Ok(Place { url, vended, registration: Some(Arc::new(registration)) })
    }

    pub fn no_table(&self, name: &TableName) -> Error {
        let message = format!("the catalog at {} has no table {}", self.0.host, name.full());
        Error::new(PilakeKind::NotFound, message)
    }

    /// A missing table of a schema that is there is no reason to stop; the rest is.
    async fn find_schema(&self, name: &TableName) -> Result<()> {
        let parts = [
            ("catalogs", "catalog", name.catalog.clone(), "USE CATALOG"),
            ("schemas", "schema", name.schema_name(), "USE SCHEMA"),
        ];
        for (kind, word, full, grant) in parts {
            match self.get(kind, &full).await {
                Ok(_) => {}
                Err(refusal) if refusal.status == Some(StatusCode::NOT_FOUND) => {
                    return Err(invalid(format!(
                        "the catalog at {} has no {word} {full}, or does not show it to us: CREATE \
                         {} {full}, GRANT {grant} on it, or correct table.path",
                        self.0.host,
                        word.to_uppercase()
                    )))
                }
                Err(refusal) => {
                    let needs = format!("{grant} on {full}");
                    return Err(self.told(refusal, &format!("to show the {word} {full}"), &needs));
                }
            }
        }
        Ok(())
    }

    async fn place_of(&self, name: &TableName, table: &Value) -> Result<Place> {
        judge(name, table)?;
        let text = |member: &str| table[member].as_str().unwrap_or_default().to_string();
        let url = text("storage_location");
        if url.is_empty() {
            return Err(invalid(format!("the catalog does not say where {} is", name.full())));
        }
        let vended = self.vended(name, &url, Subject::Table(text("table_id"))).await?;
        Ok(Place { url, vended, registration: None })
    }

    async fn vended(
        &self,
        name: &TableName,
        url: &str,
        subject: Subject,
    ) -> Result<Option<Vended>> {
        // A folder of this machine needs no key.
        if !self.0.vends || url.starts_with("file:") {
            return Ok(None);
        }
        let desk = Desk { catalog: self.clone(), name: name.clone(), subject };
        let first = desk.lend().await?;
        Ok(Vended::of(desk, first))
    }

    async fn get(&self, kind: &str, name: &str) -> std::result::Result<Value, Refusal> {
        self.ask(Method::GET, &format!("{kind}/{}", encoded(name)), None)
            .await
            .map(|(said, _)| said)
    }

    /// The answer, and how far the catalog's clock is ahead of ours.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> std::result::Result<(Value, chrono::Duration), Refusal> {
        let url = format!("{}/api/2.1/unity-catalog/{path}", self.0.host);
        let token = match &self.0.token {
            Token::None => None,
            Token::Fixed(token) => Some(token.clone()),
            Token::Leased(token) => {
                Some(token.current().await.map_err(Refusal::of_ours)?.as_ref().clone())
            }
        };
        let authorization = token.map(|token| format!("Bearer {token}"));
        let body = body.map(|body| ("application/json", body.to_string()));
        send(&self.0.client, method, &url, authorization, body).await
    }

    /// A refusal in words: what was asked for, and what would have to be granted.
    fn told(&self, refusal: Refusal, asked: &str, needs: &str) -> Error {
        let host = &self.0.host;
        let Refusal { status, code, message } = refusal;
        let said = [code, message].into_iter().filter(|text| !text.is_empty());
        let said = said.collect::<Vec<_>>().join(": ");
        match status {
            None => Error::new(PilakeKind::Unreachable, format!("the catalog at {host}: {said}")),
            Some(StatusCode::UNAUTHORIZED) => Error::new(
                PilakeKind::Auth,
                format!(
                    "the catalog at {host} does not accept who we say we are (401 {said}): set \
                     table.catalog.token, or client_id and client_secret, to what is valid there"
                ),
            ),
            Some(StatusCode::FORBIDDEN) => Error::new(
                PilakeKind::Auth,
                format!("the catalog at {host} refuses {asked} (403 {said}): GRANT {needs} to us"),
            ),
            Some(status) if status.is_server_error() => Error::new(
                PilakeKind::Unreachable,
                format!("the catalog at {host} fails {asked} ({} {said})", status.as_u16()),
            ),
            Some(status) => invalid(format!(
                "the catalog at {host} refuses {asked} ({} {said})",
                status.as_u16()
            )),
        }
    }
}

impl Registration {
    /// Tells the catalog of the table, whose schema is `fields` as the log has them.
    pub fn register(&self, fields: &[Value]) -> Result<()> {
        let name = &self.name;
        let columns: Vec<_> =
            fields.iter().enumerate().map(|(i, field)| column(i, field)).collect();
        let body = json!({
            "name": name.table,
            "catalog_name": name.catalog,
            "schema_name": name.schema,
            "table_type": "EXTERNAL",
            "data_source_format": "DELTA",
            "storage_location": self.url,
            "columns": columns,
        });
        let made = runtime().block_on(self.catalog.ask(Method::POST, "tables", Some(&body)));
        match made {
            Ok(_) => Ok(()),
            // By us, in an answer that was lost, or by another run.
            Err(refusal) if refusal.status == Some(StatusCode::CONFLICT) => Ok(()),
            Err(refusal) => Err(self.catalog.told(
                refusal,
                &format!("to create {}", name.full()),
                &format!(
                    "USE CATALOG on {}, USE SCHEMA and CREATE TABLE on {}, CREATE EXTERNAL TABLE on \
                     the external location of {}",
                    name.catalog,
                    name.schema_name(),
                    self.url
                ),
            )),
        }
    }
}

/// A column as the catalog shows it.
fn column(position: usize, field: &Value) -> Value {
    let kind = field["type"].as_str().unwrap_or("string");
    let (name, text) = match kind {
        "long" => ("LONG", "bigint"),
        "integer" => ("INT", "int"),
        other => (&*other.to_uppercase(), other),
    };
    json!({
        "name": field["name"],
        "type_name": name,
        "type_text": text,
        "type_json": field.to_string(),
        "position": position,
        "nullable": true,
        "comment": field["metadata"]["comment"].as_str().unwrap_or_default(),
    })
}

/// Only of external Delta tables are the files ours to write.
fn judge(name: &TableName, table: &Value) -> Result<()> {
    let text = |member: &str| table[member].as_str().unwrap_or_default();
    let of_catalog = ["delta.feature.catalogManaged", "delta.feature.catalogOwned-preview"];
    let is_on = |feature: &str| table["properties"][feature].as_str() == Some("supported");
    if of_catalog.iter().any(|feature| is_on(feature)) || text("table_type") == "MANAGED" {
        return Err(invalid(format!(
            "{} is a managed table: its versions are the catalog's to make, and pilake makes its own. \
             Let table.path name a table that does not exist yet and table.location a folder of an \
             external location, or CREATE TABLE … USING DELTA LOCATION '…'",
            name.full()
        )));
    }
    if text("table_type") != "EXTERNAL" || text("data_source_format") != "DELTA" {
        return Err(invalid(format!(
            "{} is no external Delta table but {} {}; let table.path name another",
            name.full(),
            text("table_type"),
            text("data_source_format")
        )));
    }
    Ok(())
}

fn may_read(name: &TableName) -> String {
    format!(
        "USE CATALOG on {}, USE SCHEMA on {}, SELECT and MODIFY on {}",
        name.catalog,
        name.schema_name(),
        name.full()
    )
}

// ---------------------------------------------------------------------------------------------
// Keys
// ---------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
enum Subject {
    Table(String),
    /// Of a table that is to be made.
    Path(String),
}

/// Where keys of one table are asked for.
#[derive(Clone)]
struct Desk {
    catalog: Catalog,
    name: TableName,
    subject: Subject,
}

impl Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the catalog for {}", self.name.full())
    }
}

enum Keys {
    Aws(AwsCredential),
    Azure(AzureCredential),
    Gcp(GcpCredential),
    None,
}

/// Keys that are asked for anew before they end.
pub enum Vended {
    Aws(Arc<Leased<AwsCredential>>),
    Azure(Arc<Leased<AzureCredential>>),
    Gcp(Arc<Leased<GcpCredential>>),
}

impl Vended {
    fn of(desk: Desk, first: Lease<Keys>) -> Option<Self> {
        let life = first.life;
        macro_rules! leased {
            ($kind:ident, $credential:expr) => {{
                let pick = |keys| match keys {
                    Keys::$kind(credential) => Some(credential),
                    _ => None,
                };
                let first = Lease { credential: $credential, life };
                Some(Self::$kind(Arc::new(Leased::holding(first, OneKind { desk, pick }))))
            }};
        }
        match first.credential {
            Keys::Aws(credential) => leased!(Aws, credential),
            Keys::Azure(credential) => leased!(Azure, credential),
            Keys::Gcp(credential) => leased!(Gcp, credential),
            Keys::None => None,
        }
    }
}

/// Keys of one kind of store.
struct OneKind<T> {
    desk: Desk,
    pick: fn(Keys) -> Option<T>,
}

impl<T> Debug for OneKind<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.desk.fmt(f)
    }
}

#[async_trait]
impl<T: Send> Lender<T> for OneKind<T> {
    async fn lend(&self) -> Result<Lease<T>> {
        let Lease { credential, life } = self.desk.lend().await?;
        let other = || {
            let message = format!("{:?} gives keys of another store than before", self.desk);
            Error::new(PilakeKind::Malformed, message)
        };
        Ok(Lease { credential: (self.pick)(credential).ok_or_else(other)?, life })
    }
}

impl Desk {
    async fn lend(&self) -> Result<Lease<Keys>> {
        let (path, body) = match &self.subject {
            Subject::Table(id) => {
                ("temporary-table-credentials", json!({"table_id": id, "operation": "READ_WRITE"}))
            }
            Subject::Path(url) => (
                "temporary-path-credentials",
                json!({"url": url, "operation": "PATH_CREATE_TABLE"}),
            ),
        };
        let (said, ahead) =
            self.catalog.ask(Method::POST, path, Some(&body)).await.map_err(|refusal| {
                let needs = match &self.subject {
                    Subject::Table(_) => format!(
                        "EXTERNAL USE SCHEMA on {}, SELECT and MODIFY on {}",
                        self.name.schema_name(),
                        self.name.full()
                    ),
                    Subject::Path(url) => format!(
                        "EXTERNAL USE LOCATION and CREATE EXTERNAL TABLE on the external location \
                         of {url}"
                    ),
                };
                let asked = format!("to lend keys for {}", self.name.full());
                self.catalog.told(refusal, &asked, &needs)
            })?;
        Ok(lease_of(&said, Utc::now() + ahead))
    }
}

/// `now` is by the catalog's clock, as is the end that it says.
fn lease_of(said: &Value, now: DateTime<Utc>) -> Lease<Keys> {
    let ends = said["expiration_time"].as_i64().and_then(DateTime::from_timestamp_millis);
    let life = ends.map(|ends| (ends - now).to_std().unwrap_or(Duration::ZERO));
    let text = |of: &Value, member: &str| of[member].as_str().map(str::to_string);
    let aws = &said["aws_temp_credentials"];
    let credential = if let (Some(key_id), Some(secret_key)) =
        (text(aws, "access_key_id"), text(aws, "secret_access_key"))
    {
        Keys::Aws(AwsCredential { key_id, secret_key, token: text(aws, "session_token") })
    } else if let Some(sas) = text(&said["azure_user_delegation_sas"], "sas_token") {
        let pairs = url::form_urlencoded::parse(sas.trim_start_matches('?').as_bytes());
        Keys::Azure(AzureCredential::SASToken(pairs.into_owned().collect()))
    } else if let Some(token) = text(&said["azure_aad"], "aad_token") {
        Keys::Azure(AzureCredential::BearerToken(token))
    } else if let Some(bearer) = text(&said["gcp_oauth_token"], "oauth_token") {
        Keys::Gcp(GcpCredential { bearer })
    } else {
        Keys::None
    };
    Lease { credential, life }
}

/// A service principal of Databricks: an id and a secret become a token of an hour.
struct ServicePrincipal {
    client: HttpClient,
    url: String,
    id: String,
    secret: String,
}

impl Debug for ServicePrincipal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} for {}", self.url, self.id)
    }
}

#[async_trait]
impl Lender<String> for ServicePrincipal {
    async fn lend(&self) -> Result<Lease<String>> {
        let pair = BASE64_STANDARD.encode(format!("{}:{}", self.id, self.secret));
        let body = "grant_type=client_credentials&scope=all-apis".to_string();
        let form = Some(("application/x-www-form-urlencoded", body));
        let asked =
            send(&self.client, Method::POST, &self.url, Some(format!("Basic {pair}")), form).await;
        let (said, _) = asked.map_err(|refusal| {
            let kind = match refusal.status {
                Some(status) if status.is_client_error() => PilakeKind::Auth,
                _ => PilakeKind::Unreachable,
            };
            let said = format!("{} {}", refusal.code, refusal.message);
            let status =
                refusal.status.map_or(String::new(), |status| format!(" {}", status.as_u16()));
            Error::new(
                kind,
                format!("{} gives {} no token ({}{status})", self.url, self.id, said.trim()),
            )
        })?;
        let credential = said["access_token"].as_str().map(str::to_string).ok_or_else(|| {
            Error::new(PilakeKind::Malformed, format!("{} says no access_token", self.url))
        })?;
        Ok(Lease { credential, life: said["expires_in"].as_u64().map(Duration::from_secs) })
    }
}

// ---------------------------------------------------------------------------------------------
// HTTP
// ---------------------------------------------------------------------------------------------

impl Refusal {
    fn of_ours(error: Error) -> Self {
        let status = (error.kind == PilakeKind::Auth).then_some(StatusCode::UNAUTHORIZED);
        Self { status, code: String::new(), message: error.message }
    }

    fn is_worth_another_try(&self) -> bool {
        let passes = |status: StatusCode| {
            status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
        };
        self.status.is_none_or(passes)
    }
}

/// Asks a few times, if it may help.
async fn send(
    client: &HttpClient,
    method: Method,
    url: &str,
    authorization: Option<String>,
    body: Option<(&str, String)>,
) -> std::result::Result<(Value, chrono::Duration), Refusal> {
    let mut attempt = 1;
    loop {
        match send_once(client, &method, url, &authorization, &body).await {
            Err(refusal) if refusal.is_worth_another_try() && attempt < ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
                attempt += 1;
            }
            other => return other,
        }
    }
}

async fn send_once(
    client: &HttpClient,
    method: &Method,
    url: &str,
    authorization: &Option<String>,
    body: &Option<(&str, String)>,
) -> std::result::Result<(Value, chrono::Duration), Refusal> {
    let lost = |error: &dyn std::error::Error| {
        let mut words = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            words = error.to_string();
            cause = error.source();
        }
        Refusal { status: None, code: String::new(), message: words }
    };
    let mut request = http::Request::builder().method(method.clone()).uri(url);
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let content = match body {
        Some((kind, text)) => {
            request = request.header(header::CONTENT_TYPE, *kind);
            HttpRequestBody::from(text.clone())
        }
        None => HttpRequestBody::empty(),
    };
    let request = request.body(content).map_err(|error| lost(&error))?;
    let answer = client.execute(request).await.map_err(|error| lost(&error))?;
    let (head, content) = answer.into_parts();
    let content = content.bytes().await.map_err(|error| lost(&error))?;
    let said: Option<Value> = serde_json::from_slice(&content).ok();
    if !head.status.is_success() {
        let said = said.unwrap_or_default();
        let text = |member: &str| said[member].as_str().unwrap_or_default().to_string();
        let code = [text("error_code"), text("error")].into_iter().find(|code| !code.is_empty());
        let message =
            [text("message"), text("error_description")].into_iter().find(|m| !m.is_empty());
        return Err(Refusal {
            status: Some(head.status),
            code: code.unwrap_or_default(),
            message: message.unwrap_or_default(),
        });
    }
    let said = said.ok_or_else(|| Refusal {
        status: Some(StatusCode::OK),
        code: String::new(),
        message: "which is no JSON: is this the address of a Unity Catalog?".to_string(),
    })?;
    let date = head.headers.get(header::DATE).and_then(|date| date.to_str().ok());
    let theirs = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    let ahead = theirs.map_or(chrono::Duration::zero(), |theirs| theirs.to_utc() - Utc::now());
    Ok((said, ahead))
}

fn encoded(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

fn invalid(message: String) -> Error {
    Error::new(PilakeKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> TableName {
        TableName::parse("uc://main.plant.pi_timeseries").unwrap().unwrap()
    }

    #[test]
    fn a_name_has_three_parts() {
        assert_eq!(name().full(), "main.plant.pi_timeseries");
        assert_eq!(TableName::parse("s3://bucket/table").unwrap(), None);
        for text in ["uc://main", "uc://main.plant", "uc://a.b.c.d", "uc://a..c", "uc://a.b.c/d"] {
            assert!(TableName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_external_delta_tables_are_ours_to_write() {
        let table = |kind: &str, format: &str, properties: Value| json!({"table_type": kind, "data_source_format": format, "properties": properties});
        assert!(judge(&name(), &table("EXTERNAL", "DELTA", json!({}))).is_ok());
        let managed = json!({"delta.feature.catalogManaged": "supported"});
        for (table, word) in [
            (table("MANAGED", "DELTA", json!({})), "managed"),
            (table("EXTERNAL", "DELTA", managed), "managed"),
            (table("VIEW", "", json!({})), "VIEW"),
            (table("EXTERNAL", "CSV", json!({})), "CSV"),
        ] {
            let error = judge(&name(), &table).unwrap_err();
            assert!(error.message.contains(word), "{error}");
        }
    }

    #[test]
    fn keys_of_each_store_are_understood_and_live_by_the_catalog_s_clock() {
        let now = DateTime::from_timestamp_millis(1_000_000).unwrap();
        let aws = json!({"access_key_id": "I", "secret_access_key": "S", "session_token": "T"});
        let lease =
            lease_of(&json!({"aws_temp_credentials": aws, "expiration_time": 1_060_000}), now);
        assert!(matches!(lease.credential, Keys::Aws(aws) if aws.token.as_deref() == Some("T")));
        assert_eq!(lease.life, Some(Duration::from_secs(60)));
        let sas = json!({"azure_user_delegation_sas": {"sas_token": "sv=1&sig=a%2Fb"}});
        let lease = lease_of(&sas, now);
        let wanted = [("sv", "1"), ("sig", "a/b")].map(|(k, v)| (k.to_string(), v.to_string()));
        assert!(
            matches!(lease.credential, Keys::Azure(AzureCredential::SASToken(t)) if t == wanted)
        );
        assert_eq!(lease.life, None);
        let gcp = json!({"gcp_oauth_token": {"oauth_token": "o"}});
        assert!(matches!(lease_of(&gcp, now).credential, Keys::Gcp(_)));
        assert!(matches!(lease_of(&json!({"url": "file:///x"}), now).credential, Keys::None));
    }

    #[test]
    fn a_column_keeps_its_comment() {
        let field = json!({"name": "tag", "type": "long", "metadata": {"comment": "why"}});
        let column = column(3, &field);
        assert_eq!(column["type_text"], "bigint");
        assert_eq!((&column["comment"], &column["position"]), (&json!("why"), &json!(3)));
    }
}
