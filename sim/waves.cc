#include "sim/waves.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/files.h"
#include "sim/subprocess.h"

namespace macloom::sim {
namespace {

namespace fs = std::filesystem;

/// Signals of one instance that belong on the screen. `instance` is the end of its path; empty is
/// the top of the trace, whose signals are the ports.
struct Group {
  const char* title;
  const char* instance;
  std::vector<const char*> names;
};

const std::vector<Group>& Groups() {
  static const std::vector<Group> groups = {
      {"clock, interrupt", "", {"clk_i", "rst_ni", "irq_o"}},
      {"AXI read",
       "",
       {"m_axi_arvalid_o", "m_axi_arready_i", "m_axi_araddr_o", "m_axi_arlen_o", "m_axi_rvalid_i",
        "m_axi_rready_o", "m_axi_rdata_i", "m_axi_rlast_i"}},
      {"AXI write",
       "",
       {"m_axi_awvalid_o", "m_axi_awready_i", "m_axi_awaddr_o", "m_axi_awlen_o", "m_axi_wvalid_o",
        "m_axi_wready_i", "m_axi_wdata_o", "m_axi_wstrb_o", "m_axi_wlast_o", "m_axi_bvalid_i",
        "m_axi_bready_o"}},
      {"writes to the activation memory",
       "",
       {"probe_we_o", "probe_addr_o", "probe_be_o", "probe_data_o", "probe_done_o", "probe_tag_o"}},
      {"sequencer",
       "u_sequencer",
       {"state_q", "step_tag_o", "core_active_o", "load_active_o", "store_active_o", "step_done_o",
        "error_o"}},
      {"dense feeder",
       "u_conv_feeder",
       {"active_o", "cycle_o", "act_re_o", "act_addr_o", "ring_re_o", "ring_addr_o", "op_valid_o",
        "op_first_o", "op_last_o", "op_pad_o", "op_weight_load_o", "op_entry_o", "op_row_valid_o"}},
      {"depthwise feeder",
       "u_dw_feeder",
       {"active_o", "cycle_o", "act_re_o", "act_addr_o", "ring_re_o", "ring_addr_o", "op_valid_o",
        "op_first_o", "op_last_o", "op_weight_load_o", "op_row_valid_o", "op_lane_valid_o"}},
      {"addition feeder",
       "u_add_feeder",
       {"active_o", "act_re_o", "act_addr_o", "out_valid_o", "out_addr_o"}},
      {"array",
       "u_array",
       {"valid_i", "first_i", "last_i", "entry_i", "weight_load_i", "row_valid_i", "lane_valid_i",
        "captured_o", "events_o", "drain_acc_o"}},
      {"drain",
       "u_drain",
       {"active_o", "entry_o", "chunk_o", "out_valid_o", "out_addr_o", "out_slot_o",
        "out_lanes_o"}},
      {"write-back", "u_writeback", {"we_o", "waddr_o", "be_o", "wdata_o", "busy_o"}}};
  return groups;
}

/// True for path `TOP.name[7:0]` with an empty instance, else for `X.instance.name[7:0]`.
bool IsSignal(const std::string& path, const std::string& instance, const std::string& name) {
  const std::string plain = path.substr(0, path.find('['));
  if (instance.empty()) return plain == "TOP." + name;
  const std::string end = "." + instance + "." + name;
  return plain.size() >= end.size() &&
         plain.compare(plain.size() - end.size(), std::string::npos, end) == 0;
}

}  // namespace

WaveFormat AvailableWaveFormat() {
  std::string pattern = (fs::temp_directory_path() / "macloom-zlib-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return WaveFormat::kVcd;
  const bool has_zlib =
      RunTool({"g++", "-E", "-include", "zlib.h", "-x", "c++", "/dev/null", "-o", "/dev/null"},
              pattern, fs::path(pattern) / "log", "g++")
          .ok();
  std::error_code ignored;
  fs::remove_all(pattern, ignored);
  return has_zlib ? WaveFormat::kFst : WaveFormat::kVcd;
}

std::string RenderSaveFile(const std::string& trace_name, const std::vector<WaveSignal>& signals,
                           const WaveWindow& window, size_t* num_named) {
  constexpr const char* kBinary = "@28\n";
  constexpr const char* kHexadecimal = "@22\n";
  std::string text = fmt::format("[*] macloom\n[dumpfile] \"{}\"\n[timestart] {}\n", trace_name,
                                 10 * std::max(window.first_cycle, window.marker_cycle - 20));
  text += fmt::format("*-6.0 {}", window.marker_cycle < 0 ? -1 : 10 * window.marker_cycle);
  for (int named_marker = 0; named_marker < 26; ++named_marker) text += " -1";
  text += "\n";
  size_t count = 0;
  for (const Group& group : Groups()) {
    std::string lines;
    for (const char* name : group.names) {
      for (const WaveSignal& signal : signals) {
        if (!IsSignal(signal.path, group.instance, name)) continue;
        lines += (signal.width_bits == 1 ? kBinary : kHexadecimal) + signal.path + "\n";
        ++count;
      }
    }
    if (!lines.empty()) text += fmt::format("@200\n-{}\n", group.title) + lines;
  }
  if (num_named != nullptr) *num_named = count;
  return text;
}

Result<WaveFiles> RecordWaves(const arch::HardwareConfig& config, VerilatedOptions options,
                              const arch::Job& job, const ir::TensorValue& input,
                              const WaveWindow& window, const fs::path& directory,
                              const std::string& stem) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) {
    return OutputError(
        fmt::format("cannot make the folder {}: {}", directory.string(), failed.message()));
  }
  if (options.model.waves == WaveFormat::kNone) options.model.waves = AvailableWaveFormat();
  WaveFiles files;
  files.trace = directory / (stem + (options.model.waves == WaveFormat::kFst ? ".fst" : ".vcd"));
  files.save_file = directory / (stem + ".gtkw");
  fs::remove(files.trace, failed);
  std::vector<WaveSignal> signals;
  options.trace = {files.trace, static_cast<uint64_t>(std::max<int64_t>(window.first_cycle, 0)),
                   static_cast<uint64_t>(window.last_cycle), &signals};
  MACLOOM_ASSIGN_OR_RETURN(const std::unique_ptr<Device> device,
                           MakeVerilatedDevice(config, options));
  const Result<DeviceRun> run = device->Run(job, input);
  if (!run.ok() && run.error().kind != ErrorKind::kCheckFailed) return run.error();
  if (signals.empty()) {
    return OutputError(fmt::format("no waves in {}{}", files.trace.string(),
                                   run.ok() ? "" : ": " + run.error().message));
  }
  const std::string text =
      RenderSaveFile(files.trace.filename().string(), signals, window, &files.num_signals);
  MACLOOM_RETURN_IF_ERROR(WriteFileAtomically(files.save_file, std::string_view(text)));
  return files;
}

}  // namespace macloom::sim
