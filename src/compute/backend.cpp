// SPDX-License-Identifier: Apache-2.0
#include "parconv/compute/backend.hpp"

#include <algorithm>

#include "parconv/compute/conv_algorithm_chooser.hpp"
#include "parconv/core/error.hpp"
#ifdef PARCONV_HAVE_ONEDNN
#include "compute/onednn/onednn_backend.hpp"
#endif
#ifdef PARCONV_HAVE_CUDA
#include "compute/cudnn/cudnn_backend.hpp"
#include "compute/cudnn/cudnn_timing.hpp"
#endif

namespace parconv {
namespace {

DevicePlatform platform_of(const BackendOptions& options) {
  return options.device == nullptr ? DevicePlatform::Host : options.device->platform();
}

/// The backends of a platform, fastest first: `auto` is the first.
std::vector<std::string> names_for(DevicePlatform platform) {
#ifdef PARCONV_HAVE_CUDA
  if (platform == DevicePlatform::Cuda) return {"cudnn"};
#endif
  if (platform != DevicePlatform::Host) return {};
#ifdef PARCONV_HAVE_ONEDNN
  return {"onednn", "reference"};
#else
  return {"reference"};
#endif
}

const char* text_of(DevicePlatform platform) {
  switch (platform) {
    case DevicePlatform::Host:
      return "CPUs";
    case DevicePlatform::Cuda:
      return "a GPU";
    case DevicePlatform::Custom:
      break;
  }
  return "a device of the caller";
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// Resolves `auto`. Throws Error(Unavailable) for a name that the platform does not support.
std::string chosen_name(const BackendOptions& options) {
  const std::vector<std::string> names = names_for(platform_of(options));
  if (options.name == "auto" && !names.empty()) return names.front();
  if (std::find(names.begin(), names.end(), options.name) != names.end()) return options.name;
  throw Error(
      ExitCode::Unavailable, concat("this build has no backend \"", options.name, "\" for ", text_of(platform_of(options))),
      names.empty() ? "Create the backend where the device is created." : concat("Choose one of: auto, ", joined(names), "."));
}

}  // namespace

std::unique_ptr<Backend> make_backend(const BackendOptions& options) {
  PARCONV_EXPECT(options.threads >= 1, "threads ", options.threads);
  const std::string name = chosen_name(options);
#ifdef PARCONV_HAVE_CUDA
  if (name == "cudnn") return make_cudnn_backend(*options.device, options.gpu);
#endif
#ifdef PARCONV_HAVE_ONEDNN
  if (name == "onednn") {
    require_fast_on_cpu(options.type);
    return make_onednn_backend(options.threads);
  }
#endif
  return make_reference_backend();
}

std::unique_ptr<ConvAlgorithmChooser> make_conv_algorithm_chooser(const BackendOptions& options) {
  PARCONV_EXPECT(platform_of(options) == DevicePlatform::Cuda, "convolution algorithms of a GPU are chosen where there is one");
#ifdef PARCONV_HAVE_CUDA
  return make_cudnn_chooser(*options.device, options.gpu);
#else
  throw Error(ExitCode::Unavailable, "this build has no GPU support");
#endif
}

}  // namespace parconv
