// Rules of the repository itself: include direction, paths named in RTL headers, no machine paths.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"

namespace macloom {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = MACLOOM_SOURCE_DIR;

/// Stages a stage may include directly or through others (README, "Folders").
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"base", {}},
    {"ir", {"base"}},
    {"stimulus", {"base", "ir"}},
    {"importers", {"base", "ir"}},
    {"audio", {"base"}},
    {"train", {"base", "ir", "audio", "golden"}},
    {"golden", {"base", "ir"}},
    {"arch", {"base", "ir"}},
    {"rtl", {"base", "ir", "arch"}},
    {"sim", {"base", "ir", "arch", "rtl"}},
    {"cost", {"base", "ir", "arch", "rtl", "sim"}},
    {"explore", {"base", "ir", "golden", "arch"}},
    {"reports", {"base", "ir", "cost", "explore"}},
    {"networks", {"base", "ir", "importers", "golden"}},
    {"flow",
     {"base", "ir", "audio", "networks", "golden", "arch", "explore", "rtl", "sim", "cost"}},
    {"campaign", {"base", "ir", "stimulus", "golden", "arch", "rtl", "sim", "flow"}},
    {"cli",
     {"base", "ir", "importers", "audio", "train", "golden", "quantize", "arch", "rtl", "sim",
      "cost", "explore", "reports", "networks", "flow", "campaign"}},
    {"capi", {"base", "ir", "golden", "networks"}},
};

std::vector<fs::path> Files(const fs::path& folder, const std::set<std::string>& extensions) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && extensions.count(entry.path().extension().string()) > 0) {
      files.push_back(entry.path());
    }
  }
  return files;
}

std::string Text(const fs::path& path) {
  const Result<std::string> text = ReadTextFile(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

/// Include lines of `text` that the rules for `stage` forbid.
std::vector<std::string> ForbiddenIncludes(const std::string& stage, const std::string& text) {
  static const std::regex include("#include \"([a-z_]+)/[^\"]*\"");
  std::vector<std::string> forbidden;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), include);
       it != std::sregex_iterator(); ++it) {
    const std::string other = (*it)[1];
    if (other != stage && kMayInclude.count(other) > 0 && kMayInclude.at(stage).count(other) == 0) {
      forbidden.push_back((*it)[0]);
    }
  }
  return forbidden;
}

TEST(RepositoryTest, StagesIncludeOnlyWhatTheyMay) {
  int files = 0;
  for (const auto& [stage, allowed] : kMayInclude) {
    for (const fs::path& path : Files(kRoot / stage, {".h", ".cc"})) {
      ++files;
      EXPECT_EQ(ForbiddenIncludes(stage, Text(path)), std::vector<std::string>{}) << path;
    }
  }
  EXPECT_GT(files, 50);
}

TEST(RepositoryTest, ReportsReadResultsOnly) {
  const std::regex stage_header("#include \"(?!base/|ir/|reports/)([^\"]*)\"");
  const std::regex result_header("#include \"(?!base/|ir/|reports/)[a-z_]+/[a-z_]*_result\\.h\"");
  int includes = 0;
  for (const fs::path& path : Files(kRoot / "reports", {".h", ".cc"})) {
    const std::string text = Text(path);
    for (auto it = std::sregex_iterator(text.begin(), text.end(), stage_header);
         it != std::sregex_iterator(); ++it, ++includes) {
      EXPECT_TRUE(std::regex_match(it->str(), result_header)) << path << ": " << it->str();
    }
  }
  EXPECT_GT(includes, 0);
}

TEST(RepositoryTest, TheIncludeRuleCatchesAViolation) {
  EXPECT_EQ(ForbiddenIncludes("golden", "#include \"arch/job.h\"\n").size(), 1u);
  EXPECT_EQ(ForbiddenIncludes("sim", "#include \"golden/reference/executor.h\"\n").size(), 1u);
  EXPECT_EQ(ForbiddenIncludes("sim", "#include \"arch/job.h\"\n").size(), 0u);
}

TEST(RepositoryTest, EveryRtlModuleIsDocumentedAndNamesFilesThatExist) {
  const std::regex path_pattern("(golden|tests|sim|docs|arch)/[A-Za-z0-9_/]+\\.(h|cc|md)");
  int modules = 0;
  for (const fs::path& path : Files(kRoot / "rtl" / "lib", {".sv"})) {
    const std::string text = Text(path);
    const std::string name = path.stem().string();
    if (name.ends_with("_pkg")) continue;
    ++modules;
    EXPECT_NE(text.find("module " + name + " "), std::string::npos)
        << path << ": one module, named as the file";
    for (const char* line : {"/// Latency", "/// Golden", "/// Test"}) {
      EXPECT_NE(text.find(line), std::string::npos) << path << " has no line " << line;
    }
    const std::string header = text.substr(0, text.find("module " + name));
    for (auto it = std::sregex_iterator(header.begin(), header.end(), path_pattern);
         it != std::sregex_iterator(); ++it) {
      EXPECT_TRUE(fs::exists(kRoot / it->str())) << path << " names " << it->str();
    }
    EXPECT_NE(header.find("/// Test     tests/rtl/loom_"), std::string::npos)
        << path << ": a module has a unit test";
    EXPECT_TRUE(fs::exists(kRoot / "tests" / "rtl" / "mutants" / (name + ".txt")))
        << path << ": a module has mutants that its test catches";
  }
  EXPECT_GT(modules, 20);
}

TEST(RepositoryTest, NoFileNamesAPlaceOnAMachine) {
  // Written so that this file does not contain what it looks for.
  const std::regex machine(std::string("(^|[^A-Za-z0-9_.$}])/(wo") + "rk|ho" + "me|ro" + "ot)/");
  for (const char* folder :
       {"base",     "ir",  "importers", "audio",    "train",   "golden",   "quantize", "arch",
        "rtl",      "sim", "cost",      "explore",  "reports", "networks", "flow",     "stimulus",
        "campaign", "cli", "capi",      "examples", "tests",   "scripts",  "docs",     ".ci"}) {
    for (const fs::path& path : Files(kRoot / folder, {".h", ".c", ".cc", ".sv", ".py", ".md",
                                                       ".sh", ".cmake", ".txt", ""})) {
      const std::string text = Text(path);
      EXPECT_FALSE(std::regex_search(text, machine)) << path;
    }
  }
}

TEST(RepositoryTest, DocumentsNamedInTheReadmeExist) {
  const std::string readme = Text(kRoot / "README.md");
  const std::regex link("\\]\\(([^)]+)\\)");
  int links = 0;
  for (auto it = std::sregex_iterator(readme.begin(), readme.end(), link);
       it != std::sregex_iterator(); ++it, ++links) {
    EXPECT_TRUE(fs::exists(kRoot / (*it)[1].str())) << (*it)[1];
  }
  EXPECT_GE(links, 2);
}

}  // namespace
}  // namespace macloom
