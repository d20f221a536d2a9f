// The seam to what times the engines of a GPU's library.
#pragma once

#include <memory>
#include <span>

#include "parconv/compute/backend.hpp"

namespace parconv {

/// Chooses engines before anything is prepared. Local: no method communicates.
class EngineChooser {
 public:
  virtual ~EngineChooser() = default;

  virtual EngineMachine machine() const = 0;

  /// The calls that a backend would make of `ops` and that `choices` says nothing about, each once, in order. A choice without an
  /// engine leads to the next way to ask for the same, so there may be others once these are answered.
  virtual std::vector<std::string> open_calls(std::span<const LocalOp> ops, const EngineChoices& choices) = 0;

  /// The fastest engine for a call that open_calls has named. Blocks; allocates the operands of the call meanwhile. Throws
  /// Error(OutOfMemory) if there is no room for them.
  virtual EngineChoice choose(const std::string& call) = 0;
};

/// For the backend that make_backend makes of the same options. Precondition: options.device is a GPU and outlives the chooser.
/// Throws Error(Unavailable) if its library does not work.
std::unique_ptr<EngineChooser> make_engine_chooser(const BackendOptions& options);

}  // namespace parconv
