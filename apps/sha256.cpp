// SPDX-License-Identifier: Apache-2.0
#include "sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <vector>

#include "parconv/core/error.hpp"
#include "parconv/device/resource_limits.hpp"

namespace parconv::app {
namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20;

void check(int status) {
  if (status != 1)
    throw Error(ExitCode::Config, "OpenSSL cannot compute SHA-256", "Check the providers in OpenSSL's configuration.");
}

class Sha256 {
 public:
  Sha256() { check(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr)); }

  void add(std::span<const std::byte> data) { check(EVP_DigestUpdate(context_.get(), data.data(), data.size())); }

  std::string digits() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    check(EVP_DigestFinal_ex(context_.get(), digest.data(), &size));
    std::string text;
    for (unsigned char byte : std::span(digest).first(size)) {
      text += "0123456789abcdef"[byte >> 4U];
      text += "0123456789abcdef"[byte & 15U];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype([](EVP_MD_CTX* context) { EVP_MD_CTX_free(context); })> context_{EVP_MD_CTX_new()};
};

}  // namespace

std::string sha256(std::span<const std::byte> data) {
  Sha256 hash;
  hash.add(data);
  return hash.digits();
}

std::string sha256_of_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (const auto limit = file ? std::nullopt : limit_error(concat("cannot read ", path), errno)) throw *limit;
  if (!file) throw Error(ExitCode::InputMissing, concat("cannot read ", path), "Check the path and the permissions.");
  Sha256 hash;
  std::vector<char> block(block_bytes);
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0)
    hash.add(std::as_bytes(std::span(block).first(static_cast<std::size_t>(file.gcount()))));
  if (file.bad()) throw Error(ExitCode::Io, concat("reading ", path, " failed"), "Check the disk and the path.");
  return hash.digits();
}

}  // namespace parconv::app
