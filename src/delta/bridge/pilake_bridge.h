// SPDX-License-Identifier: Apache-2.0
// The C ABI of the Rust bridge. Made from bridge/src/ffi.rs, whose head tells the rules; a test of
// the bridge compares the two (PILAKE_WRITE_HEADER=1 cargo test --release header).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ArrowArray;
struct ArrowSchema;

// The part of C++'s `ErrorKind` that a table can tell of. The numbers are part of the C ABI.
typedef enum PilakeKind {
  PilakeKind_Auth = 1,
  PilakeKind_NotFound = 2,
  PilakeKind_Malformed = 3,
  PilakeKind_Conflict = 4,
  PilakeKind_CommitUnknown = 5,
  PilakeKind_Invalid = 6,
  PilakeKind_Unreachable = 7,
  PilakeKind_Internal = 8,
} PilakeKind;

// What a feature keeps us from, least first. The numbers are part of the C ABI.
typedef enum PilakeEffect {
  PilakeEffect_None = 0,
  PilakeEffect_NoDataRemoves = 1,
  PilakeEffect_NoRemoves = 2,
  PilakeEffect_Stop = 3,
} PilakeEffect;

// Bytes or UTF-8 text of the other side.
typedef struct PilakeText {
  const uint8_t *data;
  size_t size;
} PilakeText;

typedef struct PilakePair {
  PilakeText key;
  PilakeText value;
} PilakePair;

typedef struct PilakeTexts {
  const PilakeText *data;
  size_t size;
} PilakeTexts;

typedef struct PilakePairs {
  const PilakePair *data;
  size_t size;
} PilakePairs;

// Bytes that the caller owns; free them with `pilake_bytes_free`.
typedef struct PilakeBytes {
  uint8_t *data;
  size_t size;
  size_t capacity;
} PilakeBytes;

// A failure that the caller owns; free it with `pilake_error_free`.
typedef struct PilakeError {
  PilakeKind kind;
  PilakeBytes message;
} PilakeError;

typedef struct PilakeStoreOptions {
  PilakePairs pairs;
  PilakeTexts ca_pems;
  PilakePairs catalog;
} PilakeStoreOptions;

// A data file as a commit names it.
typedef struct PilakeDataFile {
  PilakeText path;
  int64_t bytes;
  int64_t rows;
  PilakeText stats;
  int64_t modified_ms;
} PilakeDataFile;

// A data file as it was read: with that deletion vector, if its name is not empty.
typedef struct PilakeFileId {
  PilakeText path;
  PilakeText deletion_vector;
} PilakeFileId;

// What a new version shall change. A domain or application without a name is none.
typedef struct PilakeCommitRequest {
  const PilakeDataFile *add;
  size_t add_size;
  const PilakeFileId *remove;
  size_t remove_size;
  bool data_change;
  PilakeText operation;
  PilakeText domain;
  PilakeText domain_value;
  PilakeText app_id;
  int64_t app_version;
  PilakeText uuid;
} PilakeCommitRequest;

// The columns whose bounds are wanted of files: a text and a long.
typedef struct PilakeKeyColumns {
  PilakeText text;
  PilakeText number;
} PilakeKeyColumns;

// What the log says of a data file. Bounds are of the key columns, both ends included.
typedef struct PilakeFileFacts {
  PilakeText path;
  int64_t bytes;
  int64_t rows;
  int64_t modified_ms;
  PilakeText deletion_vector;
  bool data_change;
  bool keys_are_whole;
  bool has_texts;
  bool has_numbers;
  PilakeText first_text;
  PilakeText last_text;
  int64_t first_number;
  int64_t last_number;
} PilakeFileFacts;

typedef struct PilakeCommitSummary {
  int64_t version;
  PilakeText uuid;
  PilakeText operation;
  PilakePairs parameters;
  PilakeText engine;
  bool is_blind_append;
  bool changes_table_id;
  bool changes_schema;
  bool changes_properties;
  bool changes_protocol;
  PilakeTexts domains;
  const PilakeFileFacts *added;
  size_t added_size;
  const PilakeFileFacts *removed;
  size_t removed_size;
} PilakeCommitSummary;

