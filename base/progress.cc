#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace macloom {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{100};
constexpr std::chrono::seconds kPlainInterval{5};
// Carriage return, then erase to the end of the line.
constexpr const char* kRewrite = "\r\x1b[K";

}  // namespace

std::string DurationText(double seconds) {
  const auto whole = static_cast<int64_t>(std::lround(std::clamp(seconds, 0.0, 3.6e8)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string ProgressText(const std::string& label, int64_t done, int64_t total,
                         double elapsed_seconds) {
  if (total <= 0) return fmt::format("{}: {}", label, DurationText(elapsed_seconds));
  done = std::clamp<int64_t>(done, 0, total);
  const double fraction = static_cast<double>(done) / static_cast<double>(total);
  std::string text = fmt::format("{}: {} % ({} of {})", label,
                                 static_cast<int>(std::floor(fraction * 100)), done, total);
  if (done > 0 && done < total) {
    text += fmt::format(", {} left", DurationText(elapsed_seconds * (1 - fraction) / fraction));
  }
  return text;
}

ProgressLine::ProgressLine(std::string label, int64_t total, std::FILE* stream)
    : label_(std::move(label)),
      total_(total),
      stream_(stream),
      is_terminal_(::isatty(::fileno(stream)) != 0) {
  if (!is_terminal_) return;
  fmt::print(stream_, "{}{}", kRewrite, label_);
  std::fflush(stream_);
  is_line_open_ = true;
}

ProgressLine::~ProgressLine() {
  if (!is_line_open_) return;
  fmt::print(stream_, "\n");
  std::fflush(stream_);
}

void ProgressLine::Update(int64_t done, const std::string& note) {
  const Clock::time_point now = Clock::now();
  const Clock::duration interval =
      is_terminal_ ? Clock::duration(kTerminalInterval) : Clock::duration(kPlainInterval);
  if (is_finished_ || now - last_print_ < interval) return;
  last_print_ = now;
  const double elapsed_seconds = std::chrono::duration<double>(now - start_).count();
  std::string text = ProgressText(label_, done, total_, elapsed_seconds);
  if (!note.empty()) text += "; " + note;
  if (is_terminal_) {
    fmt::print(stream_, "{}{}", kRewrite, text);
  } else {
    fmt::print(stream_, "{}\n", text);
  }
  std::fflush(stream_);
}

void ProgressLine::Finish(const std::string& text) {
  if (is_finished_) return;
  is_finished_ = true;
  is_line_open_ = false;
  fmt::print(stream_, "{}{}: {}\n", is_terminal_ ? kRewrite : "", label_, text);
  std::fflush(stream_);
}

}  // namespace macloom
