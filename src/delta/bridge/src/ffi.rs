// SPDX-License-Identifier: Apache-2.0
//! The C ABI, and the only unsafe code of the bridge. `pilake_bridge.h` is made from this file.
//!
//! Rules of the border:
//! - Every function that can fail returns null, or an error that the caller frees. A panic is caught
//!   and becomes an error.
//! - Pointers to input are valid for the call; text is UTF-8. Nothing of it is kept.
//! - What comes out is owned by the caller and freed by the function of its type; it is written only
//!   on success. What a visitor is shown is valid while it runs; a visitor must not throw.
//! - A handle is used by one thread at a time.
#![allow(unsafe_code, clippy::missing_safety_doc)]

use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Schema};
use arrow::ffi::{from_ffi_and_data_type, to_ffi, FFI_ArrowArray, FFI_ArrowSchema};

use crate::care::Pace;
use crate::commit::CommitRequest;
use crate::encoding::ROW_GROUP_ROWS;
use crate::error::{Error, PilakeKind, Result};
use crate::files::{FileFacts, FileId, KeyColumns};
use crate::hindrance::PilakeEffect;
use crate::log::CommitSummary;
use crate::merge::MergeRequest;
use crate::scan::RowFilter;
use crate::sealed;
use crate::secrets;
use crate::store::{Entry, Location, StoreOptions};
use crate::table::{Table, TableLayout};
use crate::trial;
use crate::writer::{FileWriter, FinishedFile};

/// Bytes or UTF-8 text of the other side.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PilakeText {
    pub data: *const u8,
    pub size: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PilakePair {
    pub key: PilakeText,
    pub value: PilakeText,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PilakeTexts {
    pub data: *const PilakeText,
    pub size: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct PilakePairs {
    pub data: *const PilakePair,
    pub size: usize,
}

/// Bytes that the caller owns; free them with `pilake_bytes_free`.
#[repr(C)]
pub struct PilakeBytes {
    pub data: *mut u8,
    pub size: usize,
    pub capacity: usize,
}

/// A failure that the caller owns; free it with `pilake_error_free`.
#[repr(C)]
pub struct PilakeError {
    pub kind: PilakeKind,
    pub message: PilakeBytes,
}

#[repr(C)]
pub struct PilakeStoreOptions {
    pub pairs: PilakePairs,
    /// Contents of PEM files.
    pub ca_pems: PilakeTexts,
    /// Of the catalog in which names are found.
    pub catalog: PilakePairs,
}

/// A data file as a commit names it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PilakeDataFile {
    pub path: PilakeText,
    pub bytes: i64,
    pub rows: i64,
    pub stats: PilakeText,
    pub modified_ms: i64,
}

/// A data file as it was read: with that deletion vector, if its name is not empty.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PilakeFileId {
    pub path: PilakeText,
    pub deletion_vector: PilakeText,
}

/// What a new version shall change. A domain or application without a name is none.
#[repr(C)]
pub struct PilakeCommitRequest {
    pub add: *const PilakeDataFile,
    pub add_size: usize,
    pub remove: *const PilakeFileId,
    pub remove_size: usize,
    pub data_change: bool,
    pub operation: PilakeText,
    pub domain: PilakeText,
    pub domain_value: PilakeText,
    pub app_id: PilakeText,
    pub app_version: i64,
    pub uuid: PilakeText,
}

/// The columns whose bounds are wanted of files: a text and a long.
#[repr(C)]
pub struct PilakeKeyColumns {
    pub text: PilakeText,
    pub number: PilakeText,
}

/// What the log says of a data file. Bounds are of the key columns, both ends included.
#[repr(C)]
pub struct PilakeFileFacts {
    pub path: PilakeText,
    pub bytes: i64,
    /// -1 if nobody counted them.
    pub rows: i64,
    pub modified_ms: i64,
    /// Names the deletion vector; empty: there is none.
    pub deletion_vector: PilakeText,
    pub data_change: bool,
    /// False if a row may lack a key.
    pub keys_are_whole: bool,
    pub has_texts: bool,
    pub has_numbers: bool,
    pub first_text: PilakeText,
    pub last_text: PilakeText,
    pub first_number: i64,
    pub last_number: i64,
}

