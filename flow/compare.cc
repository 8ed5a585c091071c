#include "flow/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/digest.h"
#include "base/files.h"
#include "base/memory_hex.h"
#include "base/npy.h"
#include "ir/json_fields.h"
#include "ir/tensor.h"

namespace macloom::flow {
namespace {

namespace fs = std::filesystem;

struct Array {
  std::string name, layout;
  ir::Shape shape;
  int width_bits = 8;
  bool is_signed = true;
  std::string file, sha256;  ///< Of the .npy or else the .hex; empty with C only.
};

struct Layer {
  std::string name, folder;
  std::vector<Array> arrays;
};

/// One element of a dump; without a value it is undefined.
using Element = std::optional<int64_t>;

bool IsPlainName(const std::string& name) {
  return !name.empty() && name.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
                              std::string::npos;
}

Result<std::vector<Layer>> ReadIndex(const fs::path& directory) {
  const fs::path path = directory / "index.json";
  MACLOOM_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, 1 << 26));
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  Status status;
  if (json.is_discarded()) return InvalidInput(fmt::format("{}: not JSON", path.string()));
  ir::JsonFields index(json, "the index", status);
  std::vector<Layer> layers;
  if (index.GetText("format") != "macloom.vectors" || index.GetInt("format_version", 0, 99) != 1)
    index.Fail("format", "is not that of macloom.vectors version 1");
  for (const nlohmann::json& entry : index.GetArray("layers")) {
    const std::string where = fmt::format("layers[{}]", layers.size());
    ir::JsonFields fields(entry, where, status);
    Layer layer{fields.GetText("name"), fields.GetText("folder"), {}};
    if (!IsPlainName(layer.folder)) fields.Fail("folder", "is not a plain name");
    for (const nlohmann::json& item : fields.GetArray("arrays")) {
      ir::JsonFields array_fields(item, fmt::format("{}.arrays[{}]", where, layer.arrays.size()),
                                  status);
      Array array;
      array.name = array_fields.GetText("name");
      if (!IsPlainName(array.name)) array_fields.Fail("name", "is not a plain name");
      array.layout = array_fields.GetText("layout");
      array.shape = array_fields.GetInts("shape", -1, 0, int64_t{1} << 40);
      array.width_bits = static_cast<int>(array_fields.GetInt("width_bits", 1, 64));
      array.is_signed = array_fields.GetBool("is_signed");
      for (const char* format : {"npy", "hex"}) {
        if (!array.file.empty() || !array_fields.Has(format)) continue;
        ir::JsonFields file(array_fields.Get(format), "", status);
        array.file = fmt::format("{}/{}.{}", layer.folder, array.name, format);
        array.sha256 = file.GetText("sha256");
      }
      layer.arrays.push_back(std::move(array));
      if (!status.ok()) break;
    }
    layers.push_back(std::move(layer));
    if (!status.ok()) break;
  }
  if (!status.ok())
    return InvalidInput(fmt::format("{}: {}", path.string(), status.error().message));
  return layers;
}

/// The elements of a .npy or hex file that stands for `array`.
Result<std::vector<Element>> ReadElements(const fs::path& path, const Array& array) {
  std::vector<Element> elements;
  if (path.extension() == ".npy") {
    MACLOOM_ASSIGN_OR_RETURN(const NpyArray npy, ReadNpy(path));
    Result<std::vector<int64_t>> values = ToInt64(npy);
    if (!values.ok())
      return InvalidInput(fmt::format("{}: {}", path.string(), values.error().message));
    if (npy.shape.size() != 1 && ir::Squeezed(npy.shape) != ir::Squeezed(array.shape)) {
      return InvalidInput(fmt::format("{}: shape {}; accepted are {} and one axis", path.string(),
                                      ir::ToString(npy.shape), ir::ToString(array.shape)));
    }
    elements.assign(values->begin(), values->end());
    return elements;
  }
  MACLOOM_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  const Result<std::vector<HexWord>> words = ParseMemoryHex(text);
  if (!words.ok()) return InvalidInput(fmt::format("{}: {}", path.string(), words.error().message));
  for (const HexWord& word : *words) {
    elements.push_back(
        word.is_unknown ? Element() : Element(HexValue(word, array.width_bits, array.is_signed)));
  }
  return elements;
}

Result<std::vector<int64_t>> ReadExpected(const fs::path& directory, const Layer& layer,
                                          const Array& array) {
  if (array.file.empty()) {
    return InvalidInput(
        fmt::format("{}: array {} of layer `{}` is there as C only; write the vectors "
                    "with --format npy or hex",
                    directory.string(), array.name, layer.name));
  }
  const fs::path path = directory / array.file;
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path));
  if (Sha256Hex(std::span(bytes)) != array.sha256)
    return InvalidInput(fmt::format("{}: content differs from the index's digest", path.string()));
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<Element> elements, ReadElements(path, array));
  std::vector<int64_t> values;
  for (const Element& element : elements) values.push_back(element.value_or(0));
  const int64_t want = ir::NumElements(array.shape);
  if (static_cast<int64_t>(values.size()) == want) return values;
  return InvalidInput(
      fmt::format("{}: {} elements; the index says {}", path.string(), values.size(), want));
}

/// "(sample 0, y 3, x 1, c 12)".
std::string Coordinates(const Array& array, size_t element) {
  std::vector<std::string> parts(array.shape.size());
  int64_t rest = static_cast<int64_t>(element);
  for (size_t axis = array.shape.size(); axis-- > 0;) {
    const char letter = array.layout.size() == array.shape.size() ? array.layout[axis] : ' ';
    const char* name = letter == 'N'   ? "sample "
                       : letter == 'H' ? "y "
                       : letter == 'W' ? "x "
                       : letter == 'C' ? "c "
                       : letter == 'O' ? "oc "
                       : letter == 'I' ? "ic "
                                       : "";
    parts[axis] = fmt::format("{}{}", name, rest % array.shape[axis]);
    rest /= array.shape[axis];
  }
  return fmt::format("({})", fmt::join(parts, ", "));
}

