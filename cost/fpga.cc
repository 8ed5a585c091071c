#include "cost/fpga.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/files.h"
#include "cost/scratch.h"
#include "cost/yosys.h"
#include "sim/subprocess.h"

namespace macloom::cost {
namespace {

using nlohmann::ordered_json;

constexpr const char* kTop = "loom_cost_fpga";
constexpr const char* kProgram = "nextpnr-ice40";  // Also the name of its package.
constexpr int kMaxPins = 206;                      // HX8K in CT256.

/// The unit behind operand registers: without, no path of a multiplier begins at a clock.
constexpr const char* kFpgaWrapper = R"(module {top} (
  input  logic clk_i, clear_i, enable_i,
  input  logic [{a}-1:0] a_i,
  input  logic [{b}-1:0] b_i,
  output logic [{acc}-1:0] acc_o
);
  logic [{a}-1:0] a_q;
  logic [{b}-1:0] b_q;
  always_ff @(posedge clk_i) begin
    a_q <= a_i;
    b_q <= b_i;
  end
  loom_cost_mac u_mac (.clk_i, .clear_i, .enable_i, .a_i(a_q), .b_i(b_q), .acc_o);
endmodule
)";

Result<RtlUnit> UnitOf(MacSpec spec) {
  spec.is_behavioural = true;
  if (spec.shape != MacShape::kBare) return Unsupported("--fpga: only --shape bare");
  const int a = spec.lanes * spec.OperandBits(0), b = spec.lanes * spec.OperandBits(1);
  if (3 + a + b + spec.accumulator_bits > kMaxPins) {
    return Unsupported(fmt::format("--fpga: {} has {} pins; accepted are at most {}: fewer --lanes",
                                   spec.Name(), 3 + a + b + spec.accumulator_bits, kMaxPins));
  }
  MACLOOM_ASSIGN_OR_RETURN(RtlUnit unit, MacRtl(spec));
  unit.top = kTop;
  unit.files["loom_cost_fpga.sv"] =
      fmt::format(fmt::runtime(kFpgaWrapper), fmt::arg("top", kTop), fmt::arg("a", a),
                  fmt::arg("b", b), fmt::arg("acc", spec.accumulator_bits));
  unit.order.push_back("loom_cost_fpga.sv");
  return unit;
}

std::string SynthesisStep(FpgaFamily family, bool has_dsps) {
  switch (family) {
    case FpgaFamily::kIce40:
      return fmt::format("synth_ice40{} -top {} -json netlist.json\n", has_dsps ? " -dsp" : "",
                         kTop);
    case FpgaFamily::kEcp5:
      return fmt::format("synth_ecp5{} -top {}\n", has_dsps ? "" : " -nodsp", kTop);
    case FpgaFamily::kXc7:
      break;
  }
  return fmt::format("synth_xilinx -family xc7 -noiopad{} -flatten -top {}\n",
                     has_dsps ? "" : " -nodsp", kTop);
}

Result<FpgaCount> CountOf(const std::string& stat) {
  MACLOOM_ASSIGN_OR_RETURN(const auto cells, CellsOf(stat, kTop));
  FpgaCount count;
  for (const auto& [type, number] : cells) {
    if (type == "SB_LUT4" || (type.starts_with("LUT") && type.size() == 4)) {
      count.luts += number;
    } else if (type == "SB_CARRY" || type == "CCU2C" || type == "CARRY4") {
      count.carries += number;
    } else if (type.starts_with("SB_DFF") || type == "TRELLIS_FF" || type.starts_with("FD")) {
      count.flip_flops += number;
    } else if (type == "SB_MAC16" || type == "MULT18X18D" || type == "DSP48E1") {
      count.dsps += number;
    }
  }
  return count;
}

