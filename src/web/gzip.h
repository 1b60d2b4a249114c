// SPDX-License-Identifier: Apache-2.0
// Compresses a body piece by piece in the gzip format.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace pilake::web {

/// One gzip stream. Level 1: on the wire speed matters more than the last percent.
class Gzip {
 public:
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  /// Appends the compressed form of `bytes` to `out`; with `last` also the end of the stream. What
  /// was given comes out with the call that gave it.
  void Append(std::string_view bytes, bool last, std::string& out);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace pilake::web
