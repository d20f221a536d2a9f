// SPDX-License-Identifier: Apache-2.0
#include "input_options.hpp"

#include <charconv>

#include "help_format.hpp"
#include "parconv/core/error.hpp"

namespace parconv::app {
namespace {

[[noreturn]] void refuse_text(const char* option, const std::string& text, const char* expected) {
  throw Error(ExitCode::Usage, concat(option, " '", text, "' is not ", expected));
}

/// Splits NAME=VALUE at the given position of '='; without '=', the whole text is VALUE.
ForInput<std::string> named_text(const std::string& text, std::size_t equals) {
  if (equals == std::string::npos) return {.value = text};
  return {.input = text.substr(0, equals), .value = text.substr(equals + 1)};
}

std::vector<ForInput<std::string>> input_files(const std::vector<std::string>& texts) {
  std::vector<ForInput<std::string>> files;
  for (const std::string& text : texts) {
    files.push_back(named_text(text, text.find('=')));
    if (files.back().input.empty() || files.back().value.empty()) refuse_text("--input", text, "NAME=FILE.h5");
  }
  return files;
}

std::vector<float> parse_numbers(const char* option, const std::string& text) {
  std::vector<float> numbers;
  for (const std::string& part : CLI::detail::split(text, ',')) {
    float number = 0;
    const auto [rest, status] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (status != std::errc{} || rest != part.data() + part.size()) refuse_text(option, text, "a list of numbers");
    numbers.push_back(number);
  }
  return numbers;
}

std::vector<ForInput<std::string>> named_texts(const std::vector<std::string>& texts) {
  std::vector<ForInput<std::string>> result;
  for (const std::string& text : texts) result.push_back(named_text(text, text.rfind('=')));
  return result;
}

std::vector<ForInput<std::vector<float>>> number_lists(const char* option, const std::vector<std::string>& texts) {
  std::vector<ForInput<std::vector<float>>> result;
  for (const ForInput<std::string>& each : named_texts(texts)) result.push_back({each.input, parse_numbers(option, each.value)});
  return result;
}

std::vector<ForInput<float>> numbers(const char* option, const std::vector<std::string>& texts) {
  std::vector<ForInput<float>> result;
  for (const ForInput<std::vector<float>>& each : number_lists(option, texts)) {
    if (each.value.size() != 1) refuse_text(option, concat(each.value.size(), " numbers"), "one number");
    result.push_back({each.input, each.value.front()});
  }
  return result;
}

}  // namespace

void add_input_options(CLI::App& app, InputTexts& texts) {
  app.add_option("--layout", texts.layouts, "axes of the input, slowest first: NHWC, CDHW (attribute layout, or NCHW)")
      ->allow_extra_args(false);
  const auto add = [&](const char* name, std::vector<std::string>& values, const char* help) {
    app.add_option(name, values, help)->allow_extra_args(false)->group(option_group::data);
  };
  add("--input", texts.files, "NAME=FILE.h5 or NAME=FILE.h5:/path: the data of one input of a model that has several");
  add("--scale", texts.scales,
      "factor of input elements (1), before (x * scale - mean) / std; these and --layout are for the first input, for another as "
      "NAME=VALUE");
  add("--mean", texts.means, "one number, or one per channel: 0.485,0.456,0.406");
  add("--std", texts.stds, "one number, or one per channel");
  app.add_flag("--pad-to-fit", texts.pads_to_fit,
               "extend inputs by reflection, at both ends, to the least sizes that fit the model, and crop the outputs")
      ->group(option_group::data);
}

void parse_inputs(const InputTexts& texts, InputRequest& request) {
  request.files = input_files(texts.files);
  request.layouts = named_texts(texts.layouts);
  request.scales = numbers("--scale", texts.scales);
  request.means = number_lists("--mean", texts.means);
  request.stds = number_lists("--std", texts.stds);
  request.sizes = texts.pads_to_fit ? SizePolicy::PadToFit : SizePolicy::AsGiven;
}

}  // namespace parconv::app
