// The options that make a session sealed, whatever the grant says.
#include "sessiond/bwrap_arguments.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sealway::sessiond {
namespace {

using Options = std::vector<std::string>;

// Where the run of words `part` starts; -1 when it is not there.
int Find(const Options& options, const Options& part) {
  const auto found = std::search(options.begin(), options.end(), part.begin(), part.end());
  return found == options.end() ? -1 : static_cast<int>(found - options.begin());
}

Options Build(const SessionGrant& grant) {
  return BwrapOptions(grant, {3, 4, 5, 7, {{"/d", 6}}, ""});
}

class AlwaysThere : public ::testing::TestWithParam<Options> {};

TEST_P(AlwaysThere, WhateverTheGrantSays) {
  SessionGrant grant;
  grant.cwd = "/";
  EXPECT_GE(Find(Build(grant), GetParam()), 0);
  grant.network = true;
  grant.binds = {{"", "/run", BindMode::kTmpfs, {}}};
  EXPECT_GE(Find(Build(grant), GetParam()), 0);
}

INSTANTIATE_TEST_SUITE_P(Options, AlwaysThere,
                         ::testing::Values(Options{"--unshare-user"}, Options{"--unshare-pid"},
                                           Options{"--unshare-ipc"}, Options{"--die-with-parent"},
                                           Options{"--new-session"}, Options{"--cap-drop", "ALL"},
                                           Options{"--ro-bind", "/", "/"},
                                           Options{"--proc", "/proc"}, Options{"--tmpfs", "/tmp"},
                                           Options{"--tmpfs", "/var/tmp"},
                                           Options{"--tmpfs", "/dev/shm"},
                                           Options{"--seccomp", "3"}, Options{"--info-fd", "4"},
                                           Options{"--block-fd", "5"}, Options{"--file", "7"}));

TEST(BwrapOptions, CutsTheNetworkUnlessGranted) {
  SessionGrant grant;
  EXPECT_GE(Find(Build(grant), {"--unshare-net"}), 0);
  grant.network = true;
  EXPECT_EQ(Find(Build(grant), {"--unshare-net"}), -1);
}

TEST(BwrapOptions, BindsACheckedFolderByItsDescriptor) {
  SessionGrant grant;
  grant.binds = {{"/d", "/t", BindMode::kReadWrite, 53}};
  EXPECT_GE(Find(Build(grant), {"--bind-fd", "6", "/t"}), 0);
  EXPECT_EQ(Find(Build(grant), {"/d"}), -1);
}

TEST(BwrapOptions, KeepsTheOrderOfBindsAfterTheBase) {
  SessionGrant grant;
  grant.binds = {{"", "/run", BindMode::kTmpfs, {}},
                 {"/run/a", "/run/a", BindMode::kReadOnly, {}},
                 {"/dev/dri", "/dev/dri", BindMode::kDevice, {}}};
  const Options options = Build(grant);
  const int base = Find(options, {"--ro-bind", "/", "/"});
  const int run = Find(options, {"--tmpfs", "/run"});
  const int socket = Find(options, {"--ro-bind", "/run/a", "/run/a"});
  const int device = Find(options, {"--dev-bind", "/dev/dri", "/dev/dri"});
  EXPECT_TRUE(0 < base && base < run && run < socket && socket < device);
}

TEST(JoinWithNul, EndsEachOption) {
  EXPECT_EQ(JoinWithNul({"a", "", "b c"}), std::string("a\0\0b c\0", 7));
}

}  // namespace
}  // namespace sealway::sessiond
