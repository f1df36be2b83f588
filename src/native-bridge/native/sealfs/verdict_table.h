// The verdict table: policy compiled by the agent to plain look-ups.
//
// Layer: sealfs. Pure data; no I/O, no evaluation. Threads: immutable once built; share it const.
// Spec: docs/spec/sealfs-control-v1.md, "Verdict table". No row means deny.
#ifndef SEALWAY_SEALFS_VERDICT_TABLE_H_
#define SEALWAY_SEALFS_VERDICT_TABLE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sealfs/caller.h"

namespace sealway::sealfs {

struct LabelRule {
  std::string name;
  std::int64_t level = 0;
  // An open must wait until its record is durable at the agent.
  bool barrier = false;
  bool record_sealed_opens = false;
};

struct ApplicationRule {
  std::string id;
  bool children_plain = false;
  bool any_executable = false;
};

struct ExecutableRule {
  std::string application;
  std::string path;
  ExecutableId id;
};

struct VerdictRow {
  std::optional<uid_t> uid;  // none: any
  std::string application;
  std::string label;
  std::optional<std::string> area;  // none: any
  bool open = false;
  bool modify = false;
  std::vector<std::string> rule_ids;
};

class VerdictTable {
 public:
  VerdictTable() = default;
  VerdictTable(std::string version, std::vector<LabelRule> labels,
               std::vector<ApplicationRule> applications,
               const std::vector<ExecutableRule>& executables, std::vector<VerdictRow> rows);

  [[nodiscard]] const std::string& Version() const { return version_; }
  // Null when the table does not know the label or the application.
  [[nodiscard]] const LabelRule* Label(const std::string& name) const;
  [[nodiscard]] const ApplicationRule* Application(const std::string& id) const;
  [[nodiscard]] bool IsExecutableOf(const std::string& application, const ExecutableId& id) const;
  // The row that speaks: a specific uid before "*", then a specific area before "*", then the first
  // in the table's order. Null: none, which means deny.
  [[nodiscard]] const VerdictRow* Find(uid_t uid, const std::string& application,
                                       const std::string& label, const std::string& area) const;

 private:
  std::string version_;
  std::unordered_map<std::string, LabelRule> labels_;
  std::unordered_map<std::string, ApplicationRule> applications_;
  std::unordered_multimap<std::string, ExecutableId> executables_;
  // By application and label, in the table's order.
  std::unordered_map<std::string, std::vector<VerdictRow>> rows_;
};
using VerdictTableRef = std::shared_ptr<const VerdictTable>;

struct Verdict {
  bool open = false;
  bool modify = false;
  std::vector<std::string> rule_ids;
};

// What the table says to `caller` about a file of (label, area). Outside, an intruder, an
// executable that is not the application's: neither open nor modify.
[[nodiscard]] Verdict Decide(const VerdictTable& table, const ProcessInspector& inspector,
                             const Caller& caller, const std::string& label,
                             const std::string& area);

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_VERDICT_TABLE_H_
