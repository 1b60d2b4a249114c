// SPDX-License-Identifier: Apache-2.0
// POST batch: many calls in one, later ones built from the answers of earlier ones (wire §7).
//
//   read the object → check parents, find an order → run part by part while the answer is sent
//
// A part that others name as parent is run into memory and kept as parsed JSON; all others go out
// as they are rendered. The simulator's only user of Boost.JSON.
#include "sim/batch.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <boost/json/src.hpp>

#include "sim/text.h"

namespace pilake::sim {
namespace {

namespace json = boost::json;

std::string_view View(const json::string& text) {
  return {text.data(), text.size()};
}

// One member of the request.
struct Part {
  std::string id;
  std::string method;
  std::string resource;
  bool is_template = false;
  std::vector<std::string> parameters;
  std::vector<std::string> parents;
  bool is_parent = false;
};

Result<std::vector<std::string>> ReadTexts(const json::object& request, std::string_view id,
                                           std::string_view member) {
  std::vector<std::string> texts;
  const json::value* list = request.if_contains({member.data(), member.size()});
  if (list == nullptr || list->is_null()) return texts;
  if (!list->is_array())
    return Fail(ErrorKind::kInvalid, "'{}' of request '{}' is not an array.", member, id);
  for (const json::value& item : list->get_array()) {
    if (!item.is_string())
      return Fail(ErrorKind::kInvalid, "'{}' of request '{}' holds more than strings.", member, id);
    texts.emplace_back(View(item.get_string()));
  }
  return texts;
}

Result<Part> ReadPart(std::string_view id, const json::value& value) {
  if (!value.is_object()) return Fail(ErrorKind::kInvalid, "Request '{}' is not an object.", id);
  const json::object& request = value.get_object();
  Part part;
  part.id = id;
  const json::value* method = request.if_contains("Method");
  if (method == nullptr || !method->is_string())
    return Fail(ErrorKind::kInvalid, "Request '{}' has no 'Method'.", id);
  part.method = View(method->get_string());
  const json::value* resource = request.if_contains("Resource");
  if (const json::value* from = request.if_contains("RequestTemplate");
      from != nullptr && from->is_object()) {
    resource = from->get_object().if_contains("Resource");
    part.is_template = true;
  }
  if (resource == nullptr || !resource->is_string())
    return Fail(ErrorKind::kInvalid, "Request '{}' has no 'Resource'.", id);
  part.resource = View(resource->get_string());
  ASSIGN_OR_RETURN(part.parameters, ReadTexts(request, id, "Parameters"));
  ASSIGN_OR_RETURN(part.parents, ReadTexts(request, id, "ParentIds"));
  return part;
}

// Parents before their children, else in the order of the request. Fails on strangers and cycles.
Result<std::vector<Part>> InOrder(std::vector<Part> parts) {
  std::vector<Part> ordered;
  std::set<std::string, std::less<>> known, placed;
  for (const Part& part : parts) known.insert(part.id);
  for (const Part& part : parts) {
    for (const std::string& parent : part.parents) {
      if (!known.contains(parent))
        return Fail(ErrorKind::kInvalid, "Request '{}' names the parent '{}', which is not there.",
                    part.id, parent);
    }
  }
  while (!parts.empty()) {
    const auto ready = std::ranges::find_if(parts, [&](const Part& part) {
      return std::ranges::all_of(
          part.parents, [&](const std::string& parent) { return placed.contains(parent); });
    });
    if (ready == parts.end())
      return Fail(ErrorKind::kInvalid, "The requests wait for one another in a circle.");
    placed.insert(ready->id);
    ordered.push_back(std::move(*ready));
    parts.erase(ready);
  }
  std::set<std::string, std::less<>> parents;
  for (const Part& part : ordered) parents.insert(part.parents.begin(), part.parents.end());
  for (Part& part : ordered) part.is_parent = parents.contains(part.id);
  return ordered;
}

Result<std::vector<Part>> ReadBatch(std::string_view body) {
  boost::system::error_code error;
  const json::value batch = json::parse({body.data(), body.size()}, error);
  if (error || !batch.is_object())
    return Fail(ErrorKind::kInvalid, "The body of the batch is not a JSON object.");
  std::vector<Part> parts;
  for (const auto& [id, request] : batch.get_object()) {
    ASSIGN_OR_RETURN(Part part, ReadPart({id.data(), id.size()}, request));
    parts.push_back(std::move(part));
  }
  return InOrder(std::move(parts));
}

// --- JSONPath: $.name, ['name'], [0], [*] ---

// Takes one step from the front of `path`: a name, an index, or `*`.
std::optional<std::string_view> TakeStep(std::string_view& path) {
  if (path.starts_with('.')) {
    const size_t end = std::min(path.find_first_of(".[", 1), path.size());
    const std::string_view name = path.substr(1, end - 1);
    path.remove_prefix(end);
    return name.empty() ? std::nullopt : std::optional(name);
  }
  if (!path.starts_with('[')) return std::nullopt;
  const size_t end = path.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view name = path.substr(1, end - 1);
  path.remove_prefix(end + 1);
  if (name.size() >= 2 && name.front() == '\'' && name.back() == '\'')
    name = name.substr(1, name.size() - 2);
  return name;
}

void Step(const json::value& from, std::string_view step, std::vector<const json::value*>& to) {
  if (from.is_array()) {
    const json::array& array = from.get_array();
    const auto index = ParseInteger(step);
    if (step == "*") {
      for (const json::value& item : array) to.push_back(&item);
    } else if (index && *index >= 0 && static_cast<size_t>(*index) < array.size()) {
      to.push_back(&array[static_cast<size_t>(*index)]);
    }
  } else if (from.is_object()) {
    if (step == "*") {
      for (const auto& [key, value] : from.get_object()) to.push_back(&value);
    } else if (const json::value* found =
                   from.get_object().if_contains({step.data(), step.size()})) {
      to.push_back(found);
    }
  }
}

std::string TextOf(const json::value& token) {
  return token.is_string() ? std::string(View(token.get_string())) : json::serialize(token);
}

// The texts of all tokens that `path` selects.
std::vector<std::string> Select(const json::value& root, std::string_view path) {
  if (!path.starts_with('$')) return {};
  path.remove_prefix(1);
  std::vector<const json::value*> tokens = {&root};
  while (!path.empty() && !tokens.empty()) {
    const auto step = TakeStep(path);
    if (!step) return {};
    std::vector<const json::value*> next;
    for (const json::value* token : tokens) Step(*token, *step, next);
    tokens = std::move(next);
  }
  std::vector<std::string> texts;
  for (const json::value* token : tokens) texts.push_back(TextOf(*token));
  return texts;
}

// Puts `tokens[n]` where `format` says `{n}`.
std::string Fill(std::string_view format, const std::vector<std::string>& tokens) {
  std::string out;
  while (!format.empty()) {
    const size_t close = format.find('}');
    if (format[0] == '{' && close != std::string_view::npos) {
      const auto index = ParseInteger(format.substr(1, close - 1));
      if (index && *index >= 0 && static_cast<size_t>(*index) < tokens.size()) {
        out += tokens[static_cast<size_t>(*index)];
        format.remove_prefix(close + 1);
        continue;
      }
    }
    out += format[0];
    format.remove_prefix(1);
  }
  return out;
}

// --- running ---

// The head and tail of an answer within the batch's answer; its own body stands between.
std::string PartHead(const Answer& answer) {
  std::string out = fmt::format("{{\"Status\":{},\"Headers\":{{", answer.status);
  for (const auto& [name, value] : answer.headers) {
    if (name == "Content-Type") out += fmt::format("\"{}\":\"{}\"", name, value);
  }
  return out + "},\"Content\":";
}

class BatchBody : public web::Body {
 public:
  BatchBody(const Call& call, std::vector<Part> parts, PartRunner run)
      : world_(call.world),
        parts_(std::move(parts)),
        base_(call.base),
        now_(call.now),
        member_(call.member),
        run_(std::move(run)) {}

