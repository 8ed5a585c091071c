#include "cost/netlist.h"

#include <fmt/format.h>

#include <cctype>
#include <cstdlib>
#include <numeric>

namespace macloom::cost {
namespace {

struct Token {
  std::string_view text;
  int line = 0;
};

Result<std::vector<Token>> Tokens(std::string_view text, const std::string& source) {
  std::vector<Token> tokens;
  int line = 1;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    size_t end = i + 1;
    if (c == '\n') ++line;
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      i = end;
      continue;
    }
    if (text.substr(i).starts_with("/*")) {
      end = text.find("*/", i);
      if (end == std::string_view::npos) {
        return InvalidInput(fmt::format("{}:{}: a comment does not end", source, line));
      }
      i = end + 2;
      continue;
    }
    if (c == '\\') {  // Escaped name: up to the next blank.
      while (end < text.size() && std::isspace(static_cast<unsigned char>(text[end])) == 0) ++end;
      tokens.push_back({text.substr(i + 1, end - i - 1), line});
    } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$') {
      while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 ||
                                   text[end] == '_' || text[end] == '$' || text[end] == '\'')) {
        ++end;
      }
      tokens.push_back({text.substr(i, end - i), line});
    } else {
      tokens.push_back({text.substr(i, 1), line});
    }
    i = end;
  }
  return tokens;
}

class NetlistReader {
 public:
  NetlistReader(std::vector<Token> tokens, const std::string& source)
      : tokens_(std::move(tokens)), source_(source) {
    parent_ = {kNetZero, kNetOne};
    names_ = {"1'b0", "1'b1"};
  }

  Result<Netlist> Read() {
    MACLOOM_RETURN_IF_ERROR(Expect("module"));
    netlist_.top = Take();
    while (position_ < tokens_.size() && !Is(";")) ++position_;
    ++position_;
    while (!Is("endmodule")) {
      if (position_ >= tokens_.size()) return Bad("the file ends inside the module");
      if (Is("wire") || Is("input") || Is("output")) {
        MACLOOM_RETURN_IF_ERROR(Declaration());
      } else if (Is("assign")) {
        MACLOOM_RETURN_IF_ERROR(Assign());
      } else {
        MACLOOM_RETURN_IF_ERROR(Instance());
      }
    }
    Compress();
    return std::move(netlist_);
  }

 private:
  Error Bad(const std::string& message) const {
    const int line = tokens_.empty() ? 1 : tokens_[std::min(position_, tokens_.size() - 1)].line;
    return InvalidInput(fmt::format("{}:{}: {}", source_, line, message));
  }
  bool Is(std::string_view text) const {
    return position_ < tokens_.size() && tokens_[position_].text == text;
  }
  std::string_view Take() {
    return position_ < tokens_.size() ? tokens_[position_++].text : std::string_view();
  }
  Status Expect(std::string_view text) {
    if (!Is(text)) {
      return Bad(fmt::format("`{}` is expected, not `{}`", text,
                             position_ < tokens_.size() ? tokens_[position_].text : "the end"));
    }
    ++position_;
    return {};
  }

  int Find(int net) {
    while (parent_[net] != net) net = parent_[net] = parent_[parent_[net]];
    return net;
  }

  Result<int> Integer() {
    const std::string text(Take());
    char* end = nullptr;
    const long value = std::strtol(text.c_str(), &end, 10);
    if (text.empty() || *end != '\0' || value < 0 || value > 1000000) {
      return Bad(fmt::format("`{}` is not an index", text));
    }
    return static_cast<int>(value);
  }

  Status Declaration() {
    const std::string_view kind = Take();
    if (Is("wire") || Is("reg")) ++position_;
    int width = 1;
    bool is_vector = false;
    if (Is("[")) {
      is_vector = true;
      ++position_;
      MACLOOM_ASSIGN_OR_RETURN(const int high, Integer());
      MACLOOM_RETURN_IF_ERROR(Expect(":"));
      MACLOOM_ASSIGN_OR_RETURN(const int low, Integer());
      if (low != 0 || high < low) return Bad("a vector is declared [N:0]");
      MACLOOM_RETURN_IF_ERROR(Expect("]"));
      width = high + 1;
    }
    const std::string name(Take());
    MACLOOM_RETURN_IF_ERROR(Expect(";"));
    auto [it, is_new] = signals_.try_emplace(name);
    if (is_new) {
      for (int bit = 0; bit < width; ++bit) {
        it->second.push_back(static_cast<int>(parent_.size()));
        parent_.push_back(static_cast<int>(parent_.size()));
        names_.push_back(is_vector ? fmt::format("{}[{}]", name, bit) : name);
      }
    }
    if (kind == "input") netlist_.inputs[name] = it->second;
    if (kind == "output") netlist_.outputs[name] = it->second;
    return {};
  }

