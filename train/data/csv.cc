#include "train/data/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/files.h"

namespace macloom::dataset {
namespace {

std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && is_quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == ',' && !is_quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

}  // namespace

int CsvTable::OptionalColumn(const std::string& name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  return found == header.end() ? -1 : static_cast<int>(found - header.begin());
}

Result<size_t> CsvTable::Column(const std::string& name) const {
  const int column = OptionalColumn(name);
  if (column >= 0) return static_cast<size_t>(column);
  return InvalidInput(fmt::format("{}: no column `{}`; the header has {}", path.string(), name,
                                  fmt::join(header, ", ")));
}

Result<CsvTable> ReadCsv(const std::filesystem::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  CsvTable table{path, {}, {}};
  std::istringstream stream(text);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    std::vector<std::string> fields = Fields(line);
    if (table.header.empty()) {
      table.header = std::move(fields);
    } else if (fields.size() != table.header.size()) {
      return InvalidInput(fmt::format("{}:{}: {} fields; the header has {}", path.string(), number,
                                      fields.size(), table.header.size()));
    } else {
      table.rows.push_back(std::move(fields));
    }
  }
  if (table.rows.empty()) {
    return InvalidInput(fmt::format("{}: no header line with a row below", path.string()));
  }
  return table;
}

}  // namespace macloom::dataset
