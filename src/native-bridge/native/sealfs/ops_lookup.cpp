// LOOKUP and FORGET: the walk that picks the view. Layer: sealfs.
#include <cerrno>

#include "sealfs/ops.h"

namespace sealway::sealfs {
namespace {

// Everything changes through this mount, so the kernel may trust what it has for long; only a file
// with two views must be asked for again at each walk.
constexpr double kLongSeconds = 60.0;
constexpr double kSealedSeconds = 1.0;

void Lookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
  auto& fs = FileSystemOf(req);
  const Measured measured(fs.health, &fs.health.lookup);
  InodeTable::Pin inode;
  struct stat status {};
  int error = fs.Resolve(*NodeOf(fs, parent)->inode, name, &inode, &status);
  fuse_entry_param entry{};
  if (error == 0) {
    const Caller caller = inode->IsRegular() && inode->IsSealed() ? fs.Identify(req) : Caller();
    View view = fs.ViewFor(*inode.Get(), caller);
    if (view == View::kSealed) {
      const std::lock_guard lock(inode->mutex);
      // The walk that the kernel repeats after OpenNode asked for it.
      if (inode->ingest_ticket != 0 && inode->ingest_ticket == caller.pid) view = View::kIngest;
    }
    error = FillEntry(fs, *inode.Get(), view, &entry);
  }
  if (error != 0) {
    fuse_reply_err(req, error);
  } else if (fuse_reply_entry(req, &entry) != 0) {
    fs.inodes.Forget(NodeOf(fs, entry.ino), 1);
  }
}

void Forget(fuse_req_t req, fuse_ino_t ino, std::uint64_t count) {
  auto& fs = FileSystemOf(req);
  fs.inodes.Forget(NodeOf(fs, ino), count);
  fuse_reply_none(req);
}

void ForgetMulti(fuse_req_t req, std::size_t count, struct fuse_forget_data* forgets) {
  auto& fs = FileSystemOf(req);
  for (std::size_t i = 0; i < count; ++i) {
    fs.inodes.Forget(NodeOf(fs, forgets[i].ino), forgets[i].nlookup);
  }
  fuse_reply_none(req);
}

}  // namespace

double AttributeTimeout(const Node& node) {
  return node.view == View::kSealed || node.view == View::kIngest ? kSealedSeconds : kLongSeconds;
}

int FillEntryOf(FileSystem& fs, Node& node, fuse_entry_param* entry) {
  entry->ino = &node == fs.root ? FUSE_ROOT_ID : reinterpret_cast<fuse_ino_t>(&node);
  entry->attr_timeout = AttributeTimeout(node);
  entry->entry_timeout = node.inode->IsRegular() ? 0.0 : kLongSeconds;
  return fs.Attributes(node, &entry->attr);
}

int FillEntry(FileSystem& fs, Inode& inode, View view, fuse_entry_param* entry) {
  // The version is read before the attributes: when a change comes in between, the node counts as
  // old and the next walk gets a new one.
  const std::uint32_t version =
      view == View::kPlain ? inode.plain_version.load() : inode.sealed_version.load();
  Node* node = view == View::kIngest ? fs.inodes.NewIngestNode(&inode)
                                     : fs.inodes.LookUp(&inode, view, version);
  const int error = FillEntryOf(fs, *node, entry);
  if (error != 0) fs.inodes.Forget(node, 1);
  return error;
}

void AddLookupOperations(fuse_lowlevel_ops& ops) {
  ops.lookup = Lookup;
  ops.forget = Forget;
  ops.forget_multi = ForgetMulti;
}

fuse_lowlevel_ops MakeOperations() {
  fuse_lowlevel_ops ops{};
  AddLookupOperations(ops);
  AddOpenOperations(ops);
  AddCreateOperations(ops);
  AddIoOperations(ops);
  AddNamespaceOperations(ops);
  AddAttributeOperations(ops);
  AddDirectoryOperations(ops);
  AddXattrOperations(ops);
  return ops;
}

}  // namespace sealway::sealfs
