// RENAME, and what a file inherits from the one it replaces. Layer: sealfs.
//
// Order of writes: the head with the inherited label, then the rename. A crash in between leaves a
// file under its old name with the label it was about to get.
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>

#include <cerrno>

#include "common/bytes.h"
#include "sealfs/ops.h"

namespace sealway::sealfs {
namespace {

struct Move {
  const Inode* from_folder;
  const char* from;
  const Inode* to_folder;
  const char* to;
  unsigned flags;
};

struct Inherited {
  bool done = false;
  std::string from_label;
  std::string to_label;
  std::optional<FileId> replaced;
};

int CheckMove(FileSystem& fs, const Move& move, Inode& source, Inode* target,
              const Caller& caller) {
  if (IsReservedName(move.to)) return EPERM;
  if (!IsPlainName(move.to)) return EINVAL;
  if (const int error = fs.CheckModify(source, caller)) return error;
  if (target != nullptr) {
    if (const int error = fs.CheckModify(*target, caller)) return error;
  }
  // mv(1) answers EXDEV by copying, and the copy is sealed.
  const bool unsealed = source.IsRegular() && !source.IsSealed();
  return unsealed && fs.IsExcluded(move.from) && !fs.IsExcluded(move.to) ? EXDEV : 0;
}

// The new file takes over label, area and lineage of the file it is about to replace.
int Inherit(FileSystem& fs, Inode& source, Inode& target, Inherited* inherited) {
  HeadSummary replaced;
  {
    const std::lock_guard lock(target.mutex);
    replaced = target.head;
  }
  auto key = fs.keys.Get(*replaced.key);
  if (!key) return ENOKEY;
  Fault fault;
  bool queue = false;
  {
    const std::lock_guard lock(source.mutex);
    std::shared_ptr<SealedFile> file;
    if (const int error = fs.AcquireLocked(source, true, &file, &fault)) return error;
    auto fields = file->Fields();
    inherited->from_label = fields.label;
    fields.label = replaced.key->label;
    fields.area = replaced.key->area;
    fields.epoch = replaced.key->epoch;
    fields.parent_id = replaced.file_id;
    if (const int error = file->Relabel(fields, std::move(*key))) return error;
    source.head.key = replaced.key;
    queue = file->IsOpenState() && source.plain_writers == 0 && !source.queued_for_sealing;
    if (queue) source.queued_for_sealing = true;
    fs.DropIfUnusedLocked(source);
  }
  if (queue) fs.seals.Add(fs.inodes.Find(source.key));
  *inherited = {true, inherited->from_label, replaced.key->label, replaced.file_id};
  return 0;
}

Detail HexOrNull(const char* name, const std::optional<FileId>& id) {
  return id ? Detail(name, ToHex(*id)) : Detail(name, nullptr);
}

void Record(FileSystem& fs, const Move& move, EventFacts facts, const Inherited& inherited,
            const std::optional<FileId>& replaced, int error) {
  facts.error = error;
  facts.outcome = error == 0 ? Outcome::kOk : Outcome::kRefused;
  const auto from = facts.file.path;
  if (error == 0) {
    const auto folder = fs.backing.RelativePath(move.to_folder->path_fd.Get());
    facts.file.path = folder.empty() ? move.to : folder + "/" + move.to;
  }
  facts.details = {{"from", from},
                   HexOrNull("replacedFileId", replaced),
                   HexOrNull("parentFileId", inherited.replaced)};
  fs.events.Write(facts);
  if (error != 0 || !inherited.done || inherited.from_label == inherited.to_label) return;
  facts.op = "relabel";
  facts.details = {{"fromLabel", inherited.from_label}, {"toLabel", inherited.to_label}};
  fs.events.Write(facts);
}

int Perform(FileSystem& fs, const Move& move, const Caller& caller) {
  InodeTable::Pin source;
  InodeTable::Pin target;
  struct stat status {};
  if (const int error = fs.Resolve(*move.from_folder, move.from, &source, &status)) return error;
  const int found = fs.Resolve(*move.to_folder, move.to, &target, &status);
  if (found != 0 && found != ENOENT) return found;
  Inode* over = target ? target.Get() : nullptr;
  int error = CheckMove(fs, move, *source.Get(), over, caller);
  const bool sealed = source->IsRegular() && source->kind == Kind::kSealed;
  const bool replaces = sealed && over != nullptr && over->IsRegular() &&
                        over->kind == Kind::kSealed && over != source.Get() &&
                        (move.flags & (RENAME_EXCHANGE | RENAME_NOREPLACE)) == 0;
  EventFacts facts;
  if (sealed) {
    facts = MakeFacts(fs, "rename", caller, source.Get(), error);
    facts.table_version = fs.table.load()->Version();
  }
  Inherited inherited;
  if (error == 0 && replaces && caller.Inside()) {
    fs.ContainerChanged(*source.Get());
    error = Inherit(fs, *source.Get(), *over, &inherited);
    fs.ContainerChanged(*source.Get());
    if (error == 0) facts.SetFile(FactsOf(fs, *source.Get()));
  }
  if (error == 0 && ::renameat2(move.from_folder->path_fd.Get(), move.from,
                                move.to_folder->path_fd.Get(), move.to, move.flags) != 0) {
    error = errno;
  }
  std::optional<FileId> replaced;
  if (replaces) replaced = over->head.file_id;
  if (sealed) Record(fs, move, std::move(facts), inherited, replaced, error);
  if (error == 0 && over != nullptr) fs.AttributesChanged(*over, nullptr);
  return error;
}

void Rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
            const char* new_name, unsigned flags) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health);
  const Move move{NodeOf(fs, parent)->inode, name, NodeOf(fs, new_parent)->inode, new_name, flags};
  fuse_reply_err(req, Perform(fs, move, fs.Identify(req)));
}

}  // namespace

void AddRenameOperation(fuse_lowlevel_ops& ops) { ops.rename = Rename; }

}  // namespace sealway::sealfs
