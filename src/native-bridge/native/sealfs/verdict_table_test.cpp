// Who gets the plain view: sessions, executables, rows.
#include "sealfs/verdict_table.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

namespace sealway::sealfs {
namespace {

class FakeProcesses final : public ProcessInspector {
 public:
  std::optional<std::uint64_t> MountNamespace(pid_t pid) const override {
    return Get(namespaces, pid);
  }
  std::optional<ExecutableId> Executable(pid_t pid) const override { return Get(executables, pid); }
  std::string ExecutablePath(pid_t) const override { return "/fake"; }

  std::map<pid_t, std::uint64_t> namespaces;
  std::map<pid_t, ExecutableId> executables;

 private:
  template <class T>
  static std::optional<T> Get(const std::map<pid_t, T>& from, pid_t pid) {
    const auto found = from.find(pid);
    return found == from.end() ? std::nullopt : std::optional<T>(found->second);
  }
};

const ExecutableId kWriter{1, 2, 3};

VerdictRow Row(std::optional<uid_t> uid, std::optional<std::string> area, bool open, bool modify) {
  return {uid, "writer", "internal", std::move(area), open, modify, {"rule"}};
}

VerdictTable Table(std::vector<VerdictRow> rows, bool any = false, bool children = false) {
  return VerdictTable("1", {{"internal", 1, false, false}}, {{"writer", children, any}},
                      {{"writer", "/usr/bin/writer", kWriter}}, std::move(rows));
}

Session MakeSession(std::uint64_t mount_namespace) {
  Session session;
  session.id = "s";
  session.uid = 1000;
  session.application = "writer";
  session.mount_namespace = mount_namespace;
  return session;
}

class Verdicts : public testing::Test {
 protected:
  Verdicts() {
    processes.namespaces = {{10, 500}, {11, 500}, {12, 600}};
    processes.executables = {{10, kWriter}, {11, {1, 2, 4}}};
    sessions.Add(MakeSession(500));
  }
  Verdict Ask(const VerdictTable& table, pid_t pid, uid_t uid = 1000) {
    return Decide(table, processes, Identify(processes, sessions, pid, uid, 0), "internal", "main");
  }
  FakeProcesses processes;
  SessionMap sessions;
};

TEST_F(Verdicts, SessionExecutableAndRowTogetherAllow) {
  const auto verdict = Ask(Table({Row({}, {}, true, true)}), 10);
  EXPECT_TRUE(verdict.open);
  EXPECT_TRUE(verdict.modify);
  EXPECT_EQ(verdict.rule_ids, std::vector<std::string>{"rule"});
}

TEST_F(Verdicts, AnythingMissingDenies) {
  const auto table = Table({Row({}, {}, true, true)});
  EXPECT_FALSE(Ask(table, 11).open) << "an executable with another change time is another one";
  EXPECT_FALSE(Ask(table, 12).open) << "another mount namespace";
  EXPECT_FALSE(Ask(table, 13).open) << "no such process";
  EXPECT_FALSE(Ask(table, 0).open) << "a kernel request";
  EXPECT_FALSE(Ask(table, 10, 1001).open) << "another user in the session's namespace";
  EXPECT_FALSE(Ask(Table({}), 10).open) << "no row";
  EXPECT_FALSE(Ask(VerdictTable(), 10).open) << "no table";
  sessions.Remove("s");
  EXPECT_FALSE(Ask(table, 10).open) << "the session has ended";
}

TEST_F(Verdicts, ApplicationsMayAllowAnyProgram) {
  EXPECT_TRUE(Ask(Table({Row({}, {}, true, true)}, true, false), 11).open);
  EXPECT_TRUE(Ask(Table({Row({}, {}, true, true)}, false, true), 11).open);
}

TEST_F(Verdicts, TheMoreSpecificRowSpeaks) {
  EXPECT_FALSE(Ask(Table({Row({}, {}, true, true), Row(1000, {}, false, false)}), 10).open);
  EXPECT_TRUE(Ask(Table({Row({}, "main", false, false), Row(1000, {}, true, true)}), 10).open);
  EXPECT_FALSE(Ask(Table({Row(1000, {}, true, true), Row(1000, "main", false, false)}), 10).open);
  EXPECT_TRUE(Ask(Table({Row({}, {}, true, false), Row({}, {}, false, false)}), 10).open);
}

TEST_F(Verdicts, ModifyNeedsOpen) {
  EXPECT_FALSE(Ask(Table({Row({}, {}, false, true)}), 10).modify);
  EXPECT_FALSE(Ask(Table({Row({}, {}, true, false)}), 10).modify);
}

TEST_F(Verdicts, ASecondSessionOfTheSameNameReplacesTheFirst) {
  sessions.Add(MakeSession(600));
  EXPECT_FALSE(Identify(processes, sessions, 10, 1000, 0).Inside());
  EXPECT_TRUE(Identify(processes, sessions, 12, 1000, 0).Inside());
}

TEST(HoldNamespace, RefusesASessionThatIsNotThereAnyMore) {
  const ProcInspector inspector;
  auto session = MakeSession(*inspector.MountNamespace(::getpid()));
  session.first_pid = ::getpid();
  EXPECT_TRUE(HoldNamespace(session));
  session.mount_namespace += 1;
  EXPECT_FALSE(HoldNamespace(session)) << "in another namespace";
  session.first_pid = 0x7fff'fff0;
  EXPECT_FALSE(HoldNamespace(session)) << "gone";
}

TEST(ProcInspector, KnowsThisProcessAndNoOther) {
  const ProcInspector inspector;
  EXPECT_TRUE(inspector.MountNamespace(::getpid()).has_value());
  EXPECT_TRUE(inspector.Executable(::getpid()).has_value());
  EXPECT_NE(inspector.ExecutablePath(::getpid()).find("sealfs"), std::string::npos);
  EXPECT_FALSE(inspector.MountNamespace(0x7fff'fff0).has_value());
}

}  // namespace
}  // namespace sealway::sealfs
