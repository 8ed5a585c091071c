// Multiply-accumulate units on FPGA families.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cost/mac_unit.h"
#include "cost/synthesis.h"

namespace macloom::cost {

/// kIce40 is placed and routed; of the others resources are counted after synthesis.
enum class FpgaFamily { kIce40, kEcp5, kXc7 };

/// "ice40", "ecp5", "xc7".
const char* FamilyName(FpgaFamily family);
std::vector<FpgaFamily> AllFpgaFamilies();

/// One unit on one family, after Yosys.
struct FpgaCount {
  int64_t luts = 0;        ///< SB_LUT4 (ice40), LUT4 (ecp5), LUT1 to LUT6 (xc7).
  int64_t carries = 0;     ///< SB_CARRY (1 bit), CCU2C (2 bits), CARRY4 (4 bits).
  int64_t flip_flops = 0;  ///< Operand registers included.
  int64_t dsps = 0;        ///< SB_MAC16, MULT18X18D or DSP48E1.
};

struct FpgaResult {
  std::string name;
  FpgaFamily family = FpgaFamily::kIce40;
  bool has_dsps = false;  ///< Multipliers may become DSP blocks; else everything is LUTs.
  FpgaCount count;
  /// Placed and routed on an HX8K (CT256), seed 1, clock to clock: kIce40 without DSP blocks only.
  std::optional<double> fmax_mhz;
};

/// `spec` (bare, with operators as multipliers and registered operands) through `synth_ice40`,
/// `synth_ecp5` or `synth_xilinx -family xc7`, and for iCE40 without DSP blocks through
/// nextpnr-ice40; from the cache if known.
/// @return kToolMissing naming the package, kToolFailed with the last lines; kUnsupported for
///         another shape than bare, and for more pins than the HX8K has.
Result<FpgaResult> MeasureOnFpga(const MacSpec& spec, FpgaFamily family, bool has_dsps,
                                 Synthesizer& synthesizer);

/// docs/cost.md, "JSON".
nlohmann::ordered_json ToJson(const FpgaResult& result);

}  // namespace macloom::cost