#[repr(C)]
pub struct PilakeCommitSummary {
    pub version: i64,
    pub uuid: PilakeText,
    pub operation: PilakeText,
    pub parameters: PilakePairs,
    pub engine: PilakeText,
    pub is_blind_append: bool,
    pub changes_table_id: bool,
    pub changes_schema: bool,
    pub changes_properties: bool,
    pub changes_protocol: bool,
    pub domains: PilakeTexts,
    pub added: *const PilakeFileFacts,
    pub added_size: usize,
    pub removed: *const PilakeFileFacts,
    pub removed_size: usize,
}

/// Something that others switched on in a table.
#[repr(C)]
pub struct PilakeHindrance {
    pub feature: PilakeText,
    pub effect: PilakeEffect,
    pub sentence: PilakeText,
}

/// A file in a table's folder. Ages are by the store's own clock.
#[repr(C)]
pub struct PilakeEntry {
    pub name: PilakeText,
    pub bytes: i64,
    pub modified_ms: i64,
}

/// When a checkpoint is due: the last one is that many commits old, or fewer and that much time.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PilakePace {
    pub commits: i64,
    pub commits_when_old: i64,
    pub old_ms: i64,
}

/// The oldest version that the log still tells of, and when it landed; `value` is the text of the
/// domain that was asked for, if `has_domain`.
#[repr(C)]
pub struct PilakeOldest {
    pub version: i64,
    pub landed_ms: i64,
    pub has_domain: bool,
    pub value: PilakeBytes,
}

/// Rows wanted: of `columns`, where the text column `text` lies in [first, last] and the long column
/// `number` in [begin, end). A column without a name filters nothing. Only of `files`, in that
/// order, if any are named.
#[repr(C)]
pub struct PilakeRowFilter {
    pub columns: PilakeTexts,
    pub text: PilakeText,
    pub first: PilakeText,
    pub last: PilakeText,
    pub number: PilakeText,
    pub begin: i64,
    pub end: i64,
    pub files: PilakeTexts,
}

#[repr(C)]
pub struct PilakeFinishedFile {
    pub bytes: i64,
    pub rows: i64,
    pub modified_ms: i64,
    pub stats: PilakeBytes,
}

/// Files to write anew as fewer ones, sorted by some columns, a text and a long first. `text` is the
/// text column whose values may be of any length.
#[repr(C)]
pub struct PilakeMergeRequest {
    pub files: PilakeTexts,
    pub sorted_by: PilakeTexts,
    pub text: PilakeText,
    pub name: PilakeText,
    pub bounded: PilakeTexts,
    pub file_bytes: i64,
    pub memory_bytes: i64,
}

pub struct PilakeTable(Table);

pub struct PilakeWriter {
    writer: FileWriter,
    schema: Arc<Schema>,
}

pub type PilakeVisitText = extern "C" fn(context: *mut c_void, text: PilakeText);
pub type PilakeVisitCommit =
    extern "C" fn(context: *mut c_void, commit: *const PilakeCommitSummary);
pub type PilakeVisitFile = extern "C" fn(context: *mut c_void, file: *const PilakeFileFacts);
pub type PilakeVisitEntry = extern "C" fn(context: *mut c_void, entry: *const PilakeEntry);
pub type PilakeVisitDataFile = extern "C" fn(context: *mut c_void, file: *const PilakeDataFile);
pub type PilakeVisitHindrance =
    extern "C" fn(context: *mut c_void, hindrance: *const PilakeHindrance);
/// Takes over array and schema; false ends the visit.
pub type PilakeVisitBatch = extern "C" fn(
    context: *mut c_void,
    array: *mut FFI_ArrowArray,
    schema: *mut FFI_ArrowSchema,
) -> bool;

// ---------------------------------------------------------------------------------------------
// What is freed
// ---------------------------------------------------------------------------------------------

#[no_mangle]
pub unsafe extern "C" fn pilake_error_free(error: *mut PilakeError) {
    if !error.is_null() {
        let error = unsafe { Box::from_raw(error) };
        unsafe { pilake_bytes_free(error.message) };
    }
}

