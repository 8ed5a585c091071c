// Inputs of single layers that reach a certificate: the proof that it is not too wide.
#pragma once

#include <filesystem>
#include <vector>

#include "explore/accum_result.h"
#include "explore/layer_geometry.h"

namespace macloom::explore {

enum class BoundForm { kHardwareOrder, kFinalSum };
std::string ToString(BoundForm form);
std::string ToString(RangeKind kind);

/// An input tensor of one layer that drives one output channel to one of its bounds.
struct AdversarialInput {
  int node = -1;
  int64_t channel = 0;
  BoundForm form = BoundForm::kHardwareOrder;
  RangeKind range = RangeKind::kBitWidth;
  bool is_upper = true;  ///< The side that sets the width.
  int64_t bound = 0;     ///< What is reached: a prefix or the final sum.
  int width_bits = 0;    ///< P of the bound, at least 1.
  int64_t start = 0;
  int64_t out_y = 0, out_x = 0;  ///< The output that reaches it.
  int64_t num_steps = 0;         ///< Steps until it is reached; 0: the start value is the bound.
  ir::TensorValue input;
};

/// Chooses each code of the window by its weight's sign: for the upper bound the largest product of
/// every step up to the one that reaches it. Codes outside the window are the range's smallest.
/// @pre `layer` is Certify()'s for `accumulation`.
AdversarialInput MakeAdversarialInput(const ir::Graph& graph, const ir::Accumulation& accumulation,
                                      const LayerCertificate& layer, int64_t channel,
                                      BoundForm form, RangeKind range);

/// Executes `adversarial` by golden's accumulator at P and at P - 1 (not below 8 bits) and adds
/// what happened.
///
/// Hardware order: at P neither policy has an event; at P - 1 the saturating accumulator has one,
/// or refuses the start value. Final sum: at P the wrapping accumulator ends with the bound; at P -
/// 1 with another value.
void CheckAdversarialInput(const ir::Graph& graph, const ir::Accumulation& accumulation,
                           const AdversarialInput& adversarial, AdversarialSummary& summary);

/// The channel whose bound of `form` and `range` needs the most bits, the first of several.
int64_t GoverningChannel(const LayerCertificate& layer, BoundForm form, RangeKind range);

/// The network of node `node` alone, from its input tensor to its output tensor.
ir::Graph LayerGraph(const ir::Graph& graph, int node);

/// Folder of docs/accumulator.md, "Adversarial vectors": index.json and one LAYER/input.npy per
/// layer. Written completely or not at all.
Status WriteAdversarialInputs(const ir::Graph& graph, const std::vector<AdversarialInput>& inputs,
                              const std::filesystem::path& directory);

}  // namespace macloom::explore
