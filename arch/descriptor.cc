#include "arch/descriptor.h"

#include <fmt/format.h>

#include <string_view>

#include "base/check.h"

namespace macloom::arch {
namespace {

constexpr uint32_t Mask(int bits) { return bits == 32 ? ~0u : (1u << bits) - 1u; }

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  for (std::string_view candidate : names) {
    if (candidate == name) return true;
  }
  return false;
}

bool IsTransferField(std::string_view name) {
  return IsOneOf(name, {"ext_address", "ext_row_pitch", "ext_plane_pitch", "row_bytes", "dma_rows",
                        "dma_planes"});
}

bool IsAddOnlyField(std::string_view name) {
  return IsOneOf(name, {"in2_origin", "add_zero_a", "add_zero_b", "add_multiplier", "add_shift"});
}

bool IsSignedField(std::string_view name) {
  return IsOneOf(name, {"pad_code", "zero_out", "clamp_min", "clamp_max", "shift", "add_zero_a",
                        "add_zero_b", "add_shift"});
}

}  // namespace

uint32_t Descriptor::Get(int word, int lsb, int bits) const {
  return (words_[static_cast<size_t>(word)] >> lsb) & Mask(bits);
}

int32_t Descriptor::GetSigned(int word, int lsb, int bits) const {
  const uint32_t value = Get(word, lsb, bits);
  const uint32_t sign = 1u << (bits - 1);
  return static_cast<int32_t>((value ^ sign) - sign);
}

Descriptor& Descriptor::Set(const char* /*name*/, int word, int lsb, int bits, int64_t value) {
  MACLOOM_CHECK(value >= -(int64_t{1} << (bits - 1)) && value < (int64_t{1} << bits));
  uint32_t& target = words_[static_cast<size_t>(word)];
  target = (target & ~(Mask(bits) << lsb)) | ((static_cast<uint32_t>(value) & Mask(bits)) << lsb);
  return *this;
}

const std::array<DescriptorField, 73>& DescriptorFields() {
  static constexpr std::array<DescriptorField, 73> kFields = {{
#define MACLOOM_FIELD_ENTRY(name, word, lsb, bits) {#name, word, lsb, bits},
      MACLOOM_DESCRIPTOR_FIELDS(MACLOOM_FIELD_ENTRY)
#undef MACLOOM_FIELD_ENTRY
  }};
  return kFields;
}

bool UsesField(Opcode opcode, const DescriptorField& field) {
  const std::string_view name = field.name;
  if (field.word <= 3) return true;
  const bool is_stage = field.word >= 24 && (name.starts_with("stage_") || name == "run_bytes");
  switch (opcode) {
    case Opcode::kEnd:
      return false;
    case Opcode::kLoad:
      return IsTransferField(name) ||
             IsOneOf(name, {"to_staging", "out_base", "out_plane_pitch", "out_row_pitch"});
    case Opcode::kStore:
      return IsTransferField(name) ||
             IsOneOf(name, {"in_origin", "in_plane_pitch", "in_row_pitch"});
    case Opcode::kConv:
      return field.word <= 23 && !IsAddOnlyField(name) &&
                     !IsOneOf(name,
                              {"unit_weights", "maximum", "window_taps", "group_rows", "mean_half"})
                 ? true
                 : is_stage;
    case Opcode::kDepthwise:
      return field.word <= 23 && !IsAddOnlyField(name) &&
             !IsOneOf(name, {"pixel_outer", "im2col", "release_rows"});
    case Opcode::kAdd:
      return IsAddOnlyField(name) ||
             IsOneOf(name, {"in_origin", "out_base", "in_col_pitch", "in_row_pitch",
                            "in_plane_pitch", "out_plane_pitch", "out_col_pitch", "out_row_pitch",
                            "out_w", "out_h", "in_blocks", "last_lanes", "out_channels", "zero_out",
                            "requant_mode", "clamp_min", "clamp_max", "multiplier", "shift"});
  }
  return false;
}

std::string ToText(const Descriptor& descriptor) {
  static constexpr const char* kNames[] = {"end", "conv", "depthwise", "add", "load", "store"};
  const uint32_t opcode = descriptor.opcode();
  std::string text =
      fmt::format("# {}\n", opcode < std::size(kNames) ? kNames[opcode] : "unknown opcode");
  for (const DescriptorField& field : DescriptorFields()) {
    const std::string_view name = field.name;
    const bool known = opcode < std::size(kNames);
    if (!known ? field.word > 3 : !UsesField(static_cast<Opcode>(opcode), field)) continue;
    const bool is_stage = field.word >= 24 && (name.starts_with("stage_") || name == "run_bytes");
    if (is_stage && descriptor.im2col() == 0) continue;
    const uint32_t raw =
        (descriptor.words()[static_cast<size_t>(field.word)] >> field.lsb) & Mask(field.bits);
    if (IsSignedField(name)) {
      text += fmt::format("{} = {}\n", name, static_cast<int8_t>(raw));
    } else if (name.ends_with("address")) {
      text += fmt::format("{} = {:#010x}\n", name, raw);
    } else {
      text += fmt::format("{} = {}\n", name, raw);
    }
  }
  return text;
}

}  // namespace macloom::arch
