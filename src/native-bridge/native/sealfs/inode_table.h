// Inodes of the backing store and the FUSE nodes that stand for them.
//
// Layer: sealfs. Knows descriptors; knows no requests and no policy. Threads: any.
// Spec: docs/adr/0010-versioned-nodes.md. An inode is one backing (dev, ino); a node is an inode
// seen
//   in one view, at one version of its content where the view's page cache could go stale. A node's
//   address is its FUSE node id: valid until the kernel has forgotten it and no handle pins it.
// Locks: shard (table, node lists, reference counts) before Inode::mutex; none is held across I/O
//   except Inode::mutex while a file is being opened or sealed.
#ifndef SEALWAY_SEALFS_INODE_TABLE_H_
#define SEALWAY_SEALFS_INODE_TABLE_H_

#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "common/unique_fd.h"
#include "container/head.h"
#include "sealfs/ingest.h"
#include "sealfs/key_ring.h"
#include "sealfs/sealed_file.h"

namespace sealway::sealfs {

// kRaw: everything that has one view for all: folders, links, devices, unsealed files.
enum class View : std::uint8_t { kPlain, kSealed, kRaw, kIngest };

struct InodeKey {
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  bool operator==(const InodeKey&) const = default;
};

// What the head of a sealed file says, kept small: a folder has many files.
struct HeadSummary {
  const KeyName* key = nullptr;  // interned
  FileId file_id{};
  std::uint8_t chunk_log2 = kDefaultChunkLog2;
};

enum class Kind : std::uint8_t { kOther, kUnsealed, kSealed, kDamaged };

struct Inode;

struct Node {
  Node(Inode* of, View seen_as, std::uint32_t at_version)
      : inode(of), view(seen_as), version(at_version) {}
  Inode* const inode;
  const View view;
  std::atomic<std::uint32_t> version;
  std::atomic<std::uint32_t> handles{0};
  std::atomic<std::uint32_t> writers{0};
  std::uint64_t references = 0;  // guarded by the shard: kernel look-ups and handles
};

struct Inode {
  Inode(InodeKey the_key, UniqueFd path, mode_t type)
      : key(the_key), path_fd(std::move(path)), file_type(type) {}
  const InodeKey key;
  const UniqueFd path_fd;  // O_PATH: names the inode whatever its name is by now
  const mode_t file_type;
  std::atomic<Kind> kind{Kind::kOther};
  // The sealed view's bytes changed (also the head); the plain view's bytes changed under it.
  std::atomic<std::uint32_t> sealed_version{1};
  std::atomic<std::uint32_t> plain_version{1};

  std::mutex mutex;  // guards all below
  HeadSummary head;
  std::shared_ptr<SealedFile> file;
  std::unique_ptr<Ingest> ingest;
  std::uint32_t plain_handles = 0;
  std::uint32_t plain_writers = 0;
  std::uint32_t verified_version = 0;  // sealed_version at which the accumulator was checked
  bool queued_for_sealing = false;
  // The outsider whose open for writing of an empty file made the kernel walk again.
  pid_t ingest_ticket = 0;

  std::vector<std::unique_ptr<Node>> nodes;  // guarded by the shard
  std::uint32_t pins = 0;                    // guarded by the shard: uses that are no node

  [[nodiscard]] bool IsRegular() const { return file_type == S_IFREG; }
  [[nodiscard]] bool IsSealed() const { return kind == Kind::kSealed || kind == Kind::kDamaged; }
};

class InodeTable {
 public:
  InodeTable();
  ~InodeTable();
  InodeTable(const InodeTable&) = delete;
  InodeTable& operator=(const InodeTable&) = delete;

  // A use of an inode that is no kernel look-up: keeps it in the table.
  class Pin {
   public:
    Pin() = default;
    Pin(InodeTable* table, Inode* inode) : table_(table), inode_(inode) {}
    Pin(Pin&& other) noexcept;
    Pin& operator=(Pin&& other) noexcept;
    ~Pin();
    [[nodiscard]] Inode* Get() const { return inode_; }
    Inode* operator->() const { return inode_; }
    explicit operator bool() const { return inode_ != nullptr; }

   private:
    InodeTable* table_ = nullptr;
    Inode* inode_ = nullptr;
  };

  // The inode of `key`, if the table has it.
  [[nodiscard]] Pin Find(InodeKey key);
  // The same, made from `path_fd` when it is new.
  [[nodiscard]] Pin FindOrMake(InodeKey key, UniqueFd path_fd, mode_t mode);
  // The root: never forgotten.
  Node* SetRoot(InodeKey key, UniqueFd path_fd);

  // One more kernel look-up of the node for `view`. For the sealed and the plain view a node of an
  // older version is left behind and a new one made, unless a writer still holds the plain one.
  [[nodiscard]] Node* LookUp(Inode* inode, View view, std::uint32_t version);
  // Always a new node: each writer from outside has his own.
  [[nodiscard]] Node* NewIngestNode(Inode* inode);
  void Forget(Node* node, std::uint64_t count);
  void Reference(Node* node);

  // Calls `visit` for each node of the inode, under the shard's lock: do nothing slow.
  void ForNodes(Inode* inode, const std::function<void(Node&)>& visit);
  // Pins of all inodes for which `want` says yes (called under the shard's lock).
  [[nodiscard]] std::vector<Pin> Collect(const std::function<bool(const Inode&)>& want);
  [[nodiscard]] std::uint64_t NodeCount() const { return node_count_.load(); }

 private:
  struct KeyHash {
    std::size_t operator()(const InodeKey& key) const {
      return std::hash<std::uint64_t>()(key.ino * 0x9e37'79b9'7f4a'7c15ULL ^ key.dev);
    }
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<InodeKey, std::unique_ptr<Inode>, KeyHash> inodes;
  };
  static constexpr std::size_t kShards = 64;
  Shard& ShardOf(const InodeKey& key) { return shards_[KeyHash()(key) % kShards]; }
  void Unpin(Inode* inode);
  // Takes the inode out of the table when nothing uses it; the caller destroys it unlocked.
  [[nodiscard]] static std::unique_ptr<Inode> TakeIfUnused(Shard& shard, Inode* inode);

  std::array<Shard, kShards> shards_;
  std::unique_ptr<Inode> root_;
  std::atomic<std::uint64_t> node_count_{0};
};

}  // namespace sealway::sealfs

#endif  // SEALWAY_SEALFS_INODE_TABLE_H_
