// SPDX-License-Identifier: Apache-2.0
// POST batch: many calls in one, later ones built from the answers of earlier ones (wire §7).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sim/api.h"

namespace pilake::sim {

/// Runs one part and answers it; limits and faults of parts are the runner's business.
using PartRunner = std::function<Answer(Call call)>;

/// Answers the batch that `body` asks for, sent as `call`: 207 with the parts' answers, or 400 for
/// a body that is no batch. Parts whose answers nobody refers to are rendered while the answer is
/// sent.
Answer Batch(const Call& call, std::string_view body, PartRunner run);

}  // namespace pilake::sim
