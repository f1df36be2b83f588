// sealctr: seals and opens single files with a key from a descriptor; shows a head without any.
//
//   sealctr seal --key-fd N --label L --area A --epoch E [--chunk-log2 n] IN OUT
//   sealctr open --key-fd N IN OUT
//   sealctr info IN
//
// Layer: native tools. Prints one JSON object on stdout; on failure `CODE: detail` on stderr and
// exit 1 (2 for a wrong command line).
// The key comes as 64 hexadecimal digits through a descriptor, because argv and the environment can
// be read by others. OUT appears whole or not at all: it is written under another name beside it
// and renamed, so a crash leaves a `.part` file and never a partial document under OUT's name.
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/io.h"
#include "common/unique_fd.h"
#include "container/whole_file.h"

namespace sealway {
namespace {

using nlohmann::json;

struct CommandLine {
  std::map<std::string, std::string> options;
  std::vector<std::string> operands;
};

std::optional<CommandLine> ReadCommandLine(int argc, char** argv) {
  CommandLine line;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("--")) {
      line.operands.push_back(word);
    } else if (i + 1 < argc) {
      line.options[word] = argv[++i];
    } else {
      return std::nullopt;
    }
  }
  return line;
}

template <class T>
std::optional<T> Number(const CommandLine& line, const std::string& option) {
  const auto at = line.options.find(option);
  if (at == line.options.end()) return std::nullopt;
  T value{};
  const char* end = at->second.data() + at->second.size();
  const auto [stop, error] = std::from_chars(at->second.data(), end, value);
  return error == std::errc{} && stop == end ? std::optional(value) : std::nullopt;
}

Result<Key32> ReadKey(const CommandLine& line) {
  const auto fd = Number<int>(line, "--key-fd");
  if (!fd) return Fail(ErrorCode::kInvalid, "--key-fd is missing");
  std::array<std::uint8_t, 66> text;
  const auto got = ReadUpTo(*fd, text);
  Key32 key;
  bool right = false;
  if (got) {
    std::string_view hex(reinterpret_cast<const char*>(text.data()), *got);
    if (hex.ends_with('\n')) hex.remove_suffix(1);
    right = FromHex(hex, key.Mutable());
  }
  OPENSSL_cleanse(text.data(), text.size());
  if (!got) return got.GetError();
  if (!right) return Fail(ErrorCode::kInvalid, "the key is not 64 hexadecimal digits");
  return key;
}

Result<UniqueFd> OpenForReading(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return FailErrno(errno, "cannot open the input");
  return fd;
}

// Runs `write` on a new file beside `path` and renames it on success.
Result<json> WriteWhole(const std::string& path, const std::function<Result<json>(int)>& write) {
  const std::string part = path + "." + std::to_string(::getpid()) + ".part";
  const UniqueFd out(::open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out) return FailErrno(errno, "cannot make the output");
  auto result = write(out.Get());
  if (result && ::rename(part.c_str(), path.c_str()) != 0) {
    result = FailErrno(errno, "cannot rename the output");
  }
  if (!result) ::unlink(part.c_str());
  return result;
}

json Describe(const SlotFields& fields) {
  return {{"state", fields.state == kStateSealed ? "sealed" : "open"},
          {"minorVersion", fields.minor},
          {"suite", fields.suite},
          {"chunkSizeLog2", fields.chunk_log2},
          {"flags", fields.flags},
          {"generation", fields.generation},
          {"plainSize", fields.plain_size},
          {"fileId", ToHex(fields.file_id)},
          {"parentFileId", ToHex(fields.parent_id)},
          {"deviceId", ToHex(fields.device_id)},
          {"createdMs", fields.created_ms},
          {"epoch", fields.epoch},
          {"label", fields.label},
          {"area", fields.area},
          {"extensions", ToHex(fields.extensions)}};
}

json Findings(bool unclean, bool slot_damaged) {
  json findings = json::array();
  if (unclean) findings.push_back("unclean");
  if (slot_damaged) findings.push_back("slot-damaged");
  return findings;
}

std::uint64_t NowMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

