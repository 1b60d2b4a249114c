// SPDX-License-Identifier: Apache-2.0
// Held: series whose last covered row did not come back. It was edited, or another archive answers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pipeline/run.h"
#include "pipeline/shard_reader.h"
#include "plan/coverage.h"

namespace pilake::pipeline {

/// Marks the series as held and orders a look at the rows before the last one: whether they match
/// will show what happened.
void Hold(const Run& run, uint32_t series, plan::Advance& advance);

/// The series that did not find their last row, if they are more than edits of single rows explain
/// and `run.trusts_many_held` does not say that they are edits all the same; else none.
std::vector<uint32_t> ManyHeld(const Run& run, std::span<const TaskOutcome> outcomes);

/// Some of `held`, spread over all of it: enough to tell edits from another archive.
std::vector<uint32_t> SampleOfHeld(const std::vector<uint32_t>& held);

}  // namespace pilake::pipeline
