// Visits of the array so short that the lanes still work on the ones before.
#include "stimulus/random_graph.h"
#include "tests/e2e/three_ways.h"

namespace macloom {
namespace {

/// A visit of two cycles, shorter than the way of its results through the lanes: the next visit
/// with the same parameter set must wait for its own parameters.
TEST(ShortVisitsTest, VeryShortVisitsUseTheirOwnParameters) {
  Rng rng(5);
  for (int i = 0; i < 20; ++i) {
    stimulus::LayerSpec spec;
    spec.kind = ir::OperatorKind::kConv2d;
    spec.input = {8, 7, 8};
    spec.window.kernel_h = 4;
    spec.window.stride_w = 3;
    spec.window.pad_top = spec.window.pad_bottom = 3;
    spec.output_channels = 59;
    const ir::Graph graph = stimulus::RandomLayerGraph(rng, spec);
    for (const std::string& preset : arch::PresetNames()) {
      const auto job = arch::Compile(graph, *arch::Preset(preset));
      ASSERT_TRUE(job.ok()) << job.error().message;
      testing::ExpectThreeWaysEqual(*job, stimulus::RandomInput(rng, graph),
                                    sim::MemoryTiming::Ideal());
    }
  }
}

}  // namespace
}  // namespace macloom
