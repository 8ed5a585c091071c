#include "cost/estimator_features.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace macloom::cost {
namespace {

int CeilLog2(int value) {
  return static_cast<int>(std::bit_width(static_cast<unsigned>(std::max(value, 1) - 1)));
}

/// Partial products of one a x b multiplier in column c.
int PartialProducts(int a_bits, int b_bits, int c) {
  const int first = std::max(0, c - (b_bits - 1));
  const int last = std::min(c, a_bits - 1);
  return std::max(0, last - first + 1);
}

TreeCount operator*(TreeCount count, int factor) {
  count.full_adders *= factor;
  count.half_adders *= factor;
  count.carryless *= factor;
  return count;
}

struct Multiplier {
  int ands = 0;
  TreeCount tree;
};

/// Unsigned product of significands.
Multiplier CountMultiplier(int a_bits, int b_bits) {
  Multiplier multiplier;
  multiplier.ands = a_bits * b_bits;
  std::vector<int> heights;
  for (int c = 0; c < a_bits + b_bits; ++c) heights.push_back(PartialProducts(a_bits, b_bits, c));
  multiplier.tree = CountTree(std::move(heights));
  return multiplier;
}

struct Shifter {
  int muxes = 0;
  int ands = 0;
};

/// Left shift of `width` bits by a number of `stages` bits, of which the bits [low, high) are used;
/// the stage of the least significant bit comes first.
Shifter CountShifter(int width, int stages, int low, int high) {
  Shifter shifter;
  for (int k = 0; k < stages; ++k) {
    const int step = 1 << k;
    const int later = (1 << stages) - (2 << k);
    const int needed_low = std::max(0, low - later);
    const int next = std::min(width + step, high);
    for (int i = needed_low; i < next; ++i) {
      const bool has_kept = i < width;
      const bool has_shifted = i >= step && i - step < width;
      if (has_kept && has_shifted) {
        ++shifter.muxes;
      } else if (has_kept || has_shifted) {
        ++shifter.ands;
      }
    }
    width = next;
  }
  return shifter;
}

UnitFeatures IntegerFeatures(const MacSpec& spec) {
  const int width = spec.accumulator_bits;
  const int a = spec.activation_bits, b = spec.weight_bits;
  // Minus the weights of the inverted partial products, as loom_dot's constant row.
  uint64_t correction = 0;
  const auto lanes = static_cast<uint64_t>(spec.lanes);
  for (int i = 0; i < b - 1; ++i) correction -= lanes << (a - 1 + i);
  for (int i = 0; i < a - 1; ++i) correction -= lanes << (b - 1 + i);
  std::vector<int> heights;
  int ands = 0, constants = 0;
  for (int c = 0; c < width; ++c) {
    const int partial = spec.lanes * PartialProducts(a, b, c);
    const int constant = static_cast<int>((correction >> c) & 1);
    ands += partial;
    constants += constant;
    heights.push_back(partial + 1 + constant);
  }
  const TreeCount tree = CountTree(heights);
  UnitFeatures features;
  features.family = UnitFamily::kInteger;
  features.size = {1.0 * ands,
                   1.0 * tree.full_adders,
                   1.0 * tree.half_adders,
                   1.0 * tree.carryless,
                   1.0 * constants,
                   1.0 * width,
                   1.0};
  features.depth = {1.0 * tree.stages, 1.0 * tree.ripple_bits, 1.0};
  return features;
}

/// Parts that all minifloat units have.
struct MinifloatParts {
  Multiplier multiplier;
  int significand_bits = 0;
  int shift_bits = 0;
  int fixed_bits = 0;  ///< Of a product on the grid of all products.
  int drop_bits = 0;
  int sum_bits = 0;
  Shifter shifter;
  TreeCount tree;  ///< Of the lanes' sum; nothing for one lane.
  int xors = 0;    ///< Negation.
};

MinifloatParts CountParts(const MacSpec& spec, int used_bits) {
  MinifloatParts parts;
  const int specials_codes = spec.specials == 2 ? 3 : 2;
  const int max_shift = 2 * ((1 << spec.exponent_bits) - specials_codes);
  parts.multiplier = CountMultiplier(spec.mantissa_bits + 1, spec.mantissa_bits + 1);
  parts.significand_bits = 2 * spec.mantissa_bits + 2;
  parts.shift_bits = spec.exponent_bits + 1;
  parts.drop_bits = std::min(spec.drop_bits, max_shift + parts.significand_bits - 1);
  parts.fixed_bits = parts.significand_bits + max_shift - parts.drop_bits;
  parts.sum_bits = parts.fixed_bits + CeilLog2(spec.lanes) + 1;
  const int used = std::min(parts.fixed_bits, used_bits);
  parts.shifter = CountShifter(parts.significand_bits, parts.shift_bits, parts.drop_bits,
                               parts.drop_bits + used);
  parts.xors = spec.lanes * used;
  if (spec.lanes == 1) return parts;
  const int columns = std::min(parts.sum_bits, used_bits);
  const uint64_t lanes = static_cast<uint64_t>(spec.lanes);
  std::vector<int> heights;
  for (int c = 0; c < columns; ++c) {
    int height = c <= parts.fixed_bits ? spec.lanes : 0;
    if (c == 0) height += spec.lanes;
    if (c >= parts.fixed_bits) {
      height += static_cast<int>((-lanes >> (c - parts.fixed_bits)) & 1);
    }
    heights.push_back(height);
  }
  parts.tree = CountTree(heights);
  return parts;
}

UnitFeatures FixedFeatures(const MacSpec& spec) {
  const int width = spec.accumulator_bits;
  const MinifloatParts parts = CountParts(spec, width);
  const TreeCount multiplier = parts.multiplier.tree * spec.lanes;
  UnitFeatures features;
  features.family = UnitFamily::kMinifloatFixed;
  features.size = {1.0 * spec.lanes * parts.multiplier.ands,
                   1.0 * multiplier.full_adders + parts.tree.full_adders,
                   1.0 * multiplier.half_adders + parts.tree.half_adders,
                   1.0 * spec.lanes * parts.shifter.muxes,
                   1.0 * spec.lanes * parts.shifter.ands,
                   1.0 * parts.xors,
                   1.0 * spec.lanes * spec.exponent_bits,
                   1.0 * spec.lanes,
                   1.0 * width,
                   1.0};
  features.depth = {1.0 * (parts.multiplier.tree.stages + parts.tree.stages),
                    1.0 * parts.multiplier.tree.ripple_bits,
                    1.0 * parts.shift_bits,
                    spec.lanes == 1 ? 0.0 : 1.0 * parts.tree.ripple_bits,
                    1.0 * width,
                    1.0};
  return features;
}

UnitFeatures FloatFeatures(const MacSpec& spec) {
  const bool is_fp16 = spec.accumulator == MacAccumulator::kFp16;
  const int exponent = is_fp16 ? 5 : 8, mantissa = is_fp16 ? 10 : 23;
  const MinifloatParts parts = CountParts(spec, 1 << 10);
  const bool is_single = spec.lanes == 1;
  const int summand = is_single ? parts.significand_bits : parts.sum_bits - 1;
  const int window = std::max(summand + 1, mantissa + 3);
  const TreeCount multiplier = parts.multiplier.tree * spec.lanes;
  const double adders = 1.0 * spec.lanes * parts.multiplier.ands +
                        5.0 * (multiplier.full_adders + parts.tree.full_adders) +
                        2.0 * (multiplier.half_adders + parts.tree.half_adders) +
                        (is_single ? 0 : parts.xors);
  const int top_bits = CeilLog2(parts.sum_bits) + 1;
  UnitFeatures features;
  features.family = UnitFamily::kMinifloatFloat;
  features.size = {
      adders,
      is_single ? 0.0 : 1.0 * spec.lanes * (3 * parts.shifter.muxes + parts.shifter.ands),
      1.0 * spec.lanes * spec.exponent_bits,
      1.0 * summand * CeilLog2(summand),
      is_single ? 0.0 : 1.0 * summand,
      1.0 * window * CeilLog2(window + 2),
      1.0 * window,
      1.0 * std::max(exponent, top_bits),
      1.0 * mantissa,
      1.0};
  features.depth = {1.0 * (parts.multiplier.tree.stages + parts.tree.stages),
                    1.0 * parts.multiplier.tree.ripple_bits,
                    is_single ? 0.0 : 1.0 * parts.tree.ripple_bits,
                    1.0 * CeilLog2(summand),
                    1.0 * CeilLog2(window + 2),
                    1.0 * window,
                    1.0 * mantissa,
                    1.0};
  return features;
}

}  // namespace

