// What an ONNX file holds, checked and without protobuf types.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/tensor.h"

namespace macloom::importers::onnx {

inline constexpr size_t kMaxFileBytes = size_t{1} << 27;

/// A constant tensor. Integers up to 2^53 and float32 are exact in a double; larger ones are
/// refused.
struct FileTensor {
  std::string name;
  int32_t element_type = 0;
  ir::Shape shape;  ///< Empty for a scalar.
  std::vector<double> values;
};

struct FileAttribute {
  double number = 0;             ///< Float or integer value.
  std::vector<int64_t> numbers;  ///< List of integers.
  std::string text;
  FileTensor tensor;  ///< With values if the attribute is a tensor.
};

struct FileNode {
  std::string label;  ///< "node 3 'conv1' (Conv)", printable.
  std::string type;
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, FileAttribute> attributes;
};

struct FileValue {
  std::string name;
  int32_t element_type = 0;
  std::vector<int64_t> shape;  ///< -1: not a number.
};

struct FileModel {
  std::string graph_name;
  std::vector<FileNode> nodes;
  std::vector<FileTensor> constants;
  FileValue input;
  std::string output;
};

/// `text` with everything but printable ASCII replaced by '?', at most 200 characters.
std::string Printable(const std::string& text);

/// Parses the container and checks counts, element types and data sizes.
Result<FileModel> OpenContainer(std::span<const uint8_t> bytes);

}  // namespace macloom::importers::onnx
