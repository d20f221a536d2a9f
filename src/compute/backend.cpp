#include "parconv/compute/backend.hpp"

#include <algorithm>

#include "parconv/compute/engine_chooser.hpp"
#include "parconv/core/error.hpp"
#ifdef PARCONV_HAVE_ONEDNN
#include "compute/onednn_backend.hpp"
#endif
#ifdef PARCONV_HAVE_CUDA
#include "compute/cudnn_backend.hpp"
#include "compute/cudnn_timing.hpp"
#endif

namespace parconv {
namespace {

/// True if operands are where only a GPU's kernels reach them.
bool is_on_gpu(const BackendOptions& options) {
  return options.device != nullptr && options.device->native_stream(DeviceLane::Compute) != nullptr;
}

/// What computes where the operands are, the fastest first: `auto` is the first.
std::vector<std::string> names_for(const BackendOptions& options) {
  if (is_on_gpu(options)) return {"cudnn"};
#ifdef PARCONV_HAVE_ONEDNN
  return {"onednn", "reference"};
#else
  return {"reference"};
#endif
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::unique_ptr<Backend> make_backend(const BackendOptions& options) {
  PARCONV_EXPECT(options.threads >= 1, "threads ", options.threads);
  const std::vector<std::string> names = names_for(options);
  const std::string& name = options.name == "auto" ? names.front() : options.name;
  if (std::find(names.begin(), names.end(), name) == names.end())
    throw Error(ExitCode::Unavailable,
                concat("no backend \"", name, "\" computes on ", is_on_gpu(options) ? "a GPU" : "CPUs", " in this build"),
                concat("Choose one of: auto, ", joined(names), "."));
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

std::unique_ptr<EngineChooser> make_engine_chooser(const BackendOptions& options) {
  PARCONV_EXPECT(is_on_gpu(options), "engines of a GPU are chosen where there is one");
#ifdef PARCONV_HAVE_CUDA
  return make_cudnn_chooser(*options.device, options.gpu);
#else
  throw Error(ExitCode::Unavailable, "this build has no GPU support");
#endif
}

}  // namespace parconv
