// SPDX-License-Identifier: Apache-2.0
#include "config/expand.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "config/command.h"

namespace pilake::config {
namespace {

constexpr uintmax_t kBytesMax = 16 << 20;

Result<std::string> Lookup(std::string_view reference, const Outside& outside) {
  const size_t colon = reference.find(':');
  const std::string_view where = reference.substr(0, colon);
  const std::string name(colon == std::string_view::npos ? "" : reference.substr(colon + 1));
  if (where == "env" && !name.empty()) {
    // Nobody changes the environment after main has begun. NOLINTNEXTLINE(concurrency-mt-unsafe)
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      return Fail(ErrorKind::kInvalid, "the environment variable {} is not set", name);
    }
    return std::string(value);
  }
  if (where == "file" && !name.empty()) {
    ASSIGN_OR_RETURN(std::string text, ReadSmallFile(FromFolder(outside.folder, name)));
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }
  const std::vector<std::string> words = CommandWords(name);
  if (where == "command" && !words.empty()) {
    if (!outside.runs_commands) {
      return Fail(ErrorKind::kInvalid, "commands are run for a file only");
    }
    return RunCommand(FromFolder(outside.folder, words));
  }
  return Fail(ErrorKind::kInvalid,
              "${{{}}} is neither ${{env:NAME}} nor ${{file:path}} nor ${{command:program}}; write "
              "$${{ for a plain ${{",
              reference);
}

}  // namespace

Result<std::string> Expand(std::string_view text, const Outside& outside) {
  std::string expanded;
  while (!text.empty()) {
    const size_t dollar = text.find('$');
    expanded += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (text.starts_with("$${")) {
      expanded += "${";
      text.remove_prefix(3);
    } else if (text.starts_with("${")) {
      const size_t end = text.find('}');
      if (end == std::string_view::npos) {
        return Fail(ErrorKind::kInvalid, "a ${{ is never closed; write $${{ for a plain ${{");
      }
      ASSIGN_OR_RETURN(const std::string value, Lookup(text.substr(2, end - 2), outside));
      expanded += value;
      text.remove_prefix(end + 1);
    } else {
      expanded += '$';
      text.remove_prefix(1);
    }
  }
  return expanded;
}

std::string FromFolder(const std::string& folder, const std::string& path) {
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

std::vector<std::string> FromFolder(const std::string& folder, std::vector<std::string> words) {
  if (words.front().find('/') != std::string::npos) words[0] = FromFolder(folder, words[0]);
  return words;
}

Result<std::string> ReadSmallFile(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return Fail(ErrorKind::kInvalid, "there is no file '{}'", path);
  }
  if (!std::filesystem::is_regular_file(status)) {
    return Fail(ErrorKind::kInvalid, "'{}' is not a file", path);
  }
  if (std::filesystem::file_size(path, error) > kBytesMax) {
    return Fail(ErrorKind::kInvalid, "'{}' is larger than 16 MiB", path);
  }
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) return Fail(ErrorKind::kInvalid, "'{}' cannot be read; check its permissions", path);
  return text;
}

}  // namespace pilake::config
