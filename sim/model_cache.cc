#include "sim/model_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

#include "base/digest.h"
#include "base/files.h"
#include "base/progress.h"
#include "rtl/gen/generator.h"
#include "sim/harness/embedded_harness.h"
#include "sim/subprocess.h"

namespace macloom::sim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCompilerFlags = "-O2 -fPIC";
constexpr std::array kVerilatorFlags = {
    "verilator",  "--cc",    "-O3",          "--x-assign", "fast",  "--x-initial", "fast",
    "--noassert", "-CFLAGS", kCompilerFlags, "--prefix",   "Vloom", "--Mdir",      "obj"};

/// Exclusive lock on a file for the life of the object.
class FileLock {
 public:
  explicit FileLock(const fs::path& path)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (fd_ >= 0) ::flock(fd_, LOCK_EX);
  }
  ~FileLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// Removes a folder unless it has been renamed away.
struct TemporaryFolder {
  fs::path path;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

/// What `verilator --version` prints, read once per build decision.
Result<std::string> VerilatorVersion(const fs::path& scratch) {
  const fs::path log = scratch / "version.txt";
  MACLOOM_RETURN_IF_ERROR(RunTool({"verilator", "--version"}, scratch, log, "verilator"));
  return ReadTextFile(log);
}

/// Verilator's and the compiler's part of a wave format.
struct WaveBuild {
  const char* name;       ///< In the entry's name.
  const char* verilator;  ///< Flag.
  const char* object;     ///< Of Verilator's run time.
  const char* define;     ///< For harness.cc.
  const char* library;    ///< Linked with it.
};

std::optional<WaveBuild> WaveBuildOf(WaveFormat format) {
  if (format == WaveFormat::kFst)
    return WaveBuild{"-fst", "--trace-fst", "verilated_fst_c.o", "-DMACLOOM_TRACE_FST", "-lz"};
  if (format == WaveFormat::kVcd)
    return WaveBuild{"-vcd", "--trace", "verilated_vcd_c.o", "-DMACLOOM_TRACE_VCD", ""};
  return std::nullopt;
}

/// What Verilator is given besides kVerilatorFlags.
std::vector<std::string> VerilatorArguments(const arch::HardwareConfig& config,
                                            const ModelOptions& options,
                                            const std::string& generated_list) {
  std::vector<std::string> arguments;
  if (const auto waves = WaveBuildOf(options.waves)) arguments.push_back(waves->verilator);
  if (options.rtl.has_value()) {
    // A warning about the user's code is not a reason to stop: the comparison tells.
    arguments.insert(arguments.end(), {"-Wno-fatal", "--top-module", options.rtl->top});
    arguments.insert(arguments.end(), options.rtl->arguments.begin(), options.rtl->arguments.end());
    return arguments;
  }
  arguments.insert(arguments.end(), {"--top-module", rtl_gen::TopName(config)});
  std::istringstream list(generated_list);
  for (std::string line; std::getline(list, line);) arguments.push_back(line);
  return arguments;
}

/// The first errors in Verilator's output, each with its lines.
std::string FirstErrors(const fs::path& log) {
  constexpr int kMaxErrors = 5;
  const Result<std::string> text = ReadTextFile(log);
  if (!text.ok()) return text.error().message;
  std::istringstream lines(*text);
  std::string errors;
  int count = 0;
  bool is_error = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("%", 0) == 0) is_error = line.rfind("%Error", 0) == 0 && ++count <= kMaxErrors;
    if (is_error) errors += "  " + line + "\n";
  }
  return errors;
}

