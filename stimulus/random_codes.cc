#include "stimulus/random_codes.h"

namespace macloom::stimulus {

CodeStyle RandomStyle(Rng& rng) {
  if (rng.Bernoulli(0.5)) return CodeStyle::kUniform;
  return static_cast<CodeStyle>(rng.UniformInt(1, 3));
}

std::vector<int64_t> RandomCodes(Rng& rng, CodeStyle style, int64_t count, int64_t low,
                                 int64_t high) {
  int64_t equal = rng.UniformInt(low, high);
  switch (rng.UniformInt(0, 3)) {
    case 0:
      equal = low;
      break;
    case 1:
      equal = high;
      break;
    case 2:
      equal = low <= 0 && high >= 0 ? 0 : low;
      break;
    default:
      break;
  }
  std::vector<int64_t> codes(static_cast<size_t>(count), equal);
  if (style == CodeStyle::kAllEqual) return codes;
  for (size_t i = 0; i < codes.size(); ++i) {
    if (style == CodeStyle::kUniform) {
      codes[i] = rng.UniformInt(low, high);
    } else {
      const bool is_high = style == CodeStyle::kAlternating ? i % 2 == 1 : rng.Bernoulli(0.5);
      codes[i] = is_high ? high : low;
    }
  }
  return codes;
}

ir::TensorValue RandomInput(Rng& rng, const ir::Graph& graph) {
  const ir::TensorInfo& info = graph.tensor(graph.input);
  const int64_t count = ir::NumElements(info.shape);
  std::vector<int64_t> codes =
      RandomCodes(rng, RandomStyle(rng), count, info.format.MinCode(), info.format.MaxCode());
  if (rng.Bernoulli(0.05)) codes.assign(codes.size(), info.quantization.zero_point());
  return {info.shape, {codes.begin(), codes.end()}};
}

}  // namespace macloom::stimulus
