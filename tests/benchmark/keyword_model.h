// The network that the benchmarks run: kws_ref_model if the data is there.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "importers/tflite/importer.h"
#include "stimulus/random_codes.h"
#include "tests/support/data_pack.h"

namespace macloom::testing {

constexpr int kBatch = 64;

/// Ends the program if the model is not found (MACLOOM_DATA_DIR as in the tests).
inline ir::Graph KeywordModel() {
  const auto path = FindDataPack("mlperf-tiny-models/kws_ref_model.tflite");
  auto graph = importers::ImportTfliteFile(path);
  if (!graph.ok()) {
    std::fprintf(stderr, "kws_ref_model.tflite: %s; set MACLOOM_DATA_DIR\n",
                 graph.error().message.c_str());
    std::exit(2);
  }
  return std::move(*graph);
}

/// Uniform random codes: no layer gets an easy input.
inline std::vector<ir::TensorValue> UniformInputs(const ir::Graph& graph, int count) {
  Rng rng(7);
  const ir::TensorInfo& info = graph.tensor(graph.input);
  std::vector<ir::TensorValue> inputs;
  for (int n = 0; n < count; ++n) {
    const auto codes =
        stimulus::RandomCodes(rng, stimulus::CodeStyle::kUniform, ir::NumElements(info.shape),
                              info.format.MinCode(), info.format.MaxCode());
    inputs.push_back({info.shape, {codes.begin(), codes.end()}});
  }
  return inputs;
}

}  // namespace macloom::testing
