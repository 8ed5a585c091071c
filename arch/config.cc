#include "arch/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <array>
#include <map>
#include <sstream>

#include "base/digest.h"
#include "base/files.h"

namespace macloom::arch {
namespace {

/// One integer setting: TOML key, field, range.
struct Setting {
  const char* key;
  int HardwareConfig::*field;
  int min, max;
  bool is_power_of_two;
};

constexpr std::array<Setting, 16> kSettings = {{
    {"array.rows", &HardwareConfig::rows, 1, 32, true},
    {"array.lanes", &HardwareConfig::lanes, 8, 32, true},
    {"array.tile_pixels", &HardwareConfig::tile_pixels, 1, 32, true},
    {"array.activation_bits", &HardwareConfig::activation_bits, 2, 8, false},
    {"array.weight_bits", &HardwareConfig::weight_bits, 2, 8, false},
    {"acc.width_bits", &HardwareConfig::accumulator_bits, 8, 80, false},
    {"acc.dropped_bits", &HardwareConfig::accumulator_dropped_bits, 0, 63, false},
    {"acc.alignment_bits", &HardwareConfig::accumulator_alignment_bits, -1, 127, false},
    {"requant.lanes", &HardwareConfig::requant_lanes, 1, 32, true},
    {"memory.activation_bytes", &HardwareConfig::activation_bytes, 1024, 2097152, true},
    {"memory.activation_banks", &HardwareConfig::activation_banks, 1, 8, true},
    {"memory.weight_ring_bytes", &HardwareConfig::weight_ring_bytes, 1024, 4194304, true},
    {"memory.staging_bytes", &HardwareConfig::staging_bytes, 128, 65536, true},
    {"depthwise.window_words", &HardwareConfig::window_words, 4, 32, false},
    {"bus.data_bits", &HardwareConfig::axi_data_bits, 64, 128, true},
    {"bus.outstanding_bursts", &HardwareConfig::outstanding_bursts, 1, 16, false},
}};

/// One setting that is a word: its index in `words` is the enumerator.
struct WordSetting {
  const char* key;
  std::vector<std::string> words;
  int (*get)(const HardwareConfig&);
  void (*set)(HardwareConfig&, int);
};

const std::array<WordSetting, 4>& WordSettings() {
  static const std::array<WordSetting, 4> settings = {
      {{"acc.policy",
        {"wrap", "saturate", "selectable"},
        [](const HardwareConfig& c) { return static_cast<int>(c.accumulator_policy); },
        [](HardwareConfig& c, int v) { c.accumulator_policy = static_cast<AccumulatorPolicy>(v); }},
       {"requant.kind",
        {"shift", "24x24", "24x31", "32x31"},
        [](const HardwareConfig& c) { return static_cast<int>(c.requant_kind); },
        [](HardwareConfig& c, int v) { c.requant_kind = static_cast<RequantKind>(v); }},
       {"mac.format",
        {"int", "e4m3", "e5m2", "e3m4", "e2m5"},
        [](const HardwareConfig& c) { return static_cast<int>(c.mac_format); },
        [](HardwareConfig& c, int v) { c.mac_format = static_cast<MacFormat>(v); }},
       {"acc.kind",
        {"fixed", "fp16", "fp32"},
        [](const HardwareConfig& c) { return static_cast<int>(c.accumulator_kind); },
        [](HardwareConfig& c, int v) { c.accumulator_kind = static_cast<AccumulatorKind>(v); }}}};
  return settings;
}

const WordSetting* FindWordSetting(const std::string& key) {
  for (const WordSetting& setting : WordSettings()) {
    if (key == setting.key) return &setting;
  }
  return nullptr;
}

std::vector<std::string> KnownKeys() {
  std::vector<std::string> keys = {"name", "base"};
  for (const Setting& setting : kSettings) keys.emplace_back(setting.key);
  for (const WordSetting& setting : WordSettings()) keys.emplace_back(setting.key);
  return keys;
}

bool IsPowerOfTwo(int value) { return value > 0 && (value & (value - 1)) == 0; }

Status SetWord(HardwareConfig& config, const WordSetting& setting, const toml::node& node,
               const std::string& where) {
  const std::string word = node.is_string() ? *node.value<std::string>() : "";
  for (size_t i = 0; i < setting.words.size(); ++i) {
    if (word != setting.words[i]) continue;
    setting.set(config, static_cast<int>(i));
    return {};
  }
  return InvalidInput(fmt::format("{}: {}{}: accepted are the strings {}", where, setting.key,
                                  node.is_string() ? fmt::format(" = \"{}\"", word) : "",
                                  fmt::join(setting.words, ", ")));
}

Status Range(const Setting& setting, int64_t value, const std::string& where) {
  if (value >= setting.min && value <= setting.max &&
      (!setting.is_power_of_two || IsPowerOfTwo(static_cast<int>(value)))) {
    return {};
  }
  return InvalidInput(fmt::format("{}: {} = {}: accepted are {}{} to {}", where, setting.key, value,
                                  setting.is_power_of_two ? "powers of two from " : "", setting.min,
                                  setting.max));
}

Status Apply(HardwareConfig& config, const std::string& key, const toml::node& node,
             const std::string& where) {
  if (key == "name") {
    if (!node.is_string()) return InvalidInput(fmt::format("{}: name must be a string", where));
    config.name = *node.value<std::string>();
    return {};
  }
  if (const WordSetting* setting = FindWordSetting(key)) {
    return SetWord(config, *setting, node, where);
  }
  for (const Setting& setting : kSettings) {
    if (key != setting.key) continue;
    if (!node.is_integer()) {
      return InvalidInput(fmt::format("{}: {} must be an integer from {} to {}", where, key,
                                      setting.min, setting.max));
    }
    const int64_t value = *node.value<int64_t>();
    MACLOOM_RETURN_IF_ERROR(Range(setting, value, where));
    config.*setting.field = static_cast<int>(value);
    return {};
  }
  return InvalidInput(
      fmt::format("{}: unknown key `{}`; known are {}", where, key, fmt::join(KnownKeys(), ", ")));
}

/// Settings that only minifloats have.
Status CheckInteger(const HardwareConfig& config) {
  if (config.accumulator_bits > 32) {
    return InvalidInput(
        fmt::format("configuration: acc.width_bits = {}: accepted are 8 to 32 with mac.format = "
                    "\"int\"",
                    config.accumulator_bits));
  }
  if (config.has_float_accumulator()) {
    return InvalidInput(
        "configuration: acc.kind: accepted is \"fixed\" with mac.format = \"int\"; float "
        "accumulators take minifloats");
  }
  if (config.accumulator_dropped_bits != 0 || config.accumulator_alignment_bits != -1) {
    return InvalidInput(fmt::format(
        "configuration: acc.dropped_bits = {}, acc.alignment_bits = {}: accepted are 0 and -1 with "
        "mac.format = \"int\"",
        config.accumulator_dropped_bits, config.accumulator_alignment_bits));
  }
  return {};
}

/// Settings whose range depends on the format, or that minifloats do not have.
Status CheckMinifloat(const HardwareConfig& config) {
  if (config.activation_bits != 8 || config.weight_bits != 8) {
    return InvalidInput(fmt::format(
        "configuration: array.activation_bits = {}, array.weight_bits = {}: accepted are 8 and 8 "
        "with minifloats",
        config.activation_bits, config.weight_bits));
  }
  if (config.has_float_accumulator() &&
      (config.accumulator_dropped_bits != 0 || config.accumulator_alignment_bits != -1)) {
    return InvalidInput(fmt::format(
        "configuration: acc.dropped_bits = {}, acc.alignment_bits = {}: accepted are 0 and -1 with "
        "a float accumulator, which takes exact sums",
        config.accumulator_dropped_bits, config.accumulator_alignment_bits));
  }
  // Bits of the largest product on its grid, less one.
  constexpr std::array<int, 5> kMostDropped = {0, 35, 63, 21, 15};
  const int most = kMostDropped[static_cast<size_t>(config.mac_format)];
  if (config.accumulator_dropped_bits > most) {
    return InvalidInput(fmt::format(
        "configuration: acc.dropped_bits = {}: accepted are 0 to {} (bits of a product) with this "
        "mac.format",
        config.accumulator_dropped_bits, most));
  }
  return {};
}

}  // namespace

std::vector<std::string> PresetNames() { return {"m4l16", "m8l16"}; }

Result<HardwareConfig> Preset(const std::string& name) {
  HardwareConfig config;
  if (name == "m4l16") return config;
  if (name == "m8l16") {
    config.name = "m8l16";
    config.rows = 8;
    config.requant_lanes = 16;
    config.activation_banks = 4;
    config.weight_ring_bytes = 32768;
    config.window_words = 12;
    return config;
  }
  return InvalidInput(
      fmt::format("unknown preset `{}`; presets are {}", name, fmt::join(PresetNames(), ", ")));
}

Result<HardwareConfig> ParseConfig(const std::string& toml_text, const std::string& source_name) {
  toml::table table;
  try {
    table = toml::parse(toml_text, source_name);
  } catch (const toml::parse_error& error) {
    std::ostringstream place;
    place << error.source().begin;
    return InvalidInput(
        fmt::format("{}: not TOML: {} ({})", source_name, error.description(), place.str()));
  }
  HardwareConfig config;
  if (const toml::node* base = table.get("base")) {
    if (!base->is_string()) {
      return InvalidInput(fmt::format("{}: base must be a string: {}", source_name,
                                      fmt::join(PresetNames(), ", ")));
    }
    Result<HardwareConfig> preset = Preset(*base->value<std::string>());
    if (!preset.ok()) {
      return InvalidInput(fmt::format("{}: base: {}", source_name, preset.error().message));
    }
    config = *std::move(preset);
  }
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (name == "base") continue;
    if (const toml::table* inner = node.as_table()) {
      for (const auto& [inner_key, inner_node] : *inner) {
        MACLOOM_RETURN_IF_ERROR(
            Apply(config, name + "." + std::string(inner_key.str()), inner_node, source_name));
      }
    } else {
      MACLOOM_RETURN_IF_ERROR(Apply(config, name, node, source_name));
    }
  }
  if (Status status = Validate(config); !status.ok()) {
    return InvalidInput(fmt::format("{}: {}", source_name, status.error().message));
  }
  return config;
}

