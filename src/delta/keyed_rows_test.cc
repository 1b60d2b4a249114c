// SPDX-License-Identifier: Apache-2.0
#include "delta/keyed_rows.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/matchers.h"

namespace pilake::delta {
namespace {

KeyedRows Sample(int64_t rows) {
  KeyedRows sample{.key = {}, .names = {"from", "through"}, .columns = {{}, {}}};
  for (int64_t i = 0; i < rows; ++i) {
    sample.key.push_back("F1DPAAAA" + std::to_string(i));
    sample.columns[0].push_back(i * 1'000'003);
    sample.columns[1].push_back(std::numeric_limits<int64_t>::max() - i);
  }
  return sample;
}

TEST(KeyedRows, ComeBackAsTheyWere) {
  for (const int64_t rows : {0, 1, 3, 100'000}) {
    const auto bytes = EncodeKeyedRows(Sample(rows));
    ASSERT_THAT(bytes, IsOk());
    EXPECT_THAT(DecodeKeyedRows(*bytes), IsOkWith(Sample(rows))) << rows << " rows";
  }
}

TEST(KeyedRows, AreAParquetFile) {
  const auto bytes = EncodeKeyedRows(Sample(10));
  ASSERT_THAT(bytes, IsOk());
  EXPECT_TRUE(bytes->starts_with("PAR1"));
  EXPECT_TRUE(bytes->ends_with("PAR1"));
}

TEST(KeyedRows, NoticeDamageAnywhere) {
  const auto bytes = EncodeKeyedRows(Sample(1000));
  ASSERT_THAT(bytes, IsOk());
  for (size_t i = 0; i < bytes->size(); i += 7) {
    std::string damaged = *bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    ASSERT_THAT(DecodeKeyedRows(damaged), FailsWith(ErrorKind::kMalformed)) << "byte " << i;
  }
  EXPECT_THAT(DecodeKeyedRows(bytes->substr(0, bytes->size() / 2)),
              FailsWith(ErrorKind::kMalformed));
  EXPECT_THAT(DecodeKeyedRows(""), FailsWith(ErrorKind::kMalformed));
}

TEST(KeyedRows, RefuseColumnsOfUnequalLength) {
  KeyedRows uneven = Sample(3);
  uneven.columns[1].pop_back();
  EXPECT_THAT(EncodeKeyedRows(uneven), FailsWith(ErrorKind::kInvalid));
  KeyedRows nameless = Sample(3);
  nameless.names.pop_back();
  EXPECT_THAT(EncodeKeyedRows(nameless), FailsWith(ErrorKind::kInvalid));
}

}  // namespace
}  // namespace pilake::delta
