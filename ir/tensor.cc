#include "ir/tensor.h"

namespace macloom::ir {

int64_t NumElements(const Shape& shape) {
  int64_t count = 1;
  for (int64_t dimension : shape) count *= dimension;
  return count;
}

Shape Squeezed(Shape shape) {
  std::erase(shape, 1);
  return shape;
}

std::string ToString(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (int64_t dimension : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(dimension);
  }
  return text;
}

}  // namespace macloom::ir
