// SPDX-License-Identifier: Apache-2.0
// One answer on its way out: head, then pieces, plain or compressed, framed for the wire.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "web/gzip.h"
#include "web/server.h"

namespace pilake::web {

/// Used by one thread at a time.
class Outgoing {
 public:
  /// `server` has to outlive it.
  Outgoing(Response response, const Request& request, bool keep_alive, std::string_view server);

  /// Fills `out` with what has to be sent next; false if that is the last.
  bool Next(std::string& out);

  const Mishap& mishap() const { return response_.mishap; }
  bool IsStuck() const { return response_.pieces != nullptr && response_.pieces->IsStuck(); }

 private:
  bool NextPiece();
  void AppendHead(bool more, std::string& out);
  // False after the last byte, be it a wanted one or that of a mishap.
  bool AppendBody(bool more, std::string& out);

  Response response_;
  bool head_only_, keep_alive_;
  std::string_view server_;
  std::optional<Gzip> gzip_;
  std::string piece_, packed_;
  bool begun_ = false, chunked_ = false;
  uint64_t sent_ = 0;
};

}  // namespace pilake::web
