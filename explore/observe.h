// What the accumulators of a network did on given samples.
#pragma once

#include <vector>

#include "explore/accum_result.h"

namespace macloom::explore {

/// Runs all samples exactly and fills, per layer, the observed range of input codes with its bounds
/// and, per channel, the smallest and largest final sum and prefix (in hardware order, the start
/// value included). Not a proof of anything about other samples.
/// @return golden's error for the first unfit input.
Status Observe(const ir::Graph& graph, const std::vector<ir::Accumulation>& accumulation,
               const std::vector<ir::TensorValue>& inputs, std::vector<LayerCertificate>& layers);

}  // namespace macloom::explore
