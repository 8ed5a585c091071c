#include "flow/samples.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

#include "base/array_file.h"
#include "base/files.h"
#include "base/rng.h"
#include "flow/clip_inputs.h"
#include "flow/sample_file.h"

namespace macloom::flow {
namespace {

std::vector<std::string> SplitCsv(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, ',');) {
    while (!field.empty() && (field.back() == '\r' || field.back() == ' ')) field.pop_back();
    fields.push_back(field);
  }
  return fields;
}

// Index of the class of that name, or the index that `text` is; -1: neither.
int ClassOf(const std::string& text, const std::vector<std::string>& class_names) {
  const auto named = std::find(class_names.begin(), class_names.end(), text);
  if (named != class_names.end()) return static_cast<int>(named - class_names.begin());
  int index = -1;
  const char* end = text.data() + text.size();
  const std::from_chars_result parsed = std::from_chars(text.data(), end, index);
  return parsed.ec == std::errc() && parsed.ptr == end && index >= 0 ? index : -1;
}

Result<std::vector<int>> LabelsFromCsv(const std::filesystem::path& path, const Samples& samples,
                                       const std::vector<std::string>& class_names) {
  MACLOOM_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  std::istringstream stream(text);
  std::string line;
  std::getline(stream, line);
  const std::vector<std::string> header = SplitCsv(line);
  const auto column = [&](const char* name) {
    return static_cast<size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  const size_t label_column =
      column("label_index") < header.size() ? column("label_index") : column("label");
  const size_t file_column = column("file");
  if (label_column == header.size()) {
    return InvalidInput(fmt::format("{}: no column `label_index` or `label` in the header `{}`",
                                    path.string(), line));
  }
  std::map<std::string, int> by_file;
  std::vector<int> in_order;
  for (int number = 2; std::getline(stream, line); ++number) {
    const std::vector<std::string> fields = SplitCsv(line);
    if (fields.empty()) continue;
    const int label =
        label_column < fields.size() ? ClassOf(fields[label_column], class_names) : -1;
    if (label < 0) {
      return InvalidInput(
          fmt::format("{}:{}: `{}` has no label index of 0 or more{}", path.string(), number, line,
                      class_names.empty() ? ""
                                          : fmt::format(" and no class name; the classes are {}",
                                                        fmt::join(class_names, ", "))));
    }
    in_order.push_back(label);
    if (file_column < fields.size()) by_file[fields[file_column]] = label;
  }
  if (samples.names.empty() || by_file.empty()) return in_order;
  std::vector<int> labels;
  for (const std::string& name : samples.names) {
    const auto found = by_file.find(name);
    if (found == by_file.end()) {
      return InvalidInput(fmt::format("{}: no label for the sample file {}", path.string(), name));
    }
    labels.push_back(found->second);
  }
  return labels;
}

}  // namespace

Result<Samples> LoadInputs(const std::filesystem::path& path, const ir::Graph& graph) {
  const SampleFile file = SplitSampleFile(path.string());
  std::error_code ignored;
  if (!std::filesystem::exists(file.path, ignored)) {
    return InvalidInput(fmt::format("inputs {}: no such file or folder", path.string()));
  }
  if (file.form.empty() && !IsArrayFile(file.path) && HoldsWav(file.path)) {
    return SamplesFromClips({file.path}, graph);
  }
  return ReadSamples(file, graph.tensor(graph.input));
}

Result<Samples> LoadInputs(const std::vector<std::string>& paths, const ir::Graph& graph) {
  if (paths.size() == 1) return LoadInputs(std::filesystem::path(paths[0]), graph);
  for (const std::string& path : paths) {
    if (HoldsWav(path)) continue;
    return InvalidInput(fmt::format(
        "inputs {}: not a sound (.wav); several inputs are accepted for sounds only", path));
  }
  return SamplesFromClips({paths.begin(), paths.end()}, graph);
}

Result<std::vector<int>> LoadLabels(const std::filesystem::path& path, const Samples& samples,
                                    const std::vector<std::string>& class_names) {
  std::vector<int> labels;
  const SampleFile file = SplitSampleFile(path.string());
  if (IsArrayFile(file.path)) {
    MACLOOM_ASSIGN_OR_RETURN(const NpyArray array, ReadArray(file.path, file.form));
    MACLOOM_ASSIGN_OR_RETURN(const std::vector<int64_t> values, WholeNumbers(array, path));
    for (const int64_t value : values) {
      if (value < 0 || value > 1'000'000) {
        return InvalidInput(
            fmt::format("{}: label {}; labels are class indices from 0", path.string(), value));
      }
      labels.push_back(static_cast<int>(value));
    }
  } else {
    MACLOOM_ASSIGN_OR_RETURN(labels, LabelsFromCsv(path, samples, class_names));
  }
  if (labels.size() != samples.inputs.size()) {
    return InvalidInput(fmt::format("{}: {} labels for {} samples", path.string(), labels.size(),
                                    samples.inputs.size()));
  }
  return labels;
}

Samples RandomInputs(const ir::Graph& graph, int count, uint64_t seed) {
  const ir::TensorInfo& info = graph.tensor(graph.input);
  // Minifloats are drawn as signed numbers whose magnitude is a code.
  const bool is_minifloat = info.format.IsMinifloat();
  const int64_t low = is_minifloat ? -info.format.MaxFiniteCode() : info.format.MinCode();
  const int64_t high = is_minifloat ? info.format.MaxFiniteCode() : info.format.MaxCode();
  const int64_t zero = std::clamp<int64_t>(info.quantization.zero_point(), low, high);
  Rng rng(seed);
  Samples samples;
  const size_t size = static_cast<size_t>(ir::NumElements(info.shape));
  for (int n = 0; n < count; ++n) {
    ir::TensorValue value{info.shape, std::vector<int32_t>(size)};
    const int corner = n % 3 == 2 ? n / 3 % 6 : -1;
    for (size_t i = 0; i < size; ++i) {
      int64_t code = 0;
      switch (corner) {
        case 0:
          code = low;
          break;
        case 1:
          code = high;
          break;
        case 2:
          code = zero;
          break;
        case 3:
          code = i % 2 == 0 ? low : high;
          break;
        case 4:
          code = low + static_cast<int64_t>(i) % (high - low + 1);
          break;
        case 5:
          code = rng.Bernoulli(0.5) ? low : high;
          break;
        default:
          code = rng.UniformInt(low, high);
          break;
      }
      if (is_minifloat && code < 0) code = -code | info.format.SignBit();
      value.codes[i] = static_cast<int32_t>(code);
    }
    samples.inputs.push_back(std::move(value));
  }
  return samples;
}

}  // namespace macloom::flow
