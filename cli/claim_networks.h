// The networks that `macloom cost claim` runs: one for each unit, quantized to its format.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/quantize_samples.h"
#include "cost/claim_measure.h"
#include "quantize/post_training.h"

namespace macloom::cli {

/// What integers are scaled with.
enum class ClaimScales { kAffine, kShift };

/// Networks quantized from the values of one model as the accelerator runs them: minifloats with
/// shifts for means, integers with affine scales unless kShift; ranges by least square error.
class ClaimNetworks {
 public:
  /// @param calibrate samples as `quantize --calibrate`; empty: random ones.
  /// @return errors of LoadSource() and LoadSamples(); kInvalidInput for a float network without
  ///         samples.
  static Result<ClaimNetworks> Create(const std::string& model, const std::string& calibrate,
                                      uint64_t seed);

  const std::string& name() const { return source_.float_graph.name; }
  bool is_random() const { return is_random_; }

  /// Makes the networks of `formats` with weights per channel, which the calls below need.
  Status Prepare(const std::vector<std::string>& formats);

  /// @pre the unit's format is prepared. May be called by several threads.
  Result<cost::OperandTrace> Operands(const cost::MacSpec& spec, int cycles, uint64_t seed) const;
  /// Cycles and memory accesses. @return errors of the compiler.
  Result<cost::ClaimRun> Run(const cost::MacSpec& spec, const arch::HardwareConfig& config) const;

  /// Runs the samples as the accelerator of `config` does. @param labels of the samples.
  Result<cost::ClaimAccuracy> Accuracy(const std::string& name, const cost::MacSpec& spec,
                                       const arch::HardwareConfig& config, bool is_per_channel,
                                       const std::string& labels) const;

 private:
  Result<quantize::QuantizedNetwork> Make(const cost::MacSpec& spec, ClaimScales scales,
                                          bool is_per_channel) const;

  Source source_;
  Samples samples_;
  bool is_random_ = false;
  std::vector<quantize::FloatValues> calibration_;
  std::map<std::string, quantize::QuantizedNetwork> networks_;  ///< By MacSpec::Text().
  quantize::QuantizedNetwork shift_network_;
};

}  // namespace macloom::cli
