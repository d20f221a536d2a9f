// SPDX-License-Identifier: Apache-2.0
// Files: missing, truncated, of other formats, and external data.
#include <fstream>

#include "io/onnx/onnx_test.hpp"
#include "parconv/io/constants.hpp"
#include "support/random.hpp"

namespace parconv::test {
namespace {

constexpr index_t channels = 600;

std::vector<float> numbers() {
  std::vector<float> values;
  for (index_t k = 0; k < channels; ++k) values.push_back(static_cast<float>(k) / 4);
  return values;
}

/// y = x + w, where `add_weights` adds w of 600 channels.
OnnxWriter sum_with(const std::function<void(OnnxWriter&)>& add_weights) {
  OnnxWriter model;
  model.add_input("x", {1, channels, 2, 2});
  add_weights(model);
  model.add_node({.op_type = "Add", .inputs = {"x", "w"}, .outputs = {"y"}});
  model.add_output("y");
  return model;
}

void write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

std::string load_error(const std::string& path) {
  return error_of([&] { OnnxModel model(path); });
}

const ConstantData& weights_of(const Network& network) { return network.value(network.nodes.front().inputs[1]).constant; }

TEST(OnnxFile, Missing) {
  EXPECT_THAT(load_error("/nonexistent/model.onnx"), testing::StartsWith("66: cannot open '/nonexistent/model.onnx'"));
  EXPECT_THAT(load_error("/"), testing::StartsWith("66: '/' is not a regular file"));
}

TEST(OnnxFile, NotAModel) {
  const TemporaryFolder folder;
  const std::vector<std::string> files{"", "Hello, this is not a model at all.",
                                       std::string("\x89HDF\r\n\x1a\n", 8).append(100, '\0'), std::string(1000, '\xff'),
                                       std::string("\x08\x08", 2)};
  for (const std::string& bytes : files) {
    write(folder / "file", bytes);
    EXPECT_THAT(load_error(folder / "file"), testing::MatchesRegex("65: '.*/file' is not an ONNX model.*")) << bytes;
  }
}

TEST(OnnxFile, TruncatedAnywhere) {
  const OnnxWriter model = sum_with([](OnnxWriter& w) { w.add_initializer("w", float_tensor({channels, 1, 1}, numbers())); });
  const std::string bytes = model.serialized();
  const TemporaryFolder folder;
  for (std::size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 97) {
    write(folder / "cut.onnx", bytes.substr(0, size));
    const std::string error = error_of([&] { read_network(OnnxModel(folder / "cut.onnx")); });
    EXPECT_THAT(error, testing::StartsWith("65: ")) << size;
  }
}

/// Reading a damaged file ends in a network or an Error.
TEST(OnnxFile, DamagedAnywhere) {
  const OnnxWriter model = sum_with([](OnnxWriter& w) { w.add_initializer("w", float_tensor({channels, 1, 1}, numbers())); });
  const std::string bytes = model.serialized();
  const TemporaryFolder folder;
  Random random(7);
  int num_errors = 0;
  for (int k = 0; k < 500; ++k) {
    std::string damaged = bytes;
    for (int hits = 0; hits < 3; ++hits) {
      // Biased to the structure, at the beginning and the end.
      const index_t place =
          random.once_in(2) ? random.integer(0, 120) : static_cast<index_t>(bytes.size()) - random.integer(1, 60);
      damaged[static_cast<std::size_t>(place)] = static_cast<char>(random.integer(0, 255));
    }
    write(folder / "damaged.onnx", damaged);
    const std::string error = error_of([&] { read_network(OnnxModel(folder / "damaged.onnx")); });
    num_errors += error != "no error";
  }
  EXPECT_GT(num_errors, 250);
}

TEST(OnnxFile, LargeTensorsStayInTheFile) {
  const std::vector<std::function<void(OnnxWriter&)>> forms{
      [](OnnxWriter& model) { model.add_initializer("w", float_tensor({channels, 1, 1}, numbers())); },
      [](OnnxWriter& model) { model.add_float_data("w", {channels, 1, 1}, numbers()); },
      [](OnnxWriter& model) {
        model.add_node(
            {.op_type = "Constant", .attributes = {{"value", float_tensor({channels, 1, 1}, numbers())}}, .outputs = {"w"}});
      },
  };
  for (const auto& form : forms) {
    const TemporaryFolder folder;
    sum_with(form).save(folder / "model.onnx");
    const Network network = read_network(OnnxModel(folder / "model.onnx"));
    const ConstantData& data = weights_of(network);
    EXPECT_FALSE(data.values);
    EXPECT_EQ(data.file, folder / "model.onnx");
    EXPECT_EQ(data.count, channels);
    EXPECT_EQ(read_constant(data), numbers());
  }
}

TEST(OnnxFile, TypesOfWeights) {
  std::vector<double> doubles;
  std::vector<std::uint16_t> bfloats;
  std::vector<std::uint16_t> halves;
  for (index_t k = 0; k < channels; ++k) {
    doubles.push_back(static_cast<double>(k) / 4);
    bfloats.push_back(k % 2 == 0 ? 0x3fc0 : 0xc000);  // 1.5 and -2
    halves.push_back(k % 2 == 0 ? 0x3e00 : 0xc000);
  }
  const auto values = [](const OnnxTensor& tensor) {
    const TemporaryFolder folder;
    sum_with([&](OnnxWriter& model) { model.add_initializer("w", tensor); }).save(folder / "model.onnx");
    return read_constant(weights_of(read_network(OnnxModel(folder / "model.onnx"))));
  };
  EXPECT_EQ(values(double_tensor({channels, 1, 1}, doubles)), numbers());
  for (const auto& tensor :
       {half_tensor(OnnxType::Bfloat16, {channels, 1, 1}, bfloats), half_tensor(OnnxType::Float16, {channels, 1, 1}, halves)}) {
    const std::vector<float> found = values(tensor);
    ASSERT_EQ(found.size(), static_cast<std::size_t>(channels));
    EXPECT_EQ(found[0], 1.5F);
    EXPECT_EQ(found[1], -2.0F);
    EXPECT_EQ(found[599], -2.0F);
  }
}

/// The model of sum_with, its weights in "weights.bin" after 8 other bytes.
void save_external(const TemporaryFolder& folder, const OnnxExternal& external) {
  write(folder / "weights.bin", "8 bytes." + float_tensor({}, numbers()).bytes);
  sum_with([&](OnnxWriter& model) {
    model.add_external("w", {OnnxType::Float, {channels, 1, 1}, {}}, external);
  }).save(folder / "model.onnx");
}

std::string external_error(const OnnxExternal& external) {
  const TemporaryFolder folder;
  save_external(folder, external);
  return error_of([&] { read_network(OnnxModel(folder / "model.onnx")); });
}

TEST(OnnxExternalData, IsReadWhereItIs) {
  for (const char* length : {"2400", ""}) {
    const TemporaryFolder folder;
    save_external(folder, {.location = "weights.bin", .offset = "8", .length = length});
    const Network network = read_network(OnnxModel(folder / "model.onnx"));
    EXPECT_EQ(weights_of(network).offset_bytes, 8);
    EXPECT_EQ(read_constant(weights_of(network)), numbers());
  }
}

TEST(OnnxExternalData, Refusals) {
  const std::string start = "65: initializer 'w'";
  const std::vector<OnnxExternal> rows{
      {.location = "weights.bin", .offset = "12"},                   // only 2396 bytes remain of the 2400 needed
      {.location = "weights.bin", .offset = "8", .length = "2404"},  // beyond the end of the file
      {.location = "weights.bin", .offset = "8", .length = "2396"},  // fewer than the dimensions require
      {.location = "weights.bin", .offset = "-8"},
      {.location = "weights.bin", .offset = "9223372036854775807"},
      {.location = "weights.bin", .offset = "99999999999999999999"},
      {.location = "weights.bin", .offset = "8 "},
      {.location = "weights.bin", .offset = "8", .length = "many"},
      {.location = ""},
      {.location = "/etc/hostname"},
      {.location = "../weights.bin"},
      {.location = "sub/../../weights.bin"},
  };
  for (const OnnxExternal& row : rows)
    EXPECT_THAT(external_error(row), testing::StartsWith(start)) << row.location << " " << row.offset;
  EXPECT_THAT(external_error({.location = "ghost.bin"}), testing::StartsWith("66: initializer 'w': external data"));
}

TEST(OnnxExternalData, LinksMayNotLeaveTheFolder) {
  const TemporaryFolder elsewhere;
  write(elsewhere / "secret.bin", float_tensor({}, numbers()).bytes);
  const TemporaryFolder folder;
  save_external(folder, {.location = "link.bin"});
  std::filesystem::create_symlink(elsewhere / "secret.bin", folder / "link.bin");
  const auto error = [&] { return error_of([&] { read_network(OnnxModel(folder / "model.onnx")); }); };
  EXPECT_THAT(error(), testing::HasSubstr("is a symbolic link out of the model's folder"));
  std::filesystem::remove(folder / "link.bin");
  std::filesystem::create_symlink("weights.bin", folder / "link.bin");
  EXPECT_EQ(error(), "no error");
}

TEST(OnnxExternalData, AFileTruncatedAfterLoading) {
  const TemporaryFolder folder;
  save_external(folder, {.location = "weights.bin", .offset = "8"});
  const Network network = read_network(OnnxModel(folder / "model.onnx"));
  std::filesystem::resize_file(folder / "weights.bin", 1000);
  EXPECT_THAT(error_of([&] { read_constant(weights_of(network)); }), testing::HasSubstr("bytes of weights are missing"));
  std::filesystem::remove(folder / "weights.bin");
  EXPECT_THAT(error_of([&] { read_constant(weights_of(network)); }), testing::StartsWith("66: cannot open"));
}

}  // namespace
}  // namespace parconv::test
