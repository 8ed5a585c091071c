#include "cost/estimator_features.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "cost/structure_counts.h"
#include "cost/structure_paths.h"

namespace macloom::cost {
namespace {

// Nominal lengths in full adders, as in structure_paths.cc.
constexpr double kSign = 0.5;           // An XOR behind the operands.
constexpr double kHiddenBit = 0.2;      // And what an OR of the exponent takes for each doubling
constexpr double kHiddenBitLog2 = 0.4;  // of its bits.
constexpr double kExponentSum = 1.0;    // To the first bit of the sum of the exponents,
constexpr double kExponentBit = 0.47;   // and to each further one.
constexpr double kNegation = 0.7;

double Log2(int value) { return std::log2(std::max(value, 1)); }

// Integers: one tree of all partial products, the accumulator and a constant. //

struct IntegerColumn {
  int partial_products = 0;
  bool has_constant = false;
  int height() const { return partial_products + 1 + (has_constant ? 1 : 0); }
};

std::vector<IntegerColumn> IntegerColumns(const MacSpec& spec) {
  const int a = spec.activation_bits, b = spec.weight_bits;
  // Minus the weights of the inverted partial products, as loom_dot's constant row.
  uint64_t correction = 0;
  const auto lanes = static_cast<uint64_t>(spec.lanes);
  for (int i = 0; i < b - 1; ++i) correction -= lanes << (a - 1 + i);
  for (int i = 0; i < a - 1; ++i) correction -= lanes << (b - 1 + i);
  std::vector<IntegerColumn> columns;
  columns.reserve(static_cast<size_t>(spec.accumulator_bits));
  for (int c = 0; c < spec.accumulator_bits; ++c) {
    columns.push_back({spec.lanes * PartialProducts(a, b, c), ((correction >> c) & 1) != 0});
  }
  return columns;
}

TreeCount IntegerTree(const std::vector<IntegerColumn>& columns) {
  std::vector<int> heights;
  heights.reserve(columns.size());
  for (const IntegerColumn& column : columns) heights.push_back(column.height());
  return CountTree(std::move(heights));
}

std::vector<double> IntegerSize(const MacSpec& spec) {
  const std::vector<IntegerColumn> columns = IntegerColumns(spec);
  const TreeCount tree = IntegerTree(columns);
  int ands = 0, constants = 0;
  for (const IntegerColumn& column : columns) {
    ands += column.partial_products;
    constants += column.has_constant ? 1 : 0;
  }
  return {1.0 * ands,
          1.0 * tree.full_adders,
          1.0 * tree.half_adders,
          1.0 * tree.carryless,
          1.0 * constants,
          1.0 * spec.accumulator_bits,
          1.0};
}

std::vector<double> IntegerPath(const MacSpec& spec, FeatureKind kind) {
  const std::vector<IntegerColumn> columns = IntegerColumns(spec);
  const TreeCount tree = IntegerTree(columns);
  const bool is_loop = kind == FeatureKind::kLoopPath;
  PathColumns paths;
  for (const IntegerColumn& column : columns) {
    std::vector<Path> bits(static_cast<size_t>(column.partial_products),
                           is_loop ? Path::Never() : Path());
    bits.push_back(is_loop ? Path() : Path::Never());
    if (column.has_constant) bits.push_back(Path::Constant());
    paths.push_back(std::move(bits));
  }
  const Path path = Longest(TreePaths(std::move(paths)));
  std::vector<double> features = {path.at(PathElement::kFullAdder),
                                  path.at(PathElement::kFullAdderThird),
                                  path.at(PathElement::kHalfAdder),
                                  path.at(PathElement::kRippleBit),
                                  path.at(PathElement::kRippleHalf),
                                  1.0 * tree.stages,
                                  1.0 * tree.ripple_bits,
                                  1.0};
  if (!is_loop) {
    features.push_back(Log2(std::max(spec.activation_bits, spec.weight_bits)));
    features.push_back(Log2(std::min(spec.activation_bits, spec.weight_bits)));
  }
  return features;
}

// Minifloats: a multiplier of significands, a shifter and a negation per lane, a tree of lanes. //

struct MinifloatParts {
  int significand_bits = 0;  ///< Of a product.
  int shift_bits = 0;
  int fixed_bits = 0;  ///< Of a product on the grid of all products.
  int drop_bits = 0;
  int sum_bits = 0;
  int used_bits = 0;  ///< Of fixed_bits, below the accumulator's width.
};

MinifloatParts MinifloatOf(const MacSpec& spec) {
  MinifloatParts unit;
  const int special_exponents = spec.specials == 2 ? 3 : 2;
  const int max_shift = 2 * ((1 << spec.exponent_bits) - special_exponents);
  unit.significand_bits = 2 * spec.mantissa_bits + 2;
  unit.shift_bits = spec.exponent_bits + 1;
  unit.drop_bits = std::min(spec.drop_bits, max_shift + unit.significand_bits - 1);
  unit.fixed_bits = unit.significand_bits + max_shift - unit.drop_bits;
  unit.sum_bits = unit.fixed_bits + CeilLog2(spec.lanes) + 1;
  const bool is_fixed = spec.accumulator == MacAccumulator::kFixed;
  unit.used_bits = is_fixed ? std::min(unit.fixed_bits, spec.accumulator_bits) : unit.fixed_bits;
  return unit;
}

/// Columns of the lanes' sum: `terms` bits of magnitudes or signs, `carries` of negations.
struct LaneColumn {
  int terms = 0;
  int carries = 0;
  bool has_constant = false;
};

/// Nothing for one lane, which has no tree.
std::vector<LaneColumn> LaneColumns(const MacSpec& spec, const MinifloatParts& unit) {
  std::vector<LaneColumn> columns;
  if (spec.lanes == 1) return columns;
  const bool is_fixed = spec.accumulator == MacAccumulator::kFixed;
  const int width = is_fixed ? std::min(unit.sum_bits, spec.accumulator_bits) : unit.sum_bits;
  const uint64_t lanes = static_cast<uint64_t>(spec.lanes);
  for (int c = 0; c < width; ++c) {
    LaneColumn column;
    if (c <= unit.fixed_bits) column.terms = spec.lanes;
    if (c == 0) column.carries = spec.lanes;
    if (c >= unit.fixed_bits) column.has_constant = ((-lanes >> (c - unit.fixed_bits)) & 1) != 0;
    columns.push_back(column);
  }
  return columns;
}

TreeCount LaneTree(const MacSpec& spec, const MinifloatParts& unit) {
  std::vector<int> heights;
  for (const LaneColumn& column : LaneColumns(spec, unit)) {
    heights.push_back(column.terms + column.carries + (column.has_constant ? 1 : 0));
  }
  return CountTree(std::move(heights));
}

/// The sum of a step, bit by bit.
std::vector<Path> SumPaths(const MacSpec& spec, const MinifloatParts& unit) {
  // The hidden bit of a significand is an OR of the exponent, and so is what the exponent lacks
  // where the bit is 0.
  const Path hidden = Path::From(kHiddenBit + kHiddenBitLog2 * Log2(spec.exponent_bits));
  std::vector<Path> significand =
      MultiplierPaths(spec.mantissa_bits + 1, spec.mantissa_bits + 1, hidden);
  if (spec.lanes == 1 && spec.accumulator != MacAccumulator::kFixed) return significand;
  std::vector<Path> selects;
  selects.reserve(static_cast<size_t>(unit.shift_bits));
  for (int k = 0; k < unit.shift_bits; ++k) {
    selects.push_back(hidden.Plus(kExponentSum + kExponentBit * k, PathElement::kExponentBit, k));
  }
  std::vector<Path> bits = ShifterPaths(std::move(significand), selects, unit.drop_bits,
                                        unit.drop_bits + unit.used_bits);
  bits.erase(bits.begin(), bits.begin() + unit.drop_bits);
  bits.resize(static_cast<size_t>(unit.used_bits), Path::Constant());
  for (Path& bit : bits) {
    if (!bit.is_constant) bit = bit.Plus(kNegation);
  }
  if (spec.lanes == 1) return bits;
  PathColumns columns;
  for (const LaneColumn& column : LaneColumns(spec, unit)) {
    const size_t c = columns.size();
    std::vector<Path> paths(static_cast<size_t>(column.terms),
                            c < bits.size() ? bits[c] : Path::From(kSign));
    paths.insert(paths.end(), static_cast<size_t>(column.carries), Path::From(kSign));
    if (column.has_constant) paths.push_back(Path::Constant());
    columns.push_back(std::move(paths));
  }
  return TreePaths(std::move(columns));
}

std::vector<double> FixedSize(const MacSpec& spec) {
  const MinifloatParts unit = MinifloatOf(spec);
  const MultiplierCount multiplier =
      CountMultiplier(spec.mantissa_bits + 1, spec.mantissa_bits + 1);
  const TreeCount products = multiplier.tree * spec.lanes;
  const TreeCount tree = LaneTree(spec, unit);
  const ShifterCount shifter = CountShifter(unit.significand_bits, unit.shift_bits, unit.drop_bits,
                                            unit.drop_bits + unit.used_bits);
  return {1.0 * spec.lanes * multiplier.ands,
          1.0 * products.full_adders + tree.full_adders,
          1.0 * products.half_adders + tree.half_adders,
          1.0 * spec.lanes * shifter.muxes,
          1.0 * spec.lanes * shifter.ands,
          1.0 * spec.lanes * unit.used_bits,
          1.0 * spec.lanes * spec.exponent_bits,
          1.0 * spec.lanes,
          1.0 * spec.accumulator_bits,
          1.0};
}

std::vector<double> FixedCriticalPath(const MacSpec& spec) {
  const MinifloatParts unit = MinifloatOf(spec);
  std::vector<Path> sum = SumPaths(spec, unit);
  // Sign extension, by the last bit of a tree or the sign of the product.
  const Path sign = Path::From(kSign);
  sum.resize(static_cast<size_t>(spec.accumulator_bits), spec.lanes == 1 ? sign : sum.back());
  const Path path = AccumulatePath(sum, sign);
  return {path.at(PathElement::kFullAdder),
          path.at(PathElement::kFullAdderThird),
          path.at(PathElement::kHalfAdder),
          path.at(PathElement::kRippleBit),
          path.at(PathElement::kExponentBit),
          path.at(PathElement::kSelect),
          path.at(PathElement::kFanOut),
          path.at(PathElement::kMux),
          1.0 * spec.accumulator_bits,
          1.0 * spec.exponent_bits,
          Log2(spec.mantissa_bits + 1),
          Log2(spec.lanes),
          1.0};
}

std::vector<double> FixedLoopPath(const MacSpec& spec) {
  return {1.0 * spec.accumulator_bits, 1.0 * spec.exponent_bits, Log2(spec.lanes), 1.0};
}

// Behind the sum of a floating-point accumulator: absolute value, normalizer, loom_fp_add. //

struct FloatParts {
  int summand_bits = 0;  ///< That the normalizer shifts.
  int window_bits = 0;   ///< Of loom_fp_add.
};

FloatParts FloatPartsOf(const MacSpec& spec, const MinifloatParts& unit) {
  const int mantissa_bits = spec.accumulator == MacAccumulator::kFp16 ? 10 : 23;
  FloatParts parts;
  parts.summand_bits = spec.lanes == 1 ? unit.significand_bits : unit.sum_bits - 1;
  parts.window_bits = std::max(parts.summand_bits + 1, mantissa_bits + 3);
  return parts;
}

std::vector<double> FloatSize(const MacSpec& spec) {
  const MinifloatParts unit = MinifloatOf(spec);
  const FloatParts parts = FloatPartsOf(spec, unit);
  const bool is_single = spec.lanes == 1;
  const MultiplierCount multiplier =
      CountMultiplier(spec.mantissa_bits + 1, spec.mantissa_bits + 1);
  const TreeCount products = multiplier.tree * spec.lanes;
  const TreeCount tree = LaneTree(spec, unit);
  const ShifterCount shifter =
      CountShifter(unit.significand_bits, unit.shift_bits, 0, unit.fixed_bits);
  return {
      1.0 * spec.lanes * multiplier.ands + 5.0 * products.full_adders + 2.0 * products.half_adders,
      5.0 * tree.full_adders + 2.0 * tree.half_adders,
      is_single ? 0.0 : 1.0 * spec.lanes * unit.fixed_bits,
      is_single ? 0.0 : 1.0 * spec.lanes * (3 * shifter.muxes + shifter.ands),
      1.0 * spec.lanes * spec.exponent_bits,
      is_single ? 0.0 : 1.0 * parts.summand_bits,
      parts.summand_bits * Log2(parts.summand_bits),
      parts.window_bits * Log2(parts.window_bits),
      1.0 * parts.window_bits,
      1.0};
}

std::vector<double> FloatCriticalPath(const MacSpec& spec) {
  const MinifloatParts unit = MinifloatOf(spec);
  const FloatParts parts = FloatPartsOf(spec, unit);
  return {Longest(SumPaths(spec, unit)).length,
          Log2(parts.window_bits),
          1.0 * (parts.window_bits - parts.summand_bits),
          Log2(spec.lanes),
          1.0 * spec.exponent_bits,
          1.0};
}

std::vector<double> FloatLoopPath(const MacSpec& spec) {
  const FloatParts parts = FloatPartsOf(spec, MinifloatOf(spec));
  return {Log2(parts.window_bits), 1.0 * parts.summand_bits, Log2(spec.lanes), 1.0};
}

}  // namespace

const char* FamilyName(UnitFamily family) {
  switch (family) {
    case UnitFamily::kInteger:
      return "integer";
    case UnitFamily::kMinifloatFixed:
      return "minifloat in fixed point";
    case UnitFamily::kMinifloatFp16:
      return "minifloat in FP16";
    case UnitFamily::kMinifloatFp32:
      return "minifloat in FP32";
  }
  return "";
}

UnitFamily FamilyOf(const MacSpec& spec) {
  if (!spec.is_minifloat) return UnitFamily::kInteger;
  switch (spec.accumulator) {
    case MacAccumulator::kFixed:
      return UnitFamily::kMinifloatFixed;
    case MacAccumulator::kFp16:
      return UnitFamily::kMinifloatFp16;
    case MacAccumulator::kFp32:
      return UnitFamily::kMinifloatFp32;
  }
  return UnitFamily::kInteger;
}

std::vector<double> FeaturesOf(const MacSpec& spec, FeatureKind kind) {
  const bool is_size = kind == FeatureKind::kSize, is_loop = kind == FeatureKind::kLoopPath;
  switch (FamilyOf(spec)) {
    case UnitFamily::kInteger:
      return is_size ? IntegerSize(spec) : IntegerPath(spec, kind);
    case UnitFamily::kMinifloatFixed:
      return is_size ? FixedSize(spec) : is_loop ? FixedLoopPath(spec) : FixedCriticalPath(spec);
    case UnitFamily::kMinifloatFp16:
    case UnitFamily::kMinifloatFp32:
      return is_size ? FloatSize(spec) : is_loop ? FloatLoopPath(spec) : FloatCriticalPath(spec);
  }
  return {};
}

const std::vector<std::string>& FeatureNames(UnitFamily family, FeatureKind kind) {
  using Names = std::array<std::vector<std::string>, kNumFeatureKinds>;
  static const Names integer = {
      {{"partial_products", "full_adders", "half_adders", "carryless_adders", "constant_bits",
        "accumulator_bits", "one"},
       {"path_full_adders", "path_third_inputs", "path_half_adders", "path_ripple_bits",
        "path_ripple_halves", "stages", "ripple_bits", "one", "log2_larger_operand",
        "log2_smaller_operand"},
       {"path_full_adders", "path_third_inputs", "path_half_adders", "path_ripple_bits",
        "path_ripple_halves", "stages", "ripple_bits", "one"}}};
  static const Names fixed = {
      {{"partial_products", "full_adders", "half_adders", "shifter_muxes", "shifter_ands",
        "negation_bits", "exponent_bits", "lanes", "accumulator_bits", "one"},
       {"path_full_adders", "path_third_inputs", "path_half_adders", "path_ripple_bits",
        "path_exponent_bits", "path_selects", "path_fan_out", "path_muxes", "accumulator_bits",
        "exponent_bits", "log2_significand_bits", "log2_lanes", "one"},
       {"accumulator_bits", "exponent_bits", "log2_lanes", "one"}}};
  static const Names floating = {
      {{"multiplier_gates", "tree_gates", "negation_bits", "shifter_gates", "exponent_bits",
        "absolute_bits", "normalizer_bits", "aligner_bits", "window_bits", "one"},
       {"path_length", "log2_window_bits", "window_padding_bits", "log2_lanes", "exponent_bits",
        "one"},
       {"log2_window_bits", "summand_bits", "log2_lanes", "one"}}};
  const Names& names = family == UnitFamily::kInteger          ? integer
                       : family == UnitFamily::kMinifloatFixed ? fixed
                                                               : floating;
  return names[static_cast<size_t>(kind)];
}

}  // namespace macloom::cost