  bool Append(std::string& out) override {
    constexpr size_t kPieceBytes = 256 << 10;
    const size_t enough = out.size() + kPieceBytes;
    while (out.size() < enough && !is_stuck_) {
      if (IsCalling()) {
        Advance(out);
      } else if (part_ < parts_.size()) {
        BeginPart(out);
      } else {
        out += part_ == 0 ? "{}" : "}";
        return false;
      }
    }
    return true;
  }

  bool IsStuck() const override { return is_stuck_; }

 private:
  bool IsCalling() const { return running_ != nullptr || !urls_.empty(); }

  void Advance(std::string& out) {
    if (running_ == nullptr) return BeginCall(out);
    if (!running_->Append(out)) FinishCall(out);
  }

  // Works out the URLs of the next part; those that cannot be called are answered at once.
  void BeginPart(std::string& out) {
    out += part_ == 0 ? "{" : ",";
    AppendQuoted(parts_[part_].id, false, out);
    out += ':';
    part_begin_ = out.size();
    const Part& part = parts_[part_];
    template_item_ = 0;
    if (std::ranges::any_of(part.parents,
                            [&](const std::string& parent) { return failed_.contains(parent); })) {
      return Refuse(Errors(world_.readings.child_of_failed, "A parent of the request failed."),
                    out);
    }
    auto urls = Urls(part);
    if (!urls) return Refuse(Refusal(urls.error()), out);
    if (part.is_template) {
      out += fmt::format("{{\"Status\":{},\"Headers\":{{}},\"Content\":{{\"Total\":{},\"Items\":[",
                         world_.readings.template_status, urls->size());
      if (urls->empty()) return FinishPart(out);
    }
    urls_.assign(urls->begin(), urls->end());
    // The answer of a parent is needed whole, so it is made at once.
    while (part.is_parent && IsCalling()) Advance(out);
  }

