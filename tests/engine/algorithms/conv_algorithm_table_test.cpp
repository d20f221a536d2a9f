// SPDX-License-Identifier: Apache-2.0
// Tables of convolution algorithms as files.
#include "parconv/engine/conv_algorithm_table.hpp"

#include <gmock/gmock.h>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const ConvAlgorithmMachine h200{.gpu = "NVIDIA H200", .major = 9, .minor = 0, .multiprocessors = 132, .library = "cuDNN 9.19.0"};

ConvAlgorithmTables two_machines() {
  ConvAlgorithmMachine a100 = h200;
  a100.gpu = "NVIDIA \"A100\"";
  return {{a100, {}},
          {h200,
           {{"a call", {.engine = 38, .knobs = {{2, 5}, {13, -1}}, .workspace_bytes = 131, .seconds = 1e-7 / 3}},
            {"another \\ call", {.engine = 0, .multiprocessors = 124}},
            {"none", {}}}}};
}

std::string refusal_of(const std::string& text) {
  try {
    conv_algorithms_from_json(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::BadData);
    return error.what();
  }
  return "no error";
}

/// The error of a valid file whose first `from` is replaced by `to`.
std::string refusal_after(const std::string& from, const std::string& to) {
  std::string text = conv_algorithms_to_json(two_machines());
  const std::size_t place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from << " in " << text;
  return refusal_of(text.replace(place, from.size(), to));
}

TEST(ConvAlgorithmTables, RoundTrip) {
  EXPECT_EQ(conv_algorithms_from_json(conv_algorithms_to_json(two_machines())), two_machines());
  EXPECT_EQ(conv_algorithms_from_json(conv_algorithms_to_json({})), ConvAlgorithmTables{});
}

TEST(ConvAlgorithmTables, HaveOneLinePerChoice) {
  EXPECT_EQ(
      conv_algorithms_to_json({{h200, {{"a call", {.engine = 38, .knobs = {{2, 5}}, .workspace_bytes = 131, .seconds = 0.5}}}}}),
      "{\"parconv_conv_algorithms\": 1, \"machines\": [\n"
      "{\"gpu\": \"NVIDIA H200\", \"major\": 9, \"minor\": 0, \"multiprocessors\": 132, \"library\": \"cuDNN 9.19.0\", "
      "\"choices\": {\n"
      "  \"a call\": {\"engine\":38,\"knobs\":[[2,5]],\"multiprocessors\":0,\"workspace_bytes\":131,\"seconds\":0.5}}}]}\n");
}

TEST(ConvAlgorithmTables, AreReadUnderTheFormerKey) {
  std::string text = conv_algorithms_to_json(two_machines());
  const std::string key = "parconv_conv_algorithms";
  EXPECT_EQ(conv_algorithms_from_json(text.replace(text.find(key), key.size(), "parconv_engines")), two_machines());
}

TEST(ConvAlgorithmTables, RejectDamagedTextWithThePosition) {
  EXPECT_THAT(refusal_of(""), StartsWith("convolution algorithms: the text is not JSON"));
  EXPECT_THAT(refusal_of("[]"), HasSubstr("the file is [], but must be an object"));
  EXPECT_THAT(refusal_of("{}"), HasSubstr("key \"parconv_conv_algorithms\" is missing"));
  EXPECT_THAT(refusal_of("{\"parconv_conv_algorithms\": 1}"), HasSubstr("key \"machines\" of the file is missing"));
  EXPECT_THAT(refusal_after("algorithms\": 1", "algorithms\": 2"), HasSubstr("is version 2, but this program reads version 1"));
  EXPECT_THAT(refusal_after("\"machines\": [", "\"machine\": ["), HasSubstr("key \"machine\" of the file is unknown"));
  EXPECT_THAT(refusal_after("\"gpu\"", "\"GPU\""), HasSubstr("key \"GPU\" of machine 0 is unknown"));
  EXPECT_THAT(refusal_after("132", "-132"), HasSubstr("key \"multiprocessors\" of machine 0 is -132"));
  EXPECT_THAT(refusal_after("\"cuDNN 9.19.0\"", "9.19"), HasSubstr("key \"library\" of machine 0 is 9.19, but must be a string"));
  EXPECT_THAT(refusal_after("NVIDIA H200", "NVIDIA \\\"A100\\\""),
              HasSubstr("machine 1 repeats the entry of NVIDIA \"A100\" (9.0, 132 "));
  EXPECT_THAT(refusal_after("\"engine\":38", "\"engine\":-2"),
              HasSubstr("key \"engine\" of the choice for \"a call\" of machine 1 is -2"));
  EXPECT_THAT(refusal_after("\"engine\":38,", ""),
              HasSubstr("key \"engine\" of the choice for \"a call\" of machine 1 is missing"));
  EXPECT_THAT(refusal_after("[2,5]", "[2,5,1]"), HasSubstr("a knob of the choice for \"a call\" of machine 1 is [2,5,1]"));
  EXPECT_THAT(refusal_after("[2,5]", "[2,\"5\"]"), HasSubstr("a knob of the choice for \"a call\" of machine 1 is \"5\""));
  EXPECT_THAT(refusal_after("[[2,5],[13,-1]]", "5"), HasSubstr("is 5, but must be a list"));
  EXPECT_THAT(refusal_after("\"workspace_bytes\":131", "\"workspace_bytes\":1e300"), HasSubstr("must be an integer"));
  EXPECT_THAT(refusal_after("\"seconds\":0.0", "\"seconds\":-1.0"), HasSubstr("is -1.0, but must be a number of seconds"));
  EXPECT_THAT(refusal_after("\"none\"", "\"a call\""), HasSubstr("key \"a call\" occurs twice"));
}

/// A file truncated anywhere is rejected, never read as a shorter one.
TEST(ConvAlgorithmTables, RejectTruncatedText) {
  const std::string text = conv_algorithms_to_json(two_machines());
  for (std::size_t size = 0; size + 1 < text.size(); ++size)
    EXPECT_THAT(refusal_of(text.substr(0, size)), StartsWith("convolution algorithms: ")) << size;
}

}  // namespace
}  // namespace parconv::test
