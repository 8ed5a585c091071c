#include "train/data/loaders.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "base/digest.h"
#include "train/data/csv.h"

namespace macloom::dataset {
namespace {

namespace fs = std::filesystem;

std::optional<int> WholeNumber(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::vector<std::string> ClassesOf(const CsvTable& table, size_t label_column) {
  std::set<std::string> labels;
  for (const auto& row : table.rows) labels.insert(row[label_column]);
  std::vector<std::string> names(labels.begin(), labels.end());
  if (std::all_of(names.begin(), names.end(),
                  [](const std::string& name) { return WholeNumber(name).has_value(); })) {
    std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
      return *WholeNumber(a) < *WholeNumber(b);
    });
  }
  return names;
}

Status CheckDigest(const Dataset& dataset, const std::string& file, const std::string& wanted) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, dataset.FileBytes(file));
  const std::string got = Sha256Hex(bytes);
  if (got == wanted) return {};
  return InvalidInput(
      fmt::format("{}: {} has sha256 {}; the index says {}", dataset.name, file, got, wanted));
}

// Items from an index with the columns label and split and, if there, speaker, take, sha256.
// Without class names, the labels are the classes.
Status AddItems(const CsvTable& table, const std::string& file_column_name, Dataset& dataset) {
  MACLOOM_ASSIGN_OR_RETURN(const size_t file_column, table.Column(file_column_name));
  MACLOOM_ASSIGN_OR_RETURN(const size_t label_column, table.Column("label"));
  MACLOOM_ASSIGN_OR_RETURN(const size_t split_column, table.Column("split"));
  const int speaker_column = table.OptionalColumn("speaker");
  const int take_column = table.OptionalColumn("take");
  const int digest_column = table.OptionalColumn("sha256");
  if (dataset.class_names.empty()) dataset.class_names = ClassesOf(table, label_column);
  const auto& names = dataset.class_names;
  for (const auto& row : table.rows) {
    const auto fail = [&](const std::string& what) {
      return InvalidInput(fmt::format("{}: {}: {}", table.path.string(), row[file_column], what));
    };
    Item item;
    item.file = row[file_column];
    const auto label = std::find(names.begin(), names.end(), row[label_column]);
    if (label == names.end()) {
      return fail(
          fmt::format("label `{}`; accepted are {}", row[label_column], fmt::join(names, ", ")));
    }
    item.label = static_cast<int>(label - names.begin());
    const Result<Split> split = ParseSplit(row[split_column]);
    if (!split.ok()) return fail(split.error().message);
    item.split = *split;
    if (speaker_column >= 0) item.speaker = row[static_cast<size_t>(speaker_column)];
    if (take_column >= 0) {
      const std::string& text = row[static_cast<size_t>(take_column)];
      const std::optional<int> take = WholeNumber(text);
      if (!take) return fail(fmt::format("take `{}`; accepted are whole numbers from 0", text));
      item.take = *take;
    }
    if (digest_column >= 0) {
      MACLOOM_RETURN_IF_ERROR(
          CheckDigest(dataset, item.file, row[static_cast<size_t>(digest_column)]));
    }
    dataset.items.push_back(std::move(item));
  }
  return dataset.CheckClasses();
}

Status CheckSpeakersDisjoint(const Dataset& dataset) {
  std::map<std::string, Split> split_of;
  for (const Item& item : dataset.items) {
    const auto [entry, is_new] = split_of.emplace(item.speaker, item.split);
    if (is_new || entry->second == item.split) continue;
    return InvalidInput(fmt::format("{}: speaker {} is in the splits {} and {}", dataset.name,
                                    item.speaker, ToString(entry->second), ToString(item.split)));
  }
  return {};
}

}  // namespace

Result<Dataset> LoadFsdd(const fs::path& folder) {
  MACLOOM_ASSIGN_OR_RETURN(const CsvTable table, ReadCsv(folder / "index.csv"));
  MACLOOM_ASSIGN_OR_RETURN(Dataset dataset, Dataset::InArchive("fsdd", folder / "recordings.tar"));
  if (const Result<size_t> take = table.Column("take"); !take.ok()) return take.error();
  dataset.class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  MACLOOM_RETURN_IF_ERROR(AddItems(table, "file", dataset));
  return dataset;
}

Result<Dataset> LoadArabicCommands(const fs::path& folder) {
  MACLOOM_ASSIGN_OR_RETURN(const CsvTable table, ReadCsv(folder / "index.csv"));
  MACLOOM_ASSIGN_OR_RETURN(Dataset dataset,
                           Dataset::InArchive("arabic-speech-commands", folder / "audio.tar"));
  dataset.class_names = {"yes",   "no",   "up",   "down",  "left",     "right",
                         "start", "stop", "open", "close", "_unknown_"};
  MACLOOM_RETURN_IF_ERROR(AddItems(table, "file", dataset));
  MACLOOM_RETURN_IF_ERROR(CheckSpeakersDisjoint(dataset));
  return dataset;
}

Result<Dataset> LoadCsvIndex(const fs::path& index) {
  MACLOOM_ASSIGN_OR_RETURN(const CsvTable table, ReadCsv(index));
  Dataset dataset = Dataset::InFolder(index.stem().string(), index.parent_path());
  MACLOOM_RETURN_IF_ERROR(AddItems(table, "path", dataset));
  return dataset;
}

}  // namespace macloom::dataset
