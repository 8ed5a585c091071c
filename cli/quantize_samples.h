// What the verb quantize reads: a network, and samples for it; the codes it writes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "flow/samples.h"
#include "ir/float_graph.h"
#include "ir/graph.h"
#include "quantize/float_executor.h"

namespace macloom::cli {

/// What is quantized: a float network, or the values of an integer one.
struct Source {
  ir::FloatGraph float_graph;
  std::optional<ir::Graph> graph;
};

/// @return kInvalidInput naming the file; kUnsupported as quantize::Dequantize().
Result<Source> LoadSource(const std::string& model, ir::Rounding rounding);

struct Samples {
  std::vector<quantize::FloatValues> values;
  flow::Samples names;  ///< For labels: as many inputs as values, and their file names.
};

/// Values: a .npy array of floats, or codes of the integer network that is quantized.
Result<Samples> LoadSamples(const std::filesystem::path& path, const Source& source);

/// `count` of the samples, evenly spread.
std::vector<quantize::FloatValues> Spread(const std::vector<quantize::FloatValues>& values,
                                          int count);

/// Positions at which two lists of equal length agree.
int NumEqual(const std::vector<int>& a, const std::vector<int>& b);

/// Writes the codes of `values` in the format of the graph's input, a .npy array.
Status SaveInputs(const std::string& path, const ir::Graph& graph,
                  const std::vector<quantize::FloatValues>& values);

}  // namespace macloom::cli
