// The accumulator explorer's findings on RTL: adversarial inputs, and every width of one build.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "explore/adversarial.h"
#include "flow/samples.h"
#include "flow/verify.h"

namespace macloom::flow {

/// One layer cut from the network, fed its adversarial input at the certificate and one bit below.
struct AdversarialOnRtl {
  std::string layer;
  explore::BoundForm form = explore::BoundForm::kHardwareOrder;
  int64_t channel = 0;
  int width_bits = 0;
  /// Golden = descriptor device = RTL at both widths: tensors, events, clamps.
  bool is_equal = false;
  bool holds_at_width = false;  ///< No event (hardware order); the exact tensor (final sum).
  /// At P - 1: an event, or the refusal of the start value; false below 8 bits, where nothing runs.
  bool fails_below = false;
  std::string note;  ///< Why something did not run, or what differed.
};

/// Every accumulating layer and both forms, the governing channel, the input's bit width as range.
/// Layers run on `config` with both policies built in; the hardware-order form under saturate, the
/// final-sum form under wrap.
/// @return errors of the tools. A layer that cannot be mapped alone is a row with a note.
Result<std::vector<AdversarialOnRtl>> RunAdversarialOnRtl(const ir::Graph& graph,
                                                          const arch::HardwareConfig& config,
                                                          bool is_descriptor_only);

/// One width and policy of the wide build.
struct RtlSweepPoint {
  int width_bits = 0;
  ir::Overflow overflow = ir::Overflow::kWrap;
  std::string refusal;     ///< Why the compiler or golden refused the point; empty: it ran.
  int64_t mismatches = 0;  ///< Tensors, events and clamps; golden, descriptor device and RTL.
  int64_t events = 0;      ///< Of the first sample, by the RTL's counters.
  std::string first_mismatch;
};

/// Narrows one build (`config` with 32 bits, or what its requantization takes, and both policies)
/// by the simulation-only input to every width of [min_bits, max_bits].
Result<std::vector<RtlSweepPoint>> SweepOnRtl(const ir::Graph& graph,
                                              const arch::HardwareConfig& config,
                                              const Samples& samples, int min_bits, int max_bits,
                                              bool is_descriptor_only);

}  // namespace macloom::flow
