// SPDX-License-Identifier: Apache-2.0
// Compresses a body piece by piece in the gzip format.
#include "web/gzip.h"

#define ZLIB_CONST  // zlib only looks at its input
#include <cstddef>
#include <new>

#include <zlib.h>

namespace pilake::web {

struct Gzip::Stream {
  z_stream z{};
};

Gzip::Gzip() : stream_(std::make_unique<Stream>()) {
  constexpr int kLevel = 1, kGzipWindow = 15 + 16, kMemory = 8;
  // Fails only without memory or with another zlib than the one compiled against.
  if (deflateInit2(&stream_->z, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
}

Gzip::~Gzip() {
  deflateEnd(&stream_->z);
}

void Gzip::Append(std::string_view bytes, bool last, std::string& out) {
  z_stream& z = stream_->z;
  z.next_in = reinterpret_cast<const Bytef*>(bytes.data());
  z.avail_in = static_cast<uInt>(bytes.size());
  do {
    constexpr size_t kStep = 64 << 10;
    const size_t begin = out.size();
    out.resize(begin + kStep);
    z.next_out = reinterpret_cast<Bytef*>(out.data() + begin);
    z.avail_out = kStep;
    deflate(&z, last ? Z_FINISH : Z_SYNC_FLUSH);
    out.resize(begin + kStep - z.avail_out);
  } while (z.avail_out == 0);
}

}  // namespace pilake::web
