// The words that enumerations have in a network file.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "ir/graph.h"

namespace macloom::ir {

/// Key of the graph's JSON in the container's metadata, and value of its "format" field.
inline constexpr const char* kGraphKey = "macloom.graph";
inline constexpr const char* kNetworkFormatName = "macloom.network";

inline constexpr std::array<std::pair<std::string_view, NumberFamily>, 4> kFamilyNames = {
    {{"affine", NumberFamily::kAffine},
     {"fixed-point", NumberFamily::kFixedPoint},
     {"minifloat", NumberFamily::kMinifloat},
     {"float32", NumberFamily::kFloat32}}};

inline constexpr std::array<std::pair<std::string_view, OperatorKind>, 10> kOperatorNames = {
    {{"CONV_2D", OperatorKind::kConv2d},
     {"DEPTHWISE_CONV_2D", OperatorKind::kDepthwiseConv2d},
     {"FULLY_CONNECTED", OperatorKind::kFullyConnected},
     {"AVERAGE_POOL_2D", OperatorKind::kAveragePool2d},
     {"MAX_POOL_2D", OperatorKind::kMaxPool2d},
     {"ADD", OperatorKind::kAdd},
     {"CONCATENATION", OperatorKind::kConcatenation},
     {"PAD", OperatorKind::kPad},
     {"RESHAPE", OperatorKind::kReshape},
     {"SOFTMAX", OperatorKind::kSoftmax}}};

inline constexpr std::array<std::pair<std::string_view, RequantizationKind>, 7>
    kRequantizationNames = {{{"none", RequantizationKind::kNone},
                             {"shift", RequantizationKind::kShift},
                             {"multiplier-double", RequantizationKind::kMultiplierDouble},
                             {"multiplier-single", RequantizationKind::kMultiplierSingle},
                             {"multiply-add-divide", RequantizationKind::kMultiplyAddDivide},
                             {"to-minifloat", RequantizationKind::kToMinifloat},
                             {"mean", RequantizationKind::kMean}}};

inline constexpr std::array<std::pair<std::string_view, MinifloatSpecials>, 3> kSpecialsNames = {
    {{"finite", MinifloatSpecials::kFinite},
     {"nan", MinifloatSpecials::kNan},
     {"ieee", MinifloatSpecials::kIeee}}};

inline constexpr std::array<std::pair<std::string_view, Rounding>, 2> kRoundingNames = {
    {{"double", Rounding::kDouble}, {"single", Rounding::kSingle}}};

/// The word of `value` in one of the tables above.
template <typename Table, typename Enum>
std::string_view NameIn(const Table& table, Enum value) {
  for (const auto& [name, entry] : table) {
    if (entry == value) return name;
  }
  MACLOOM_CHECK(false);
}

}  // namespace macloom::ir
