// The command line of sealfs. Layer: sealfs.
#include "sealfs/options.h"

#include <cstdio>
#include <string_view>

namespace sealway::sealfs {
namespace {

constexpr const char* kHelp =
    "sealfs --folder DIR --control PATH --spool PATH --redo PATH [--log PATH] [--read-only]\n"
    "       [--fixed-verdict plain]   (benchmarks only: everybody gets the plain view;\n"
    "                                  refused unless built with SEALWAY_BENCH)\n";

Options Wrong(const char* what, std::string_view which) {
  std::fprintf(stderr, "sealfs: %s %.*s\n", what, static_cast<int>(which.size()), which.data());
  Options options;
  options.exit_status = 1;
  return options;
}

std::string* ValueOf(Options& options, std::string_view name) {
  if (name == "--folder") return &options.folder;
  if (name == "--control") return &options.control;
  if (name == "--spool") return &options.spool;
  if (name == "--redo") return &options.redo;
  if (name == "--log") return &options.log;
  return nullptr;
}

bool BenchmarkBuild() {
#ifdef SEALWAY_BENCH
  return true;
#else
  return false;
#endif
}

}  // namespace

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help") {
      std::fputs(kHelp, stdout);
      return {};
    }
    if (name == "--read-only") {
      options.read_only = true;
      continue;
    }
    if (i + 1 == argc) return Wrong("unknown option or missing value:", name);
    const std::string_view value = argv[++i];
    if (name == "--fixed-verdict") {
      if (value != "plain" || !BenchmarkBuild()) return Wrong("not in this build:", name);
      options.fixed_plain = true;
    } else if (auto* to = ValueOf(options, name)) {
      *to = value;
    } else {
      return Wrong("unknown option:", name);
    }
  }
  for (const auto* needed : {"--folder", "--control", "--spool", "--redo"}) {
    if (ValueOf(options, needed)->empty()) return Wrong("missing:", needed);
  }
  options.run = true;
  return options;
}

}  // namespace sealway::sealfs
