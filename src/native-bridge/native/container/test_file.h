// A sealed file in memory for tests: fields, keys and a head that parses.
#ifndef SEALWAY_CONTAINER_TEST_FILE_H_
#define SEALWAY_CONTAINER_TEST_FILE_H_

#include <cstdlib>
#include <string>
#include <utility>

#include "container/head.h"

namespace sealway {

inline Key32 TestKey(std::uint8_t value) {
  Key32 key;
  for (auto& byte : key.Mutable()) byte = value;
  return key;
}

inline SlotFields TestFields() {
  SlotFields fields;
  fields.chunk_log2 = 12;
  fields.flags = 0x80000001;
  fields.file_id.fill(0x11);
  fields.parent_id.fill(0x22);
  fields.device_id.fill(0x33);
  fields.created_ms = 1767225600123;
  fields.epoch = 7;
  fields.label = "confidential";
  fields.area = "research";
  fields.extensions = {1, 0, 1, 0, 'a', 0, 0x90, 0, 0};
  return fields;
}

// Ends the process when `result` is a failure, so that a test need not go on without its ground.
template <class T>
T Need(Result<T> result) {
  if (!result) std::abort();
  return std::move(result).Value();
}

// A file that has been sealed once: slot A open, slot B sealed and in force.
struct TestFile {
  Key32 key = TestKey(1);
  HeadSecret secret = Need(NewHeadSecret());
  ParsedHead head;

  TestFile() {
    head = Need(ParseHead(Need(MakeHead(TestFields(), secret, key))));
    SlotFields sealed = head.fields;
    sealed.state = kStateSealed;
    sealed.plain_size = 12345;
    secret.accumulator.fill(0xAC);
    static_cast<void>(Need(NextSlot(head, sealed, secret, key)));
  }
};

}  // namespace sealway

#endif  // SEALWAY_CONTAINER_TEST_FILE_H_
