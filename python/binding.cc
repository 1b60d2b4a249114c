// SPDX-License-Identifier: Apache-2.0
// The Python module `pilake._pilake`: words of the library as Python objects, and nothing of its
// own. What people see, with documentation, is in the package around it.
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "cli/options.h"
#include "cli/program.h"
#include "cli/report.h"
#include "cli/status.h"
#include "config/config.h"
#include "delta/given_rows.h"
#include "pipeline/part_writer.h"
#include "pipeline/pull.h"
#include "pipeline/reading.h"
#include "plan/cursors.h"
#include "plan/record.h"

namespace nb = nanobind;

namespace pilake::python {
namespace {

// How long a thread works without asking Python whether somebody pressed Ctrl-C.
constexpr Duration kPatience = Duration::Millis(100);

/// An error of the library on its way to Python: `kind` in our words, and what `what()` says.
struct Failure : std::runtime_error {
  explicit Failure(const Error& error) : std::runtime_error(error.message), kind(error.kind) {}
  ErrorKind kind;
};

template <typename T>
T Take(Result<T> result) {
  if (!result) throw Failure(result.error());
  return std::move(*result);
}

/// Does `work` without the interpreter's lock, on a thread of its own, until it is done or a signal
/// makes Python raise: then it is asked to stop, and waited for.
template <typename Work>
auto Interruptibly(const Work& work) {
  std::optional<decltype(work(std::stop_token()))> result;
  BoundedQueue<bool> done(1);
  std::jthread worker([&](const std::stop_token& stop) {
    result.emplace(work(stop));
    done.Close();
  });
  while (true) {
    {
      const nb::gil_scoped_release release;
      done.PopUntil(std::chrono::steady_clock::now() + kPatience.chrono(), {});
      if (done.is_closed()) worker.join();
    }
    if (!worker.joinable()) return std::move(*result);
    if (PyErr_CheckSignals() != 0) {
      const nb::gil_scoped_release release;
      worker.request_stop();
      worker.join();
      break;
    }
  }
  throw nb::python_error();
}

/// A configuration, with the clock that goes with it.
struct Settings {
  pipeline::PullOptions options;
  std::shared_ptr<const Clock> clock;
};

std::shared_ptr<Settings> MakeSettings(const config::Config& config, const std::string& clock) {
  auto settings = std::make_shared<Settings>();
  settings->options = cli::PullOptionsFrom(config);
  settings->clock = Take(cli::OpenClock(clock));
  settings->options.source.throttle.clock = settings->clock.get();
  return settings;
}

using SeriesTuple = std::tuple<std::string, std::string, std::string, std::string, std::string,
                               std::string, std::string, double, double, bool, bool>;

SeriesTuple ToTuple(const Series& series) {
  return {series.web_id,     series.name,        series.path,      series.units,
          series.descriptor, series.digital_set, series.type_name, series.zero,
          series.span,       series.step,        series.future};
}
Series ToSeries(const SeriesTuple& tuple) {
  Series series;
  std::tie(series.web_id, series.name, series.path, series.units, series.descriptor,
           series.digital_set, series.type_name, series.zero, series.span, series.step,
           series.future) = tuple;
  series.type = ParsePointType(series.type_name);
  return series;
}

using StretchTuple = std::tuple<uint32_t, int64_t, int64_t>;
using LimitsTuple = std::tuple<uint32_t, uint32_t, uint32_t, uint32_t>;
using PartTuple = std::tuple<std::vector<SeriesTuple>, std::vector<StretchTuple>,
                             std::vector<float>, double, double, LimitsTuple, int64_t>;

PartTuple ToTuple(const pipeline::Part& part) {
  std::vector<SeriesTuple> series;
  for (const Series& one : part.series) series.push_back(ToTuple(one));
  std::vector<StretchTuple> stretches;
  for (const auto& [index, range] : part.stretches)
    stretches.emplace_back(index, range.begin.ticks, range.end.ticks);
  return {std::move(series),
          std::move(stretches),
          part.density,
          part.rows,
          part.share,
          {part.limits.items_max, part.limits.set_series_max, part.limits.batch_parts_max,
           part.limits.page_events},
          part.now.ticks};
}
pipeline::Part ToPart(const PartTuple& tuple) {
  const auto& [series, stretches, density, rows, share, limits, now] = tuple;
  pipeline::Part part{.density = density, .rows = rows, .share = share};
  for (const SeriesTuple& one : series) part.series.push_back(ToSeries(one));
  for (const auto& [index, begin, end] : stretches) {
    if (index >= part.series.size()) throw std::invalid_argument("a partition that does not fit");
    part.stretches.push_back({index, {{begin}, {end}}});
  }
  if (part.density.size() != part.series.size())
    throw std::invalid_argument("a partition that does not fit");
  std::tie(part.limits.items_max, part.limits.set_series_max, part.limits.batch_parts_max,
           part.limits.page_events) = limits;
  part.now = {now};
  return part;
}

/// The planning side with what it needs to live.
class Planner {
 private:
  /// The source of a reading lives as long as it does and so does its stop token: who interrupts
  /// one question ends the reading.
  template <typename Question>
  auto Ask(const Question& question) {
    return Take(Interruptibly([&](const std::stop_token& stop) {
      const std::stop_callback interrupt(stop, [&] { stop_.request_stop(); });
      return question();
    }));
  }