  /// Bits of an expression, the most significant first: a constant, a net, a slice, {...}.
  Result<std::vector<int>> Bits() {
    std::vector<int> bits;
    if (Is("{")) {
      ++position_;
      while (true) {
        MACLOOM_ASSIGN_OR_RETURN(const std::vector<int> part, Bits());
        bits.insert(bits.end(), part.begin(), part.end());
        if (!Is(",")) break;
        ++position_;
      }
      MACLOOM_RETURN_IF_ERROR(Expect("}"));
      return bits;
    }
    const std::string name(Take());
    const size_t quote = name.find("'");
    if (quote != std::string::npos && quote + 1 < name.size() && name[quote + 1] == 'b') {
      for (const char digit : name.substr(quote + 2)) {
        bits.push_back(digit == '1' ? kNetOne : kNetZero);
      }
      const size_t width = static_cast<size_t>(std::atoi(name.c_str()));
      if (width == 0 || width > 100000 || bits.size() > width) return Bad("bad constant " + name);
      bits.insert(bits.begin(), width - bits.size(), kNetZero);
      return bits;
    }
    const auto found = signals_.find(name);
    if (found == signals_.end()) return Bad(fmt::format("`{}` is not declared", name));
    const std::vector<int>& nets = found->second;
    int high = static_cast<int>(nets.size()) - 1;
    int low = 0;
    if (Is("[")) {
      ++position_;
      MACLOOM_ASSIGN_OR_RETURN(high, Integer());
      low = high;
      if (Is(":")) {
        ++position_;
        MACLOOM_ASSIGN_OR_RETURN(low, Integer());
      }
      MACLOOM_RETURN_IF_ERROR(Expect("]"));
      if (low > high || high >= static_cast<int>(nets.size())) {
        return Bad(fmt::format("bits {}:{} of `{}` do not exist", high, low, name));
      }
    }
    for (int bit = high; bit >= low; --bit) bits.push_back(nets[bit]);
    return bits;
  }

  Status Assign() {
    ++position_;
    MACLOOM_ASSIGN_OR_RETURN(const std::vector<int> left, Bits());
    MACLOOM_RETURN_IF_ERROR(Expect("="));
    MACLOOM_ASSIGN_OR_RETURN(const std::vector<int> right, Bits());
    MACLOOM_RETURN_IF_ERROR(Expect(";"));
    if (left.size() != right.size()) return Bad("an assignment of different widths");
    for (size_t i = 0; i < left.size(); ++i) parent_[Find(left[i])] = Find(right[i]);
    return {};
  }

  Status Instance() {
    NetlistInstance instance;
    instance.cell = Take();
    instance.name = Take();
    MACLOOM_RETURN_IF_ERROR(Expect("("));
    while (!Is(")")) {
      MACLOOM_RETURN_IF_ERROR(Expect("."));
      const std::string pin(Take());
      MACLOOM_RETURN_IF_ERROR(Expect("("));
      if (!Is(")")) {
        MACLOOM_ASSIGN_OR_RETURN(const std::vector<int> bits, Bits());
        if (bits.size() != 1) return Bad(fmt::format("pin {} takes one bit", pin));
        instance.pins.emplace_back(pin, bits[0]);
      }
      MACLOOM_RETURN_IF_ERROR(Expect(")"));
      if (!Is(",")) break;
      ++position_;
    }
    MACLOOM_RETURN_IF_ERROR(Expect(")"));
    MACLOOM_RETURN_IF_ERROR(Expect(";"));
    netlist_.instances.push_back(std::move(instance));
    return {};
  }

  /// Numbers the nets that are left after the assigns.
  void Compress() {
    std::vector<int> number(parent_.size(), -1);
    const auto numbered = [&](int net) {
      const int root = Find(net);
      if (number[root] < 0) {
        number[root] = netlist_.num_nets();
        netlist_.net_names.push_back(names_[root]);
      }
      return number[root];
    };
    numbered(kNetZero);
    numbered(kNetOne);
    for (auto* ports : {&netlist_.inputs, &netlist_.outputs}) {
      for (auto& [name, nets] : *ports) {
        for (int& net : nets) net = numbered(net);
      }
    }
    for (NetlistInstance& instance : netlist_.instances) {
      for (auto& [pin, net] : instance.pins) net = numbered(net);
    }
  }

  std::vector<Token> tokens_;
  const std::string& source_;
  size_t position_ = 0;
  Netlist netlist_;
  std::vector<int> parent_;
  std::vector<std::string> names_;
  std::map<std::string, std::vector<int>> signals_;
};

}  // namespace

int NetlistInstance::Net(std::string_view pin) const {
  for (const auto& [name_of_pin, net] : pins) {
    if (name_of_pin == pin) return net;
  }
  return -1;
}

Result<Netlist> ReadNetlist(std::string_view verilog, const std::string& source) {
  MACLOOM_ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokens(verilog, source));
  return NetlistReader(std::move(tokens), source).Read();
}

}  // namespace macloom::cost
