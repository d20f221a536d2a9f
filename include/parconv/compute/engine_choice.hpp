// Which engine of a GPU's library computes a call, as data: what ranks exchange and files keep.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv {

/// A setting of an engine; its type is the library's own number.
struct EngineKnob {
  int type = 0;
  index_t value = 0;

  friend bool operator==(const EngineKnob&, const EngineKnob&) = default;
};

struct EngineChoice {
  static constexpr index_t no_engine = -1;

  index_t engine = no_engine;  ///< the library's number
  std::vector<EngineKnob> knobs{};
  /// That the engine was told to use; 0: all.
  int multiprocessors = 0;
  index_t workspace_bytes = 0;
  double seconds = 0;  ///< as measured; 0: it was not

  /// False if the library was asked and does not compute the call.
  bool computes() const { return engine != no_engine; }

  friend bool operator==(const EngineChoice&, const EngineChoice&) = default;
};

/// Choices by call. The text of a call names everything that it depends on: shapes, strides, types, what is fused, and the rules.
using EngineChoices = std::map<std::string, EngineChoice>;

/// What choices are made for: they are of no use elsewhere.
struct EngineMachine {
  std::string gpu{};
  int major = 0;  ///< compute capability
  int minor = 0;
  int multiprocessors = 0;
  std::string library{};  ///< "cuDNN 9.19.0"

  friend auto operator<=>(const EngineMachine&, const EngineMachine&) = default;
};

/// "NVIDIA H200 (9.0, 132 multiprocessors), cuDNN 9.19.0".
std::string to_string(const EngineMachine& machine);

}  // namespace parconv
