// SPDX-License-Identifier: Apache-2.0
// Filter expressions: the few that tell events by their flags (wire §5.2).
#include "sim/event_filter.h"

#include <algorithm>

#include "sim/text.h"

namespace pilake::sim {
namespace {

// Takes `word` off the front of `text`, in any case, and the blanks behind it.
bool Take(std::string_view word, std::string_view& text) {
  if (!SameText(text.substr(0, word.size()), word)) return false;
  text = Trim(text.substr(word.size()));
  return true;
}

bool TakeAll(std::initializer_list<std::string_view> words, std::string_view& text) {
  std::string_view rest = text;
  for (const std::string_view word : words) {
    if (!Take(word, rest)) return false;
  }
  text = rest;
  return true;
}

}  // namespace

Result<EventFilter> EventFilter::Parse(std::string_view text) {
  EventFilter filter;
  std::string_view rest = Trim(text);
  if (rest.empty()) return filter;
  do {
    const bool wanted = !Take("not ", rest);
    if (TakeAll({"IsSet", "(", "'.'", ",", "\"a\"", ")"}, rest)) {
      filter.terms_.push_back({Flag::kAnnotated, wanted});
    } else if (TakeAll({"IsSet", "(", "'.'", ",", "\"s\"", ")"}, rest)) {
      filter.terms_.push_back({Flag::kSubstituted, wanted});
    } else if (TakeAll({"IsSet", "(", "'.'", ",", "\"q\"", ")"}, rest)) {
      filter.terms_.push_back({Flag::kQuestionable, wanted});
    } else if (TakeAll({"BadVal", "(", "'.'", ")"}, rest)) {
      filter.terms_.push_back({Flag::kBad, wanted});
    } else {
      break;
    }
    if (rest.empty()) return filter;
  } while (Take("or ", rest));
  return Fail(ErrorKind::kConflict, "The filter expression '{}' is not supported.", text);
}

bool EventFilter::Has(const Event& event, Flag flag) {
  switch (flag) {
    case Flag::kAnnotated:
      return event.annotated;
    case Flag::kSubstituted:
      return event.substituted;
    case Flag::kQuestionable:
      return event.questionable;
    case Flag::kBad:
      return !event.good;
  }
  return false;
}

bool EventFilter::Passes(const Event& event) const {
  return terms_.empty() || std::ranges::any_of(terms_, [&](const Term& term) {
           return Has(event, term.flag) == term.wanted;
         });
}

}  // namespace pilake::sim
