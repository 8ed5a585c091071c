// What every kind of network must satisfy, quantized or not: texts, sizes, indices, order.
#pragma once

#include <functional>
#include <string>

#include "ir/graph.h"

namespace macloom::ir {

/// Names, labels, origin and licence are UTF-8 without control characters: they go into JSON and
/// into one-line listings. @return kInvalidInput naming the text.
Status CheckTexts(const Graph& graph);
/// The same for one text; `what` names it in the message.
Status CheckName(const std::string& name, const std::string& what);

/// Number of elements of a shape from outside, without overflow: 1 to kMaxRank axes of at least 1,
/// at most kMaxElements elements. @return kInvalidInput starting with `where`.
Result<int64_t> CheckedElements(const Shape& shape, const std::string& where);

/// Input and output exist, nodes are in execution order, every tensor has one producer, and
/// `check_node` accepts every node; its message is preceded by the node's index, name and operator.
Status CheckNodes(const Graph& graph, const std::function<Status(const Node&)>& check_node);

}  // namespace macloom::ir
