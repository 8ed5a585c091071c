#include "cost/module_synthesis.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <thread>

#include "base/digest.h"
#include "cost/mapping.h"
#include "cost/yosys.h"
#include "rtl/gen/embedded_rtl.h"
#include "rtl/gen/generator.h"

namespace macloom::cost {
namespace {

using nlohmann::ordered_json;

/// Multipliers become the structural body.
constexpr const char* kMultiplierMap = R"((* techmap_celltype = "$mul" *)
module loom_cost_map_mul (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire _TECHMAP_FAIL_ = A_WIDTH < 2 || B_WIDTH < 2 || A_WIDTH > 48 || B_WIDTH > 48;
  loom_dot #(.Lanes(1), .AWidth(A_WIDTH), .BWidth(B_WIDTH), .ASigned(A_SIGNED),
             .BSigned(B_SIGNED), .SumWidth(Y_WIDTH), .UseAddend(0), .Body(1))
    u_dot (.a_i(A), .b_i(B), .addend_i({Y_WIDTH{1'b0}}), .sum_o(Y));
endmodule
)";
constexpr const char* kMultiplierFiles[] = {"loom_pkg.sv", "loom_bit_heap.sv", "loom_dot.sv"};

/// Input of loom_row that makes its accumulators narrower, for simulations only.
constexpr const char* kNarrowingInput = "narrow_i";
constexpr int kNarrowingBits = 6;

// Automatic names of the design end below, those that Yosys adds start here.
constexpr const char* kFirstAutomaticNumber = "autoidx 10000000\n";

/// Reads `module.il` and leaves gates of Yosys's own library, `top` on top.
std::string CoarseScript(const std::string& top, bool is_flat) {
  // The multiplier is read late because `hierarchy` drops what is not instantiated.
  return fmt::format(
      "read_rtlil module.il\nsynth -noalumacc -run begin:fine -top {0}\n"
      "read_verilog -sv -nooverwrite loom_pkg.sv loom_bit_heap.sv loom_dot.sv\n"
      "techmap -map multiplier_map.v\nhierarchy -check -top {0}\nproc\nopt\n{1}"
      "synth -noalumacc -noabc -run fine:check -top {0}\n",
      top, is_flat ? "flatten\nopt -full\n" : "");
}

/// Runs `abc` with `options`; on carry-save trees with `tree_options`, since they are sums already:
/// the search for equivalent nodes in a wide multiplier takes minutes and ends with as many gates.
std::string AbcStep(const std::string& options, const std::string& tree_options) {
  return fmt::format(
      "select -set trees *loom_bit_heap* *loom_dot*\nabc {} * @trees %d\nabc {} @trees\n"
      "opt_clean\n",
      options, tree_options);
}

std::string BackEnd(const LibraryFile* library, const std::string& path) {
  if (library != nullptr) return MapToCells(path, "tee -o stat.txt stat\n");
  const std::string gates = "-g AND,NAND,OR,NOR,XOR,XNOR,ANDNOT,ORNOT";
  return AbcStep(gates, gates + " -fast") + "tee -o stat.txt stat\n";
}

/// A request as files and script.
struct Job {
  RtlUnit unit;
  std::string script;
  std::string key;
  bool is_mapped = false;
};

Result<Job> JobOf(const std::map<std::string, RtlilModule>& modules, const ModuleRequest& request,
                  const LibraryFile* library, const std::string& yosys_version) {
  Job job;
  const std::string& top = request.names.front();
  job.unit.name = PlainModuleName(top);
  job.unit.top = top;
  job.unit.files["module.il"] = kFirstAutomaticNumber + DesignOf(modules, request.names);
  job.unit.files["multiplier_map.v"] = kMultiplierMap;
  for (const char* name : kMultiplierFiles) {
    job.unit.files[name] = rtl_gen::EmbeddedRtl().at(name);
  }
  if (library != nullptr) {
    MACLOOM_ASSIGN_OR_RETURN(job.unit.files[ConstraintFile()], DriveConstraint(*library));
  }
  std::string all = "modules 1\n" + yosys_version + (library ? library->digest : "") +
                    CoarseScript(top, request.is_flat) + BackEnd(library, "");
  for (const auto& [file, text] : job.unit.files) {
    all += fmt::format("{} {}\n{}", file, text.size(), text);
  }
  job.key = Sha256Hex(all);
  job.script =
      CoarseScript(top, request.is_flat) + BackEnd(library, library ? library->path.string() : "");
  job.is_mapped = library != nullptr;
  return job;
}

Result<SynthesizedModules> Make(const Job& job) {
  std::vector<std::string> results = {"stat.txt"};
  if (job.is_mapped) results.push_back(NetlistFile());
  MACLOOM_ASSIGN_OR_RETURN(auto texts, RunYosys(job.unit, job.script, results));
  return SynthesizedModules{std::move(texts.at("stat.txt")),
                            job.is_mapped ? std::move(texts.at(NetlistFile())) : std::string()};
}

/// Shared by the threads of MakeAll.
struct ModuleWork {
  std::mutex mutex;
  size_t next = 0;
  int done = 0;
  std::optional<Error> error;
};

/// Runs the jobs `missing` and keeps each result as soon as it is there.
Status MakeAll(const std::vector<Job>& jobs, const std::vector<size_t>& missing, int num_threads,
               ResultCache& cache, const ModuleProgress& progress,
               std::vector<SynthesizedModules>& results) {
  ModuleWork work;
  work.done = static_cast<int>(jobs.size() - missing.size());
  const auto run = [&] {
    std::unique_lock lock(work.mutex);
    while (work.next < missing.size() && !work.error.has_value()) {
      const size_t index = missing[work.next++];
      if (progress) {
        progress(jobs[index].unit.name, work.done, static_cast<int>(jobs.size()));
      }
      lock.unlock();
      Result<SynthesizedModules> made = Make(jobs[index]);
      lock.lock();
      ++work.done;
      const Status kept =
          made.ok()
              ? cache.Insert(jobs[index].key,
                             ordered_json{{"stat", made->stat}, {"netlist", made->netlist}}.dump())
              : Status(made.error());
      if (kept.ok()) {
        results[index] = std::move(*made);
      } else if (!work.error.has_value()) {
        work.error = kept.error();
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < std::min(num_threads, static_cast<int>(missing.size())); ++i) {
    threads.emplace_back(run);
  }
  for (std::thread& thread : threads) thread.join();
  if (work.error.has_value()) return *work.error;
  return {};
}

}  // namespace

std::string NewModules(const std::string& netlist, std::set<std::string>& seen) {
  std::string result;
  std::istringstream lines(netlist);
  bool is_new = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("module ")) is_new = seen.insert(line.substr(0, line.find('('))).second;
    if (is_new) result += line + "\n";
    if (line == "endmodule") is_new = false;
  }
  return result;
}

std::string PlainModuleName(const std::string& module) {
  const size_t start = module.find("loom_");
  if (start == std::string::npos) return module;
  return module.substr(start, module.find('\\', start) - start);
}

Result<RtlUnit> AcceleratorUnit(const arch::HardwareConfig& config) {
  RtlUnit unit;
  MACLOOM_ASSIGN_OR_RETURN(const auto rtl, rtl_gen::RenderRtl(config));
  unit.name = config.name;
  unit.top = rtl_gen::TopName(config);
  std::istringstream list(rtl.at("macloom.f"));
  for (std::string file; std::getline(list, file);) {
    if (file.empty()) continue;
    unit.order.push_back(file);
    unit.files[file] = rtl.at(file);
  }
  return unit;
}

Result<std::map<std::string, RtlilModule>> Elaborate(const RtlUnit& unit,
                                                     Synthesizer& synthesizer) {
  const std::string script = ReadScript(unit) + "write_rtlil design.il\n";
  const std::string key =
      Sha256Hex("elaborate 1\n" + synthesizer.yosys_version() + script + unit.Digest());
  MACLOOM_ASSIGN_OR_RETURN(const std::optional<std::string> known, synthesizer.cache().Find(key));
  std::string design = known.value_or("");
  if (!known.has_value()) {
    MACLOOM_ASSIGN_OR_RETURN(auto texts, RunYosys(unit, script, {"design.il"}));
    design = std::move(texts.at("design.il"));
  }
  MACLOOM_ASSIGN_OR_RETURN(auto modules, SplitRtlil(design));
  if (!known.has_value()) MACLOOM_RETURN_IF_ERROR(synthesizer.cache().Insert(key, design));
  for (auto& [name, module] : modules) {
    if (PlainModuleName(name) == "loom_row") {
      module = WithInputAtZero(module, kNarrowingInput, kNarrowingBits);
    }
  }
  return modules;
}

Result<std::vector<SynthesizedModules>> SynthesizeModules(
    const std::map<std::string, RtlilModule>& modules, const std::vector<ModuleRequest>& requests,
    const LibraryFile* library, Synthesizer& synthesizer, int jobs,
    const ModuleProgress& progress) {
  std::vector<Job> all;
  std::vector<size_t> missing;
  std::vector<SynthesizedModules> results(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    MACLOOM_ASSIGN_OR_RETURN(Job job,
                             JobOf(modules, requests[i], library, synthesizer.yosys_version()));
    all.push_back(std::move(job));
    MACLOOM_ASSIGN_OR_RETURN(const std::optional<std::string> known,
                             synthesizer.cache().Find(all.back().key));
    const ordered_json json =
        known.has_value() ? ordered_json::parse(*known, nullptr, false) : ordered_json();
    if (json.is_object() && json.contains("stat") && json.contains("netlist")) {
      results[i] = {json["stat"], json["netlist"]};
    } else {
      missing.push_back(i);
    }
  }
  synthesizer.Count(static_cast<int>(all.size() - missing.size()),
                    static_cast<int>(missing.size()));
  MACLOOM_RETURN_IF_ERROR(MakeAll(all, missing, jobs, synthesizer.cache(), progress, results));
  return results;
}

}  // namespace macloom::cost
