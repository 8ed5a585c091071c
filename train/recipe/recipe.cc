#include "train/recipe/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <functional>
#include <sstream>
#include <variant>
#include <vector>

#include "base/files.h"

namespace macloom::train {
namespace {

struct IntRange {
  int* value;
  int min, max;
};
struct RealRange {
  double* value;
  double min, max;
};
struct Words {
  std::vector<std::string> words;
  std::function<void(int)> set;
};
/// Where the value of a key goes, and what is accepted.
struct Field {
  std::string key;
  std::variant<IntRange, RealRange, Words, bool*, std::string*, uint64_t*> target;
};

template <typename Enum>
Words Choice(Enum* value, std::vector<std::string> words) {
  return {std::move(words), [value](int i) { *value = static_cast<Enum>(i); }};
}

void AddPhase(std::vector<Field>& fields, const std::string& table, Phase& phase) {
  fields.push_back({table + ".epochs", IntRange{&phase.epochs, 0, 10000}});
  fields.push_back({table + ".batch", IntRange{&phase.batch, 2, 4096}});
  fields.push_back({table + ".optimizer", Choice(&phase.optimizer, {"adam", "sgd"})});
  fields.push_back({table + ".learning_rate", RealRange{&phase.learning_rate, 1e-9, 10}});
  fields.push_back({table + ".weight_decay", RealRange{&phase.weight_decay, 0, 1}});
  fields.push_back({table + ".label_smoothing", RealRange{&phase.label_smoothing, 0, 0.5}});
}

std::vector<Field> FieldsOf(Recipe& recipe) {
  Quantizing& qat = recipe.qat;
  std::vector<Field> fields = {
      {"name", &recipe.name},
      {"seed", &recipe.seed},
      {"data.kind",
       Choice(&recipe.data_kind, {"synthetic", "fsdd", "index", "arabic", "speech-commands"})},
      {"data.path", &recipe.data_path},
      {"data.extra", &recipe.extra_path},
      {"data.rotation", IntRange{&recipe.rotation, 0, 4}},
      {"data.speaker_groups", IntRange{&recipe.speaker_groups, 0, 30}},
      {"data.validation", &recipe.is_validation},
      {"data.left_out_speaker", &recipe.left_out_speaker},
      {"data.copies", IntRange{&recipe.copies, 1, 64}},
      {"network.kind", Choice(&recipe.network.kind, {"ds-cnn", "cnn", "tcn"})},
      {"network.width", IntRange{&recipe.network.width, 1, 1024}},
      {"network.depth", IntRange{&recipe.network.depth, 1, 16}},
      {"qat.weight_bits", IntRange{&qat.weight_bits, 2, 8}},
      {"qat.activation_bits", IntRange{&qat.activation_bits, 2, 8}},
      {"qat.input_bits", IntRange{&qat.input_bits, 2, 8}},
      {"qat.output_bits", IntRange{&qat.output_bits, 2, 8}},
      {"qat.scales", Choice(&qat.scales, {"calibrated", "learned", "network"})},
      {"qat.relu_codes", Choice(&qat.relu_codes, {"signed", "offset"})},
      {"qat.equalize", &qat.is_equalized},
      {"qat.squashed_weights", &qat.is_squashed},
      {"qat.cosine_weight", RealRange{&qat.cosine_weight, 0, 1000}},
      {"qat.accumulator_bits", IntRange{&qat.accumulator_bits, 0, 32}},
      {"qat.overflow_penalty", RealRange{&qat.overflow_penalty, 0, 1000}},
      {"qat.weight_bound", Choice(&qat.bound, {"none", "a2q", "a2q+"})},
      {"qat.bound_penalty", RealRange{&qat.bound_penalty, 0, 1000}},
      {"qat.scale_learning_rate", RealRange{&qat.scale_learning_rate, 0, 1}},
  };
  AddPhase(fields, "float", recipe.float_phase);
  AddPhase(fields, "qat", qat.phase);
  return fields;
}

std::string TextOf(const toml::node& node) {
  std::ostringstream text;
  node.visit([&](const auto& value) { text << value; });
  return text.str();
}

Status Assign(const Field& field, const toml::node& node, const std::string& where) {
  const auto refuse = [&](const std::string& accepted) {
    return InvalidInput(
        fmt::format("{}: {} = {}: accepted: {}", where, field.key, TextOf(node), accepted));
  };
  if (const auto* range = std::get_if<IntRange>(&field.target)) {
    const auto value = node.is_integer() ? node.value<int64_t>() : std::nullopt;
    if (!value || *value < range->min || *value > range->max) {
      return refuse(fmt::format("integers from {} to {}", range->min, range->max));
    }
    *range->value = static_cast<int>(*value);
  } else if (const auto* real = std::get_if<RealRange>(&field.target)) {
    const auto value = node.value<double>();
    // The negated form refuses NaN.
    if (!node.is_number() || !value || !(*value >= real->min && *value <= real->max)) {
      return refuse(fmt::format("numbers from {} to {}", real->min, real->max));
    }
    *real->value = *value;
  } else if (const auto* words = std::get_if<Words>(&field.target)) {
    for (size_t i = 0; i < words->words.size(); ++i) {
      if (node.value<std::string>() == words->words[i]) {
        words->set(static_cast<int>(i));
        return {};
      }
    }
    return refuse(fmt::format("{}", fmt::join(words->words, ", ")));
  } else if (const auto* flag = std::get_if<bool*>(&field.target)) {
    if (!node.is_boolean()) return refuse("true, false");
    **flag = *node.value<bool>();
  } else if (const auto* text = std::get_if<std::string*>(&field.target)) {
    if (!node.is_string()) return refuse("a string");
    **text = *node.value<std::string>();
  } else {
    if (!node.is_integer() || *node.value<int64_t>() < 0) return refuse("integers from 0");
    *std::get<uint64_t*>(field.target) = static_cast<uint64_t>(*node.value<int64_t>());
  }
  return {};
}

Status Walk(const toml::table& table, const std::string& prefix, const std::vector<Field>& fields,
            const std::string& where) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (node.is_table()) {
      MACLOOM_RETURN_IF_ERROR(Walk(*node.as_table(), key + ".", fields, where));
      continue;
    }
    bool is_known = false;
    for (const Field& field : fields) {
      if (field.key != key) continue;
      is_known = true;
      MACLOOM_RETURN_IF_ERROR(Assign(field, node, where));
    }
    if (!is_known) {
      std::vector<std::string> keys;
      for (const Field& field : fields) keys.push_back(field.key);
      return InvalidInput(
          fmt::format("{}: unknown key {}; known: {}", where, key, fmt::join(keys, ", ")));
    }
  }
  return {};
}

