// Index files of datasets: comma-separated text with a header line.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom::dataset {

/// A table whose columns have names.
struct CsvTable {
  std::filesystem::path path;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  ///< As many fields each as the header.

  /// @return kInvalidInput naming the file and its header if there is no such column.
  Result<size_t> Column(const std::string& name) const;
  /// Index of a column that may be missing; -1 then.
  int OptionalColumn(const std::string& name) const;
};

/// Reads a CSV file (RFC 4180: quoted fields with "" for a quote, but no line breaks inside; CR LF
/// accepted; empty lines passed over).
/// @return kInvalidInput naming the line if its number of fields differs from the header's.
Result<CsvTable> ReadCsv(const std::filesystem::path& path);

}  // namespace macloom::dataset
