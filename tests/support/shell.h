// Runs a shell command and collects what it does.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

namespace macloom::testing {

struct ToolRun {
  int status = -1;   ///< Exit status; 128 + signal if killed.
  std::string text;  ///< Standard output and error.
};

/// Runs a shell command.
inline ToolRun RunShell(const std::string& command) {
  ToolRun run;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return run;
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) run.text += buffer;
  const int status = ::pclose(pipe);
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return run;
}

}  // namespace macloom::testing
