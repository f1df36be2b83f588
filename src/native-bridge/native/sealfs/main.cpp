// sealfs: one protected folder, two views. Wires the parts and serves.
//
// Layer: sealfs, composition root. Spec: docs/spec/sealfs-control-v1.md, "Start".
#include "sealfs/mount.h"
#include "sealfs/options.h"

int main(int argc, char** argv) {
  const auto options = sealway::sealfs::ParseOptions(argc, argv);
  if (!options.run) return options.exit_status;
  return sealway::sealfs::Serve(options);
}
