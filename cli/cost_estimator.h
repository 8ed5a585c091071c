// `macloom cost fit` and `macloom cost estimate`.
#pragma once

#include "cli/common.h"

namespace macloom::cli {

Verb AddCostFit(CLI::App& cost);
Verb AddCostEstimate(CLI::App& cost);

}  // namespace macloom::cli