 public:
  explicit Planner(std::shared_ptr<Settings> settings) : settings_(std::move(settings)) {
    reading_ = Ask([&] {
      return pipeline::Reading::Open(settings_->options, *settings_->clock, progress_,
                                     stop_.get_token());
    });
  }

  std::vector<SeriesTuple> Series() const {
    std::vector<SeriesTuple> all;
    for (const pilake::Series& one : reading_->series()) all.push_back(ToTuple(one));
    return all;
  }
  std::vector<std::pair<std::string, std::string>> Unresolved() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (const pipeline::LeftOut& one : reading_->unresolved())
      all.emplace_back(one.tag, one.reason);
    return all;
  }
  int64_t Now() const { return reading_->now().ticks; }

  using State = std::tuple<std::string, std::string, int32_t, std::string>;
  std::pair<std::vector<State>, std::vector<std::string>> States() {
    std::vector<std::string> notes;
    const auto sets = Ask([&] { return reading_->States(notes); });
    std::vector<State> states;
    for (const plan::ShownSet& set : sets) {
      for (const auto& [code, name] : set.states)
        states.emplace_back(set.server, set.digital_set, code, name);
    }
    return {std::move(states), std::move(notes)};
  }

  std::vector<pipeline::Part> Plan(int64_t begin, int64_t end, std::vector<std::string> names,
                                   std::vector<std::string> web_ids, size_t parts, size_t at_once) {
    return Ask([&] {
      return reading_->Plan(
          {.range = {{begin}, {end}}, .names = std::move(names), .web_ids = std::move(web_ids)},
          {.parts = parts, .at_once = at_once});
    });
  }

  void Look() {
    Ask([&]() -> Result<bool> {
      RETURN_IF_ERROR(reading_->Look());
      return true;
    });
  }

  nb::bytes Start(int64_t second_look) const {
    return Bytes(reading_->Start(Duration{second_look}));
  }
  nb::bytes Next(const nb::bytes& from, double events_max, std::optional<int64_t> second_look) {
    const auto look = second_look ? std::optional(Duration{*second_look}) : std::nullopt;
    return Bytes(reading_->Next(CursorsOf(from), events_max, look));
  }
  std::pair<std::vector<pipeline::Part>, std::vector<std::string>> Between(const nb::bytes& from,
                                                                           const nb::bytes& to,
                                                                           size_t parts,
                                                                           size_t at_once) {
    const plan::Cursors begin = CursorsOf(from), end = CursorsOf(to);
    auto between = Ask(
        [&] { return reading_->PlanBetween(begin, end, {.parts = parts, .at_once = at_once}); });
    return {std::move(between.parts), std::move(between.gone)};
  }

 private:
  static nb::bytes Bytes(const plan::Cursors& cursors) {
    const std::string bytes = plan::EncodeCursors(cursors);
    return nb::bytes(bytes.data(), bytes.size());
  }
  static plan::Cursors CursorsOf(const nb::bytes& bytes) {
    return Take(plan::DecodeCursors({bytes.c_str(), bytes.size()}));
  }

