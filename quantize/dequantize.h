// The float network that an integer network stands for.
#pragma once

#include "ir/float_graph.h"
#include "quantize/float_executor.h"

namespace macloom::quantize {

/// Value of code q of `format`: scale (q - zero point), q 2^-fraction_bits, or a minifloat's value
/// times the scale.
double ValueOf(const ir::NumberFormat& format, const ir::Quantization& quantization, int64_t code);

/// Float network of the values that `graph`'s codes stand for: weights and biases exactly (rounded
/// to float32), every clamp as a clamp of values, the range of the output format included (in an
/// int8 network that is where a ReLU is). Only roundings are gone.
///
/// @pre ir::Verify(graph) succeeds.
/// @return kUnsupported for kinds whose scales do not say what is computed: multiply-add-divide,
///         minifloats, and affine tensors without scale; names node or tensor.
Result<ir::FloatGraph> Dequantize(const ir::Graph& graph);

/// Values of an input's codes in the format of tensor `info`.
FloatValues Values(const ir::TensorInfo& info, const ir::TensorValue& codes);

/// Nearest code of each value, clamped to the format: floor(v + 1/2); minifloats: ties to even.
ir::TensorValue Codes(const ir::TensorInfo& info, const FloatValues& values);

}  // namespace macloom::quantize
