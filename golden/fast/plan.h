// The fast execution of a quantized network: equal to golden/reference in every value and count.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "golden/fast/level.h"
#include "golden/reference/executor.h"

namespace macloom::golden::fast {

struct PlanOptions {
  /// As RunOptions::accumulation.
  std::vector<ir::Accumulation> accumulation;
  /// Instruction set; the best of SupportedLevels() if not given.
  std::optional<Level> level = std::nullopt;
};

/// What a batch yields without its inner tensors.
struct Batch {
  std::vector<ir::TensorValue> outputs;  ///< graph.output, one per sample.
  std::vector<LayerEvents> events;       ///< By node index, summed over the samples.
};

/// A network prepared for one accumulation setting.
///
/// A node runs in 32-bit lanes if its codes and weights fit 8 bits, its accumulator is certified to
/// fit 32 bits (ir::RequiredAccumulatorBits()), and each of its steps stays below 2^30. Contracts
/// at least as wide as the certificate cannot overflow and are summed exactly; others go step by
/// step in their order. Sums of minifloats: MinifloatNode. Every other node is executed by
/// golden/reference. docs/numerics.md section 8.
class Plan {
 public:
  /// @pre ir::Verify(graph) succeeds.
  /// @return kInvalidInput as golden::Run() for `accumulation`, or if `level` is not supported here
  ///         (names the supported ones).
  static Result<Plan> Create(const ir::Graph& graph, const PlanOptions& options = {});
  Plan(Plan&&) noexcept;
  Plan& operator=(Plan&&) noexcept;
  ~Plan();

  /// Every tensor and count of one sample, equal to golden::Run(). @return Its errors for `input`.
  Result<Trace> Run(const ir::TensorValue& input, bool keep_accumulators = false) const;

  /// Many samples, a cacheful at a time. @return golden::Run()'s error for the first unfit input.
  Result<Batch> RunBatch(std::span<const ir::TensorValue> inputs) const;

  Level level() const;
  /// Nodes that golden/reference executes.
  int num_reference_nodes() const;

 private:
  struct Prepared;
  explicit Plan(std::unique_ptr<const Prepared> prepared);
  std::unique_ptr<const Prepared> prepared_;
};

}  // namespace macloom::golden::fast
