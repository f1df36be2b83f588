// A session-client's connection: see client_connection.h.
//
// Layer: native sessiond.
#include "sessiond/client_connection.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace sealway::sessiond {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kStreams = 3;
// Room for more than is allowed: what does not fit the kernel drops with MSG_CTRUNC alone.
constexpr std::size_t kMaxDescriptors = 8;

}  // namespace

bool ClientConnection::TakeDescriptors(msghdr& header) {
  bool fine = (header.msg_flags & MSG_CTRUNC) == 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::array<int, kMaxDescriptors> numbers{};
    std::memcpy(numbers.data(), CMSG_DATA(part), count * sizeof(int));
    const bool wanted = count == kStreams && !HasStreams();
    for (std::size_t i = 0; i < count; ++i) {
      UniqueFd fd(numbers.at(i));
      if (wanted) streams_.at(i) = std::move(fd);
    }
    fine = fine && wanted;
  }
  return fine;
}

ClientConnection::Input ClientConnection::Receive(
    const std::function<void(ClientMessage)>& on_message, std::string* fault) {
  std::array<char, kReadBytes> bytes;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxDescriptors * sizeof(int))> control;
  iovec part{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket_.Get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Input::kOpen : Input::kEnd;
  if (!TakeDescriptors(header)) {
    *fault = "exactly three descriptors come with the first message and none later";
    return Input::kFault;
  }
  if (got == 0) return Input::kEnd;
  reader_.Append({bytes.data(), static_cast<std::size_t>(got)});
  std::string line;
  for (;;) {
    const auto state = reader_.Next(&line);
    if (state == LineReader::State::kNeedMore) return Input::kOpen;
    if (state == LineReader::State::kTooLong) {
      *fault = "a line is longer than 1 MiB";
      return Input::kFault;
    }
    auto message = ParseClientMessage(line);
    if (!message) {
      *fault = message.GetError().detail;
      return Input::kFault;
    }
    on_message(std::move(*message));
  }
}

bool ClientConnection::Send(const nlohmann::json& message) {
  return writer_.Push(message) && Flush();
}

bool ClientConnection::Flush() { return writer_.Flush(Fd()) != LineWriter::State::kClosed; }

void ClientConnection::CloseStreams() noexcept {
  for (UniqueFd& stream : streams_) stream.Reset();
}

Result<Peer> PeerOf(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return FailErrno(errno, "SO_PEERCRED");
  }
  Peer peer{credentials.uid, credentials.gid, credentials.pid, {}};
  peer.groups.resize(64);
  for (;;) {
    size = static_cast<socklen_t>(peer.groups.size() * sizeof(gid_t));
    const int rc = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size);
    const int error = errno;
    peer.groups.resize(size / sizeof(gid_t));
    if (rc == 0) return peer;
    if (error != ERANGE) return FailErrno(error, "SO_PEERGROUPS");
  }
}

Result<Peer> PeerForUser(uid_t uid, pid_t pid) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> text;
  if (::getpwuid_r(uid, &entry, text.data(), text.size(), &found) != 0 || found == nullptr) {
    return Fail(ErrorCode::kInvalid, "there is no user with uid " + std::to_string(uid));
  }
  Peer peer{uid, entry.pw_gid, pid, {}};
  int count = 64;
  peer.groups.resize(static_cast<std::size_t>(count));
  while (::getgrouplist(entry.pw_name, entry.pw_gid, peer.groups.data(), &count) < 0) {
    peer.groups.resize(static_cast<std::size_t>(count));
  }
  peer.groups.resize(static_cast<std::size_t>(count));
  return peer;
}

mode_t UmaskOf(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  unsigned value = 022;
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("Umask:")) continue;
    value = static_cast<unsigned>(std::strtoul(line.c_str() + 6, nullptr, 8));
    break;
  }
  return static_cast<mode_t>(value & 0777);
}

}  // namespace sealway::sessiond
