#include "cli/quantize_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/files.h"
#include "base/npy.h"
#include "ir/float_network_file.h"
#include "networks/model.h"
#include "quantize/dequantize.h"

namespace macloom::cli {
namespace {

Result<Samples> FromFloatArray(const std::filesystem::path& path, const NpyArray& array,
                               const ir::FloatTensorInfo& info) {
  const auto squeeze = [](std::vector<int64_t> shape) {
    std::erase(shape, 1);
    return shape;
  };
  const bool has_axis = !array.shape.empty() && array.shape[0] > 0;
  const std::vector<int64_t> rest(array.shape.begin() + (has_axis ? 1 : 0), array.shape.end());
  if (!has_axis || squeeze(rest) != squeeze(info.shape)) {
    return InvalidInput(fmt::format("{}: shape {}; expected N x {} (N samples of input `{}`)",
                                    path.string(), ir::ToString(array.shape),
                                    ir::ToString(info.shape), info.name));
  }
  Samples samples;
  const auto size = static_cast<size_t>(ir::NumElements(info.shape));
  const auto count = static_cast<size_t>(array.shape[0]);
  samples.values.resize(count, quantize::FloatValues(size));
  samples.names.inputs.resize(count);
  for (size_t i = 0; i < count * size; ++i) {
    float& value = samples.values[i / size][i % size];
    if (array.dtype == "<f4") {
      std::memcpy(&value, array.bytes.data() + i * sizeof(float), sizeof value);
    } else {
      double wide = 0;
      std::memcpy(&wide, array.bytes.data() + i * sizeof wide, sizeof wide);
      value = static_cast<float>(wide);
    }
  }
  return samples;
}

}  // namespace

Result<Source> LoadSource(const std::string& model, ir::Rounding rounding) {
  const std::filesystem::path path(model);
  if (path.extension() == ".safetensors") {
    MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path));
    if (ir::LooksLikeFloatNetwork(bytes)) {
      MACLOOM_ASSIGN_OR_RETURN(ir::FloatGraph graph, ir::LoadFloatNetwork(path));
      return Source{std::move(graph), std::nullopt};
    }
  }
  MACLOOM_ASSIGN_OR_RETURN(ir::Graph graph, networks::LoadModel(model, rounding));
  MACLOOM_ASSIGN_OR_RETURN(ir::FloatGraph float_graph, quantize::Dequantize(graph));
  return Source{std::move(float_graph), std::move(graph)};
}

Result<Samples> LoadSamples(const std::filesystem::path& path, const Source& source) {
  const ir::FloatTensorInfo& info = source.float_graph.tensor(source.float_graph.input);
  if (path.extension() == ".npy") {
    MACLOOM_ASSIGN_OR_RETURN(const NpyArray array, ReadNpy(path));
    if (array.dtype == "<f4" || array.dtype == "<f8") return FromFloatArray(path, array, info);
  }
  if (!source.graph) {
    return InvalidInput(fmt::format(
        "{}: inputs of a float network are values; accepted is a .npy array of float32 or float64",
        path.string()));
  }
  Samples samples;
  MACLOOM_ASSIGN_OR_RETURN(samples.names, flow::LoadInputs(path, *source.graph));
  for (const ir::TensorValue& codes : samples.names.inputs) {
    samples.values.push_back(quantize::Values(source.graph->tensor(source.graph->input), codes));
  }
  return samples;
}

std::vector<quantize::FloatValues> Spread(const std::vector<quantize::FloatValues>& values,
                                          int count) {
  const size_t wanted = std::min(values.size(), static_cast<size_t>(count));
  std::vector<quantize::FloatValues> chosen;
  for (size_t k = 0; k < wanted; ++k) chosen.push_back(values[k * values.size() / wanted]);
  return chosen;
}

int NumEqual(const std::vector<int>& a, const std::vector<int>& b) {
  int count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += a[i] == b[i] ? 1 : 0;
  return count;
}

Status SaveInputs(const std::string& path, const ir::Graph& graph,
                  const std::vector<quantize::FloatValues>& values) {
  const ir::TensorInfo& info = graph.tensor(graph.input);
  std::vector<int64_t> shape = info.shape;
  shape.insert(shape.begin(), static_cast<int64_t>(values.size()));
  std::vector<int32_t> codes;
  for (const quantize::FloatValues& sample : values) {
    const std::vector<int32_t> more = quantize::Codes(info, sample).codes;
    codes.insert(codes.end(), more.begin(), more.end());
  }
  // Minifloat codes are unsigned.
  if (info.format.IsMinifloat()) return WriteNpy(path, FromInt32(shape, codes));
  return WriteNpy(path, FromInt8(shape, std::vector<int8_t>(codes.begin(), codes.end())));
}

}  // namespace macloom::cli
