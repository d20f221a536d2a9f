// SPDX-License-Identifier: Apache-2.0
// libFuzzer target for records of progress. A mutated entry would hardly ever have the right hash, so a second reading frames the
// input as the contents of entries, whose hashes are right.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "io/resume/record_entry.hpp"
#include "parconv/io/resume/resume_record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parconv;
  const std::string input(reinterpret_cast<const char*>(data), size);
  static_cast<void>(parse_record(std::as_bytes(std::span(input))));
  std::string framed;
  std::uint64_t last_hash = 0;
  for (std::size_t at = 0; at + 2 <= input.size();) {
    const std::size_t length = static_cast<unsigned char>(input[at + 1]);
    framed += framed_entry(static_cast<std::uint32_t>(input[at]) % 6, input.substr(at + 2, length), last_hash);
    at += 2 + length;
  }
  const auto parsed = parse_record(std::as_bytes(std::span(framed)));
  if (parsed && parsed->valid_bytes > static_cast<index_t>(framed.size())) std::abort();
  return 0;
}