  std::shared_ptr<Settings> settings_;
  pipeline::Progress progress_;
  std::stop_source stop_;
  std::unique_ptr<pipeline::Reading> reading_;
};

std::thread::id& MainThread() {
  static std::thread::id id;
  return id;
}

/// `struct ArrowArrayStream` of the Arrow C Stream Interface.
struct ArrowArrayStream {
  int (*get_schema)(ArrowArrayStream*, ArrowSchema* out);
  int (*get_next)(ArrowArrayStream*, ArrowArray* out);
  const char* (*get_last_error)(ArrowArrayStream*);
  void (*release)(ArrowArrayStream*);
  void* private_data;
};

/// The rows of a part as they come. Whoever takes the Arrow stream takes them all; they can be
/// taken once.
class Rows {
 public:
  Rows(std::shared_ptr<Settings> settings, pipeline::Part part,
       const std::optional<std::vector<std::string>>& columns, bool leaves_out)
      : settings_(std::move(settings)),
        columns_(columns ? Take(delta::ColumnChoice::Of(*columns)) : delta::ColumnChoice()),
        leaves_out_(leaves_out),
        reader_(std::make_unique<pipeline::PartReader>(settings_->options, std::move(part),
                                                       *settings_->clock)) {}

  const delta::ColumnChoice& columns() const { return columns_; }

  /// The next batch; false at the end. Called without Python's lock, or with it.
  Result<bool> Next(ArrowArray* out) {
    while (true) {
      auto block = reader_->Next(kPatience);
      if (!block) {
        if (IsInterrupted()) return Fail(ErrorKind::kCancelled, "interrupted");
        continue;
      }
      if (!*block) return tl::unexpected(block->error());
      if (**block) {
        delta::GiveAway(std::move(**block), columns_, out);
        return true;
      }
      const auto& left_out = reader_->left_out();
      if (!left_out.empty() && !leaves_out_) {
        return Fail(ErrorKind::kUnreachable,
                    "{} series could not be read, the first {}: {}. To go on without them, say "
                    "that series may be left out",
                    left_out.size(), left_out.front().tag, left_out.front().reason);
      }
      return false;
    }
  }

  std::vector<std::pair<std::string, std::string>> LeftOut() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (const pipeline::LeftOut& one : reader_->left_out()) all.emplace_back(one.tag, one.reason);
    return all;
  }
  int64_t Calls() const { return reader_->progress().calls; }
  int64_t SeriesReads() const { return reader_->progress().series_reads; }
  int64_t Events() const { return reader_->progress().events; }

 private:
  /// Python hears signals on its main thread only; on another the lock may not be had while
  /// somebody who holds it waits for these rows. The interrupt is raised anew once the caller, who
  /// knows nothing of Python's exceptions, has come back.
  static bool IsInterrupted() {
    if (std::this_thread::get_id() != MainThread()) return false;
    const nb::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() == 0) return false;
    PyErr_Clear();
    PyErr_SetInterrupt();
    return true;
  }

  std::shared_ptr<Settings> settings_;
  delta::ColumnChoice columns_;
  bool leaves_out_;
  std::unique_ptr<pipeline::PartReader> reader_;
};

/// What stands behind an exported stream.
struct Exported {
  std::shared_ptr<Rows> rows;
  std::string error;
};
Exported& Behind(ArrowArrayStream* stream) {
  return *static_cast<Exported*>(stream->private_data);
}

/// How a failure of that kind is told in `errno`, the only thing the interface has but for words.
int Errno(ErrorKind kind) {
  if (kind == ErrorKind::kCancelled) return EINTR;
  if (kind == ErrorKind::kInvalid) return EINVAL;
  return EIO;
}

int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
  delta::DescribeGiven(Behind(stream).rows->columns(), out);
  return 0;
}
int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
  Exported& behind = Behind(stream);
  const Result<bool> has_more = behind.rows->Next(out);
  if (!has_more) {
    behind.error = has_more.error().message;
    return Errno(has_more.error().kind);
  }
  if (!*has_more) *out = ArrowArray{};
  return 0;
}
const char* GetLastError(ArrowArrayStream* stream) {
  return Behind(stream).error.c_str();
}
void ReleaseStream(ArrowArrayStream* stream) {
  delete static_cast<Exported*>(stream->private_data);
  stream->release = nullptr;
}

constexpr char kStreamName[] = "arrow_array_stream";
constexpr char kSchemaName[] = "arrow_schema";

