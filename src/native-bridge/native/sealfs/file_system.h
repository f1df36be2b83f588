// Everything one mount is made of, and the questions that several operations ask.
//
// Layer: sealfs. Threads: any; each part guards itself.
// Not here: the FUSE operations (ops_*.cpp), the control socket (control_server.cpp).
#ifndef SEALWAY_SEALFS_FILE_SYSTEM_H_
#define SEALWAY_SEALFS_FILE_SYSTEM_H_

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <atomic>
#include <memory>
#include <string>

#include "sealfs/backing.h"
#include "sealfs/barrier.h"
#include "sealfs/caller.h"
#include "sealfs/control_messages.h"
#include "sealfs/event_spool.h"
#include "sealfs/event_writer.h"
#include "sealfs/health.h"
#include "sealfs/inode_table.h"
#include "sealfs/key_ring.h"
#include "sealfs/notifier.h"
#include "sealfs/redo_log.h"
#include "sealfs/seal_queue.h"
#include "sealfs/verdict_table.h"
#include "sealfs/verifier.h"

namespace sealway::sealfs {

struct FileSystem {
  FileSystem();

  Backing backing;
  InodeTable inodes;
  KeyRing keys;
  SessionMap sessions;
  ProcInspector inspector;
  std::atomic<VerdictTableRef> table;
  std::atomic<std::shared_ptr<const FolderConfiguration>> folder;  // null until configured
  EventSpool spool;
  EventWriter events;
  RedoLog redo;
  Notifier notifier;
  SealQueue seals;
  Verifier verifier;
  BarrierQueue barrier;
  Health health;
  Node* root = nullptr;
  bool read_only = false;
  bool fixed_plain = false;  // benchmarks: everybody gets the plain view

  [[nodiscard]] Caller Identify(fuse_req_t req) const;
  // The view in which a caller meets the inode on a path walk.
  [[nodiscard]] View ViewFor(Inode& inode, const Caller& caller) const;
  // What the table says about a sealed file; the head must have been read.
  [[nodiscard]] Verdict VerdictFor(Inode& inode, const Caller& caller) const;
  [[nodiscard]] Verdict VerdictFor(const KeyName& key, const Caller& caller) const;

  // May `caller` change this file by path (truncate, unlink, rename over, link, set attributes)?
  // Outsiders: yes, the kernel has checked the mode bits. 0 or EACCES.
  [[nodiscard]] int CheckModify(Inode& inode, const Caller& caller) const;

  // May a name be made unsealed from outside?
  [[nodiscard]] bool IsExcluded(std::string_view name) const;

  // The inode that `name` in `parent` is, with its head read when it is a regular file.
  // ENOENT, EXDEV (another mount lies there), or as open(2).
  [[nodiscard]] int Resolve(const Inode& parent, const char* name, InodeTable::Pin* inode,
                            struct stat* status);
  // Reads the head of a regular file once.
  void Classify(Inode& inode);
  void ClassifyLocked(Inode& inode);

  // Attributes as `node` shows them.
  [[nodiscard]] int Attributes(const Node& node, struct stat* status);

  // The sealed file behind an inode, opened when need be. With `write` its descriptor can write.
  // Hold inode.mutex. ENOKEY, EKEYREVOKED, EIO (with *fault set), or as open(2).
  [[nodiscard]] int AcquireLocked(Inode& inode, bool write, std::shared_ptr<SealedFile>* file,
                                  Fault* fault);
  // Drops the file's state when nothing uses it any more. Hold inode.mutex.
  void DropIfUnusedLocked(Inode& inode);

  // The backing bytes changed through `node` (null: through none): other views' caches must not be
  // reached any more. Call before and after the change.
  void Touched(Inode& inode, Node* through);
  // Only the container changed, not the document (a slot was written).
  void ContainerChanged(Inode& inode);
  // Attributes changed (mode, owner, links, names): forget what the kernel holds for other nodes.
  void AttributesChanged(Inode& inode, const Node* through);

  // Records a container fault. Bounded: at most one a second for each kind and file.
  void ReportFault(Inode& inode, const Fault& fault);
};

inline Node* NodeOf(const FileSystem& fs, fuse_ino_t ino) {
  return ino == FUSE_ROOT_ID ? fs.root : reinterpret_cast<Node*>(ino);
}

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_FILE_SYSTEM_H_