Status CheckCombination(const Recipe& recipe, const std::string& where) {
  const Quantizing& qat = recipe.qat;
  if (qat.is_squashed && qat.bound != WeightBound::kNone) {
    return InvalidInput(
        fmt::format("{}: qat.squashed_weights = true with qat.weight_bound: both re-parametrize "
                    "the weights; choose one",
                    where));
  }
  if (qat.bound != WeightBound::kNone && qat.accumulator_bits == 0) {
    return InvalidInput(fmt::format(
        "{}: qat.weight_bound needs qat.accumulator_bits (8 to 32), the width it keeps", where));
  }
  if (qat.relu_codes == ReluCodes::kOffset && qat.scales == ScaleChoice::kNetwork) {
    return InvalidInput(
        fmt::format("{}: qat.relu_codes = \"offset\" with qat.scales = \"network\": one Q format "
                    "everywhere has no zero points; choose one",
                    where));
  }
  if (qat.accumulator_bits != 0 && qat.accumulator_bits < 8) {
    return InvalidInput(
        fmt::format("{}: qat.accumulator_bits = {}: accepted: 0 (as wide as "
                    "needed) or 8 to 32",
                    where, qat.accumulator_bits));
  }
  if (qat.overflow_penalty > 0 && qat.accumulator_bits == 0) {
    return InvalidInput(fmt::format("{}: qat.overflow_penalty needs qat.accumulator_bits", where));
  }
  if (recipe.speaker_groups != 0 &&
      (recipe.speaker_groups < 3 || recipe.data_kind != DataKind::kArabic)) {
    return InvalidInput(fmt::format(
        "{}: data.speaker_groups = {}: accepted: 0 (the official split) or, with data.kind = "
        "\"arabic\", 3 to 30",
        where, recipe.speaker_groups));
  }
  if (recipe.name.empty() || recipe.name.find('/') != std::string::npos) {
    return InvalidInput(
        fmt::format("{}: name = '{}': accepted: a file name without folder", where, recipe.name));
  }
  return {};
}

}  // namespace

Result<Recipe> ParseRecipe(const std::string& text, const std::string& where) {
  Recipe recipe;
  recipe.text = text;
  try {
    const toml::table table = toml::parse(text, where);
    MACLOOM_RETURN_IF_ERROR(Walk(table, "", FieldsOf(recipe), where));
  } catch (const toml::parse_error& error) {
    return InvalidInput(
        fmt::format("{}:{}: {}", where, error.source().begin.line, error.description()));
  }
  MACLOOM_RETURN_IF_ERROR(CheckCombination(recipe, where));
  return recipe;
}

Result<Recipe> LoadRecipe(const std::filesystem::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, 1 << 20));
  return ParseRecipe(text, path.string());
}

}  // namespace macloom::train
