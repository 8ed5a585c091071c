// Liberty statements to cells: what the tables, units and templates mean.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "cost/liberty.h"
#include "cost/liberty_syntax.h"

namespace macloom::cost {
namespace {

/// Axes and variables of a lu_table_template or power_lut_template.
struct Template {
  std::string variable_1;
  std::string variable_2;
  std::vector<double> index_1;
  std::vector<double> index_2;
};

class Reader {
 public:
  Reader(std::string_view text, const std::string& source) : text_(text), source_(source) {
    library_.source = source;
  }

  Result<LibertyLibrary> Read() {
    MACLOOM_ASSIGN_OR_RETURN(
        library_.name,
        ParseLiberty(text_, source_, [this](const LibertyNode& node) { return Visit(node); }));
    if (library_.cells.empty()) {
      return InvalidInput(fmt::format("{}: library {} has no cells", source_, library_.name));
    }
    return std::move(library_);
  }

 private:
  Error Bad(const LibertyNode& node, const std::string& message) const {
    return InvalidInput(fmt::format("{}:{}: {}", source_, LineOf(text_, node.offset), message));
  }

  /// The number at the start of `text`; what follows is returned in `rest` if that is not null.
  Result<double> Number(const LibertyNode& node, std::string_view text,
                        std::string_view* rest = nullptr) const {
    while (!text.empty() && (text.front() == ' ' || text.front() == '+')) text.remove_prefix(1);
    double value = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || !std::isfinite(value)) {
      return Bad(node, fmt::format("`{}` of {} is not a number", text.substr(0, 40), node.name));
    }
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (rest != nullptr) *rest = text;
    return value;
  }

  /// Numbers of all arguments, each a list with commas or blanks.
  Result<std::vector<double>> Numbers(const LibertyNode& node) const {
    std::vector<double> numbers;
    for (std::string_view list : node.arguments) {
      while (true) {
        const size_t start = list.find_first_not_of(", \t\r\n\\");
        if (start == std::string_view::npos) break;
        list.remove_prefix(start);
        MACLOOM_ASSIGN_OR_RETURN(const double value, Number(node, list, &list));
        if (!list.empty() && list.find_first_of(", \t\r\n\\") != 0) {
          return Bad(node,
                     fmt::format("`{}` of {} is not a number", list.substr(0, 20), node.name));
        }
        numbers.push_back(value);
      }
    }
    return numbers;
  }

  /// A unit such as "1ns" or (1, pf): its size in seconds, farads or watts.
  Result<double> Unit(const LibertyNode& node, std::string_view number,
                      std::string_view unit) const {
    std::string_view rest;
    MACLOOM_ASSIGN_OR_RETURN(double value, Number(node, number, &rest));
    if (unit.empty()) unit = rest;
    while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
    if (unit.empty()) return Bad(node, fmt::format("{} has no unit", node.name));
    switch (unit.front()) {
      case 'a':
        return value * 1e-18;
      case 'f':
        return value * 1e-15;
      case 'p':
        return value * 1e-12;
      case 'n':
        return value * 1e-9;
      case 'u':
        return value * 1e-6;
      case 'm':
        return value * 1e-3;
      default:
        return value;
    }
  }

  Status Visit(const LibertyNode& node) {
    if (node.name == "time_unit") {
      MACLOOM_ASSIGN_OR_RETURN(const double seconds, Unit(node, node.value, ""));
      time_ns_ = seconds * 1e9;
    } else if (node.name == "leakage_power_unit") {
      MACLOOM_ASSIGN_OR_RETURN(const double watts, Unit(node, node.value, ""));
      leakage_nw_ = watts * 1e9;
    } else if (node.name == "capacitive_load_unit") {
      if (node.arguments.size() != 2) return Bad(node, "capacitive_load_unit takes (NUMBER, UNIT)");
      // The number and the unit are apart: "pf", "ff", with either case.
      const char prefix = static_cast<char>(node.arguments[1].front() | 0x20);
      MACLOOM_ASSIGN_OR_RETURN(const double farads, Unit(node, node.arguments[0],
                                                         prefix == 'f'   ? "f"
                                                         : prefix == 'p' ? "p"
                                                                         : "?"));
      load_ff_ = farads * 1e15;
    } else if (node.name == "nom_voltage") {
      MACLOOM_ASSIGN_OR_RETURN(library_.voltage_v, Number(node, node.value));
    } else if (node.is_group &&
               (node.name == "lu_table_template" || node.name == "power_lut_template")) {
      MACLOOM_RETURN_IF_ERROR(AddTemplate(node));
    } else if (node.is_group && node.name == "cell") {
      MACLOOM_RETURN_IF_ERROR(AddCell(node));
    }
    return {};
  }

