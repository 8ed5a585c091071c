// Certificates: how many bits the accumulators of a layer can need, and why.
#pragma once

#include <vector>

#include "explore/accum_result.h"
#include "explore/layer_geometry.h"

namespace macloom::explore {

/// Bounds of one output channel in one padding class for input codes in `codes`:
///   up_i = sum over step i of max(w x_min, w x_max), a tap in the padding w * pad_code
///   hardware_order.high = b + max over j >= 0 of sum_{i <= j} up_i     (j = 0: b itself)
///   final_sum.high      = b + sum over all i of up_i
///   any_order.high      = b + sum over products of max(its largest value, 0)
/// and alike with min for `low`. @pre The sums fit 63 bits (ir::Verify()).
ChannelBounds BoundsInClass(const LayerGeometry& geometry, const PaddingClass& padding,
                            const golden::StepOrder& order, const std::vector<int64_t>& weights,
                            int64_t start, const ir::CodeRange& codes);

/// The hull of `a` and `b`.
ir::AccumulatorRange Hull(const ir::AccumulatorRange& a, const ir::AccumulatorRange& b);

/// Smallest P with magnitude <= 2^(P-1) - 1.
int MagnitudeBits(int64_t magnitude);

/// Certificates of every accumulating node, in node order, for the orders in `accumulation` (by
/// node). Observed ranges are empty: the observed kind repeats the clamp's until Observe() sets it.
///
///   data type: K 2^(M-1) 2^(N-sgn) + |b| <= 2^(P-1) - 1     N, M: bits of inputs and weights
///   l1 (A2Q):  ||w||_1 2^(N-sgn) + |b| <= 2^(P-1) - 1
/// Pooling: weights 1, M = 1. @pre ir::Verify(graph); orders suit the nodes.
std::vector<LayerCertificate> Certify(const ir::Graph& graph,
                                      const std::vector<ir::Accumulation>& accumulation);

/// Recomputes the bounds of `kind` for input codes in `codes`.
void SetRange(const ir::Graph& graph, const ir::Accumulation& accumulation, RangeKind kind,
              const ir::CodeRange& codes, LayerCertificate& layer);

/// Fills `layer.widths` from its channels / the network's widths from its layers.
void SummarizeWidths(LayerCertificate& layer);
Widths SummarizeNetwork(const std::vector<LayerCertificate>& layers);

}  // namespace macloom::explore
