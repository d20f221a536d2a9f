// Which calls of a library convolutions come down to, before any is prepared.
#pragma once

#include <functional>

#include "compute/conv_library.hpp"
#include "parconv/compute/engine_chooser.hpp"

namespace parconv {

/// The call as text: its operands with strides and types, the window, what is fused, and the options that rule out engines.
std::string key_of(const StridedConv& conv, const GpuOptions& options);

/// The distinct calls of `library` that the convolutions among `ops` come down to while `choices` answers for it, in the order in
/// which they are asked for; a call without an answer counts as one that is computed. Reads no filters.
std::vector<StridedConv> calls_of(std::span<const LocalOp> ops, ConvLibrary& library, const GpuOptions& options,
                                  const EngineChoices& choices);

/// Times engines for one call.
using ConvTimer = std::function<EngineChoice(const StridedConv& conv)>;

/// What a chooser is made of. A choice that takes more workspace than the options allow counts as none.
struct ConvChooserParts {
  EngineMachine machine{};
  std::unique_ptr<ConvLibrary> library{};  ///< says what it fuses; makes no calls
  GpuOptions options{};
  ConvTimer time{};
};

std::unique_ptr<EngineChooser> make_conv_chooser(ConvChooserParts parts);

}  // namespace parconv
