// `macloom cost claim`.
#pragma once

#include "cli/common.h"

namespace macloom::cli {

Verb AddCostClaim(CLI::App& cost);

}  // namespace macloom::cli
