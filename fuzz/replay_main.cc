// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over every file of a corpus, so that each finding stays a plain test.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  int inputs = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(in), {}};
      // Named first: if the target aborts, this is the last line.
      std::printf("%s\n", entry.path().c_str());
      std::fflush(stdout);
      // libFuzzer hands over unsigned bytes. NOLINTNEXTLINE(google-readability-casting)
      LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
      ++inputs;
    }
  }
  std::printf("%d inputs replayed\n", inputs);
  return inputs > 0 ? 0 : 1;  // An empty corpus proves nothing.
}
