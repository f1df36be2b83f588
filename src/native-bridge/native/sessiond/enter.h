// Going into a session that is there: one more program, or a folder's new mount.
//
// Layer: native sessiond. Threads: forks, so the caller has one thread.
// Spec: docs/spec/sessiond-v1.md, "join" and "remount".
#ifndef SEALWAY_SESSIOND_ENTER_H_
#define SEALWAY_SESSIOND_ENTER_H_

#include <string>

#include "common/result.h"
#include "sessiond/launcher.h"
#include "sessiond/protocol.h"
#include "sessiond/session.h"

namespace sealway::sessiond {

// Runs a program in the session with its user, namespaces, limits and system call filter. The
// process is a child of the caller. kIo names the step that failed.
[[nodiscard]] Result<LaunchedProcess> JoinSession(const Session& session, const Host& host,
                                                  const JoinMessage& join,
                                                  const SessionStreams& streams);

// Replaces what is mounted at `path` inside the session by a clone of what is mounted at `path`
// here. Programs keep what they have open of the old mount; new walks of the path see the new one.
// Service mode only: a user cannot clone a mount of the first namespace.
[[nodiscard]] Status RemountInSession(const Session& session, const std::string& path);
// The same for a session of another sessiond; kInvalid when it has ended.
[[nodiscard]] Status RemountInAdopted(const AdoptedSession& session, const std::string& path);

}  // namespace sealway::sessiond

#endif  // SEALWAY_SESSIOND_ENTER_H_