Status Build(const arch::HardwareConfig& config, const ModelOptions& options,
             const std::map<std::string, std::string>& files,
             const std::vector<std::string>& arguments, const fs::path& folder) {
  for (const auto& [name, text] : files)
    MACLOOM_RETURN_IF_ERROR(WriteFileAtomically(folder / name, std::string_view(text)));
  const fs::path log = folder / "build.log";
  std::vector<std::string> verilate(kVerilatorFlags.begin(), kVerilatorFlags.end());
  verilate.insert(verilate.end(), arguments.begin(), arguments.end());
  const Status verilated = RunTool(verilate, folder, log, "verilator");
  if (!verilated.ok() && verilated.error().kind == ErrorKind::kToolFailed && options.rtl) {
    return InvalidInput(fmt::format("Verilator does not accept module {}:\n{}", options.rtl->top,
                                    FirstErrors(log)));
  }
  MACLOOM_RETURN_IF_ERROR(verilated);
  if (options.rtl.has_value()) {
    MACLOOM_ASSIGN_OR_RETURN(const std::string header, ReadTextFile(folder / "obj" / "Vloom.h"));
    MACLOOM_RETURN_IF_ERROR(CheckPorts(header, config, options.rtl->top));
  }
  const auto waves = WaveBuildOf(options.waves);
  std::vector<std::string> make = {"make",
                                   "-s",
                                   "-j2",
                                   "-C",
                                   "obj",
                                   "-f",
                                   "Vloom.mk",
                                   fmt::format("OPT_FAST={}", "-O2"),
                                   "Vloom__ALL.a",
                                   "verilated.o",
                                   "verilated_threads.o"};
  if (waves.has_value()) make.push_back(waves->object);
  MACLOOM_RETURN_IF_ERROR(RunTool(make, folder, log, "make"));
  const fs::path root_log = folder / "root.txt";
  MACLOOM_RETURN_IF_ERROR(
      RunTool({"verilator", "--getenv", "VERILATOR_ROOT"}, folder, root_log, "verilator"));
  MACLOOM_ASSIGN_OR_RETURN(std::string root, ReadTextFile(root_log));
  while (!root.empty() && (root.back() == '\n' || root.back() == '\r')) root.pop_back();
  std::vector<std::string> link = {"g++",
                                   "-std=c++17",
                                   "-O2",
                                   "-fPIC",
                                   "-shared",
                                   "-Wl,-Bsymbolic",
                                   "-I.",
                                   "-Iobj",
                                   "-isystem",
                                   root + "/include",
                                   "harness.cc",
                                   "obj/Vloom__ALL.a",
                                   "obj/verilated.o",
                                   "obj/verilated_threads.o"};
  if (waves.has_value()) {
    link.insert(link.end(), {std::string("obj/") + waves->object, waves->define});
    if (waves->library[0] != '\0') link.push_back(waves->library);
  }
  link.insert(link.end(), {"-pthread", "-o", "model.so"});
  return RunTool(link, folder, log, "g++");
}

}  // namespace

fs::path CacheDirectory() {
  const auto env = [](const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
  };
  if (const std::string own = env("MACLOOM_CACHE_DIR"); !own.empty()) return own;
  if (const std::string xdg = env("XDG_CACHE_HOME"); !xdg.empty()) return fs::path(xdg) / "macloom";
  if (const std::string home = env("HOME"); !home.empty())
    return fs::path(home) / ".cache" / "macloom";
  return fs::temp_directory_path() / "macloom-cache";
}

Result<fs::path> BuildModel(const arch::HardwareConfig& config, const ModelOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(auto files, rtl_gen::RenderRtl(config));
  const std::vector<std::string> arguments =
      VerilatorArguments(config, options, files.at("macloom.f"));
  if (options.rtl.has_value()) files.clear();
  files.insert(EmbeddedHarness().begin(), EmbeddedHarness().end());
  const fs::path cache = CacheDirectory();
  std::error_code failed;
  fs::create_directories(cache, failed);
  if (failed) {
    return OutputError(
        fmt::format("cannot make the cache folder {}: {}", cache.string(), failed.message()));
  }
  std::string pattern = (cache / "building-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return OutputError(fmt::format("cannot write to the cache folder {}: {}", cache.string(),
                                   std::strerror(errno)));
  }
  const TemporaryFolder scratch{pattern};
  MACLOOM_ASSIGN_OR_RETURN(const std::string version, VerilatorVersion(scratch.path));

  std::string everything = version;
  for (const char* flag : kVerilatorFlags) everything += std::string(flag) + '\0';
  for (const auto& [name, text] : files) {
    everything.append(name).push_back('\0');
    everything.append(text).push_back('\0');
  }
  const auto waves = WaveBuildOf(options.waves);
  everything += waves ? waves->name : "";
  everything += options.rtl ? options.rtl->digest : "";
  const std::string model =
      fmt::format("{}{}", options.rtl ? options.rtl->top : config.name, waves ? waves->name : "");
  const std::string digest = Sha256Hex(std::string_view(everything)).substr(0, 24);
  const fs::path entry = cache / fmt::format("{}-{}", model, digest);
  const FileLock lock(cache / (entry.filename().string() + ".lock"));
  if (!lock.ok()) return OutputError(fmt::format("cannot lock {}", entry.string()));
  if (fs::exists(entry / "model.so")) return entry / "model.so";

  for (const char* tool : {"make", "g++"}) {
    if (FindProgram(tool).empty()) return ToolMissing(tool, tool);
  }
  ProgressLine progress(fmt::format("building RTL model {}, once", model), 0);
  progress.Update(0);
  const fs::path work = scratch.path / "work";
  fs::create_directories(work, failed);
  MACLOOM_RETURN_IF_ERROR(Build(config, options, files, arguments, work));
  fs::remove_all(work / "obj", failed);
  fs::remove_all(entry, failed);
  fs::rename(work, entry, failed);
  if (failed) {
    return OutputError(
        fmt::format("cannot move the model to {}: {}", entry.string(), failed.message()));
  }
  progress.Finish("done");
  return entry / "model.so";
}

}  // namespace macloom::sim
