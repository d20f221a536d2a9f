// SPDX-License-Identifier: Apache-2.0
#include "file_fault.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace parconv::faults {
namespace {

std::atomic<long> calls{0};

template <class Value>
struct Name {
  std::string_view text;
  Value value;
};

constexpr std::array operations{Name{"read", Operation::Read},         Name{"write", Operation::Write},
                                Name{"fsync", Operation::Sync},        Name{"rename", Operation::Rename},
                                Name{"open", Operation::Open},         Name{"close", Operation::Close},
                                Name{"truncate", Operation::Truncate}, Name{"allocate", Operation::Allocate}};
constexpr std::array kinds{Name{"lost", Kind::Lost}, Name{"flipped", Kind::Flipped}, Name{"short", Kind::Short},
                           Name{"slow", Kind::Slow}, Name{"hanging", Kind::Hanging}};
constexpr std::array errors{Name{"EIO", EIO},       Name{"ENOSPC", ENOSPC}, Name{"EDQUOT", EDQUOT}, Name{"EFBIG", EFBIG},
                            Name{"EACCES", EACCES}, Name{"EMFILE", EMFILE}, Name{"ESTALE", ESTALE}, Name{"EINTR", EINTR},
                            Name{"EROFS", EROFS},   Name{"EAGAIN", EAGAIN}};

template <class Names, class Value>
bool find(const Names& names, std::string_view text, Value& value) {
  for (const auto& name : names)
    if (name.text == text) {
      value = name.value;
      return true;
    }
  return false;
}

long number_of(std::string_view text) {
  long number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void set(FileFault& fault, std::string_view key, std::string_view value) {
  if (key == "op") find(operations, value, fault.operation);
  if (key == "kind" && !find(kinds, value, fault.kind)) find(errors, value, fault.error);
  if (key == "file") fault.file = value;
  if (key == "not") fault.excluded = value;
  if (key == "nth") fault.nth = number_of(value);
  if (key == "from") fault.is_permanent = value == "1";
  if (key == "ms") fault.milliseconds = number_of(value);
  if (key == "fired") value.copy(fault.fired.data(), fault.fired.size() - 1);
}

const char* launched_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"})
    if (const char* rank = std::getenv(name)) return rank;
  return nullptr;
}

FileFault from_environment() {
  FileFault fault;
  const char* const text = std::getenv("PARCONV_FILE_FAULT");
  const char* const rank = launched_rank();
  if (text == nullptr || rank == nullptr) return fault;
  std::string_view wanted_rank = rank;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view field = rest.substr(0, rest.find(','));
    rest.remove_prefix(field.size() < rest.size() ? field.size() + 1 : field.size());
    const std::size_t equals = field.find('=');
    if (equals == std::string_view::npos) continue;
    if (field.substr(0, equals) == "rank") wanted_rank = field.substr(equals + 1);
    set(fault, field.substr(0, equals), field.substr(equals + 1));
  }
  if (wanted_rank != rank) fault.operation = Operation::None;
  return fault;
}

void note_fired(const FileFault& fault) {
  if (fault.fired[0] == '\0') return;
  const long descriptor = ::syscall(SYS_openat, AT_FDCWD, fault.fired.data(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
  if (descriptor >= 0) ::syscall(SYS_close, descriptor);
}

}  // namespace

const FileFault& FileFault::of_process() {
  static const FileFault fault = from_environment();
  return fault;
}

bool FileFault::is_due(Operation called, std::string_view path) const {
  if (called != operation || path.find(file) == std::string_view::npos) return false;
  if (!excluded.empty() && path.find(excluded) != std::string_view::npos) return false;
  const long number = calls++;
  if (number < nth || (number > nth && !is_permanent)) return false;
  note_fired(*this);
  return true;
}

bool FileFault::is_due(Operation called, int descriptor) const {
  if (called != operation) return false;
  const int before = errno;
  std::array<char, 64> link{};
  std::array<char, 4096> path{};
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", descriptor);
  const ssize_t length = ::readlink(link.data(), path.data(), path.size());
  errno = before;
  return length > 0 && is_due(called, std::string_view(path.data(), static_cast<std::size_t>(length)));
}

void delay(const FileFault& fault) {
  if (fault.kind == Kind::Slow) {
    const timespec time{fault.milliseconds / 1000, fault.milliseconds % 1000 * 1000000};
    ::nanosleep(&time, nullptr);
  }
  while (fault.kind == Kind::Hanging) ::pause();
}

}  // namespace parconv::faults