// Something that others switched on in a table.
typedef struct PilakeHindrance {
  PilakeText feature;
  PilakeEffect effect;
  PilakeText sentence;
} PilakeHindrance;

// A file in a table's folder. Ages are by the store's own clock.
typedef struct PilakeEntry {
  PilakeText name;
  int64_t bytes;
  int64_t modified_ms;
} PilakeEntry;

// When a checkpoint is due: the last one is that many commits old, or fewer and that much time.
typedef struct PilakePace {
  int64_t commits;
  int64_t commits_when_old;
  int64_t old_ms;
} PilakePace;

// The oldest version that the log still tells of, and when it landed; `value` is the text of the
// domain that was asked for, if `has_domain`.
typedef struct PilakeOldest {
  int64_t version;
  int64_t landed_ms;
  bool has_domain;
  PilakeBytes value;
} PilakeOldest;

// Rows wanted: of `columns`, where the text column `text` lies in [first, last] and the long column
// `number` in [begin, end). A column without a name filters nothing. Only of `files`, in that
// order, if any are named.
typedef struct PilakeRowFilter {
  PilakeTexts columns;
  PilakeText text;
  PilakeText first;
  PilakeText last;
  PilakeText number;
  int64_t begin;
  int64_t end;
  PilakeTexts files;
} PilakeRowFilter;

typedef struct PilakeFinishedFile {
  int64_t bytes;
  int64_t rows;
  int64_t modified_ms;
  PilakeBytes stats;
} PilakeFinishedFile;

// Files to write anew as fewer ones, sorted by some columns, a text and a long first. `text` is the
// text column whose values may be of any length.
typedef struct PilakeMergeRequest {
  PilakeTexts files;
  PilakeTexts sorted_by;
  PilakeText text;
  PilakeText name;
  PilakeTexts bounded;
  int64_t file_bytes;
  int64_t memory_bytes;
} PilakeMergeRequest;

typedef struct PilakeTable PilakeTable;

typedef struct PilakeWriter PilakeWriter;

typedef void (*PilakeVisitText)(void *context, PilakeText text);

typedef void (*PilakeVisitCommit)(void *context, const PilakeCommitSummary *commit);

typedef void (*PilakeVisitFile)(void *context, const PilakeFileFacts *file);

typedef void (*PilakeVisitEntry)(void *context, const PilakeEntry *entry);

typedef void (*PilakeVisitDataFile)(void *context, const PilakeDataFile *file);

typedef void (*PilakeVisitHindrance)(void *context, const PilakeHindrance *hindrance);

// Takes over array and schema; false ends the visit.
typedef bool (*PilakeVisitBatch)(void *context, struct ArrowArray *array, struct ArrowSchema *schema);

void pilake_error_free(PilakeError *error);

void pilake_bytes_free(PilakeBytes bytes);

void pilake_table_free(PilakeTable *table);

// A file that is not finished is taken back.
void pilake_writer_free(PilakeWriter *writer);

PilakeError *pilake_table_open(PilakeText url, const PilakeStoreOptions *options, PilakeTable **table);

// Proves with the file `name` that a table could be made at `url`; leaves nothing behind.
PilakeError *pilake_store_probe(PilakeText url, const PilakeStoreOptions *options, PilakeText name);

// Consumes `schema`. `probe` is a name that nobody else has, for trying the store out.
PilakeError *pilake_table_create(PilakeText url, const PilakeStoreOptions *options, struct ArrowSchema *schema, PilakeTexts clustered_by, PilakePairs properties, PilakeText probe, PilakeTable **table);

PilakeError *pilake_table_refresh(PilakeTable *table);

int64_t pilake_table_version(const PilakeTable *table);

PilakeError *pilake_table_id(const PilakeTable *table, PilakeBytes *id);

// The caller releases the schema.
PilakeError *pilake_table_schema(const PilakeTable *table, struct ArrowSchema *schema);

PilakeError *pilake_table_domain(const PilakeTable *table, PilakeText name, bool *found, PilakeBytes *value);

PilakeError *pilake_table_txn_version(const PilakeTable *table, PilakeText app_id, bool *found, int64_t *version);

