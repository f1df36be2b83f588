// The verdict table. Layer: sealfs.
#include "sealfs/verdict_table.h"

#include <utility>

namespace sealway::sealfs {
namespace {

// No label or application holds a control character, so the joined key cannot be ambiguous.
std::string RowKey(const std::string& application, const std::string& label) {
  return application + '\n' + label;
}

// Higher wins; -1: does not match.
int Rank(const VerdictRow& row, uid_t uid, const std::string& area) {
  if (row.uid && *row.uid != uid) return -1;
  if (row.area && *row.area != area) return -1;
  return (row.uid ? 2 : 0) + (row.area ? 1 : 0);
}

}  // namespace

VerdictTable::VerdictTable(std::string version, std::vector<LabelRule> labels,
                           std::vector<ApplicationRule> applications,
                           const std::vector<ExecutableRule>& executables,
                           std::vector<VerdictRow> rows)
    : version_(std::move(version)) {
  for (auto& label : labels) labels_.insert_or_assign(label.name, label);
  for (auto& application : applications) {
    applications_.insert_or_assign(application.id, application);
  }
  for (const auto& executable : executables)
    executables_.emplace(executable.application, executable.id);
  for (auto& row : rows) rows_[RowKey(row.application, row.label)].push_back(std::move(row));
}

const LabelRule* VerdictTable::Label(const std::string& name) const {
  const auto found = labels_.find(name);
  return found == labels_.end() ? nullptr : &found->second;
}

const ApplicationRule* VerdictTable::Application(const std::string& id) const {
  const auto found = applications_.find(id);
  return found == applications_.end() ? nullptr : &found->second;
}

bool VerdictTable::IsExecutableOf(const std::string& application, const ExecutableId& id) const {
  const auto [begin, end] = executables_.equal_range(application);
  for (auto it = begin; it != end; ++it) {
    if (it->second == id) return true;
  }
  return false;
}

const VerdictRow* VerdictTable::Find(uid_t uid, const std::string& application,
                                     const std::string& label, const std::string& area) const {
  const auto found = rows_.find(RowKey(application, label));
  if (found == rows_.end()) return nullptr;
  const VerdictRow* best = nullptr;
  int best_rank = -1;
  for (const auto& row : found->second) {
    const int rank = Rank(row, uid, area);
    if (rank > best_rank) {
      best = &row;
      best_rank = rank;
    }
  }
  return best;
}

Verdict Decide(const VerdictTable& table, const ProcessInspector& inspector, const Caller& caller,
               const std::string& label, const std::string& area) {
  if (!caller.Inside() || caller.Intruder()) return {};
  const auto& application_id = caller.session->application;
  const auto* application = table.Application(application_id);
  if (application == nullptr) return {};
  if (!application->any_executable && !application->children_plain) {
    const auto executable = inspector.Executable(caller.pid);
    if (!executable || !table.IsExecutableOf(application_id, *executable)) return {};
  }
  const auto* row = table.Find(caller.uid, application_id, label, area);
  if (row == nullptr) return {};
  return {row->open, row->open && row->modify, row->rule_ids};
}

}  // namespace sealway::sealfs