Result<ArrayComparison> CompareArray(const fs::path& directory, const Layer& layer,
                                     const Array& array, const fs::path& file) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<int64_t> want, ReadExpected(directory, layer, array));
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<Element> have, ReadElements(file, array));
  if (have.size() > want.size()) {
    return InvalidInput(fmt::format("{}: {} elements; array {} of layer `{}` has {} ({})",
                                    file.string(), have.size(), array.name, layer.name, want.size(),
                                    ir::ToString(array.shape)));
  }
  ArrayComparison result{layer.name, array.name, file.string(), static_cast<int64_t>(want.size()),
                         0,          ""};
  for (size_t i = 0; i < want.size(); ++i) {
    if (i < have.size() && have[i] == want[i]) continue;
    if (result.mismatches++ > 0) continue;
    const std::string got = i >= have.size() ? fmt::format("nothing (the file ends after {})", i)
                            : have[i]        ? std::to_string(*have[i])
                                             : "x (undefined)";
    result.first = fmt::format("layer `{}`: {} element {}: expected {}, got {}", layer.name,
                               array.name, Coordinates(array, i), want[i], got);
  }
  return result;
}

Result<std::vector<Layer>> Selected(const fs::path& directory,
                                    const std::vector<std::string>& names) {
  MACLOOM_ASSIGN_OR_RETURN(std::vector<Layer> layers, ReadIndex(directory));
  std::vector<std::string> known;
  for (const Layer& layer : layers) known.push_back(layer.name);
  for (const std::string& name : names) {
    if (std::none_of(layers.begin(), layers.end(), [&](const Layer& layer) {
          return layer.name == name || layer.folder == name;
        })) {
      return InvalidInput(fmt::format("layer `{}`: the vectors in {} have {}", name,
                                      directory.string(), fmt::join(known, ", ")));
    }
  }
  if (!names.empty()) {
    std::erase_if(layers, [&](const Layer& layer) {
      return std::count(names.begin(), names.end(), layer.name) == 0 &&
             std::count(names.begin(), names.end(), layer.folder) == 0;
    });
  }
  return layers;
}

Result<CompareResult> CompareFile(const fs::path& directory, const fs::path& got,
                                  const std::vector<Layer>& layers, const std::string& name) {
  if (layers.size() != 1) {
    return InvalidInput(fmt::format("{} is a file and {} has {} layers: name one with --layer",
                                    got.string(), directory.string(), layers.size()));
  }
  std::vector<std::string> known;
  for (const Array& array : layers[0].arrays) {
    known.push_back(array.name);
    if (array.name != name) continue;
    CompareResult result;
    MACLOOM_ASSIGN_OR_RETURN(ArrayComparison comparison,
                             CompareArray(directory, layers[0], array, got));
    result.arrays.push_back(std::move(comparison));
    return result;
  }
  return InvalidInput(
      fmt::format("array `{}`: layer `{}` has {}", name, layers[0].name, fmt::join(known, ", ")));
}

}  // namespace

int64_t CompareResult::mismatches() const {
  int64_t sum = 0;
  for (const ArrayComparison& array : arrays) sum += array.mismatches;
  return sum;
}

std::string CompareResult::first_mismatch() const {
  for (const ArrayComparison& array : arrays) {
    if (array.mismatches > 0) return array.first;
  }
  return "";
}

Result<CompareResult> CompareVectors(const fs::path& directory, const fs::path& got,
                                     const CompareOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<Layer> layers, Selected(directory, options.layers));
  std::error_code ignored;
  if (!fs::exists(got, ignored))
    return InvalidInput(fmt::format("{}: no such file or folder", got.string()));
  if (fs::equivalent(directory, got, ignored)) {
    return InvalidInput(fmt::format(
        "{} holds the vectors themselves; give the folder of your dumps", got.string()));
  }
  if (!fs::is_directory(got, ignored)) return CompareFile(directory, got, layers, options.array);
  CompareResult result;
  bool is_anything_there = false;
  for (const Layer& layer : layers) {
    bool has_result = false;
    for (const Array& array : layer.arrays) {
      for (const char* extension : {".npy", ".hex"}) {
        const fs::path file = got / layer.folder / (array.name + extension);
        if (!fs::exists(file, ignored)) continue;
        MACLOOM_ASSIGN_OR_RETURN(ArrayComparison comparison,
                                 CompareArray(directory, layer, array, file));
        result.arrays.push_back(std::move(comparison));
        has_result = has_result || array.name == "output" || array.name == "accumulator";
        break;
      }
    }
    is_anything_there = is_anything_there || has_result;
    if (has_result || layer.arrays.empty()) continue;
    const int64_t elements = ir::NumElements(layer.arrays.back().shape);
    result.arrays.push_back(
        {layer.name, "output", "", elements, elements,
         fmt::format(
             "layer `{}`: neither {} nor accumulator of it (.npy or .hex); --layer compares "
             "some layers only",
             layer.name, (got / layer.folder / "output").string())});
  }
  if (is_anything_there) return result;
  const std::string example = layers.empty() ? "LAYER" : layers[0].folder;
  return InvalidInput(
      fmt::format("{}: no dumps; expected files such as {}/output.npy or {}/accumulator.hex",
                  got.string(), example, example));
}

}  // namespace macloom::flow
