// SPDX-License-Identifier: Apache-2.0
// One answer on its way out: head, then pieces, plain or compressed, framed for the wire.
#include "web/outgoing.h"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <iterator>

#include <fmt/format.h>

namespace pilake::web {
namespace {

bool Contains(std::string_view list, std::string_view word) {
  return std::ranges::search(list, word, [](unsigned char a, unsigned char b) {
           return std::tolower(a) == std::tolower(b);
         }).begin() != list.end();
}

std::string HttpDate(std::time_t time) {
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

bool BodyForbidden(int status) {
  return status < 200 || status == 204 || status == 304;
}

void AppendChunk(std::string_view bytes, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", bytes.size());
  out += bytes;
  out += "\r\n";
}

bool CutsBody(const Mishap& mishap) {
  return mishap.kind == Mishap::Kind::kCutBody || mishap.kind == Mishap::Kind::kReset ||
         mishap.kind == Mishap::Kind::kStall;
}

}  // namespace

Outgoing::Outgoing(Response response, const Request& request, bool keep_alive,
                   std::string_view server)
    : response_(std::move(response)),
      head_only_(request.method == "HEAD"),
      keep_alive_(keep_alive),
      server_(server) {
  if (Contains(request.Header("Accept-Encoding"), "gzip") && !BodyForbidden(response_.status))
    gzip_.emplace();
}

bool Outgoing::Next(std::string& out) {
  out.clear();
  piece_.clear();
  const bool more = NextPiece();
  if (gzip_) {
    packed_.clear();
    if (!piece_.empty() || begun_) gzip_->Append(piece_, !more, packed_);
    std::swap(piece_, packed_);
  }
  if (!begun_) AppendHead(more, out);
  begun_ = true;
  if (head_only_ || BodyForbidden(response_.status)) return false;
  return AppendBody(more, out);
}

bool Outgoing::NextPiece() {
  if (response_.pieces == nullptr) {
    piece_ = std::move(response_.body);
    return false;
  }
  return response_.pieces->Append(piece_);
}

void Outgoing::AppendHead(bool more, std::string& out) {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "HTTP/1.1 {} {}\r\n", response_.status, ReasonPhrase(response_.status));
  for (const auto& [name, value] : response_.headers) fmt::format_to(to, "{}: {}\r\n", name, value);
  if (gzip_ && !piece_.empty()) out += "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n";
  chunked_ = more;
  if (chunked_) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (!BodyForbidden(response_.status)) {
    fmt::format_to(to, "Content-Length: {}\r\n", piece_.size());
  }
  fmt::format_to(to, "Server: {}\r\nDate: {}\r\n", server_, HttpDate(std::time(nullptr)));
  if (!keep_alive_) out += "Connection: close\r\n";
  out += "\r\n";
}

bool Outgoing::AppendBody(bool more, std::string& out) {
  const uint64_t cut = response_.mishap.after_bytes;
  const bool cut_now = CutsBody(response_.mishap) && (sent_ + piece_.size() >= cut || !more);
  if (cut_now) piece_.resize(std::min<uint64_t>(piece_.size(), cut > sent_ ? cut - sent_ : 0));
  sent_ += piece_.size();
  if (!chunked_) {
    out += piece_;
  } else if (cut_now) {  // in the middle of a chunk
    fmt::format_to(std::back_inserter(out), "{:x}\r\n", piece_.size() + 1000);
    out += piece_;
  } else {
    if (!piece_.empty()) AppendChunk(piece_, out);
    if (!more) out += "0\r\n\r\n";
  }
  return more && !cut_now;
}

}  // namespace pilake::web
