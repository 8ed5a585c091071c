#include "sim/scoreboard.h"

#include <fmt/format.h>

#include <map>

namespace macloom::sim {
namespace {

/// Where an element was written: the last step whose region covers it.
struct Origin {
  const arch::JobStep* step = nullptr;
  const arch::TensorRegion* region = nullptr;
};

Origin FindOrigin(const arch::Job& job, ir::TensorId tensor, int64_t y, int64_t x) {
  Origin origin;
  for (const arch::JobStep& step : job.steps) {
    for (const arch::TensorRegion& region : step.produces) {
      if (region.tensor == tensor && y >= region.first_row &&
          y < region.first_row + region.num_rows && x >= region.first_col &&
          x < region.first_col + region.num_cols) {
        origin = {&step, &region};
      }
    }
  }
  return origin;
}

std::string Describe(const arch::Job& job, int node, size_t element, int expected, int got,
                     const Device& device, int64_t& cycle) {
  const ir::Node& layer = job.graph.nodes[static_cast<size_t>(node)];
  const ir::Shape& shape = job.graph.tensor(layer.output).shape;
  const int64_t channels = shape.back();
  const int64_t width = shape.size() == 3 ? shape[1] : 1;
  const int64_t c = static_cast<int64_t>(element) % channels;
  const int64_t x = static_cast<int64_t>(element) / channels % width;
  const int64_t y = static_cast<int64_t>(element) / channels / width;
  const arch::HardwareConfig& config = job.config;
  const Origin origin = FindOrigin(job, layer.output, y, x);
  std::string text = fmt::format("layer `{}`: element (y {}, x {}, c {}): expected {}, got {}",
                                 layer.name, y, x, c, expected, got);
  if (origin.step == nullptr) return text + "; no step writes it";
  const int64_t row = y - origin.region->first_row, col = x - origin.region->first_col;
  const arch::TensorPlacement& at = origin.region->placement;
  const int64_t word =
      at.base + c / config.lanes * at.plane_pitch + row * at.row_pitch + col * at.col_pitch;
  const WriteEvent write =
      device.LastWrite(word, static_cast<int>(c % config.lanes), origin.step->tag);
  const bool is_conv =
      origin.step->descriptor.opcode() == static_cast<uint32_t>(arch::Opcode::kConv);
  text += is_conv ? fmt::format("; pixel tile {}, channel group {}",
                                (row * origin.region->num_cols + col) / config.tile_pixels,
                                c / config.rows)
                  : fmt::format("; channel block {}", c / config.lanes);
  text += fmt::format(", step {}, word {} byte {}", origin.step->tag, word, c % config.lanes);
  cycle = write.cycle;
  if (write.cycle >= 0) text += fmt::format(", written in cycle {}", write.cycle);
  return text + fmt::format(" on device `{}`", device.name());
}

}  // namespace

std::vector<LayerComparison> Compare(const arch::Job& job,
                                     const std::vector<ir::TensorValue>& expected,
                                     const DeviceRun& got, const Device& device) {
  std::map<ir::TensorId, int> node_of;
  for (size_t n = 0; n < job.graph.nodes.size(); ++n)
    node_of[job.graph.nodes[n].output] = static_cast<int>(n);
  std::map<int, ir::TensorId> produced;
  for (const arch::JobStep& step : job.steps) {
    for (const arch::TensorRegion& region : step.produces) {
      const auto found = node_of.find(region.tensor);
      if (found != node_of.end()) produced[found->second] = region.tensor;
    }
  }
  std::vector<LayerComparison> layers;
  for (const auto& [node, tensor] : produced) {
    LayerComparison layer;
    layer.node = node;
    const ir::TensorValue& want = expected[static_cast<size_t>(tensor)];
    const ir::TensorValue& have = got.tensors[static_cast<size_t>(tensor)];
    layer.elements = static_cast<int64_t>(want.codes.size());
    if (have.codes.size() != want.codes.size()) {
      layer.mismatches = layer.elements;
      layer.first = fmt::format("layer `{}`: device `{}` produced no output",
                                job.graph.nodes[static_cast<size_t>(node)].name, device.name());
    } else {
      for (size_t i = 0; i < want.codes.size(); ++i) {
        if (want.codes[i] == have.codes[i]) continue;
        if (layer.mismatches++ == 0) {
          layer.first =
              Describe(job, node, i, want.codes[i], have.codes[i], device, layer.first_cycle);
        }
      }
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace macloom::sim