/// As the Arrow PyCapsule interface has it: who takes the stream out marks it as released.
template <typename T>
void DeleteCapsule(PyObject* capsule, const char* name) {
  auto* held = static_cast<T*>(PyCapsule_GetPointer(capsule, name));
  if (held->release != nullptr) held->release(held);
  delete held;
}

nb::object ExportStream(const std::shared_ptr<Rows>& rows) {
  auto* stream =
      new ArrowArrayStream{GetSchema, GetNext, GetLastError, ReleaseStream, new Exported{rows, {}}};
  return nb::steal(PyCapsule_New(stream, kStreamName, [](PyObject* capsule) {
    DeleteCapsule<ArrowArrayStream>(capsule, kStreamName);
  }));
}

nb::object ExportSchema(const delta::ColumnChoice& columns) {
  auto* schema = new ArrowSchema{};
  delta::DescribeGiven(columns, schema);
  return nb::steal(PyCapsule_New(schema, kSchemaName, [](PyObject* capsule) {
    DeleteCapsule<ArrowSchema>(capsule, kSchemaName);
  }));
}

using FileTuple = std::tuple<std::string, int64_t, int64_t, std::string, int64_t>;
/// Files, and what they cover as the text of a coverage record.
using WrittenTuple = std::tuple<std::vector<FileTuple>, std::string>;

WrittenTuple ToTuple(const pipeline::WrittenPart& written) {
  std::vector<FileTuple> files;
  for (const delta::DataFile& file : written.files)
    files.emplace_back(file.path, file.bytes, file.rows, file.stats, file.modified_ms);
  return {std::move(files), plan::FormatRecord({.overrides = written.coverage})};
}
pipeline::WrittenPart ToWritten(const WrittenTuple& tuple) {
  const auto& [files, coverage] = tuple;
  pipeline::WrittenPart written;
  for (const auto& [path, bytes, rows, stats, modified_ms] : files)
    written.files.push_back({path, bytes, rows, stats, modified_ms});
  written.coverage = Take(plan::ParseRecord(coverage)).overrides;
  return written;
}

WrittenTuple WritePart(const std::shared_ptr<Settings>& settings, const pipeline::Part& part) {
  return ToTuple(Take(Interruptibly([&](const std::stop_token& stop) {
    return pipeline::WritePart(settings->options, part, *settings->clock, stop);
  })));
}

/// Asks Python to have the parts written. Called by the thread of the run.
pipeline::HandOut HandOutTo(const nb::callable& write, size_t at_once) {
  pipeline::HandOut hand_out{.at_once = at_once};
  hand_out.write = [&write](const std::vector<pipeline::Part>& parts,
                            const auto& commit) -> Status {
    const nb::gil_scoped_acquire acquire;
    Status status;
    const auto commit_one = [&](const WrittenTuple& written) {
      const nb::gil_scoped_release release;
      if (status) status = commit(ToWritten(written));
      return status.has_value();
    };
    try {
      write(parts, nb::cpp_function(commit_one));
    } catch (nb::python_error& error) {
      if (status)
        status = Fail(ErrorKind::kUnreachable, "the parts could not be written: {}", error.what());
    }
    return status;
  };
  return hand_out;
}

std::string Run(const std::shared_ptr<Settings>& settings, bool allow_deletes, bool accept_vanished,
                const std::optional<nb::callable>& write, size_t at_once, double rows_per_part) {
  pipeline::PullOptions options = settings->options;
  if (write) options.hand_out = HandOutTo(*write, at_once);
  if (rows_per_part > 0) options.rows_per_shard = rows_per_part;
  options.allow_deletes = allow_deletes;
  options.accept_vanished = accept_vanished;
  pipeline::Progress progress;
  const auto report = Take(Interruptibly([&](const std::stop_token& stop) {
    return pipeline::Pull(options, *settings->clock, progress, stop);
  }));
  return cli::ToJson(report, progress);
}

int Program(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  const nb::gil_scoped_release release;
  return cli::Program(static_cast<int>(argv.size()), argv.data());
}

/// The exception for each kind: set by the package, which defines them in Python.
nb::object& ErrorClasses() {
  static auto& classes = *new nb::object;  // never given back: Python is gone when statics go
  return classes;
}