Result<SlotFields> FieldsFrom(const CommandLine& line) {
  SlotFields fields;
  const auto epoch = Number<std::uint32_t>(line, "--epoch");
  const auto label = line.options.find("--label");
  const auto area = line.options.find("--area");
  if (!epoch || label == line.options.end() || area == line.options.end()) {
    return Fail(ErrorCode::kInvalid, "--label, --area and --epoch are needed");
  }
  if (line.options.contains("--chunk-log2")) {
    const auto log2 = Number<std::uint8_t>(line, "--chunk-log2");
    if (!log2) return Fail(ErrorCode::kInvalid, "--chunk-log2 is no number");
    fields.chunk_log2 = *log2;
  }
  fields.epoch = *epoch;
  fields.label = label->second;
  fields.area = area->second;
  fields.created_ms = NowMs();
  return fields;
}

Result<json> Seal(const CommandLine& line) {
  if (line.operands.size() != 2) return Fail(ErrorCode::kInvalid, "seal IN OUT");
  auto fields = FieldsFrom(line);
  if (!fields) return fields.GetError();
  const auto key = ReadKey(line);
  if (!key) return key.GetError();
  const auto in = OpenForReading(line.operands[0]);
  if (!in) return in.GetError();
  return WriteWhole(line.operands[1], [&](int out) -> Result<json> {
    const auto sealed = SealFile(in->Get(), out, *fields, *key);
    if (!sealed) return sealed.GetError();
    return Describe(*sealed);
  });
}

Result<json> Open(const CommandLine& line) {
  if (line.operands.size() != 2) return Fail(ErrorCode::kInvalid, "open IN OUT");
  const auto key = ReadKey(line);
  if (!key) return key.GetError();
  const auto in = OpenForReading(line.operands[0]);
  if (!in) return in.GetError();
  return WriteWhole(line.operands[1], [&](int out) -> Result<json> {
    const auto opened = OpenFile(in->Get(), out, *key);
    if (!opened) return opened.GetError();
    json answer = Describe(opened->fields);
    answer["plainSize"] = opened->plain_size;
    answer["findings"] = Findings(opened->unclean, opened->slot_damaged);
    return answer;
  });
}

Result<json> Info(const CommandLine& line) {
  if (line.operands.size() != 1) return Fail(ErrorCode::kInvalid, "info IN");
  const auto in = OpenForReading(line.operands[0]);
  if (!in) return in.GetError();
  const auto head = ReadHead(in->Get());
  if (!head) return head.GetError();
  struct stat status {};
  if (::fstat(in->Get(), &status) != 0) return FailErrno(errno, "fstat failed");
  json answer = Describe(head->fields);
  const auto size = CheckedPlainSize(head->fields, static_cast<std::uint64_t>(status.st_size));
  if (size) answer["plainSize"] = *size;
  answer["sizeCheck"] = size ? std::string("ok") : std::string(Name(size.Code()));
  answer["slot"] = head->slot_index == 0 ? "A" : "B";
  answer["findings"] = Findings(head->fields.state == kStateOpen, head->slot_damaged);
  answer["authenticated"] = false;
  return answer;
}

int Main(int argc, char** argv) {
  static const std::map<std::string, Result<json> (*)(const CommandLine&)> kCommands = {
      {"seal", Seal}, {"open", Open}, {"info", Info}};
  const auto command = argc > 1 ? kCommands.find(argv[1]) : kCommands.end();
  const auto line = ReadCommandLine(argc, argv);
  if (command == kCommands.end() || !line) {
    std::fputs("usage: sealctr seal|open|info …\n", stderr);
    return 2;
  }
  const auto result = command->second(*line);
  if (!result) {
    std::fprintf(stderr, "%s: %s\n", Name(result.Code()).data(), result.GetError().detail.c_str());
    return result.Code() == ErrorCode::kInvalid ? 2 : 1;
  }
  std::printf("%s\n", result->dump().c_str());
  return 0;
}

}  // namespace
}  // namespace sealway

int main(int argc, char** argv) { return sealway::Main(argc, argv); }
