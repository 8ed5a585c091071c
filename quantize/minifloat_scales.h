// Scale exponents of a minifloat network's tensors and weights.
#pragma once

#include <string>
#include <vector>

#include "quantize/minifloat_grid.h"
#include "quantize/minifloat_post_training.h"
#include "quantize/prepare.h"

namespace macloom::quantize {

struct MinifloatScales {
  std::vector<MinifloatGrid> tensors;  ///< By TensorId.
  ir::NumberFormat weight_format;
  std::vector<std::vector<int>> weights;  ///< By node: one exponent, or one per output channel.
  std::vector<std::string> notes;         ///< Which scales left room for the register.
};

/// Scales by range (ScaleExponent()), one per group of tensors that share codes: MAX_POOL_2D,
/// AVERAGE_POOL_2D, RESHAPE, CONCATENATION, PAD.
///
/// They are raised (codes lowered) until a register of options.accumulation has room: pooled sums
/// by the scales of their tensors, sums and start values by those of the weights, both
///   |sum over the samples| <= largest / 4, |b| <= largest / 4
/// with largest = the register's largest value times s_in s_w; start values stay below 2^61 units.
/// @return kInvalidInput as Calibrate(), and for exponents k beyond -64..64.
Result<MinifloatScales> ChooseMinifloatScales(const PreparedNetwork& network,
                                              const std::vector<FloatValues>& samples,
                                              const MinifloatOptions& options);

}  // namespace macloom::quantize
