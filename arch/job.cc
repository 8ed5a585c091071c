#include "arch/job.h"

#include "arch/layout.h"

namespace macloom::arch {
namespace {

/// Calls visit(byte offset in the tensor's area, element index) for every element of an image whose
/// word (y, x, block) lies at block*plane + y*row + x*col bytes.
template <typename Visit>
void ForEachElement(const Image& image, const TensorPlacement& placement, int lanes, Visit visit) {
  size_t element = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < image.channels; ++c, ++element) {
        visit(placement.base + c / lanes * placement.plane_pitch + y * placement.row_pitch +
                  x * placement.col_pitch + c % lanes,
              element);
      }
    }
  }
}

/// Minifloat codes are unsigned, integers two's complement.
int32_t CodeOf(const Job& job, uint8_t byte) {
  return job.config.is_minifloat() ? int32_t{byte} : static_cast<int8_t>(byte);
}

}  // namespace

void WriteInput(const Job& job, const ir::TensorValue& input, std::vector<uint8_t>& memory) {
  const int64_t base = job.input_placement.base;
  if (job.input_is_raw) {
    for (size_t i = 0; i < input.codes.size(); ++i) {
      memory.at(static_cast<size_t>(base) + i) = static_cast<uint8_t>(input.codes[i]);
    }
    return;
  }
  const Image image = *ImageOf(job.graph.tensor(job.device_input).shape);
  ForEachElement(image, job.input_placement, job.config.lanes, [&](int64_t offset, size_t element) {
    memory.at(static_cast<size_t>(offset)) = static_cast<uint8_t>(input.codes[element]);
  });
}

ir::TensorValue ReadOutput(const Job& job, const std::vector<uint8_t>& memory) {
  ir::TensorValue value;
  value.shape = job.graph.tensor(job.device_output).shape;
  value.codes.resize(static_cast<size_t>(ir::NumElements(value.shape)));
  const Image image = *ImageOf(value.shape);
  ForEachElement(image, job.output_placement, job.config.lanes,
                 [&](int64_t offset, size_t element) {
                   value.codes[element] = CodeOf(job, memory.at(static_cast<size_t>(offset)));
                 });
  return value;
}

void UnpackRegion(const Job& job, const TensorRegion& region,
                  const std::vector<uint8_t>& activation_memory, ir::TensorValue& value) {
  const ir::Shape& shape = job.graph.tensor(region.tensor).shape;
  const Image image = *ImageOf(shape);
  if (value.codes.empty()) {
    value.shape = shape;
    value.codes.resize(static_cast<size_t>(ir::NumElements(shape)));
  }
  const int lanes = job.config.lanes;
  for (int y = 0; y < region.num_rows; ++y) {
    for (int x = 0; x < region.num_cols; ++x) {
      for (int c = 0; c < image.channels; ++c) {
        const TensorPlacement& at = region.placement;
        const int64_t word =
            at.base + c / lanes * at.plane_pitch + y * at.row_pitch + x * at.col_pitch;
        const int64_t element =
            (int64_t{region.first_row + y} * image.width + region.first_col + x) * image.channels +
            c;
        value.codes[static_cast<size_t>(element)] =
            CodeOf(job, activation_memory.at(static_cast<size_t>(word * lanes + c % lanes)));
      }
    }
  }
}

}  // namespace macloom::arch
