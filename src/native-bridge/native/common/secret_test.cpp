// Keys in memory.
#include "common/secret.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "common/bytes.h"

namespace sealway {
namespace {

Key32 Filled(std::uint8_t value) {
  Key32 key;
  for (auto& byte : key.Mutable()) byte = value;
  return key;
}

TEST(Key32, BeginsAsZero) { EXPECT_TRUE(IsZero(Key32().Bytes())); }

TEST(Key32, ClonesAndMoves) {
  Key32 key = Filled(9);
  const Key32 copy = key.Clone();
  EXPECT_NE(copy.Data(), key.Data());
  const Key32 moved = std::move(key);
  EXPECT_TRUE(moved.Equals(copy));
  EXPECT_FALSE(moved.Equals(Key32()));
}

TEST(Key32, AssigningFreesTheOldOne) {
  Key32 key = Filled(1);
  key = Filled(2);
  EXPECT_TRUE(key.Equals(Filled(2)));
}

// The place of a key that has gone is given out again, and holds nothing of it. (The arena's pages
// stay mapped, so looking at the place is allowed.)
TEST(Key32, IsWipedWhenItGoes) {
  const std::uint8_t* place = nullptr;
  {
    const Key32 key = Filled(0xEE);
    place = key.Data();
  }
  EXPECT_TRUE(IsZero(std::span(place, Key32::kBytes)));
}

TEST(Key32, ManyHaveTheirOwnPlaces) {
  std::vector<Key32> keys;
  std::set<const std::uint8_t*> places;
  for (int i = 0; i < 2000; ++i) {
    keys.push_back(Filled(static_cast<std::uint8_t>(i)));
    places.insert(keys.back().Data());
  }
  EXPECT_EQ(places.size(), keys.size());
  for (int i = 0; i < 2000; ++i) {
    EXPECT_TRUE(keys[static_cast<std::size_t>(i)].Equals(Filled(static_cast<std::uint8_t>(i))));
  }
}

}  // namespace
}  // namespace sealway