TreeCount CountTree(std::vector<int> heights) {
  TreeCount count;
  const int highest = heights.empty() ? 0 : *std::max_element(heights.begin(), heights.end());
  std::vector<int> goals;
  for (int goal = 2; goal < highest; goal = goal * 3 / 2) goals.push_back(goal);
  count.stages = static_cast<int>(goals.size());
  for (auto goal = goals.rbegin(); goal != goals.rend(); ++goal) {
    int carries = 0;
    for (size_t c = 0; c < heights.size(); ++c) {
      const int height = heights[c] + carries;
      const int excess = std::max(0, height - *goal);
      carries = (excess + 1) / 2;
      heights[c] = height - excess;
      if (c + 1 == heights.size()) {
        count.carryless += carries;
      } else {
        count.full_adders += excess / 2;
        count.half_adders += excess % 2;
      }
    }
  }
  bool has_carry = false;
  for (size_t c = 0; c < heights.size(); ++c) {
    const int inputs = heights[c] + (has_carry ? 1 : 0);
    if (has_carry || inputs > 1) ++count.ripple_bits;
    if (inputs > 1 && c + 1 == heights.size()) {
      count.carryless += 1;
    } else if (inputs == 3) {
      ++count.full_adders;
    } else if (inputs == 2) {
      ++count.half_adders;
    }
    has_carry = inputs > 1;
  }
  return count;
}