  Status AddTemplate(const LibertyNode& node) {
    if (node.arguments.empty()) return Bad(node, "a table template has no name");
    Template entry;
    for (const LibertyNode& child : node.children) {
      if (child.name == "variable_1") entry.variable_1 = child.value;
      if (child.name == "variable_2") entry.variable_2 = child.value;
      if (child.name == "index_1") {
        MACLOOM_ASSIGN_OR_RETURN(entry.index_1, Numbers(child));
      }
      if (child.name == "index_2") {
        MACLOOM_ASSIGN_OR_RETURN(entry.index_2, Numbers(child));
      }
    }
    templates_[std::string(node.arguments[0])] = entry;
    return {};
  }

  static bool IsLoad(const std::string& variable) {
    return variable == "total_output_net_capacitance";
  }

  /// @param scale unit of the values.
  Result<LibertyTable> Table(const LibertyNode& node, double scale) const {
    const LibertyNode* values = node.Find("values");
    if (values == nullptr) return Bad(node, fmt::format("table {} has no values", node.name));
    LibertyTable table;
    MACLOOM_ASSIGN_OR_RETURN(std::vector<double> numbers, Numbers(*values));
    for (double& number : numbers) number *= scale;
    Template axes;
    const auto found =
        node.arguments.empty() ? templates_.end() : templates_.find(node.arguments[0]);
    if (found != templates_.end()) axes = found->second;
    if (const LibertyNode* index = node.Find("index_1")) {
      MACLOOM_ASSIGN_OR_RETURN(axes.index_1, Numbers(*index));
    }
    if (const LibertyNode* index = node.Find("index_2")) {
      MACLOOM_ASSIGN_OR_RETURN(axes.index_2, Numbers(*index));
    }
    if (numbers.size() == 1) {
      axes.index_1.clear();
      axes.index_2.clear();
    }
    const size_t rows = std::max<size_t>(1, axes.index_1.size());
    const size_t columns = std::max<size_t>(1, axes.index_2.size());
    if (numbers.size() != rows * columns || numbers.empty()) {
      return Bad(*values,
                 fmt::format("{} values in a table of {} x {}", numbers.size(), rows, columns));
    }
    for (const std::vector<double>& axis : {axes.index_1, axes.index_2}) {
      for (size_t i = 1; i < axis.size(); ++i) {
        if (axis[i] <= axis[i - 1]) return Bad(node, "the index of a table does not increase");
      }
    }
    const bool is_load_first = IsLoad(axes.variable_1);
    auto& first = is_load_first ? table.load_ff : table.slew_ns;
    auto& second = is_load_first ? table.slew_ns : table.load_ff;
    first = axes.index_1;
    second = axes.index_2;
    for (double& slew : table.slew_ns) slew *= time_ns_;
    for (double& load : table.load_ff) load *= load_ff_;
    table.values = numbers;
    if (is_load_first && rows > 1 && columns > 1) {
      for (size_t r = 0; r < rows; ++r) {
        for (size_t c = 0; c < columns; ++c) table.values[c * rows + r] = numbers[r * columns + c];
      }
    }
    return table;
  }

  Status AddTiming(const LibertyNode& node, LibertyPin& pin) const {
    TimingArc arc;
    for (const LibertyNode& child : node.children) {
      if (child.name == "related_pin") arc.related_pin = child.value;
      if (child.name == "cell_rise") {
        MACLOOM_ASSIGN_OR_RETURN(arc.rise_ns, Table(child, time_ns_));
      }
      if (child.name == "cell_fall") {
        MACLOOM_ASSIGN_OR_RETURN(arc.fall_ns, Table(child, time_ns_));
      }
    }
    if (!arc.rise_ns.empty() || !arc.fall_ns.empty()) pin.timing.push_back(std::move(arc));
    return {};
  }