#[no_mangle]
pub unsafe extern "C" fn pilake_bytes_free(bytes: PilakeBytes) {
    if !bytes.data.is_null() {
        drop(unsafe { Vec::from_raw_parts(bytes.data, bytes.size, bytes.capacity) });
    }
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_free(table: *mut PilakeTable) {
    unsafe { free(table) }
}

/// A file that is not finished is taken back.
#[no_mangle]
pub unsafe extern "C" fn pilake_writer_free(writer: *mut PilakeWriter) {
    unsafe { free(writer) }
}

// ---------------------------------------------------------------------------------------------
// Tables
// ---------------------------------------------------------------------------------------------

#[no_mangle]
pub unsafe extern "C" fn pilake_table_open(
    url: PilakeText,
    options: *const PilakeStoreOptions,
    table: *mut *mut PilakeTable,
) -> *mut PilakeError {
    guard(|| {
        let opened = Table::open(unsafe { url.text() }?, &unsafe { (*options).read() }?)?;
        unsafe { *table = Box::into_raw(Box::new(PilakeTable(opened))) };
        Ok(())
    })
}

/// Proves with the file `name` that a table could be made at `url`; leaves nothing behind.
#[no_mangle]
pub unsafe extern "C" fn pilake_store_probe(
    url: PilakeText,
    options: *const PilakeStoreOptions,
    name: PilakeText,
) -> *mut PilakeError {
    guard(|| {
        let (url, options) = (unsafe { url.text() }?, unsafe { (*options).read() }?);
        Location::parse_for_new(url, &options)?.probe(unsafe { name.text() }?)
    })
}

/// Consumes `schema`. `probe` is a name that nobody else has, for trying the store out.
#[no_mangle]
pub unsafe extern "C" fn pilake_table_create(
    url: PilakeText,
    options: *const PilakeStoreOptions,
    schema: *mut FFI_ArrowSchema,
    clustered_by: PilakeTexts,
    properties: PilakePairs,
    probe: PilakeText,
    table: *mut *mut PilakeTable,
) -> *mut PilakeError {
    guard(|| {
        let schema = unsafe { FFI_ArrowSchema::from_raw(schema) };
        let layout = TableLayout {
            schema: Schema::try_from(&schema)?,
            clustered_by: unsafe { clustered_by.read() }?,
            properties: unsafe { properties.read() }?,
        };
        let (url, options) = (unsafe { url.text() }?, unsafe { (*options).read() }?);
        let created = Table::create(url, &options, &layout, unsafe { probe.text() }?)?;
        unsafe { *table = Box::into_raw(Box::new(PilakeTable(created))) };
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_refresh(table: *mut PilakeTable) -> *mut PilakeError {
    guard(|| unsafe { &mut (*table).0 }.refresh())
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_version(table: *const PilakeTable) -> i64 {
    unsafe { &(*table).0 }.version() as i64
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_id(
    table: *const PilakeTable,
    id: *mut PilakeBytes,
) -> *mut PilakeError {
    guard(|| {
        let text = unsafe { &(*table).0 }.id();
        unsafe { *id = own(text.into_bytes()) };
        Ok(())
    })
}

/// The caller releases the schema.
#[no_mangle]
pub unsafe extern "C" fn pilake_table_schema(
    table: *const PilakeTable,
    schema: *mut FFI_ArrowSchema,
) -> *mut PilakeError {
    guard(|| {
        let exported = FFI_ArrowSchema::try_from(unsafe { &(*table).0 }.schema()?)?;
        unsafe { std::ptr::write(schema, exported) };
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_domain(
    table: *const PilakeTable,
    name: PilakeText,
    found: *mut bool,
    value: *mut PilakeBytes,
) -> *mut PilakeError {
    guard(|| {
        let domain = unsafe { &(*table).0 }.domain(unsafe { name.text() }?)?;
        unsafe { *found = domain.is_some() };
        if let Some(text) = domain {
            unsafe { *value = own(text.into_bytes()) };
        }
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_txn_version(
    table: *const PilakeTable,
    app_id: PilakeText,
    found: *mut bool,
    version: *mut i64,
) -> *mut PilakeError {
    guard(|| {
        let txn = unsafe { &(*table).0 }.txn_version(unsafe { app_id.text() }?)?;
        unsafe { *found = txn.is_some() };
        unsafe { *version = txn.unwrap_or(0) };
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_commits_since(
    table: *const PilakeTable,
    version: i64,
    keys: *const PilakeKeyColumns,
    context: *mut c_void,
    visit: PilakeVisitCommit,
) -> *mut PilakeError {
    guard(|| {
        let keys = unsafe { (*keys).read() }?;
        for commit in unsafe { &(*table).0 }.commits_since(version as u64, &keys)? {
            show_commit(&commit, |shown| visit(context, shown));
        }
        Ok(())
    })
}

/// Judges what others switched on in this version. `bounded` names the columns that our files have
/// bounds of.
#[no_mangle]
pub unsafe extern "C" fn pilake_table_hindrances(
    table: *const PilakeTable,
    bounded: PilakeTexts,
    context: *mut c_void,
    visit: PilakeVisitHindrance,
) -> *mut PilakeError {
    guard(|| {
        for one in unsafe { &(*table).0 }.hindrances(&unsafe { bounded.read() }?)? {
            let shown = PilakeHindrance {
                feature: PilakeText::of(&one.feature),
                effect: one.effect,
                sentence: PilakeText::of(&one.sentence),
            };
            visit(context, &shown);
        }
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_commit(
    table: *mut PilakeTable,
    request: *const PilakeCommitRequest,
    version: *mut i64,
) -> *mut PilakeError {
    guard(|| {
        let request = unsafe { (*request).read() }?;
        let committed = unsafe { &mut (*table).0 }.commit(&request)?;
        unsafe { *version = committed as i64 };
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_files(
    table: *const PilakeTable,
    keys: *const PilakeKeyColumns,
    context: *mut c_void,
    visit: PilakeVisitFile,
) -> *mut PilakeError {
    guard(|| {
        let keys = unsafe { (*keys).read() }?;
        for file in unsafe { &(*table).0 }.active_files(&keys)? {
            visit(context, &PilakeFileFacts::of(&file));
        }
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_scan(
    table: *const PilakeTable,
    filter: *const PilakeRowFilter,
    context: *mut c_void,
    visit: PilakeVisitBatch,
) -> *mut PilakeError {
    guard(|| {
        let filter = unsafe { (*filter).read() }?;
        unsafe { &(*table).0 }.scan(&filter, |batch| {
            let (mut array, mut schema) = export(batch)?;
            let more = visit(context, &mut array, &mut schema);
            // Both are the visitor's now; it has released them.
            std::mem::forget((array, schema));
            Ok(more)
        })
    })
}

/// Shows the files that may stand in place of those of the request. Nothing is committed.
#[no_mangle]
pub unsafe extern "C" fn pilake_table_merge(
    table: *const PilakeTable,
    request: *const PilakeMergeRequest,
    context: *mut c_void,
    visit: PilakeVisitDataFile,
) -> *mut PilakeError {
    guard(|| {
        for (path, file) in unsafe { &(*table).0 }.merge(&unsafe { (*request).read() }?)? {
            visit(context, &PilakeDataFile::of(&path, &file));
        }
        Ok(())
    })
}

/// Writes a checkpoint if one is due.
#[no_mangle]
pub unsafe extern "C" fn pilake_table_checkpoint(
    table: *mut PilakeTable,
    pace: PilakePace,
    written: *mut bool,
) -> *mut PilakeError {
    guard(|| {
        let done = unsafe { &mut (*table).0 }.checkpoint_if_due(pace.read())?;
        unsafe { *written = done };
        Ok(())
    })
}

/// Deletes at most `limit` files of the log that retention does not ask for. Commits behind
/// `keep_from` stay. To be called when a checkpoint has just been written.
#[no_mangle]
pub unsafe extern "C" fn pilake_table_clean_log(
    table: *const PilakeTable,
    keep_from: i64,
    limit: i64,
    deleted: *mut i64,
) -> *mut PilakeError {
    guard(|| {
        let (keep_from, limit) = (keep_from.max(0) as u64, limit.max(0) as usize);
        let done = unsafe { &(*table).0 }.clean_log(keep_from, limit)?;
        unsafe { *deleted = done as i64 };
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_oldest(
    table: *const PilakeTable,
    domain: PilakeText,
    found: *mut bool,
    oldest: *mut PilakeOldest,
) -> *mut PilakeError {
    guard(|| {
        let known = unsafe { &(*table).0 }.oldest(unsafe { domain.text() }?)?;
        unsafe { *found = known.is_some() };
        let Some(known) = known else { return Ok(()) };
        let shown = PilakeOldest {
            version: known.version as i64,
            landed_ms: known.landed_ms,
            has_domain: known.domain.is_some(),
            value: own(known.domain.unwrap_or_default().into_bytes()),
        };
        unsafe { *oldest = shown };
        Ok(())
    })
}

/// How long files that left the table stay for readers of older versions.
#[no_mangle]
pub unsafe extern "C" fn pilake_table_file_retention_ms(table: *const PilakeTable) -> i64 {
    unsafe { &(*table).0 }.file_retention().as_millis() as i64
}

/// Deletes what no version needs and is older than `age_ms`, by the table's retention if that is
/// negative; `dry_run`: only shows it. `probe` is a name that nobody else has.
#[no_mangle]
pub unsafe extern "C" fn pilake_table_vacuum(
    table: *mut PilakeTable,
    age_ms: i64,
    dry_run: bool,
    probe: PilakeText,
    context: *mut c_void,
    visit: PilakeVisitEntry,
) -> *mut PilakeError {
    guard(|| {
        let age = u64::try_from(age_ms).ok().map(Duration::from_millis);
        let table = unsafe { &mut (*table).0 };
        for entry in table.vacuum(age, dry_run, unsafe { probe.text() }?)? {
            visit(context, &PilakeEntry::of(&entry));
        }
        Ok(())
    })
}

/// Writes a checksum of the version unless it has one.
#[no_mangle]
pub unsafe extern "C" fn pilake_table_checksum(
    table: *mut PilakeTable,
    written: *mut bool,
) -> *mut PilakeError {
    guard(|| {
        let done = unsafe { &mut (*table).0 }.checksum_if_missing()?;
        unsafe { *written = done };
        Ok(())
    })
}

// ---------------------------------------------------------------------------------------------
// Other files of a table's folder; names are relative to it
// ---------------------------------------------------------------------------------------------

/// Refuses (`Conflict`) to write over a file.
#[no_mangle]
pub unsafe extern "C" fn pilake_table_put_new(
    table: *const PilakeTable,
    name: PilakeText,
    bytes: PilakeText,
) -> *mut PilakeError {
    guard(|| {
        let location = &unsafe { &(*table).0 }.location;
        location.put_new(unsafe { name.text() }?, unsafe { bytes.bytes() })
    })
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_get(
    table: *const PilakeTable,
    name: PilakeText,
    bytes: *mut PilakeBytes,
) -> *mut PilakeError {
    guard(|| {
        let found = unsafe { &(*table).0 }.location.get(unsafe { name.text() }?)?;
        unsafe { *bytes = own(found.to_vec()) };
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn pilake_table_delete(
    table: *const PilakeTable,
    name: PilakeText,
) -> *mut PilakeError {
    guard(|| unsafe { &(*table).0 }.location.delete(unsafe { name.text() }?))
}

/// Shows the files directly in `folder`, by name.
#[no_mangle]
pub unsafe extern "C" fn pilake_table_list(
    table: *const PilakeTable,
    folder: PilakeText,
    context: *mut c_void,
    visit: PilakeVisitEntry,
) -> *mut PilakeError {
    guard(|| {
        let (mut files, _) = unsafe { &(*table).0 }.location.entries(unsafe { folder.text() }?)?;
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files.iter().for_each(|entry| visit(context, &PilakeEntry::of(entry)));
        Ok(())
    })
}

/// Proves with the file `name` that the store refuses the second of two creators.
#[no_mangle]
pub unsafe extern "C" fn pilake_table_probe_atomic_create(
    table: *const PilakeTable,
    name: PilakeText,
) -> *mut PilakeError {
    guard(|| unsafe { &(*table).0 }.location.probe_atomic_create(unsafe { name.text() }?))
}

// ---------------------------------------------------------------------------------------------
// Data files
// ---------------------------------------------------------------------------------------------

/// Opens the data file `name`. Consumes `schema`; its dictionaries become plain columns. `bounded`
/// names the columns whose bounds go into the statistics.
#[no_mangle]
pub unsafe extern "C" fn pilake_writer_open(
    table: *const PilakeTable,
    name: PilakeText,
    schema: *mut FFI_ArrowSchema,
    bounded: PilakeTexts,
    writer: *mut *mut PilakeWriter,
) -> *mut PilakeError {
    guard(|| {
        let schema = unsafe { FFI_ArrowSchema::from_raw(schema) };
        let schema = Arc::new(Schema::try_from(&schema)?);
        let location = &unsafe { &(*table).0 }.location;
        let (name, bounded) = (unsafe { name.text() }?, unsafe { bounded.read() }?);
        let opened = FileWriter::open(location, name, schema.clone(), &bounded, ROW_GROUP_ROWS)?;
        let handle = PilakeWriter { writer: opened, schema };
        unsafe { *writer = Box::into_raw(Box::new(handle)) };
        Ok(())
    })
}

/// Consumes `array`: it is released when the call returns.
#[no_mangle]
pub unsafe extern "C" fn pilake_writer_append(
    writer: *mut PilakeWriter,
    array: *mut FFI_ArrowArray,
) -> *mut PilakeError {
    guard(|| {
        let writer = unsafe { &mut *writer };
        let batch = unsafe { import(array, &writer.schema) }?;
        writer.writer.append(&batch)
    })
}

#[no_mangle]
pub unsafe extern "C" fn pilake_writer_bytes(writer: *const PilakeWriter) -> i64 {
    unsafe { &(*writer).writer }.bytes() as i64
}

/// Memory that the writer holds.
#[no_mangle]
pub unsafe extern "C" fn pilake_writer_memory(writer: *const PilakeWriter) -> i64 {
    unsafe { &(*writer).writer }.memory_bytes() as i64
}

#[no_mangle]
pub unsafe extern "C" fn pilake_writer_finish(
    writer: *mut PilakeWriter,
    file: *mut PilakeFinishedFile,
) -> *mut PilakeError {
    guard(|| {
        let done = unsafe { &mut (*writer).writer }.finish()?;
        let done = PilakeFinishedFile {
            bytes: done.bytes as i64,
            rows: done.rows as i64,
            modified_ms: done.modified_ms,
            stats: own(done.stats.into_bytes()),
        };
        unsafe { *file = done };
        Ok(())
    })
}

// ---------------------------------------------------------------------------------------------
// Sealed Parquet files in memory
// ---------------------------------------------------------------------------------------------

/// Consumes `array` and `schema`.
#[no_mangle]
pub unsafe extern "C" fn pilake_sealed_encode(
    array: *mut FFI_ArrowArray,
    schema: *mut FFI_ArrowSchema,
    bytes: *mut PilakeBytes,
) -> *mut PilakeError {
    guard(|| {
        let schema = unsafe { FFI_ArrowSchema::from_raw(schema) };
        let schema = Arc::new(Schema::try_from(&schema)?);
        let encoded = sealed::encode(&unsafe { import(array, &schema) }?)?;
        unsafe { *bytes = own(encoded) };
        Ok(())
    })
}

/// The caller releases array and schema.
#[no_mangle]
pub unsafe extern "C" fn pilake_sealed_decode(
    bytes: PilakeText,
    array: *mut FFI_ArrowArray,
    schema: *mut FFI_ArrowSchema,
) -> *mut PilakeError {
    guard(|| {
        let exported = export(sealed::decode(unsafe { bytes.bytes() })?)?;
        unsafe { std::ptr::write(array, exported.0) };
        unsafe { std::ptr::write(schema, exported.1) };
        Ok(())
    })
}

// ---------------------------------------------------------------------------------------------
// Trials
// ---------------------------------------------------------------------------------------------

/// Shows the steps at which a process can be made to die, for tests; see bridge/src/trial.rs.
#[no_mangle]
pub extern "C" fn pilake_trial_steps(context: *mut c_void, visit: PilakeVisitText) {
    trial::steps().iter().for_each(|step| visit(context, PilakeText::of(step)));
}

// ---------------------------------------------------------------------------------------------
// Across the border
// ---------------------------------------------------------------------------------------------

/// As kill -9 does it: nothing is tidied up.
pub fn die() {
    unsafe { libc::raise(libc::SIGKILL) };
}

fn guard(work: impl FnOnce() -> Result<()>) -> *mut PilakeError {
    let error = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return std::ptr::null_mut(),
        Ok(Err(error)) => error,
        Err(panic) => Error::new(PilakeKind::Internal, describe(panic.as_ref())),
    };
    let message = own(secrets::hide(error.message).into_bytes());
    Box::into_raw(Box::new(PilakeError { kind: error.kind, message }))
}

fn describe(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied();
    let words = words.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the bridge panicked: {}", words.unwrap_or("without a word"))
}

fn own(bytes: Vec<u8>) -> PilakeBytes {
    let mut bytes = std::mem::ManuallyDrop::new(bytes);
    PilakeBytes { data: bytes.as_mut_ptr(), size: bytes.len(), capacity: bytes.capacity() }
}

unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // A panic while something is dropped leaves nothing to report to.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(handle) })));
    }
}

unsafe fn import(array: *mut FFI_ArrowArray, schema: &Arc<Schema>) -> Result<RecordBatch> {
    let array = unsafe { FFI_ArrowArray::from_raw(array) };
    let kind = DataType::Struct(schema.fields().clone());
    let data = unsafe { from_ffi_and_data_type(array, kind) }?;
    Ok(RecordBatch::from(StructArray::from(data)))
}

fn export(batch: RecordBatch) -> Result<(FFI_ArrowArray, FFI_ArrowSchema)> {
    Ok(to_ffi(&StructArray::from(batch).to_data())?)
}

fn show_commit(commit: &CommitSummary, show: impl FnOnce(&PilakeCommitSummary)) {
    let facts = |files: &[FileFacts]| files.iter().map(PilakeFileFacts::of).collect();
    let (added, removed): (Vec<_>, Vec<_>) = (facts(&commit.added), facts(&commit.removed));
    let domains: Vec<_> = commit.domains.iter().map(|name| PilakeText::of(name)).collect();
    let pair = |(key, value): &(String, String)| PilakePair {
        key: PilakeText::of(key),
        value: PilakeText::of(value),
    };
    let parameters: Vec<_> = commit.parameters.iter().map(pair).collect();
    show(&PilakeCommitSummary {
        version: commit.version as i64,
        uuid: PilakeText::of(&commit.uuid),
        operation: PilakeText::of(&commit.operation),
        parameters: PilakePairs { data: parameters.as_ptr(), size: parameters.len() },
        engine: PilakeText::of(&commit.engine),
        is_blind_append: commit.is_blind_append,
        changes_table_id: commit.metadata_change.table_id,
        changes_schema: commit.metadata_change.schema,
        changes_properties: commit.metadata_change.properties,
        changes_protocol: commit.changes_protocol,
        domains: PilakeTexts { data: domains.as_ptr(), size: domains.len() },
        added: added.as_ptr(),
        added_size: added.len(),
        removed: removed.as_ptr(),
        removed_size: removed.len(),
    });
}

impl PilakeFileFacts {
    fn of(file: &FileFacts) -> Self {
        let (first_text, last_text) =
            file.texts.as_ref().map_or(("", ""), |(first, last)| (first.as_str(), last.as_str()));
        let (first_number, last_number) = file.numbers.unwrap_or_default();
        Self {
            path: PilakeText::of(&file.path),
            bytes: file.bytes,
            rows: file.rows.unwrap_or(-1),
            modified_ms: file.modified_ms,
            deletion_vector: PilakeText::of(&file.deletion_vector),
            data_change: file.data_change,
            keys_are_whole: file.keys_are_whole,
            has_texts: file.texts.is_some(),
            has_numbers: file.numbers.is_some(),
            first_text: PilakeText::of(first_text),
            last_text: PilakeText::of(last_text),
            first_number,
            last_number,
        }
    }
}

impl PilakeEntry {
    fn of(entry: &Entry) -> Self {
        let (bytes, modified_ms) = (entry.bytes as i64, entry.modified_ms);
        Self { name: PilakeText::of(&entry.name), bytes, modified_ms }
    }
}

impl PilakePace {
    fn read(self) -> Pace {
        Pace {
            commits: self.commits.max(0) as u64,
            commits_when_old: self.commits_when_old.max(0) as u64,
            old: Duration::from_millis(self.old_ms.max(0) as u64),
        }
    }
}

impl PilakeKeyColumns {
    unsafe fn read(&self) -> Result<KeyColumns> {
        Ok(KeyColumns {
            text: unsafe { self.text.string() }?,
            number: unsafe { self.number.string() }?,
        })
    }
}

unsafe fn slice<'a, T>(data: *const T, size: usize) -> &'a [T] {
    if size == 0 {
        return &[];
    }
    unsafe { std::slice::from_raw_parts(data, size) }
}

impl PilakeText {
    fn of(text: &str) -> Self {
        Self { data: text.as_ptr(), size: text.len() }
    }

    unsafe fn bytes<'a>(self) -> &'a [u8] {
        unsafe { slice(self.data, self.size) }
    }

    unsafe fn text<'a>(self) -> Result<&'a str> {
        std::str::from_utf8(unsafe { self.bytes() })
            .map_err(|error| Error::new(PilakeKind::Invalid, format!("not UTF-8: {error}")))
    }

    unsafe fn string(self) -> Result<String> {
        Ok(unsafe { self.text() }?.to_string())
    }
}

impl PilakeTexts {
    unsafe fn read(self) -> Result<Vec<String>> {
        let texts = unsafe { slice(self.data, self.size) };
        texts.iter().map(|text| unsafe { text.string() }).collect()
    }
}

impl PilakePairs {
    unsafe fn read(self) -> Result<Vec<(String, String)>> {
        let pairs = unsafe { slice(self.data, self.size) };
        let pair = |pair: &PilakePair| unsafe { Ok((pair.key.string()?, pair.value.string()?)) };
        pairs.iter().map(pair).collect()
    }
}

impl PilakeStoreOptions {
    unsafe fn read(&self) -> Result<StoreOptions> {
        let pems = unsafe { slice(self.ca_pems.data, self.ca_pems.size) };
        Ok(StoreOptions {
            pairs: unsafe { self.pairs.read() }?,
            ca_pems: pems.iter().map(|pem| unsafe { pem.bytes() }.to_vec()).collect(),
            catalog: unsafe { self.catalog.read() }?,
        })
    }
}

impl PilakeMergeRequest {
    unsafe fn read(&self) -> Result<MergeRequest> {
        Ok(MergeRequest {
            files: unsafe { self.files.read() }?,
            sorted_by: unsafe { self.sorted_by.read() }?,
            text: unsafe { self.text.string() }?,
            name: unsafe { self.name.string() }?,
            bounded: unsafe { self.bounded.read() }?,
            file_bytes: self.file_bytes.max(1) as u64,
            memory_bytes: self.memory_bytes.max(1) as u64,
        })
    }
}

impl PilakeDataFile {
    fn of(path: &str, file: &FinishedFile) -> Self {
        Self {
            path: PilakeText::of(path),
            bytes: file.bytes as i64,
            rows: file.rows as i64,
            stats: PilakeText::of(&file.stats),
            modified_ms: file.modified_ms,
        }
    }

    unsafe fn read(&self) -> Result<(String, FinishedFile)> {
        let file = FinishedFile {
            bytes: self.bytes as u64,
            rows: self.rows as u64,
            stats: unsafe { self.stats.string() }?,
            modified_ms: self.modified_ms,
        };
        Ok((unsafe { self.path.string() }?, file))
    }
}

impl PilakeFileId {
    unsafe fn read(&self) -> Result<FileId> {
        Ok(FileId {
            path: unsafe { self.path.string() }?,
            deletion_vector: unsafe { self.deletion_vector.string() }?,
        })
    }
}

impl PilakeCommitRequest {
    unsafe fn read(&self) -> Result<CommitRequest> {
        let add = unsafe { slice(self.add, self.add_size) };
        let add = add.iter().map(|file| unsafe { file.read() }).collect::<Result<_>>()?;
        let remove = unsafe { slice(self.remove, self.remove_size) };
        let remove = remove.iter().map(|file| unsafe { file.read() }).collect::<Result<_>>()?;
        let domain = unsafe { (self.domain.string()?, self.domain_value.string()?) };
        let txn = (unsafe { self.app_id.string() }?, self.app_version);
        Ok(CommitRequest {
            add,
            remove,
            data_change: self.data_change,
            operation: unsafe { self.operation.string() }?,
            domain: Some(domain).filter(|(name, _)| !name.is_empty()),
            txn: Some(txn).filter(|(app_id, _)| !app_id.is_empty()),
            uuid: unsafe { self.uuid.string() }?,
        })
    }
}

impl PilakeRowFilter {
    unsafe fn read(&self) -> Result<RowFilter> {
        let texts = unsafe { (self.text.string()?, self.first.string()?, self.last.string()?) };
        let numbers = (unsafe { self.number.string() }?, self.begin, self.end);
        Ok(RowFilter {
            columns: unsafe { self.columns.read() }?,
            texts: Some(texts).filter(|(name, ..)| !name.is_empty()),
            numbers: Some(numbers).filter(|(name, ..)| !name.is_empty()),
            files: unsafe { self.files.read() }?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(error: *mut PilakeError) -> (PilakeKind, String) {
        assert!(!error.is_null());
        let (kind, message) = unsafe {
            let message = std::slice::from_raw_parts((*error).message.data, (*error).message.size);
            ((*error).kind, String::from_utf8(message.to_vec()).unwrap())
        };
        unsafe { pilake_error_free(error) };
        (kind, message)
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let (kind, message) = taken(guard(|| panic!("boom")));
        assert_eq!(kind, PilakeKind::Internal);
        assert!(message.contains("boom"), "{message}");
    }

    #[test]
    fn text_that_is_not_utf8_is_refused() {
        let url = PilakeText { data: b"\xff\xfe".as_ptr(), size: 2 };
        let options = PilakeStoreOptions {
            pairs: PilakePairs { data: std::ptr::null(), size: 0 },
            ca_pems: PilakeTexts { data: std::ptr::null(), size: 0 },
            catalog: PilakePairs { data: std::ptr::null(), size: 0 },
        };
        let mut table = std::ptr::null_mut();
        let (kind, _) = taken(unsafe { pilake_table_open(url, &options, &mut table) });
        assert_eq!(kind, PilakeKind::Invalid);
        assert!(table.is_null());
    }
}