PilakeError *pilake_table_commits_since(const PilakeTable *table, int64_t version, const PilakeKeyColumns *keys, void *context, PilakeVisitCommit visit);

// Judges what others switched on in this version. `bounded` names the columns that our files have
// bounds of.
PilakeError *pilake_table_hindrances(const PilakeTable *table, PilakeTexts bounded, void *context, PilakeVisitHindrance visit);

PilakeError *pilake_table_commit(PilakeTable *table, const PilakeCommitRequest *request, int64_t *version);

PilakeError *pilake_table_files(const PilakeTable *table, const PilakeKeyColumns *keys, void *context, PilakeVisitFile visit);

PilakeError *pilake_table_scan(const PilakeTable *table, const PilakeRowFilter *filter, void *context, PilakeVisitBatch visit);

// Shows the files that may stand in place of those of the request. Nothing is committed.
PilakeError *pilake_table_merge(const PilakeTable *table, const PilakeMergeRequest *request, void *context, PilakeVisitDataFile visit);

// Writes a checkpoint if one is due.
PilakeError *pilake_table_checkpoint(PilakeTable *table, PilakePace pace, bool *written);

// Deletes at most `limit` files of the log that retention does not ask for. Commits behind
// `keep_from` stay. To be called when a checkpoint has just been written.
PilakeError *pilake_table_clean_log(const PilakeTable *table, int64_t keep_from, int64_t limit, int64_t *deleted);

PilakeError *pilake_table_oldest(const PilakeTable *table, PilakeText domain, bool *found, PilakeOldest *oldest);

// How long files that left the table stay for readers of older versions.
int64_t pilake_table_file_retention_ms(const PilakeTable *table);

// Deletes what no version needs and is older than `age_ms`, by the table's retention if that is
// negative; `dry_run`: only shows it. `probe` is a name that nobody else has.
PilakeError *pilake_table_vacuum(PilakeTable *table, int64_t age_ms, bool dry_run, PilakeText probe, void *context, PilakeVisitEntry visit);

// Writes a checksum of the version unless it has one.
PilakeError *pilake_table_checksum(PilakeTable *table, bool *written);

// Refuses (`Conflict`) to write over a file.
PilakeError *pilake_table_put_new(const PilakeTable *table, PilakeText name, PilakeText bytes);

PilakeError *pilake_table_get(const PilakeTable *table, PilakeText name, PilakeBytes *bytes);

PilakeError *pilake_table_delete(const PilakeTable *table, PilakeText name);

// Shows the files directly in `folder`, by name.
PilakeError *pilake_table_list(const PilakeTable *table, PilakeText folder, void *context, PilakeVisitEntry visit);

// Proves with the file `name` that the store refuses the second of two creators.
PilakeError *pilake_table_probe_atomic_create(const PilakeTable *table, PilakeText name);

// Opens the data file `name`. Consumes `schema`; its dictionaries become plain columns. `bounded`
// names the columns whose bounds go into the statistics.
PilakeError *pilake_writer_open(const PilakeTable *table, PilakeText name, struct ArrowSchema *schema, PilakeTexts bounded, PilakeWriter **writer);

// Consumes `array`: it is released when the call returns.
PilakeError *pilake_writer_append(PilakeWriter *writer, struct ArrowArray *array);

int64_t pilake_writer_bytes(const PilakeWriter *writer);

// Memory that the writer holds.
int64_t pilake_writer_memory(const PilakeWriter *writer);

PilakeError *pilake_writer_finish(PilakeWriter *writer, PilakeFinishedFile *file);

// Consumes `array` and `schema`.
PilakeError *pilake_sealed_encode(struct ArrowArray *array, struct ArrowSchema *schema, PilakeBytes *bytes);

// The caller releases array and schema.
PilakeError *pilake_sealed_decode(PilakeText bytes, struct ArrowArray *array, struct ArrowSchema *schema);

// Shows the steps at which a process can be made to die, for tests; see bridge/src/trial.rs.
void pilake_trial_steps(void *context, PilakeVisitText visit);

#ifdef __cplusplus
}  // extern "C"
#endif