const char* FamilyName(UnitFamily family) {
  switch (family) {
    case UnitFamily::kInteger:
      return "integer";
    case UnitFamily::kMinifloatFixed:
      return "minifloat in fixed point";
    case UnitFamily::kMinifloatFloat:
      return "minifloat in floating point";
  }
  return "";
}

UnitFeatures FeaturesOf(const MacSpec& spec) {
  if (!spec.is_minifloat) return IntegerFeatures(spec);
  return spec.accumulator == MacAccumulator::kFixed ? FixedFeatures(spec) : FloatFeatures(spec);
}

const std::vector<std::string>& SizeFeatureNames(UnitFamily family) {
  static const std::vector<std::string> names[kNumUnitFamilies] = {
      {"partial_products", "full_adders", "half_adders", "carryless_adders", "constant_bits",
       "accumulator_bits", "one"},
      {"partial_products", "full_adders", "half_adders", "shifter_muxes", "shifter_ands",
       "negation_bits", "exponent_bits", "lanes", "accumulator_bits", "one"},
      {"multiplier_and_tree_gates", "shifter_gates", "exponent_bits", "normalizer_bits",
       "absolute_bits", "aligner_bits", "window_bits", "exponent_adder_bits", "mantissa_bits",
       "one"}};
  return names[static_cast<int>(family)];
}

const std::vector<std::string>& DepthFeatureNames(UnitFamily family) {
  static const std::vector<std::string> names[kNumUnitFamilies] = {
      {"stages", "ripple_bits", "one"},
      {"stages", "multiplier_ripple_bits", "shift_stages", "tree_ripple_bits", "accumulator_bits",
       "one"},
      {"stages", "multiplier_ripple_bits", "tree_ripple_bits", "normalizer_stages",
       "aligner_stages", "window_bits", "mantissa_bits", "one"}};
  return names[static_cast<int>(family)];
}

}  // namespace macloom::cost
