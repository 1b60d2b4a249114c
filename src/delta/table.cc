// SPDX-License-Identifier: Apache-2.0
// One Delta table: its versions, its commits, its data files and the side files below `_pilake/`.
#include "delta/table.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "delta/bridge_calls.h"
#include "delta/data_file_writer.h"
#include "delta/kernel.h"
#include "delta/row_block.h"
#include "delta/uuid.h"

namespace pilake::delta {
namespace {

const std::string kSideFolder = "_pilake";

std::string SideName(const std::string& name) {
  return kSideFolder + "/" + name;
}

}  // namespace

class Table::Impl {
 public:
  kernel::TableHandle handle;
  std::string url;
  std::string id;
};

namespace {

Status CheckWritable(const PilakeTable* table) {
  ASSIGN_OR_RETURN(const auto hindrances, ReadHindrances(table, kBoundedColumns));
  std::string sentences;
  for (const Hindrance& one : hindrances) {
    if (one.effect < Hindrance::Effect::kStop) continue;
    sentences += (sentences.empty() ? "" : ". ") + one.sentence;
  }
  if (sentences.empty()) return {};
  return tl::unexpected(Error{ErrorKind::kInvalid, std::move(sentences)});
}

/// `kInvalid` if the version that `table` is at is none that pilake can use.
Status CheckUsable(const Table::Impl& table) {
  Imported<ArrowSchema> schema;
  RETURN_IF_ERROR(kernel::Check(pilake_table_schema(table.handle.get(), &schema)));
  if (Status fits = CheckSchema(schema); !fits) {
    return Annotate(std::move(fits).error(), table.url + " is not a table of pilake's");
  }
  return CheckWritable(table.handle.get());
}

/// What both ways to a table end with.
Result<std::unique_ptr<Table>> Adopt(const std::string& url, PilakeTable* opened) {
  auto impl = std::make_unique<Table::Impl>();
  impl->handle.reset(opened);
  impl->url = url;
  ASSIGN_OR_RETURN(impl->id, ReadId(opened));
  RETURN_IF_ERROR(CheckUsable(*impl));
  return std::make_unique<Table>(std::move(impl));
}

PilakeKeyColumns KeyColumns() {
  return {.text = kernel::Text(kWebIdColumn), .number = kernel::Text(kTicksColumn)};
}

/// Half-open, if there is a tick behind the last one.
std::optional<TimeRange> TimesOf(const PilakeFileFacts& file) {
  if (!file.has_numbers || file.last_number == std::numeric_limits<int64_t>::max()) {
    return std::nullopt;
  }
  return TimeRange{{file.first_number}, {file.last_number + 1}};
}

FileFacts FactsOf(const PilakeFileFacts& file) {
  FileFacts facts;
  facts.path = kernel::String(file.path);
  facts.bytes = file.bytes;
  if (file.rows >= 0) facts.rows = file.rows;
  facts.modified = UtcTime{} + Duration::Millis(file.modified_ms);
  facts.deletion_vector = kernel::String(file.deletion_vector);
  facts.data_change = file.data_change;
  if (file.has_texts) {
    facts.web_ids = {kernel::String(file.first_text), kernel::String(file.last_text)};
  }
  facts.times = TimesOf(file);
  facts.keys_are_whole = file.keys_are_whole;
  return facts;
}

std::vector<FileFacts> FactsOf(const PilakeFileFacts* files, size_t size) {
  std::vector<FileFacts> facts;
  facts.reserve(size);
  for (size_t i = 0; i < size; ++i) facts.push_back(FactsOf(files[i]));
  return facts;
}

bool ChangesData(const std::vector<FileFacts>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const FileFacts& file) { return file.data_change; });
}

CommitSummary SummaryOf(const PilakeCommitSummary& commit) {
  CommitSummary summary{
      .version = commit.version,
      .uuid = kernel::String(commit.uuid),
      .operation = kernel::String(commit.operation),
      .parameters = kernel::Map(commit.parameters),
      .engine = kernel::String(commit.engine),
      .is_blind_append = commit.is_blind_append,
      .changes_table_id = commit.changes_table_id,
      .changes_schema = commit.changes_schema,
      .changes_properties = commit.changes_properties,
      .changes_protocol = commit.changes_protocol,
      .domains = kernel::Strings(commit.domains),
      .added = FactsOf(commit.added, commit.added_size),
      .removed = FactsOf(commit.removed, commit.removed_size),
  };
  summary.changes_data = ChangesData(summary.added) || ChangesData(summary.removed);
  return summary;
}

}  // namespace