  Status AddPower(const LibertyNode& node, LibertyPin& pin) const {
    // Energy is in capacitance unit x V^2: 1 fF x 1 V^2 = 1 fJ.
    PowerArc arc;
    for (const LibertyNode& child : node.children) {
      if (child.name == "related_pin") arc.related_pin = child.value;
      if (child.name == "when") arc.when = child.value;
      if (child.name == "rise_power" || child.name == "power") {
        MACLOOM_ASSIGN_OR_RETURN(arc.rise_fj, Table(child, load_ff_));
      }
      if (child.name == "fall_power" || child.name == "power") {
        MACLOOM_ASSIGN_OR_RETURN(arc.fall_fj, Table(child, load_ff_));
      }
    }
    if (!arc.rise_fj.empty() || !arc.fall_fj.empty()) pin.power.push_back(std::move(arc));
    return {};
  }

  Status AddPin(const LibertyNode& node, LibertyCell& cell) const {
    LibertyPin pin;
    for (const LibertyNode& child : node.children) {
      if (child.name == "direction") pin.is_output = child.value == "output";
      if (child.name == "clock") pin.is_clock = child.value == "true";
      if (child.name == "function") pin.function = child.value;
      if (child.name == "capacitance") {
        MACLOOM_ASSIGN_OR_RETURN(const double value, Number(child, child.value));
        pin.capacitance_ff = value * load_ff_;
      }
      if (child.is_group && child.name == "timing") {
        MACLOOM_RETURN_IF_ERROR(AddTiming(child, pin));
      }
      if (child.is_group && child.name == "internal_power") {
        MACLOOM_RETURN_IF_ERROR(AddPower(child, pin));
      }
    }
    for (std::string_view name : node.arguments) {
      pin.name = name;
      cell.pins.push_back(pin);
    }
    return {};
  }

  static void AddFlipFlop(const LibertyNode& node, LibertyCell& cell) {
    if (!node.arguments.empty()) cell.state = node.arguments[0];
    if (node.arguments.size() > 1) cell.inverted_state = node.arguments[1];
    for (const LibertyNode& child : node.children) {
      if (child.name == "next_state") cell.next_state = child.value;
      if (child.name == "clocked_on") cell.clocked_on = child.value;
      if (child.name == "clear") cell.clear = child.value;
      if (child.name == "preset") cell.preset = child.value;
    }
  }

  Status AddCell(const LibertyNode& node) {
    if (node.arguments.empty()) return Bad(node, "a cell has no name");
    LibertyCell cell;
    cell.name = node.arguments[0];
    double state_leakage = 0.0;
    int num_states = 0;
    for (const LibertyNode& child : node.children) {
      if (child.name == "area") {
        MACLOOM_ASSIGN_OR_RETURN(cell.area, Number(child, child.value));
        cell.has_area = true;
      } else if (child.name == "cell_leakage_power") {
        MACLOOM_ASSIGN_OR_RETURN(const double value, Number(child, child.value));
        cell.leakage_nw = value * leakage_nw_;
        cell.has_leakage = true;
      } else if (child.name == "leakage_power" && child.is_group) {
        if (const LibertyNode* value = child.Find("value")) {
          MACLOOM_ASSIGN_OR_RETURN(const double state, Number(*value, value->value));
          state_leakage += state * leakage_nw_;
          ++num_states;
        }
      } else if (child.name == "dont_use") {
        cell.is_dont_use = child.value == "true";
      } else if (child.is_group && (child.name == "ff" || child.name == "latch")) {
        cell.is_sequential = true;
        if (child.name == "ff") AddFlipFlop(child, cell);
      } else if (child.is_group && child.name == "pin") {
        MACLOOM_RETURN_IF_ERROR(AddPin(child, cell));
      }
    }
    if (!cell.has_leakage && num_states > 0) {
      // Every state as likely as any other.
      cell.leakage_nw = state_leakage / num_states;
      cell.has_leakage = true;
    }
    library_.cells[cell.name] = std::move(cell);
    return {};
  }

  std::string_view text_;
  const std::string& source_;
  LibertyLibrary library_;
  std::map<std::string, Template, std::less<>> templates_;
  double time_ns_ = 1.0;
  double load_ff_ = 1000.0;
  double leakage_nw_ = 1.0;
};

}  // namespace

Result<LibertyLibrary> ReadLiberty(std::string_view text, const std::string& source) {
  return Reader(text, source).Read();
}

}  // namespace macloom::cost