Result<HardwareConfig> LoadConfig(const std::filesystem::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, 1 << 20));
  return ParseConfig(text, path.string());
}

Result<HardwareConfig> WithSetting(const HardwareConfig& config, const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    return InvalidInput(
        fmt::format("setting `{}`: expected KEY=VALUE, for example acc.width_bits=20", assignment));
  }
  HardwareConfig changed = config;
  const std::string key = assignment.substr(0, equals);
  const std::string value = assignment.substr(equals + 1);
  // Strings may be given without quotes.
  const bool is_text = key == "name" || FindWordSetting(key) != nullptr;
  try {
    const toml::table table = toml::parse(
        is_text && value.find('"') == std::string::npos ? "v = \"" + value + "\"" : "v = " + value);
    MACLOOM_RETURN_IF_ERROR(Apply(changed, key, *table.get("v"), "setting"));
  } catch (const toml::parse_error&) {
    return InvalidInput(fmt::format("setting `{}`: `{}` is not a TOML value", assignment, value));
  }
  MACLOOM_RETURN_IF_ERROR(Validate(changed));
  return changed;
}

Status Validate(const HardwareConfig& config) {
  for (const Setting& setting : kSettings) {
    MACLOOM_RETURN_IF_ERROR(Range(setting, config.*setting.field, "configuration"));
  }
  const auto refuse = [](const std::string& text) {
    return InvalidInput("configuration: " + text);
  };
  if (config.rows > config.lanes) {
    return refuse(
        fmt::format("array.rows = {} exceeds array.lanes = {}", config.rows, config.lanes));
  }
  if (config.rows * config.lanes > 512 || config.rows * config.lanes < 16) {
    return refuse(fmt::format("array.rows * array.lanes = {}: accepted are 16 to 512",
                              config.rows * config.lanes));
  }
  if (config.tile_pixels > config.lanes) {
    return refuse(fmt::format("array.tile_pixels = {} exceeds array.lanes = {}", config.tile_pixels,
                              config.lanes));
  }
  if (config.requant_lanes > config.lanes) {
    return refuse(fmt::format("requant.lanes = {} exceeds array.lanes = {}", config.requant_lanes,
                              config.lanes));
  }
  MACLOOM_RETURN_IF_ERROR(config.is_minifloat() ? CheckMinifloat(config) : CheckInteger(config));
  if (!config.is_minifloat() && config.accumulator_bits > config.requant_operand_bits()) {
    return refuse(fmt::format("acc.width_bits = {} exceeds the {} bits of requant.kind = \"{}\"",
                              config.accumulator_bits, config.requant_operand_bits(),
                              WordSettings()[1].words[static_cast<size_t>(config.requant_kind)]));
  }
  if (config.axi_bytes() > config.lanes) {
    return refuse(fmt::format("bus.data_bits = {} is wider than an activation word of {} bytes",
                              config.axi_data_bits, config.lanes));
  }
  if (config.activation_words() > 65536) {
    return refuse(fmt::format("memory.activation_bytes = {}: at most 65536 words of {} bytes",
                              config.activation_bytes, config.lanes));
  }
  if (config.ring_rows() < 16 || config.ring_rows() > 16384) {
    return refuse(fmt::format(
        "memory.weight_ring_bytes = {}: {} rows of {} bytes; accepted are 16 to 16384 rows",
        config.weight_ring_bytes, config.ring_rows(), config.rows * config.lanes));
  }
  if (config.staging_words() < 16) {
    return refuse(fmt::format("memory.staging_bytes = {}: at least 16 words of {} bytes",
                              config.staging_bytes, config.lanes));
  }
  if (config.window_words < config.activation_banks) {
    return refuse(
        fmt::format("depthwise.window_words = {} is less than memory.activation_banks = {}",
                    config.window_words, config.activation_banks));
  }
  // Part of module and file names, and of the TOML text.
  if (config.name.empty() || config.name.size() > 40 || config.name[0] < 'a' ||
      config.name[0] > 'z' ||
      config.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos) {
    return refuse(fmt::format("name = \"{}\": accepted are [a-z][a-z0-9_]*, at most 40 characters",
                              config.name));
  }
  return {};
}

std::string ToToml(const HardwareConfig& config) {
  std::map<std::string, std::vector<std::string>> tables;
  const auto add = [&](const std::string& key, const std::string& value) {
    const size_t dot = key.find('.');
    tables[key.substr(0, dot)].push_back(key.substr(dot + 1) + " = " + value);
  };
  for (const Setting& setting : kSettings) add(setting.key, fmt::to_string(config.*setting.field));
  for (const WordSetting& setting : WordSettings()) {
    add(setting.key, "\"" + setting.words[static_cast<size_t>(setting.get(config))] + "\"");
  }
  std::string text = fmt::format("name = \"{}\"\n", config.name);
  for (const char* table : {"array", "mac", "acc", "requant", "memory", "depthwise", "bus"}) {
    text += fmt::format("\n[{}]\n{}\n", table, fmt::join(tables[table], "\n"));
  }
  return text;
}

std::string Digest(const HardwareConfig& config) {
  HardwareConfig nameless = config;
  nameless.name = "";
  const std::string text = ToToml(nameless);
  return Sha256Hex(std::string_view(text));
}

}  // namespace macloom::arch
