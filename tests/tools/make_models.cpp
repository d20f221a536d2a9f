// SPDX-License-Identifier: Apache-2.0
// parconv_make_models: writes the networks of the demonstrations and tests as ONNX files.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <span>
#include <sstream>

#include "parconv/core/error.hpp"
#include "tools/networks.hpp"

namespace {

using parconv::Error;
using parconv::ExitCode;
using parconv::test::NetworkOptions;

constexpr const char* usage =
    "usage: parconv_make_models NETWORK FILE.onnx [options]\n"
    "       parconv_make_models all FOLDER [options]\n"
    "networks: resnet50 vgg16 unet net3d small filters\n"
    "  --channels-scale X  factor for the channels, 1 is the published width (0.25)\n"
    "  --size HxW          fixed size (DxHxW for net3d), or any (unet, small, filters: any; others 224 or 128)\n"
    "  --batch N           fixed number of samples (symbolic)\n"
    "  --seed N            seed of the weights (1)\n"
    "  --integer           weights in {-1, 0, 1}\n";

template <class Number>
Number parse(const std::string& text, const std::string& option) {
  std::istringstream in(text);
  Number number{};
  char rest = 0;
  if (!(in >> number) || in >> rest || number < Number{0})
    throw Error(ExitCode::Usage, parconv::concat(option, " '", text, "' is not a non-negative number"));
  return number;
}

std::vector<parconv::index_t> parse_size(const std::string& text) {
  if (text == "any") return {0};
  std::vector<parconv::index_t> sizes;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, 'x');) sizes.push_back(parse<parconv::index_t>(part, "--size"));
  return sizes;
}

NetworkOptions parse_options(std::span<char* const> arguments) {
  NetworkOptions options;
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    const std::string name = arguments[k];
    if (name == "--integer") {
      options.is_integer = true;
      continue;
    }
    if (++k == arguments.size()) throw Error(ExitCode::Usage, parconv::concat(name, " is unknown or lacks a value"));
    const std::string value = arguments[k];
    if (name == "--channels-scale")
      options.channels_scale = parse<double>(value, name);
    else if (name == "--size")
      options.size = parse_size(value);
    else if (name == "--batch")
      options.batch = parse<parconv::index_t>(value, name);
    else if (name == "--seed")
      options.seed = parse<std::uint64_t>(value, name);
    else
      throw Error(ExitCode::Usage, parconv::concat("option ", name, " is not known"));
  }
  return options;
}

void run(std::span<char* const> arguments) {
  if (arguments.size() < 2) throw Error(ExitCode::Usage, "expected a network and a file");
  const std::string name = arguments[0];
  const std::filesystem::path target = arguments[1];
  const NetworkOptions options = parse_options(arguments.subspan(2));
  if (name != "all") return parconv::test::write_network(name, options, target.string());
  std::filesystem::create_directories(target);
  for (const std::string& each : parconv::test::network_names())
    parconv::test::write_network(each, options, (target / (each + ".onnx")).string());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    return EXIT_SUCCESS;
  } catch (const Error& error) {
    std::cerr << "parconv_make_models: " << error.what() << "\n" << usage;
    return static_cast<int>(error.code());
  }
}
