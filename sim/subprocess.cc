#include "sim/subprocess.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "base/files.h"
#include "base/interrupt.h"

namespace macloom::sim {
namespace {

std::string LastLines(const std::filesystem::path& log, size_t count) {
  const Result<std::string> text = ReadTextFile(log);
  if (!text.ok()) return "";
  std::vector<std::string> lines;
  std::istringstream stream(*text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::string tail;
  for (size_t i = lines.size() > count ? lines.size() - count : 0; i < lines.size(); ++i) {
    tail += "\n  " + lines[i];
  }
  return tail;
}

}  // namespace

std::filesystem::path FindProgram(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (folder.empty()) continue;
    std::filesystem::path candidate = std::filesystem::absolute(folder) / program;
    if (::access(candidate.c_str(), X_OK) == 0 && !std::filesystem::is_directory(candidate)) {
      return candidate;
    }
  }
  return {};
}

Error ToolMissing(const std::string& program, const std::string& package) {
  return {
      ErrorKind::kToolMissing,
      fmt::format("`{}` is not on PATH; it comes with the Debian package {}", program, package)};
}

Status RunTool(const std::vector<std::string>& arguments, const std::filesystem::path& directory,
               const std::filesystem::path& log, const std::string& package) {
  const std::filesystem::path program = FindProgram(arguments[0]);
  if (program.empty()) {
    return ToolMissing(arguments[0], package);
  }
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    return Error{ErrorKind::kToolFailed,
                 fmt::format("cannot start `{}`: {}", arguments[0], std::strerror(errno))};
  }
  if (child == 0) {
    // The tool's own children share its group, so that an interrupt reaches all of them.
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    const int in = ::open("/dev/null", O_RDONLY);
    if (out < 0 || in < 0 || ::chdir(directory.c_str()) != 0) ::_exit(126);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  // Set on both sides: whoever runs first, the group exists before it is needed.
  ::setpgid(child, child);
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(child, &status, WNOHANG)) == 0) {
    if (Interrupted()) {
      ::kill(-child, SIGTERM);
      ::waitpid(child, &status, 0);
      return CheckInterrupted();
    }
    ::usleep(20000);
  }
  if (ended < 0) {
    return Error{ErrorKind::kToolFailed,
                 fmt::format("cannot wait for `{}`: {}", arguments[0], std::strerror(errno))};
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const std::string end = WIFEXITED(status) ? fmt::format("status {}", WEXITSTATUS(status))
                                            : fmt::format("signal {}", WTERMSIG(status));
  return Error{ErrorKind::kToolFailed, fmt::format("`{}` ended with {}; its last lines:{}",
                                                   arguments[0], end, LastLines(log, 12))};
}

}  // namespace macloom::sim
