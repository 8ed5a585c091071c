// Which values a minifloat node's exact accumulator can take.
#pragma once

#include <cstdint>

#include "ir/graph.h"

namespace macloom::ir {

/// True if the node's input codes are minifloats.
bool IsMinifloatNode(const Graph& graph, const Node& node);

/// Smallest P such that every prefix of `num_products` products of finite codes of both formats
/// fits P bits, two's complement, on the grid of the products (docs/numerics.md section 9.4, the
/// exact accumulator): bits(K * N_a * N_b) + 1, N = largest |grid integer|. E.g. 46 for e4m3 x e4m3
/// and 74 for e5m2 x e5m2 with 576 products.
/// @pre Both formats execute (at most 8 bits and 5 exponent bits); num_products <= 2^26.
int ExactAccumulatorBits(const NumberFormat& a, const NumberFormat& b, int64_t num_products);

/// The same for one node, with its own weights and biases, over all finite input codes:
/// max over channels of bits(N_in * sum |n_w| + |b|) + 1; average pooling: n taps of 1.0.
/// @pre IsMinifloatNode(); the node is verified. 0 for nodes without accumulator.
int MinifloatAccumulatorBits(const Graph& graph, const Node& node);

}  // namespace macloom::ir
