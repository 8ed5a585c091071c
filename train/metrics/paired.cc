#include "train/metrics/paired.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/rng.h"

namespace macloom::metrics {

McNemar McNemarTest(int64_t only_first_right, int64_t only_second_right) {
  MACLOOM_CHECK(only_first_right >= 0 && only_second_right >= 0);
  McNemar test{only_first_right, only_second_right, 1.0};
  const double n = static_cast<double>(only_first_right + only_second_right);
  const int64_t fewer = std::min(only_first_right, only_second_right);
  double tail = 0.0;
  for (int64_t k = 0; k <= fewer; ++k) {
    // C(n, k) / 2^n through logarithms: 2^n overflows beyond 1,023 discordant clips.
    const double kd = static_cast<double>(k);
    tail += std::exp(std::lgamma(n + 1.0) - std::lgamma(kd + 1.0) - std::lgamma(n - kd + 1.0) -
                     n * std::log(2.0));
  }
  test.p_value = std::min(1.0, 2.0 * tail);
  return test;
}

McNemar McNemarTest(const std::vector<bool>& first_right, const std::vector<bool>& second_right) {
  MACLOOM_CHECK(first_right.size() == second_right.size());
  int64_t only_first = 0, only_second = 0;
  for (size_t i = 0; i < first_right.size(); ++i) {
    only_first += first_right[i] && !second_right[i] ? 1 : 0;
    only_second += second_right[i] && !first_right[i] ? 1 : 0;
  }
  return McNemarTest(only_first, only_second);
}

Result<PairedDrop> BootstrapDrop(std::span<const PairedOutcome> outcomes, int num_resamples,
                                 uint64_t seed, double confidence) {
  if (outcomes.empty()) return InvalidInput("bootstrap: no outcomes");
  if (!(confidence > 0.0 && confidence < 1.0) || num_resamples < 1 || num_resamples > 10'000'000) {
    return InvalidInput(fmt::format(
        "bootstrap: {} resamples at confidence {}; accepted are 1 to 10000000 and above "
        "0 to below 1",
        num_resamples, confidence));
  }
  struct Sum {
    int64_t drop = 0;
    int64_t count = 0;
  };
  std::map<int, Sum> by_cluster;
  Sum total;
  for (const PairedOutcome& outcome : outcomes) {
    const int drop = (outcome.is_first_right ? 1 : 0) - (outcome.is_second_right ? 1 : 0);
    for (Sum* sum : {&by_cluster[outcome.cluster], &total}) {
      sum->drop += drop;
      ++sum->count;
    }
  }
  const auto ratio = [](const Sum& sum) {
    return static_cast<double>(sum.drop) / static_cast<double>(sum.count);
  };
  std::vector<Sum> clusters;
  for (const auto& [cluster, sum] : by_cluster) clusters.push_back(sum);
  Rng rng(seed);
  std::vector<double> drops(static_cast<size_t>(num_resamples));
  for (double& drop : drops) {
    Sum drawn;
    for (size_t i = 0; i < clusters.size(); ++i) {
      const Sum& sum = clusters[static_cast<size_t>(rng.UniformInt(0, std::ssize(clusters) - 1))];
      drawn.drop += sum.drop;
      drawn.count += sum.count;
    }
    drop = ratio(drawn);
  }
  const auto rank = static_cast<std::ptrdiff_t>(std::ceil(confidence * num_resamples)) - 1;
  std::nth_element(drops.begin(), drops.begin() + rank, drops.end());
  return PairedDrop{ratio(total), drops[static_cast<size_t>(rank)], std::ssize(clusters)};
}

}  // namespace macloom::metrics
