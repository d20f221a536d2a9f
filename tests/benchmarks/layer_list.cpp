// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/layer_list.hpp"

#include <charconv>
#include <fstream>
#include <sstream>

#include "parconv/core/error.hpp"

namespace parconv::bench {
namespace {

constexpr std::size_t num_fields = 12, num_more_fields = 14;

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, ',');) fields.push_back(field);
  return fields;
}

template <class Number>
Number number(const std::string& field, const std::string& line) {
  Number value{};
  const char* const end = field.data() + field.size();
  const auto result = std::from_chars(field.data(), end, value);
  if (result.ec == std::errc() && result.ptr == end) return value;
  throw Error(ExitCode::BadData, concat("\"", field, "\" is not a number, in the line ", line));
}

Layer layer_of(const std::string& line) {
  const std::vector<std::string> fields = fields_of(line);
  if (fields.size() != num_fields && fields.size() != num_more_fields)
    throw Error(ExitCode::BadData,
                concat(fields.size(), " fields instead of ", num_fields, " or ", num_more_fields, " in the line ", line));
  const auto integer = [&](std::size_t k) { return number<index_t>(fields[k], line); };
  return {.network = fields[0],
          .name = fields[1],
          .spatial_ndims = static_cast<int>(integer(3)),
          .ic = integer(4),
          .size = integer(5),
          .oc = integer(6),
          .kernel = integer(7),
          .stride = integer(8),
          .pad = integer(9),
          .out_size = integer(10),
          .gflop = number<double>(fields[11], line),
          .groups = fields.size() == num_fields ? 1 : integer(12),
          .dilation = fields.size() == num_fields ? 1 : integer(13)};
}

}  // namespace

std::vector<Layer> read_layers(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(ExitCode::InputMissing, concat("cannot open ", path), "Give a CSV file of layers.");
  std::vector<Layer> layers;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line))
    if (!line.empty()) layers.push_back(layer_of(line));
  return layers;
}

bool is_chosen(const Layer& layer, const LayerChoice& choice) {
  const std::string name = layer.network + " " + layer.name;
  return layer.bytes() <= choice.most_bytes && layer.gflop <= choice.max_gflop && name.find(choice.filter) != std::string::npos;
}

}  // namespace parconv::bench
