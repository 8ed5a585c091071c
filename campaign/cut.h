// A smaller network made of parts of a larger one.
#pragma once

#include <optional>
#include <vector>

#include "campaign/execution.h"

namespace macloom::campaign {

/// Indices [first, first + count) of an axis that stay.
struct Range {
  int64_t first = 0, count = 0;
};

/// What stays of a network.
struct Cut {
  std::vector<Range> input;            ///< By axis of the input.
  std::vector<Range> output_channels;  ///< By node; used by CONV_2D and FULLY_CONNECTED.
  std::vector<ir::Window> windows;     ///< By node; kernels not larger than before.
};

/// Everything stays.
Cut WholeOf(const ir::Graph& graph);

/// The network with what `cut` leaves: input codes, weights, biases and multipliers of what stays,
/// all other shapes by inference. @return nullopt if no valid network is left.
std::optional<Case> Apply(const Case& test_case, const Cut& cut);

/// The nodes between tensors `input` and `output`, with `value` as input.
/// @return nullopt if they need another tensor too.
std::optional<Case> Between(const Case& test_case, ir::TensorId input, ir::TensorId output,
                            const ir::TensorValue& value);

}  // namespace macloom::campaign
