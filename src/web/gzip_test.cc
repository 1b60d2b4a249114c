// SPDX-License-Identifier: Apache-2.0
#include "web/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace pilake::web {
namespace {

std::string Inflate(std::string bytes) {
  z_stream z{};
  EXPECT_EQ(inflateInit2(&z, 15 + 16), Z_OK);
  std::string out(10 << 20, '\0');
  z.next_in = reinterpret_cast<Bytef*>(bytes.data());
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  inflateEnd(&z);
  return out;
}

TEST(Gzip, GivesBackWhatWentIn) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i * 7919 % 10007);
  Gzip gzip;
  std::string packed;
  gzip.Append(std::string_view(text).substr(0, 100'000), false, packed);
  const size_t first = packed.size();
  gzip.Append(std::string_view(text).substr(100'000), true, packed);
  EXPECT_GT(first, 1000U);
  EXPECT_EQ(Inflate(packed), text);
}

TEST(Gzip, EndsAnEmptyStream) {
  Gzip gzip;
  std::string packed;
  gzip.Append("", true, packed);
  EXPECT_EQ(Inflate(packed), "");
}

}  // namespace
}  // namespace pilake::web
