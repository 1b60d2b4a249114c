// SPDX-License-Identifier: Apache-2.0
#include "config/yaml.h"

#include <memory>

#include <fmt/format.h>
#include <yaml.h>

namespace pilake::config {
namespace {

constexpr std::string_view kQuoteHint =
    "a text that begins with `*`, `&`, `%`, `@` or a back-quote must stand in single quotes, as in "
    "'*.TEST'";

int LineOf(const yaml_mark_t& mark) {
  return static_cast<int>(mark.line) + 1;
}

tl::unexpected<Finding> Refuse(const yaml_mark_t& mark, std::string text) {
  return tl::unexpected(Finding{LineOf(mark), std::move(text)});
}

/// The library's wording, turned into what to do about it.
std::string Translate(std::string_view problem, std::string_view context) {
  // `\u` of "DOMAIN\user" begins a hexadecimal number, other letters are no escapes at all.
  if (problem.find("escape") != std::string_view::npos ||
      (problem.find("hexdecimal") != std::string_view::npos &&
       context.find("quoted scalar") != std::string_view::npos)) {
    return std::string(kBackslashHint);
  }
  if (context.find("alias") != std::string_view::npos ||
      context.find("anchor") != std::string_view::npos ||
      problem.find("cannot start any token") != std::string_view::npos) {
    return fmt::format("not valid YAML here; {}", kQuoteHint);
  }
  return fmt::format("not valid YAML: {}{}{}", context, context.empty() ? "" : ", ", problem);
}

struct DeleteEvent {
  void operator()(yaml_event_t* event) const {
    yaml_event_delete(event);
    delete event;
  }
};
using Event = std::unique_ptr<yaml_event_t, DeleteEvent>;

/// The events of a text, one after the other.
class Events {
 public:
  /// `text` must outlive this.
  explicit Events(std::string_view text) {
    yaml_parser_initialize(&parser_);
    // The library reads unsigned bytes. NOLINTNEXTLINE(google-readability-casting)
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    yaml_parser_set_input_string(&parser_, bytes, text.size());
  }
  ~Events() { yaml_parser_delete(&parser_); }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  tl::expected<Event, Finding> Next() {
    Event event(new yaml_event_t{});
    if (yaml_parser_parse(&parser_, event.get()) == 1) return event;
    const std::string_view problem = parser_.problem == nullptr ? "unreadable" : parser_.problem;
    const std::string_view context = parser_.context == nullptr ? "" : parser_.context;
    return Refuse(parser_.problem_mark, Translate(problem, context));
  }

 private:
  yaml_parser_t parser_{};
};

/// Builds the tree from events. What is open stands on a stack; the names and values of a map
/// alternate in its `items` until it is closed.
class Tree {
 public:
  /// An error for events that a configuration needs not.
  tl::expected<void, Finding> Take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_ALIAS_EVENT:
        return Refuse(event.start_mark, fmt::format("aliases are not supported; {}", kQuoteHint));
      case YAML_SCALAR_EVENT:
        return TakeScalar(event);
      case YAML_SEQUENCE_START_EVENT:
        return Open(event, YamlNode::Kind::kList, event.data.sequence_start.anchor);
      case YAML_MAPPING_START_EVENT:
        return Open(event, YamlNode::Kind::kMap, event.data.mapping_start.anchor);
      case YAML_SEQUENCE_END_EVENT:
        Close();
        return {};
      case YAML_MAPPING_END_EVENT:
        return CloseMap();
      case YAML_DOCUMENT_START_EVENT:
        if (++documents_ == 1) return {};
        return Refuse(event.start_mark, "a second document begins here; one is enough");
      default:
        return {};
    }
  }

  YamlNode TakeRoot() { return std::move(root_); }

 private:
  static tl::expected<void, Finding> CheckAnchor(const yaml_event_t& event,
                                                 const yaml_char_t* anchor) {
    if (anchor == nullptr) return {};
    return Refuse(event.start_mark, fmt::format("anchors are not supported; {}", kQuoteHint));
  }

  tl::expected<void, Finding> TakeScalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    YamlNode node{.kind = YamlNode::Kind::kScalar, .line = LineOf(event.start_mark)};
    node.text.assign(scalar.value, scalar.value + scalar.length);
    const bool is_plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (is_plain && (node.text.empty() || node.text == "~" || node.text == "null")) {
      node.kind = YamlNode::Kind::kNull;
    }
    Add(std::move(node));
    return CheckAnchor(event, scalar.anchor);
  }

  tl::expected<void, Finding> Open(const yaml_event_t& event, YamlNode::Kind kind,
                                   const yaml_char_t* anchor) {
    open_.push_back({.kind = kind, .line = LineOf(event.start_mark)});
    return CheckAnchor(event, anchor);
  }

  tl::expected<void, Finding> CloseMap() {
    std::vector<YamlNode> members;
    std::vector<YamlNode>& items = open_.back().items;
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      const YamlNode& name = items[i];
      if (name.kind != YamlNode::Kind::kScalar) {
        return tl::unexpected(
            Finding{name.line, fmt::format("a key must be a text, not {}", Describe(name.kind))});
      }
      YamlNode& member = members.emplace_back(std::move(items[i + 1]));
      member.name = name.text;
      member.line = name.line;
    }
    items = std::move(members);
    Close();
    return {};
  }

  void Close() {
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    Add(std::move(node));
  }

  void Add(YamlNode node) {
    (open_.empty() ? root_ : open_.back().items.emplace_back()) = std::move(node);
  }

  YamlNode root_;
  std::vector<YamlNode> open_;
  int documents_ = 0;
};

}  // namespace

tl::expected<YamlNode, Finding> ParseYaml(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return tl::unexpected(Finding{1, "this is not a text file"});
  }
  Events events(text);
  Tree tree;
  while (true) {
    auto event = events.Next();
    if (!event) return tl::unexpected(std::move(event).error());
    if ((*event)->type == YAML_STREAM_END_EVENT) return tree.TakeRoot();
    if (auto taken = tree.Take(**event); !taken) return tl::unexpected(std::move(taken).error());
  }
}

std::string_view Describe(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a text";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "nothing";
}

}  // namespace pilake::config