Table::Table(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Table::~Table() = default;

Status ProbeStore(const std::string& url, const StoreOptions& options) {
  ASSIGN_OR_RETURN(const auto bridge_options, BridgeOptions::Read(options));
  const PilakeStoreOptions store = bridge_options.get();
  const std::string name = "pilake-probe-" + NewUuid();
  return kernel::Check(pilake_store_probe(kernel::Text(url), &store, kernel::Text(name)));
}

namespace {

UtcTime FromMillis(int64_t since_1970) {
  return UtcTime{} + Duration::Millis(since_1970);
}

/// For the bridge: `context` is the list it goes to.
void KeepFile(void* context, const PilakeEntry* entry) noexcept {
  static_cast<std::vector<FolderFile>*>(context)->push_back(
      {.name = kernel::String(entry->name),
       .bytes = entry->bytes,
       .modified = FromMillis(entry->modified_ms)});
}

}  // namespace

Result<std::vector<FolderFile>> RemoveLitter(const std::string& url, const StoreOptions& store,
                                             const VacuumOptions& options) {
  ASSIGN_OR_RETURN(const auto bridge_options, BridgeOptions::Read(store));
  const PilakeStoreOptions bridge_store = bridge_options.get();
  PilakeTable* opened = nullptr;
  RETURN_IF_ERROR(kernel::Check(pilake_table_open(kernel::Text(url), &bridge_store, &opened)));
  const kernel::TableHandle table(opened);
  const int64_t age_ms = options.retention ? options.retention->ticks / 10'000 : -1;
  const std::string probe = NewUuid();
  std::vector<FolderFile> files;
  RETURN_IF_ERROR(kernel::Check(pilake_table_vacuum(table.get(), age_ms, options.dry_run,
                                                    kernel::Text(probe), &files, KeepFile)));
  return files;
}

Result<std::unique_ptr<Table>> Table::Open(const std::string& url, const StoreOptions& options) {
  ASSIGN_OR_RETURN(const auto bridge_options, BridgeOptions::Read(options));
  const PilakeStoreOptions store = bridge_options.get();
  PilakeTable* table = nullptr;
  RETURN_IF_ERROR(kernel::Check(pilake_table_open(kernel::Text(url), &store, &table)));
  return Adopt(url, table);
}

Result<std::unique_ptr<Table>> Table::Create(const std::string& url, const StoreOptions& options) {
  ASSIGN_OR_RETURN(const auto bridge_options, BridgeOptions::Read(options));
  const PilakeStoreOptions store = bridge_options.get();
  TimeseriesSchema schema(TimeseriesSchema::Texts::kPlain);
  const kernel::Texts clustering(kClusteringColumns);
  const kernel::Pairs properties(kTableProperties);
  const std::string probe = NewUuid();
  PilakeTable* table = nullptr;
  RETURN_IF_ERROR(
      kernel::Check(pilake_table_create(kernel::Text(url), &store, schema.get(), clustering.get(),
                                        properties.get(), kernel::Text(probe), &table)));
  return Adopt(url, table);
}

Status Table::Refresh() {
  RETURN_IF_ERROR(kernel::Check(pilake_table_refresh(impl_->handle.get())));
  ASSIGN_OR_RETURN(impl_->id, ReadId(impl_->handle.get()));
  return CheckUsable(*impl_);
}

int64_t Table::version() const {
  return pilake_table_version(impl_->handle.get());
}
const std::string& Table::table_id() const {
  return impl_->id;
}
const std::string& Table::url() const {
  return impl_->url;
}

Result<std::optional<std::string>> Table::Domain(const std::string& name) const {
  bool found = false;
  PilakeBytes value{};
  RETURN_IF_ERROR(
      kernel::Check(pilake_table_domain(impl_->handle.get(), kernel::Text(name), &found, &value)));
  return found ? std::optional(kernel::Take(value)) : std::nullopt;
}

Result<std::optional<int64_t>> Table::TxnVersion(const std::string& app_id) const {
  bool found = false;
  int64_t version = 0;
  RETURN_IF_ERROR(kernel::Check(
      pilake_table_txn_version(impl_->handle.get(), kernel::Text(app_id), &found, &version)));
  return found ? std::optional(version) : std::nullopt;
}

Result<std::vector<CommitSummary>> Table::CommitsSince(int64_t version) const {
  std::vector<CommitSummary> commits;
  const auto keep = [](void* context, const PilakeCommitSummary* commit) noexcept {
    static_cast<std::vector<CommitSummary>*>(context)->push_back(SummaryOf(*commit));
  };
  const PilakeKeyColumns keys = KeyColumns();
  RETURN_IF_ERROR(kernel::Check(
      pilake_table_commits_since(impl_->handle.get(), version, &keys, &commits, keep)));
  return commits;
}

Result<int64_t> Table::Commit(const CommitRequest& request) {
  return CommitTo(impl_->handle.get(), request);
}

Result<std::unique_ptr<FileWriter>> Table::NewFile() {
  return OpenDataFile(*impl_->handle, NewUuid() + ".parquet");
}

Result<TableStats> Table::Stats() const {
  ASSIGN_OR_RETURN(const auto files, ActiveFiles());
  TableStats stats;
  for (const FileFacts& file : files) {
    ++stats.files;
    stats.bytes += file.bytes;
    stats.rows += file.rows.value_or(0);
    if (!file.rows) ++stats.files_without_rows;
  }
  return stats;
}

Result<std::vector<std::string>> Table::Files() const {
  ASSIGN_OR_RETURN(auto files, ActiveFiles());
  std::vector<std::string> paths;
  paths.reserve(files.size());
  for (FileFacts& file : files) paths.push_back(std::move(file.path));
  return paths;
}

Result<std::vector<FileFacts>> Table::ActiveFiles() const {
  std::vector<FileFacts> files;
  const auto keep = [](void* context, const PilakeFileFacts* file) noexcept {
    static_cast<std::vector<FileFacts>*>(context)->push_back(FactsOf(*file));
  };
  const PilakeKeyColumns keys = KeyColumns();
  RETURN_IF_ERROR(kernel::Check(pilake_table_files(impl_->handle.get(), &keys, &files, keep)));
  return files;
}

Result<std::vector<Hindrance>> Table::Hindrances() const {
  return ReadHindrances(impl_->handle.get(), kBoundedColumns);
}

namespace {

/// Turns the batches of a scan into rows and shows them.
struct RowShow {
  const RowFilter& filter;
  const Table::RowVisitor& visit;
  Status status;

  /// False: nothing more is wanted.
  bool Take(const ArrowArray& batch, const ArrowSchema& schema) {
    Rows rows;
    status = AppendBatch(batch, schema, filter, rows);
    if (!status) return false;
    if (rows.size() == 0) return true;
    const auto more = visit(rows);
    if (!more) status = tl::unexpected(more.error());
    return more && *more;
  }
};

/// Gathers the rows of a query.
struct RowCollector {
  static constexpr size_t kSpareRows = size_t{1} << 20;

  const RowQuery& query;
  Rows rows;

  bool Take(const Rows& more) {
    Append(rows, more);
    if (query.limit == 0) return true;
    if (query.order == RowQuery::Order::kAny) return rows.size() < query.limit;
    // Of a large table only the first rows are kept.
    if (rows.size() >= query.limit + kSpareRows) Arrange();
    return true;
  }

  void Arrange() {
    if (query.order == RowQuery::Order::kKey) SortByKey(rows);
    if (query.limit != 0) Truncate(rows, query.limit);
  }
};

}  // namespace

Status Table::VisitRows(const RowFilter& filter, const RowVisitor& visit) const {
  const kernel::Texts columns(kReadColumns);
  const kernel::Texts files(filter.files);
  PilakeRowFilter wanted{};
  wanted.columns = columns.get();
  wanted.files = files.get();
  if (filter.web_ids) {
    wanted.text = kernel::Text(kWebIdColumn);
    wanted.first = kernel::Text(filter.web_ids->first);
    wanted.last = kernel::Text(filter.web_ids->last);
  }
  if (filter.range) {
    wanted.number = kernel::Text(kTicksColumn);
    wanted.begin = filter.range->begin.ticks;
    wanted.end = filter.range->end.ticks;
  }
  RowShow show{filter, visit, {}};
  const auto take = [](void* context, ArrowArray* array, ArrowSchema* schema) noexcept {
    const Imported<ArrowArray> batch(*array);
    const Imported<ArrowSchema> described(*schema);
    return static_cast<RowShow*>(context)->Take(batch, described);
  };
  RETURN_IF_ERROR(kernel::Check(pilake_table_scan(impl_->handle.get(), &wanted, &show, take)));
  return std::move(show.status);
}

Result<Rows> Table::ReadRows(const RowQuery& query) const {
  RowCollector collector{query, {}};
  RETURN_IF_ERROR(VisitRows(query.where, [&collector](const Rows& rows) -> Result<bool> {
    return collector.Take(rows);
  }));
  collector.Arrange();
  return std::move(collector.rows);
}

Status Table::PutSideFile(const std::string& name, std::string_view bytes) {
  return kernel::Check(
      pilake_table_put_new(impl_->handle.get(), kernel::Text(SideName(name)), kernel::Text(bytes)));
}

Result<std::string> Table::GetSideFile(const std::string& name) const {
  PilakeBytes bytes{};
  RETURN_IF_ERROR(
      kernel::Check(pilake_table_get(impl_->handle.get(), kernel::Text(SideName(name)), &bytes)));
  return kernel::Take(bytes);
}

Status Table::RemoveSideFile(const std::string& name) {
  return kernel::Check(pilake_table_delete(impl_->handle.get(), kernel::Text(SideName(name))));
}

Result<std::vector<FolderFile>> Table::SideFiles() const {
  std::vector<FolderFile> files;
  RETURN_IF_ERROR(kernel::Check(
      pilake_table_list(impl_->handle.get(), kernel::Text(kSideFolder), &files, KeepFile)));
  for (FolderFile& file : files) file.name.erase(0, kSideFolder.size() + 1);
  return files;
}

Status Table::ProbeAtomicCreate() {
  return kernel::Check(pilake_table_probe_atomic_create(
      impl_->handle.get(), kernel::Text(SideName("probe-" + NewUuid()))));
}

Result<MaintainOutcome> Table::Maintain(const Care& care) {
  return KeepQuick(impl_->handle.get(), care);
}

Result<std::optional<OldestVersion>> Table::Oldest(const std::string& domain) const {
  bool found = false;
  PilakeOldest oldest{};
  RETURN_IF_ERROR(kernel::Check(
      pilake_table_oldest(impl_->handle.get(), kernel::Text(domain), &found, &oldest)));
  if (!found) return std::nullopt;
  OldestVersion version{.version = oldest.version, .landed = FromMillis(oldest.landed_ms)};
  std::string text = kernel::Take(oldest.value);
  if (oldest.has_domain) version.domain = std::move(text);
  return version;
}

Result<std::vector<DataFile>> Table::MergeFiles(const Merge& merge) {
  const kernel::Texts files(merge.files), sorted_by(kKeyColumns), bounded(kBoundedColumns);
  const std::string name = NewUuid();
  const PilakeMergeRequest request{.files = files.get(),
                                   .sorted_by = sorted_by.get(),
                                   .text = kernel::Text(kTextColumn),
                                   .name = kernel::Text(name),
                                   .bounded = bounded.get(),
                                   .file_bytes = merge.file_bytes,
                                   .memory_bytes = merge.memory_bytes};
  std::vector<DataFile> merged;
  const auto keep = [](void* context, const PilakeDataFile* file) noexcept {
    static_cast<std::vector<DataFile>*>(context)->push_back({.path = kernel::String(file->path),
                                                             .bytes = file->bytes,
                                                             .rows = file->rows,
                                                             .stats = kernel::String(file->stats),
                                                             .modified_ms = file->modified_ms});
  };
  RETURN_IF_ERROR(kernel::Check(pilake_table_merge(impl_->handle.get(), &request, &merged, keep)));
  return merged;
}

Duration Table::FileRetention() const {
  return Duration::Millis(pilake_table_file_retention_ms(impl_->handle.get()));
}

}  // namespace pilake::delta
