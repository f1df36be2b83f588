// The command line of sealfs. Layer: sealfs.
#ifndef SEALWAY_SEALFS_OPTIONS_H_
#define SEALWAY_SEALFS_OPTIONS_H_

#include <string>

namespace sealway::sealfs {

struct Options {
  std::string folder;
  std::string control;
  std::string spool;
  std::string redo;
  std::string log;  // empty: standard error
  bool read_only = false;
  bool fixed_plain = false;  // only in builds with SEALWAY_BENCH
  bool run = false;          // false: end with exit_status
  int exit_status = 0;
};

// Says what is wrong on standard error, or the help on standard output.
[[nodiscard]] Options ParseOptions(int argc, char** argv);

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_OPTIONS_H_
