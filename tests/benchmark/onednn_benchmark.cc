// oneDNN's int8 primitives on the layers of kws_ref_model, batch 64, one thread: a yardstick.
//
// Convolutions, depthwise convolutions and the fully connected layer, each with bias and scaled
// to 8-bit outputs; not bit-exact and without counts. Pooling and softmax are left out.
#include <benchmark/benchmark.h>

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "ir/shape_inference.h"
#include "tests/benchmark/keyword_model.h"

namespace macloom {
namespace {

using Arguments = std::unordered_map<int, dnnl::memory>;

struct Layer {
  dnnl::primitive primitive;
  Arguments arguments;
};

class Layers {
 public:
  explicit Layers(const ir::Graph& graph) : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    for (const ir::Node& node : graph.nodes) {
      if (ir::HasWeights(node.kind)) Add(graph, node);
    }
  }

  void Run() {
    for (Layer& layer : layers_) layer.primitive.execute(stream_, layer.arguments);
    stream_.wait();
  }

 private:
  using Memory = dnnl::memory;

  void Add(const ir::Graph& graph, const ir::Node& node) {
    const bool is_depthwise = node.kind == ir::OperatorKind::kDepthwiseConv2d;
    const ir::Shape& in = graph.tensor(node.inputs[0]).shape;
    const ir::Shape& out = graph.tensor(node.output).shape;
    const bool is_map = node.kind != ir::OperatorKind::kFullyConnected;
    const ir::Window& window = node.window;
    const int64_t channels = is_map ? in[2] : ir::NumElements(in);
    const Memory::dims source = {testing::kBatch, channels, is_map ? in[0] : 1, is_map ? in[1] : 1};
    const Memory::dims target = {testing::kBatch, out.back(), is_map ? out[0] : 1,
                                 is_map ? out[1] : 1};
    const Memory::dims kernel =
        is_depthwise ? Memory::dims{channels, 1, 1, window.kernel_h, window.kernel_w}
                     : Memory::dims{out.back(), channels, window.kernel_h, window.kernel_w};
    using Type = Memory::data_type;
    using Tag = Memory::format_tag;
    const Memory::desc source_md(source, Type::u8, Tag::nhwc);
    const Memory::desc target_md(target, Type::u8, Tag::nhwc);
    const Memory::desc weights_md(kernel, Type::s8, Tag::any);
    const Memory::desc bias_md({out.back()}, Type::s32, Tag::x);
    dnnl::primitive_attr attributes;
    attributes.set_output_scales(2, std::vector<float>(static_cast<size_t>(out.back()), 0.003f));
    const dnnl::convolution_forward::desc description(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_auto, source_md,
        weights_md, bias_md, target_md, {window.stride_h, window.stride_w},
        {window.pad_top, window.pad_left}, {window.pad_bottom, window.pad_right});
    const dnnl::convolution_forward::primitive_desc primitive(description, attributes, engine_);
    layers_.push_back({dnnl::convolution_forward(primitive),
                       {{DNNL_ARG_SRC, Filled(primitive.src_desc(), 100)},
                        {DNNL_ARG_WEIGHTS, Filled(primitive.weights_desc(), 3)},
                        {DNNL_ARG_BIAS, Filled(primitive.bias_desc(), 0)},
                        {DNNL_ARG_DST, Filled(primitive.dst_desc(), 0)}}});
  }

  Memory Filled(const Memory::desc& description, uint8_t byte) {
    Memory memory(description, engine_);
    auto* bytes = static_cast<uint8_t*>(memory.get_data_handle());
    std::fill(bytes, bytes + description.get_size(), byte);
    return memory;
  }

  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<Layer> layers_;
};

void OneDnn(benchmark::State& state) {
  const ir::Graph graph = testing::KeywordModel();
  Layers layers(graph);
  layers.Run();
  for (auto _ : state) layers.Run();
  state.counters["inferences_per_s"] = benchmark::Counter(
      static_cast<double>(state.iterations() * testing::kBatch), benchmark::Counter::kIsRate);
}
// CPU time of all threads, should oneDNN start some.
BENCHMARK(OneDnn)->Name("onednn/layers_with_weights")->MeasureProcessCPUTime();

}  // namespace
}  // namespace macloom
