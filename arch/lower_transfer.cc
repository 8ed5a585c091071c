#include <algorithm>

#include "arch/lowering.h"

namespace macloom::arch {

uint32_t ExternalBytes(const Image& image, int lanes) {
  const int64_t bytes = ExternalPlacement(image, lanes).plane_pitch * image.Blocks(lanes);
  return static_cast<uint32_t>(std::min<int64_t>(bytes, int64_t{1} << 31));
}

void SetTransfer(const OnChipTensor& tensor, int lanes, Descriptor& descriptor) {
  const Image& image = tensor.image;
  const TensorPlacement& chip = tensor.placement;
  const TensorPlacement external = ExternalPlacement(image, lanes);
  int64_t row_bytes = int64_t{image.width} * lanes;
  int64_t rows = image.height;
  int64_t planes = image.Blocks(lanes);
  // The pitch of a single plane is unused, and may be the whole memory of 65536 words.
  const int64_t chip_plane = planes == 1 ? 0 : chip.plane_pitch;
  if (chip.row_pitch == image.width && row_bytes * rows <= kMaxTransferBytes) {
    row_bytes *= rows;
    rows = 1;
    if (row_bytes * planes <= kMaxTransferBytes) {
      row_bytes *= planes;
      planes = 1;
    }
  }
  descriptor.set_row_bytes(row_bytes)
      .set_dma_rows(rows)
      .set_dma_planes(planes)
      .set_ext_row_pitch(external.row_pitch)
      .set_ext_plane_pitch(external.plane_pitch);
  if (descriptor.opcode() == static_cast<uint32_t>(Opcode::kLoad)) {
    descriptor.set_out_base(chip.base)
        .set_out_row_pitch(chip.row_pitch)
        .set_out_plane_pitch(chip_plane);
  } else {
    descriptor.set_in_origin(chip.base)
        .set_in_row_pitch(chip.row_pitch)
        .set_in_plane_pitch(chip_plane);
  }
}

}  // namespace macloom::arch
