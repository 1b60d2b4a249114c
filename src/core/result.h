// SPDX-License-Identifier: Apache-2.0
// Errors as values: `Result<T>` is a T or an `Error` whose kind says what the caller can do.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <tl/expected.hpp>

namespace pilake {

/// What the caller can do about a failure. One kind per decision, not per cause.
enum class ErrorKind {
  kTransient,      ///< Ask again later, the same way.
  kThrottled,      ///< Asked too often: all calls pause, and fewer follow.
  kTimedOut,       ///< No answer in time: ask once more, then for less.
  kTooLarge,       ///< Ask again, for less.
  kAuth,           ///< Credentials were refused; asking again will not help.
  kNotFound,       ///< The point, table or file is not there.
  kRefused,        ///< There, but not to be had by us; others may be.
  kMalformed,      ///< The bytes do not say what they should.
  kConflict,       ///< Another writer was first; read again, then decide.
  kCommitUnknown,  ///< The commit may or may not have landed; look before asking again.
  kInvalid,        ///< The operator or the caller asked for something that cannot work.
  kUnreachable,    ///< Source or store cannot be reached; a later start may succeed.
  kCancelled,      ///< We were told to stop.
  kInternal,       ///< A bug of ours.
};

/// The kind as one lower-case word, as it stands in logs.
std::string_view Name(ErrorKind kind);

/// Of a commit that failed: another's came first, or nobody knows. Look, then perhaps ask again.
constexpr bool MayCommitAgain(ErrorKind kind) {
  return kind == ErrorKind::kConflict || kind == ErrorKind::kCommitUnknown;
}

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;  ///< Names the thing, the cause and, where known, the cure. Never a secret.
};

/// A T, or why there is none. Dropping one is a compiler warning.
template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

using Status = Result<void>;

/// `return Fail(ErrorKind::kMalformed, "no Items in {}", url);`
template <typename... Args>
[[nodiscard]] tl::unexpected<Error> Fail(ErrorKind kind, fmt::format_string<Args...> format,
                                         Args&&... args) {
  return tl::unexpected<Error>(Error{kind, fmt::format(format, std::forward<Args>(args)...)});
}

/// The same failure with the words in front that a person would ask for ("which?").
[[nodiscard]] tl::unexpected<Error> Annotate(Error error, std::string_view context);

}  // namespace pilake

#define PILAKE_CONCAT_INNER(a, b) a##b
#define PILAKE_CONCAT(a, b) PILAKE_CONCAT_INNER(a, b)
#define PILAKE_ASSIGN_OR_RETURN(result, declaration, expression) \
  auto result = (expression);                                    \
  if (!result) return tl::unexpected(std::move(result).error()); \
  declaration = std::move(*result)

/// `ASSIGN_OR_RETURN(auto page, client.Fetch(request));`
#define ASSIGN_OR_RETURN(declaration, expression) \
  PILAKE_ASSIGN_OR_RETURN(PILAKE_CONCAT(result_, __LINE__), declaration, expression)

/// `RETURN_IF_ERROR(table.Commit(files));`
#define RETURN_IF_ERROR(expression)                                                               \
  do {                                                                                            \
    if (auto status_ = (expression); !status_) return tl::unexpected(std::move(status_).error()); \
  } while (false)
