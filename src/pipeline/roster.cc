// SPDX-License-Identifier: Apache-2.0
#include "pipeline/roster.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace pilake::pipeline {
namespace {

/// What is wished of a series.
struct Wish {
  bool is_hot = false;
  Way way = Way::kAuto;

  auto operator<=>(const Wish&) const = default;
};

/// Of the first selection that wishes anything of it.
Wish WishFor(const Series& series, std::span<const TagSelection> tags) {
  const auto found = std::ranges::find_if(tags, [&](const TagSelection& selection) {
    return (selection.hot || selection.way != Way::kAuto) && Selects(selection, series);
  });
  return found == tags.end() ? Wish() : Wish{found->hot, found->way};
}

Wish WishOf(const Bundle& bundle) {
  return {bundle.is_hot, bundle.wished};
}

class Bundler {
 public:
  Bundler(const Roster& before, LiveTail::SeriesList series, std::span<const TagSelection> tags,
          const RosterLimits& limits)
      : before_(before), tags_(tags), limits_(limits) {
    roster_.series = std::move(series);
    roster_.next_id = before.next_id;
  }

  Roster Do() && {
    TakeOver();
    Dissolve();
    for (const auto& [wish, which] : loose_) BundleUp(wish, which);
    GiveChannels();
    return std::move(roster_);
  }

 private:
  /// Series stay where they are unless they are wished otherwise now.
  void TakeOver() {
    std::unordered_map<std::string_view, size_t> bundle_of;  // by WebID
    for (size_t k = 0; k < before_.bundles.size(); ++k) {
      Bundle bundle = before_.bundles[k];
      for (const uint32_t i : std::exchange(bundle.which, {}))
        bundle_of.emplace((*before_.series)[i].web_id, k);
      roster_.bundles.push_back(std::move(bundle));
    }
    for (uint32_t i = 0; i < roster_.series->size(); ++i) {
      const Series& series = (*roster_.series)[i];
      if (series.future) continue;
      const Wish wish = WishFor(series, tags_);
      const auto found = bundle_of.find(series.web_id);
      const bool may_stay =
          found != bundle_of.end() && WishOf(roster_.bundles[found->second]) == wish;
      auto& which = may_stay ? roster_.bundles[found->second].which : loose_[wish];
      which.push_back(i);
    }
  }

  void Dissolve() {
    std::erase_if(roster_.bundles, [this](Bundle& bundle) {
      if (bundle.which.size() * 2 >= bundle.made_of) return false;
      auto& loose = loose_[WishOf(bundle)];
      loose.insert(loose.end(), bundle.which.begin(), bundle.which.end());
      return true;
    });
  }

  void BundleUp(const Wish& wish, std::vector<uint32_t> which) {
    std::ranges::sort(which);
    for (size_t first = 0; first < which.size(); first += limits_.bundle_max) {
      const size_t last = std::min(which.size(), first + limits_.bundle_max);
      roster_.bundles.push_back({.id = roster_.next_id++,
                                 .is_hot = wish.is_hot,
                                 .wished = wish.way,
                                 .which = {which.begin() + static_cast<std::ptrdiff_t>(first),
                                           which.begin() + static_cast<std::ptrdiff_t>(last)},
                                 .made_of = last - first});
    }
  }

  /// The oldest bundles come first, so that they keep what they have.
  void GiveChannels() {
    const auto asked =
        static_cast<size_t>(std::ranges::count(roster_.bundles, Way::kChannel, &Bundle::wished));
    size_t left = limits_.channels_max - std::min(limits_.channels_max, asked);
    for (const bool is_hot : {true, false}) {
      for (Bundle& bundle : roster_.bundles) {
        if (bundle.is_hot != is_hot) continue;
        bundle.way = bundle.wished;
        if (bundle.way != Way::kAuto) continue;
        bundle.way = left > 0 ? Way::kChannel : Way::kUpdates;
        left -= std::min<size_t>(left, 1);
      }
    }
  }

  const Roster& before_;
  const std::span<const TagSelection> tags_;
  const RosterLimits& limits_;
  Roster roster_;
  std::map<Wish, std::vector<uint32_t>> loose_;
};

}  // namespace

Roster MakeRoster(const Roster& before, LiveTail::SeriesList series,
                  std::span<const TagSelection> tags, const RosterLimits& limits) {
  return Bundler(before, std::move(series), tags, limits).Do();
}

}  // namespace pilake::pipeline
