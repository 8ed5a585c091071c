// One progress line on stderr for long work.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace macloom {

/// Shows how far a long task is.
///
/// On a terminal, one line is rewritten in place: label, percent, and the time left, estimated from
/// the pace so far. Elsewhere (a file, a pipe) a plain line at most every 5 s, so that logs stay
/// short and quick tasks print nothing but Finish(). Not thread-safe.
class ProgressLine {
 public:
  /// @param label  What is done, e.g. "verify kws".
  /// @param total  Units of work; 0 = unknown: no percent, the line shows the time passed.
  /// @param stream Where to print, stderr unless testing.
  ProgressLine(std::string label, int64_t total, std::FILE* stream = stderr);
  /// Ends an unfinished terminal line with a line feed.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// `done` units (0..total) are finished. Cheap: prints at most 10 times a second. `note`, if any,
  /// is shown behind the time left.
  void Update(int64_t done, const std::string& note = "");

  /// Replaces the line by "label: text" and ends it. Later calls do nothing.
  void Finish(const std::string& text);

 private:
  using Clock = std::chrono::steady_clock;

  std::string label_;
  int64_t total_;
  std::FILE* stream_;
  bool is_terminal_;
  bool is_line_open_ = false;
  bool is_finished_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_print_ = start_;
};

/// The text of a progress line: "label: 42 % (420 of 1000), 12 s left", or "label: 12 s" if `total`
/// is 0. The time left appears once `done` > 0.
std::string ProgressText(const std::string& label, int64_t done, int64_t total,
                         double elapsed_seconds);

/// "45 s", "3 min 20 s", "2 h 05 min".
std::string DurationText(double seconds);

}  // namespace macloom
