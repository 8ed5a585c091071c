#include "cost/liberty.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "base/files.h"

namespace macloom::cost {
namespace {

/// Index of the interval of `axis` that holds `x`, and where in it, 0..1.
std::pair<size_t, double> Locate(const std::vector<double>& axis, double x) {
  if (axis.size() < 2 || x <= axis.front()) return {0, 0.0};
  if (x >= axis.back()) return {axis.size() - 2, 1.0};
  const size_t upper =
      static_cast<size_t>(std::upper_bound(axis.begin(), axis.end(), x) - axis.begin());
  return {upper - 1, (x - axis[upper - 1]) / (axis[upper] - axis[upper - 1])};
}

Error Lacks(const LibertyLibrary& library, const std::string& what, const std::string& cells) {
  return InvalidInput(
      fmt::format("{}: library {} has no {} ({})", library.source, library.name, what, cells));
}

}  // namespace

double LibertyTable::At(double slew_ns_value, double load_ff_value) const {
  if (values.empty()) return 0.0;
  const size_t columns = std::max<size_t>(1, load_ff.size());
  const auto [row, row_part] = Locate(slew_ns, slew_ns_value);
  const auto [column, column_part] = Locate(load_ff, load_ff_value);
  const size_t next_row = std::min(row + 1, std::max<size_t>(1, slew_ns.size()) - 1);
  const size_t next_column = std::min(column + 1, columns - 1);
  const double low = values[row * columns + column] * (1.0 - column_part) +
                     values[row * columns + next_column] * column_part;
  const double high = values[next_row * columns + column] * (1.0 - column_part) +
                      values[next_row * columns + next_column] * column_part;
  return low * (1.0 - row_part) + high * row_part;
}

const LibertyPin* LibertyCell::Find(std::string_view pin) const {
  for (const LibertyPin& candidate : pins) {
    if (candidate.name == pin) return &candidate;
  }
  return nullptr;
}

Status LibertyLibrary::RequireArea() const {
  int with_function = 0;
  for (const auto& [name_of_cell, cell] : cells) {
    const bool is_logic =
        std::any_of(cell.pins.begin(), cell.pins.end(),
                    [](const LibertyPin& pin) { return pin.is_output && !pin.function.empty(); });
    if (!is_logic || cell.is_sequential) continue;
    ++with_function;
    if (!cell.has_area || cell.area <= 0.0) {
      return Lacks(*this, "area", fmt::format("cell {}", name_of_cell));
    }
  }
  if (with_function == 0) return Lacks(*this, "logic functions", "any cell");
  return {};
}

Status LibertyLibrary::RequireTiming() const {
  for (const auto& [name_of_cell, cell] : cells) {
    for (const LibertyPin& pin : cell.pins) {
      if (pin.is_output && !pin.timing.empty()) return {};
    }
  }
  return Lacks(*this, "timing", "no output pin has a delay table");
}

Status LibertyLibrary::RequirePower() const {
  bool has_internal = false;
  bool has_leakage = false;
  for (const auto& [name_of_cell, cell] : cells) {
    has_leakage |= cell.has_leakage;
    for (const LibertyPin& pin : cell.pins) has_internal |= !pin.power.empty();
  }
  if (!has_internal) return Lacks(*this, "power", "no cell has internal_power");
  if (!has_leakage) return Lacks(*this, "power", "no cell has leakage");
  if (voltage_v <= 0.0) return Lacks(*this, "voltage", "nom_voltage");
  return {};
}

Result<std::string> ReadLibertyText(const std::filesystem::path& path) {
  Result<std::string> file = ReadTextFile(path, kMaxLibertyBytes);
  if (!file.ok() || !file->starts_with("\x1f\x8b")) return file;
  std::string& raw = file.value();
  z_stream stream = {};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) {
    return InvalidInput(fmt::format("{}: cannot unzip", path.string()));
  }
  stream.next_in = reinterpret_cast<Bytef*>(raw.data());
  stream.avail_in = static_cast<uInt>(raw.size());
  std::string text;
  std::string chunk(size_t{1} << 20, '\0');
  int state = Z_OK;
  while (state == Z_OK && text.size() <= static_cast<size_t>(kMaxLibertyBytes)) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    state = inflate(&stream, Z_NO_FLUSH);
    text.append(chunk, 0, chunk.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (text.size() > static_cast<size_t>(kMaxLibertyBytes)) {
    return InvalidInput(
        fmt::format("{}: more than {} bytes unzipped", path.string(), kMaxLibertyBytes));
  }
  if (state != Z_STREAM_END) {
    return InvalidInput(fmt::format("{}: damaged gzip file", path.string()));
  }
  return text;
}

}  // namespace macloom::cost
