// What `macloom accum` prints.
#pragma once

#include <string>
#include <vector>

#include "cli/accum_options.h"

namespace macloom::cli {

/// "-" for 0: no such width.
std::string BitsText(int bits);

/// Widths by layer, named channels, adversarial inputs, sweeps and recommendations of one network.
/// @return false if an adversarial input did not show what its certificate claims.
bool PrintAccumNetwork(const AccumOptions& options, const AccumNetwork& network);

/// One row a network.
void PrintAccumSummary(const std::vector<AccumNetwork>& networks);

}  // namespace macloom::cli