void RaiseFailure(const std::exception_ptr& pointer, void*) {
  try {
    std::rethrow_exception(pointer);
  } catch (const Failure& failure) {
    const std::string kind(Name(failure.kind));
    const nb::object type = ErrorClasses().attr("get")(kind, ErrorClasses()[""]);
    PyErr_SetString(type.ptr(), failure.what());
  }
}

}  // namespace
}  // namespace pilake::python

NB_MODULE(_pilake, module) {
  using namespace pilake;          // NOLINT(google-build-using-namespace): one function long
  using namespace pilake::python;  // NOLINT(google-build-using-namespace)
  MainThread() = std::this_thread::get_id();
  nb::register_exception_translator(RaiseFailure, nullptr);
  module.attr("__version__") = PILAKE_VERSION;

  module.def("set_error_classes", [](nb::object classes) { ErrorClasses() = std::move(classes); });
  module.def("program", &Program);
  module.def("run", &Run, nb::arg("settings"), nb::arg("allow_deletes"), nb::arg("accept_vanished"),
             nb::arg("write").none(), nb::arg("at_once"), nb::arg("rows_per_part"));
  module.def("write_part", &WritePart);
  module.def("status", [](const std::shared_ptr<Settings>& settings) {
    return Take(Interruptibly([&](const std::stop_token&) {
      return cli::StatusJson(settings->options.table, *settings->clock);
    }));
  });
  module.def("columns", [] { return delta::kReadColumns; });
  module.def("schema_capsule", [](const std::optional<std::vector<std::string>>& columns) {
    return ExportSchema(columns ? Take(delta::ColumnChoice::Of(*columns)) : delta::ColumnChoice());
  });

  nb::class_<Settings>(module, "Settings")
      .def_static("load",
                  [](const std::string& path, const std::string& clock) {
                    return MakeSettings(Take(config::Load(path)), clock);
                  })
      .def_static("parse",
                  [](const std::string& text, const std::string& name, bool has_table,
                     const std::string& clock) {
                    const auto needs = has_table ? config::Needs::kTable : config::Needs::kSource;
                    return MakeSettings(Take(config::Parse(text, name, needs)), clock);
                  })
      .def_prop_ro("history_from",
                   [](const Settings& settings) { return settings.options.history_from.ticks; })
      .def_prop_ro("in_flight", [](const Settings& settings) {
        return settings.options.source.budget.in_flight;
      });

  nb::class_<pipeline::Part>(module, "Part")
      .def("__getstate__", [](const pipeline::Part& part) { return ToTuple(part); })
      .def("__setstate__",
           [](pipeline::Part& part, const PartTuple& state) {
             new (&part) pipeline::Part(ToPart(state));
           })
      .def_ro("rows", &pipeline::Part::rows)
      .def_ro("share", &pipeline::Part::share)
      .def_prop_ro("series", [](const pipeline::Part& part) { return part.series.size(); })
      .def_prop_ro("range", [](const pipeline::Part& part) {
        TimeRange all = part.stretches.front().range;
        for (const auto& [index, range] : part.stretches) {
          all = {std::min(all.begin, range.begin), std::max(all.end, range.end)};
        }
        return std::pair(all.begin.ticks, all.end.ticks);
      });

  nb::class_<Planner>(module, "Planner")
      .def(nb::init<std::shared_ptr<Settings>>())
      .def("series", &Planner::Series)
      .def("unresolved", &Planner::Unresolved)
      .def("now", &Planner::Now)
      .def("states", &Planner::States)
      .def("plan", &Planner::Plan)
      .def("look", &Planner::Look)
      .def("start", &Planner::Start)
      .def("next", &Planner::Next)
      .def("between", &Planner::Between);

  nb::class_<Rows>(module, "Rows")
      .def("__init__",
           [](Rows* rows, std::shared_ptr<Settings> settings, const pipeline::Part& part,
              const std::optional<std::vector<std::string>>& columns,
              bool leaves_out) { new (rows) Rows(std::move(settings), part, columns, leaves_out); })
      .def("stream",
           [](nb::handle self) { return ExportStream(nb::cast<std::shared_ptr<Rows>>(self)); })
      .def("schema", [](const Rows& rows) { return ExportSchema(rows.columns()); })
      .def_prop_ro("left_out", &Rows::LeftOut)
      .def_prop_ro("calls", &Rows::Calls)
      .def_prop_ro("series_reads", &Rows::SeriesReads)
      .def_prop_ro("events", &Rows::Events);
}
