// One session-client: who it is by the kernel's word, what it sent, and the streams it lends.
//
// Layer: native sessiond. Threads: one.
// Spec: docs/spec/sessiond-v1.md, "session-client -> sessiond".
// Attack: any local user may connect. The user is the socket's, never the message's; lines,
//   descriptors and waiting answers are bounded.
#ifndef SEALWAY_SESSIOND_CLIENT_CONNECTION_H_
#define SEALWAY_SESSIOND_CLIENT_CONNECTION_H_

#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <functional>
#include <string>

#include "common/json_lines.h"
#include "common/result.h"
#include "common/unique_fd.h"
#include "sessiond/protocol.h"

namespace sealway::sessiond {

class ClientConnection {
 public:
  enum class Input : std::uint8_t { kOpen, kEnd, kFault };

  ClientConnection(UniqueFd socket, Peer peer, mode_t umask)
      : peer_(std::move(peer)), umask_(umask), socket_(std::move(socket)) {}

  // Reads what is there and hands over whole messages. kFault: `fault` says why, in words that
  // may be sent back.
  [[nodiscard]] Input Receive(const std::function<void(ClientMessage)>& on_message,
                              std::string* fault);

  // Queues and sends. False when the peer is gone or does not read.
  [[nodiscard]] bool Send(const nlohmann::json& message);
  [[nodiscard]] bool Flush();

  [[nodiscard]] int Fd() const noexcept { return socket_.Get(); }
  [[nodiscard]] bool WantsToWrite() const noexcept { return !writer_.Empty(); }
  [[nodiscard]] const Peer& GetPeer() const noexcept { return peer_; }
  void SetPeer(Peer peer) { peer_ = std::move(peer); }
  [[nodiscard]] mode_t Umask() const noexcept { return umask_; }
  [[nodiscard]] bool HasStreams() const noexcept { return streams_[2].Valid(); }
  [[nodiscard]] int Stream(std::size_t index) const { return streams_.at(index).Get(); }
  // The session has its own copies from here on; a pipe must see its end when the session ends.
  void CloseStreams() noexcept;

 private:
  [[nodiscard]] bool TakeDescriptors(msghdr& header);

  Peer peer_;
  mode_t umask_;
  UniqueFd socket_;
  std::array<UniqueFd, 3> streams_;
  LineReader reader_{kMaxLineBytes};
  LineWriter writer_{64 * 1024};
};

// Who is at the other end: SO_PEERCRED and SO_PEERGROUPS. kIo.
[[nodiscard]] Result<Peer> PeerOf(int socket);

// The user as the system's database has it, for root starting a session in somebody's name.
// kInvalid when there is no such user.
[[nodiscard]] Result<Peer> PeerForUser(uid_t uid, pid_t pid);

// The umask of process `pid`, 022 when it cannot be read.
[[nodiscard]] mode_t UmaskOf(pid_t pid);

}  // namespace sealway::sessiond

#endif  // SEALWAY_SESSIOND_CLIENT_CONNECTION_H_
