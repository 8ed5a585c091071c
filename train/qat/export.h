// From trained parameters to network descriptions.
#pragma once

#include "ir/float_graph.h"
#include "ir/graph.h"
#include "train/qat/fixed_model.h"
#include "train/recipe/dataset.h"

namespace macloom::train {

/// The integer network that SimulateFixedPoint() simulates: Q formats, biases on the product grid,
/// one shift per layer, the pool as a sum and one shift. required_accumulator_bits is the
/// certificate: what every prefix of every order needs, ReLU outputs being 0 at least (at least 8).
/// `simulation` holds the quantized parameters, float64.
/// @return kInvalidInput if ir::Verify() refuses it (a shift or accumulator out of range).
Result<ir::Graph> ExportFixedPoint(const Model& model, const Quantizing& qat,
                                   const Simulation& simulation, const Dataset& dataset,
                                   const std::string& name);

/// The folded float network. The mean of AVERAGE_POOL_2D replaces sum / 2^k; the dense weights take
/// the factor positions / 2^k.
ir::FloatGraph ExportFloat(Model& folded, const Dataset& dataset, const std::string& name);

}  // namespace macloom::train
