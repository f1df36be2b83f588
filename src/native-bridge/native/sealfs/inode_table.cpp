// Inodes and nodes. Layer: sealfs.
#include "sealfs/inode_table.h"

#include <algorithm>
#include <utility>

namespace sealway::sealfs {

InodeTable::InodeTable() = default;
InodeTable::~InodeTable() = default;

InodeTable::Pin::Pin(Pin&& other) noexcept
    : table_(other.table_), inode_(std::exchange(other.inode_, nullptr)) {}

InodeTable::Pin& InodeTable::Pin::operator=(Pin&& other) noexcept {
  std::swap(table_, other.table_);
  std::swap(inode_, other.inode_);
  return *this;
}

InodeTable::Pin::~Pin() {
  if (inode_ != nullptr) table_->Unpin(inode_);
}

InodeTable::Pin InodeTable::Find(InodeKey key) {
  if (root_ && root_->key == key) return {this, root_.get()};
  auto& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.inodes.find(key);
  if (found == shard.inodes.end()) return {};
  ++found->second->pins;
  return {this, found->second.get()};
}

InodeTable::Pin InodeTable::FindOrMake(InodeKey key, UniqueFd path_fd, mode_t mode) {
  if (root_ && root_->key == key) return {this, root_.get()};
  auto& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  auto& inode = shard.inodes[key];
  if (!inode) inode = std::make_unique<Inode>(key, std::move(path_fd), mode & S_IFMT);
  ++inode->pins;
  return {this, inode.get()};
}

Node* InodeTable::SetRoot(InodeKey key, UniqueFd path_fd) {
  root_ = std::make_unique<Inode>(key, std::move(path_fd), S_IFDIR);
  root_->nodes.push_back(std::make_unique<Node>(root_.get(), View::kRaw, 0));
  root_->nodes.front()->references = 1;
  return root_->nodes.front().get();
}

Node* InodeTable::LookUp(Inode* inode, View view, std::uint32_t version) {
  auto& shard = ShardOf(inode->key);
  const std::lock_guard lock(shard.mutex);
  for (const auto& node : inode->nodes) {
    if (node->view != view) continue;
    const bool current = view == View::kRaw || node->version == version ||
                         (view == View::kPlain && node->writers != 0);
    if (!current) continue;
    ++node->references;
    return node.get();
  }
  inode->nodes.push_back(std::make_unique<Node>(inode, view, version));
  inode->nodes.back()->references = 1;
  node_count_.fetch_add(1);
  return inode->nodes.back().get();
}

Node* InodeTable::NewIngestNode(Inode* inode) {
  auto& shard = ShardOf(inode->key);
  const std::lock_guard lock(shard.mutex);
  inode->nodes.push_back(std::make_unique<Node>(inode, View::kIngest, 0));
  inode->nodes.back()->references = 1;
  node_count_.fetch_add(1);
  return inode->nodes.back().get();
}

void InodeTable::Reference(Node* node) {
  auto& shard = ShardOf(node->inode->key);
  const std::lock_guard lock(shard.mutex);
  ++node->references;
}

void InodeTable::Forget(Node* node, std::uint64_t count) {
  Inode* inode = node->inode;
  if (inode == root_.get()) return;
  std::unique_ptr<Inode> unused;
  {
    auto& shard = ShardOf(inode->key);
    const std::lock_guard lock(shard.mutex);
    node->references -= std::min(node->references, count);
    if (node->references != 0) return;
    std::erase_if(inode->nodes, [&](const auto& held) { return held.get() == node; });
    node_count_.fetch_sub(1);
    unused = TakeIfUnused(shard, inode);
  }
}

void InodeTable::Unpin(Inode* inode) {
  if (inode == root_.get()) return;
  std::unique_ptr<Inode> unused;
  {
    auto& shard = ShardOf(inode->key);
    const std::lock_guard lock(shard.mutex);
    --inode->pins;
    unused = TakeIfUnused(shard, inode);
  }
}

std::unique_ptr<Inode> InodeTable::TakeIfUnused(Shard& shard, Inode* inode) {
  if (inode->pins != 0 || !inode->nodes.empty()) return nullptr;
  const auto found = shard.inodes.find(inode->key);
  auto taken = std::move(found->second);
  shard.inodes.erase(found);
  return taken;
}

void InodeTable::ForNodes(Inode* inode, const std::function<void(Node&)>& visit) {
  auto& shard = ShardOf(inode->key);
  const std::lock_guard lock(shard.mutex);
  for (const auto& node : inode->nodes) visit(*node);
}

std::vector<InodeTable::Pin> InodeTable::Collect(const std::function<bool(const Inode&)>& want) {
  std::vector<Pin> pins;
  for (auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (auto& [key, inode] : shard.inodes) {
      if (!want(*inode)) continue;
      ++inode->pins;
      pins.emplace_back(this, inode.get());
    }
  }
  return pins;
}

}  // namespace sealway::sealfs
