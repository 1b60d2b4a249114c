// SPDX-License-Identifier: Apache-2.0
// Writes the rows of shards into Parquet files on a thread of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <variant>
#include <vector>

#include "core/bounded_queue.h"
#include "core/clock.h"
#include "core/series.h"
#include "delta/file_writer.h"
#include "delta/table.h"
#include "pipeline/shard_reader.h"

namespace pilake::pipeline {

/// Where rows go: final ones to the body, younger ones to the tail.
enum class Place : uint8_t { kBody, kTail };

/// The files of one shard.
struct ShardFiles {
  std::vector<delta::DataFile> body, tail;
};

/// One thread owns it; a second one, its own, does the work. Rows go in by `Append`; `EndShard`
/// asks for the files of what was appended since, which `TakeShard` waits for. The next shard's
/// rows may go in before the files of the last one are taken.
class ShardWriter {
 public:
  /// `table` is the writing thread's own, for making files. `rows_per_file`: a file is closed at
  /// the first change of series beyond it.
  ShardWriter(delta::Table& table, const std::vector<Series>& series, int64_t rows_per_file,
              UtcTime ingested, std::stop_token stop);
  ~ShardWriter();

  /// False if writing has failed or was stopped; `TakeShard` says why.
  bool Append(Rows rows, Place place = Place::kBody);

  /// The rows so far are a shard. False as above.
  bool EndShard();

  /// The files of the oldest shard that was ended; in order, once for each `EndShard`.
  Result<ShardFiles> TakeShard();

  /// Forgets the rows since the last `EndShard`.
  void DropShard();

 private:
  struct End {
    bool is_dropped = false;
  };
  struct Appended {
    Rows rows;
    Place place;
  };
  using Item = std::variant<Appended, End>;

  /// One of the two parts of the shard being written.
  struct Open {
    std::unique_ptr<delta::FileWriter> file;
    std::optional<uint32_t> last_series;
    std::vector<delta::DataFile> finished;
  };

  void WriteLoop(const std::stop_token& stop);
  Status Write(const Appended& appended);
  static Status Close(Open& open);
  Result<ShardFiles> EndOpen(Status status);

  delta::Table& table_;
  const std::vector<Series>& series_;
  const int64_t rows_per_file_;
  const UtcTime ingested_;
  std::stop_token stop_;

  BoundedQueue<Item> items_;
  BoundedQueue<Result<ShardFiles>> finished_;

  // The writing thread's own.
  Open body_, tail_;

  std::jthread thread_;
};

}  // namespace pilake::pipeline
