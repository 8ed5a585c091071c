// MAX_POOL_2D, PAD, CONCATENATION: every output element from its definition.
#include <gtest/gtest.h>

#include <algorithm>

#include "golden/reference/executor.h"
#include "stimulus/random_graph.h"

namespace macloom::golden {
namespace {

constexpr uint64_t kMovesSeed = 31;

/// Element (y, x, c) of a map.
int32_t At(const ir::TensorValue& map, int64_t y, int64_t x, int64_t c) {
  return map.codes.at(static_cast<size_t>((y * map.shape[1] + x) * map.shape[2] + c));
}

struct Executed {
  ir::Graph graph;
  Trace trace;
  const ir::Node& node() const { return graph.nodes.back(); }
  const ir::TensorValue& Tensor(ir::TensorId id) const {
    return trace.tensors[static_cast<size_t>(id)];
  }
  const ir::TensorValue& output() const { return Tensor(node().output); }
};

Executed Execute(Rng& rng, ir::OperatorKind kind) {
  ir::Graph graph = stimulus::RandomLayerGraph(rng, stimulus::RandomLayerSpec(rng, kind));
  auto trace = Run(graph, stimulus::RandomInput(rng, graph));
  MACLOOM_CHECK(trace.ok());
  return {std::move(graph), std::move(*trace)};
}

template <typename Expected>
void ForEachElement(const Executed& executed, Expected expected) {
  const ir::TensorValue& out = executed.output();
  for (int64_t y = 0; y < out.shape[0]; ++y) {
    for (int64_t x = 0; x < out.shape[1]; ++x) {
      for (int64_t c = 0; c < out.shape[2]; ++c) {
        ASSERT_EQ(At(out, y, x, c), expected(y, x, c)) << y << ", " << x << ", " << c << "\n"
                                                       << ir::ToText(executed.graph);
      }
    }
  }
}

TEST(MovesTest, MaxPoolTakesTheLargestCodeInsideTheImage) {
  Rng rng(kMovesSeed);
  int64_t clamped = 0;
  for (int i = 0; i < 200; ++i) {
    const Executed executed = Execute(rng, ir::OperatorKind::kMaxPool2d);
    const ir::Window& w = executed.node().window;
    const ir::TensorValue& in = executed.Tensor(executed.node().inputs[0]);
    const ir::Requantization& clamp = executed.node().requantization;
    ForEachElement(executed, [&](int64_t y, int64_t x, int64_t c) {
      int32_t largest = INT32_MIN;
      for (int64_t iy = y * w.stride_h - w.pad_top; iy < y * w.stride_h - w.pad_top + w.kernel_h;
           ++iy) {
        for (int64_t ix = x * w.stride_w - w.pad_left;
             ix < x * w.stride_w - w.pad_left + w.kernel_w; ++ix) {
          if (iy < 0 || iy >= in.shape[0] || ix < 0 || ix >= in.shape[1]) continue;
          largest = std::max(largest, At(in, iy, ix, c));
        }
      }
      return std::min(std::max(largest, clamp.clamp_min), clamp.clamp_max);
    });
    clamped += executed.trace.events.back().clamped_low + executed.trace.events.back().clamped_high;
  }
  EXPECT_GT(clamped, 0);
}

TEST(MovesTest, PadSurroundsTheImageWithItsZeroPoint) {
  Rng rng(kMovesSeed);
  for (int i = 0; i < 100; ++i) {
    const Executed executed = Execute(rng, ir::OperatorKind::kPad);
    const ir::TensorValue& in = executed.Tensor(executed.node().inputs[0]);
    const ir::Window& w = executed.node().window;
    const int32_t zero = executed.graph.tensor(executed.node().inputs[0]).quantization.zero_point();
    ForEachElement(executed, [&](int64_t y, int64_t x, int64_t c) {
      const int64_t iy = y - w.pad_top, ix = x - w.pad_left;
      const bool outside = iy < 0 || iy >= in.shape[0] || ix < 0 || ix >= in.shape[1];
      return outside ? zero : At(in, iy, ix, c);
    });
  }
}

TEST(MovesTest, ConcatenationPutsOneInputAfterTheOther) {
  Rng rng(kMovesSeed);
  for (int i = 0; i < 100; ++i) {
    const Executed executed = Execute(rng, ir::OperatorKind::kConcatenation);
    const ir::TensorValue& a = executed.Tensor(executed.node().inputs[0]);
    const ir::TensorValue& b = executed.Tensor(executed.node().inputs[1]);
    const size_t axis = static_cast<size_t>(executed.node().axis);
    ForEachElement(executed, [&](int64_t y, int64_t x, int64_t c) {
      int64_t at[3] = {y, x, c};
      if (at[axis] < a.shape[axis]) return At(a, y, x, c);
      at[axis] -= a.shape[axis];
      return At(b, at[0], at[1], at[2]);
    });
  }
}

}  // namespace
}  // namespace macloom::golden
