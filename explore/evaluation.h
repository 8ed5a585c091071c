// Judges a network's outputs against the exact network's: agreement, accuracy, signal to noise.
#pragma once

#include <optional>
#include <vector>

#include "explore/accum_result.h"

namespace macloom::explore {

/// part of whole with the Wilson score interval at 95 % (z = 1.959964):
///   (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)
Proportion WilsonInterval(int64_t part, int64_t whole);

/// The exact network on all samples, and what other outputs are compared with.
///
/// A final SOFTMAX is split off: sums and signal-to-noise are taken before it, decisions after it
/// (it can make ties). The decision is the largest output, the smallest index among equals.
class Evaluation {
 public:
  /// @param labels  One per sample, or empty.
  /// @return golden's errors for unfit inputs; kInvalidInput without samples, or if the number of
  ///         labels is wrong.
  static Result<Evaluation> Create(const ir::Graph& graph,
                                   const std::vector<ir::TensorValue>& inputs,
                                   const std::vector<int>& labels);

  /// The network up to the final SOFTMAX.
  const ir::Graph& body() const { return body_; }
  /// Agreement is an identical output: the output has the input's number of elements, so its
  /// largest element decides nothing (autoencoders).
  bool is_identity_agreement() const { return is_identity_; }
  /// Sets accuracy, agreement, identical and SQNR of `point` from the outputs of body().
  /// @pre As many outputs as samples, or the first ones.
  Status Judge(const std::vector<ir::TensorValue>& outputs, SweepPoint& point) const;
  /// Of the exact network itself.
  Status JudgeExact(SweepPoint& point) const { return Judge(exact_, point); }

 private:
  Evaluation() = default;
  Result<int> Decide(const ir::TensorValue& output) const;

  ir::Graph body_;
  std::optional<ir::Graph> head_;  ///< The SOFTMAX alone.
  std::vector<ir::TensorValue> exact_;
  std::vector<int> decisions_, labels_;
  bool is_identity_ = false;
};

}  // namespace macloom::explore