  Result<std::vector<std::string>> Urls(const Part& part) const {
    if (part.resource.starts_with("$.")) {
      auto selected = Select(answers_, part.resource);
      if (selected.size() != 1)
        return Fail(ErrorKind::kInvalid, "'{}' selects {} tokens, not one.", part.resource,
                    selected.size());
      return selected;
    }
    std::vector<std::vector<std::string>> columns;
    for (const std::string& parameter : part.parameters) {
      columns.push_back(Select(answers_, parameter));
      if (!part.is_template && columns.back().size() != 1) {
        return Fail(ErrorKind::kInvalid, "'{}' selects {} tokens, not one.", parameter,
                    columns.back().size());
      }
    }
    size_t rows = part.is_template && !columns.empty() ? columns[0].size() : 1;
    for (const auto& column : columns) rows = std::min(rows, column.size());
    std::vector<std::string> urls;
    for (size_t row = 0; row < rows; ++row) {
      std::vector<std::string> tokens;
      for (const auto& column : columns) tokens.push_back(column[row]);
      urls.push_back(Fill(part.resource, tokens));
    }
    return urls;
  }

  void BeginCall(std::string& out) {
    const std::string url = std::move(urls_.front());
    urls_.pop_front();
    if (template_item_++ > 0) out += ',';
    auto call = MakeCall(world_, parts_[part_].method, url, base_, now_, member_);
    Answer answer = call ? run_(std::move(*call)) : Refusal(call.error());
    status_ = answer.status;
    is_stuck_ = answer.mishap.kind == web::Mishap::Kind::kNoAnswer;
    if (is_stuck_) return;
    out += PartHead(answer);
    if (answer.pieces != nullptr) {
      running_ = std::move(answer.pieces);
    } else {
      out += answer.body.empty() ? "null" : answer.body;
      FinishCall(out);
    }
  }

  void FinishCall(std::string& out) {
    running_.reset();
    out += '}';
    if (urls_.empty()) FinishPart(out);
  }

  void FinishPart(std::string& out) {
    const Part& part = parts_[part_];
    if (part.is_template) {
      out += "]}}";
    } else if (status_ >= 400) {
      failed_.insert(part.id);
    }
    if (part.is_parent) Keep(std::string_view(out).substr(part_begin_));
    ++part_;
  }

  void Refuse(const Answer& answer, std::string& out) {
    out += PartHead(answer) + answer.body + "}";
    failed_.insert(parts_[part_].id);
    ++part_;
  }

  // Bare NaN and the like are no JSON: an answer that holds them cannot be a parent.
  void Keep(std::string_view text) {
    boost::system::error_code error;
    json::value answer = json::parse({text.data(), text.size()}, error);
    if (error)
      failed_.insert(parts_[part_].id);
    else
      answers_.get_object()[parts_[part_].id] = std::move(answer);
  }

  const World& world_;
  const std::vector<Part> parts_;
  const std::string base_;
  const UtcTime now_;
  const Member member_;
  const PartRunner run_;

  size_t part_ = 0;
  size_t part_begin_ = 0;  ///< where the answer of a parent begins in the piece
  int status_ = 0;
  size_t template_item_ = 0;
  bool is_stuck_ = false;               ///< a part never answers, so neither does the batch
  std::deque<std::string> urls_;        ///< calls of the current part that are still to be made
  std::unique_ptr<web::Body> running_;  ///< the body that is being sent
  json::value answers_ = json::object();
  std::set<std::string, std::less<>> failed_;
};

}  // namespace

Answer Batch(const Call& call, std::string_view body, PartRunner run) {
  auto parts = ReadBatch(body);
  if (!parts) return Refusal(parts.error());
  Answer answer = JsonPieces(std::make_unique<BatchBody>(call, std::move(*parts), std::move(run)));
  answer.status = 207;
  return answer;
}

}  // namespace pilake::sim
