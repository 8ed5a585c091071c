// Test vectors of single layers, for people who check their own RTL.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "flow/samples.h"
#include "ir/graph.h"

namespace macloom::flow {

/// One array of a layer: activations of every sample, or a constant.
struct VectorArray {
  std::string name;    ///< "input" ("input_a", "input_b"), "weights", "bias", "start", ...
  std::string layout;  ///< Axes by name, outermost first: "NHWC", "OHWI", "O", ...
  ir::Shape shape;     ///< Activations have the sample axis in front.
  int width_bits = 8;
  bool is_signed = true;
  std::vector<int64_t> codes;  ///< Row-major.
};

/// What one node consumes, keeps and produces.
struct VectorLayer {
  int node = -1;
  std::string folder;  ///< The node's name as a file name and C identifier, unique in the set.
  int64_t overflow_events = 0;  ///< Over all samples.
  std::vector<VectorArray> arrays;
};

struct VectorSet {
  ir::Graph graph;
  int64_t num_samples = 0;
  ir::Accumulation accumulation;  ///< 64 bits = exact.
  std::vector<VectorLayer> layers;
};

struct VectorOptions {
  std::vector<std::string> layers;  ///< Node names; empty = every node.
  ir::Accumulation accumulation = ir::Accumulation::Exact();
};

enum class VectorFormat { kNpy, kHex, kC };

/// Golden runs of all samples, with accumulators before requantization (docs/numerics.md section
/// 2 and 4). The layers chosen sum as `accumulation` says, all others exactly.
/// @return kInvalidInput naming the layer that does not exist or cannot sum that way.
Result<VectorSet> MakeVectors(const ir::Graph& graph, const Samples& samples,
                              const VectorOptions& options);

/// Folder of docs/formats.md, "Vectors": index.json and FOLDER/ARRAY.npy, FOLDER/ARRAY.hex,
/// FOLDER.h. Written completely or not at all. @pre `formats` is not empty.
Status WriteVectors(const VectorSet& vectors, const std::set<VectorFormat>& formats,
                    const std::filesystem::path& directory);

}  // namespace macloom::flow
