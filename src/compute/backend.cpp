#include "parconv/compute/backend.hpp"

#include "parconv/core/error.hpp"
#ifdef PARCONV_HAVE_ONEDNN
#include "compute/onednn_backend.hpp"
#endif

namespace parconv {
namespace {

/// The fastest first: `auto` is the first.
std::vector<std::string> names_in_this_build() {
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
  const std::vector<std::string> names = names_in_this_build();
  const std::string& name = options.name == "auto" ? names.front() : options.name;
#ifdef PARCONV_HAVE_ONEDNN
  if (name == "onednn") {
    require_fast_on_cpu(options.type);
    return make_onednn_backend(options.threads);
  }
#endif
  if (name == "reference") return make_reference_backend();
  throw Error(ExitCode::Unavailable, concat("this build has no backend \"", name, "\""),
              concat("Choose one of: auto, ", joined(names), "."));
}

}  // namespace parconv