/// nextpnr-ice40 0.4 writes the clocks' frequencies as `fmax` of its report.
Result<double> PlaceAndRoute(const std::string& netlist, const std::string& name) {
  MACLOOM_ASSIGN_OR_RETURN(const ScratchFolder folder, ScratchFolder::Create());
  MACLOOM_RETURN_IF_ERROR(WriteFileAtomically(folder.path() / "netlist.json", netlist));
  const Status run =
      sim::RunTool({kProgram, "--hx8k", "--package", "ct256", "--pcf-allow-unconstrained", "--json",
                    "netlist.json", "--seed", "1", "--freq", "100", "--timing-allow-fail",
                    "--quiet", "--report", "report.json"},
                   folder.path(), folder.path() / "nextpnr.log", kProgram);
  if (!run.ok()) {
    return Error{run.error().kind, fmt::format("{}: {}", name, run.error().message)};
  }
  MACLOOM_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(folder.path() / "report.json"));
  const ordered_json report = ordered_json::parse(text, nullptr, false);
  if (report.is_object() && report.contains("fmax")) {
    for (const auto& [clock, frequency] : report["fmax"].items()) {
      if (frequency.contains("achieved")) return frequency["achieved"].get<double>();
    }
  }
  return Error{ErrorKind::kToolFailed,
               fmt::format("{}: `{}` reports no frequency", name, kProgram)};
}

std::optional<FpgaResult> FromCache(const std::optional<std::string>& known) {
  const ordered_json json =
      known.has_value() ? ordered_json::parse(*known, nullptr, false) : ordered_json();
  if (!json.is_object() || !json.contains("dsps")) return std::nullopt;
  FpgaResult result;
  result.count = {json["luts"], json["carries"], json["flip_flops"], json["dsps"]};
  if (json.contains("fmax_mhz")) result.fmax_mhz = json["fmax_mhz"].get<double>();
  return result;
}

}  // namespace

const char* FamilyName(FpgaFamily family) {
  return family == FpgaFamily::kIce40 ? "ice40" : family == FpgaFamily::kEcp5 ? "ecp5" : "xc7";
}

std::vector<FpgaFamily> AllFpgaFamilies() {
  return {FpgaFamily::kIce40, FpgaFamily::kEcp5, FpgaFamily::kXc7};
}

Result<FpgaResult> MeasureOnFpga(const MacSpec& spec, FpgaFamily family, bool has_dsps,
                                 Synthesizer& synthesizer) {
  MACLOOM_ASSIGN_OR_RETURN(const RtlUnit unit, UnitOf(spec));
  const std::string script =
      ReadScript(unit) + SynthesisStep(family, has_dsps) + "tee -o stat.txt stat\n";
  const bool is_routed = family == FpgaFamily::kIce40 && !has_dsps;
  const std::string key = Sha256Hex("fpga 1\n" + synthesizer.yosys_version() + script +
                                    (is_routed ? "hx8k" : "") + unit.Digest());
  MACLOOM_ASSIGN_OR_RETURN(const std::optional<std::string> known, synthesizer.cache().Find(key));
  FpgaResult result;
  const std::optional<FpgaResult> cached = FromCache(known);
  if (cached.has_value()) {
    result = *cached;
  } else {
    if (is_routed && sim::FindProgram(kProgram).empty()) {
      return sim::ToolMissing(kProgram, kProgram);
    }
    std::vector<std::string> files = {"stat.txt"};
    if (is_routed) files.push_back("netlist.json");
    MACLOOM_ASSIGN_OR_RETURN(const auto texts, RunYosys(unit, script, files));
    MACLOOM_ASSIGN_OR_RETURN(result.count, CountOf(texts.at("stat.txt")));
    if (is_routed) {
      MACLOOM_ASSIGN_OR_RETURN(result.fmax_mhz, PlaceAndRoute(texts.at("netlist.json"), unit.name));
    }
    MACLOOM_RETURN_IF_ERROR(synthesizer.cache().Insert(key, ToJson(result).dump()));
  }
  synthesizer.Count(cached.has_value() ? 1 : 0, cached.has_value() ? 0 : 1);
  result.name = spec.Name();
  result.family = family;
  result.has_dsps = has_dsps;
  return result;
}

ordered_json ToJson(const FpgaResult& result) {
  ordered_json json = {{"name", result.name},
                       {"family", FamilyName(result.family)},
                       {"has_dsps", result.has_dsps},
                       {"luts", result.count.luts},
                       {"carries", result.count.carries},
                       {"flip_flops", result.count.flip_flops},
                       {"dsps", result.count.dsps}};
  if (result.fmax_mhz.has_value()) json["fmax_mhz"] = *result.fmax_mhz;
  return json;
}

}  // namespace macloom::cost
