// What parconv does with a model, from the file to a result, for models that may be wrong in any way.
#pragma once

#include <string>

#include "support/random.hpp"

namespace parconv::test {

/// How far a model came.
enum class Reached {
  Checked,  ///< read, planned, compiled and checked for all ranks; too large to be computed here
  Computed  ///< and computed by the engine, as the oracle computes it
};

/// Reads the model at `path`, describes it, plans a random split of 1 to 4 ranks, writes and reads the plan, compiles and checks
/// the programs of all ranks; computes small networks on one rank, by plain loops (the same bits as the oracle) and by the
/// fastest backend. Throws Error for a model that is refused; anything else is a mistake of parconv.
Reached process_model(const std::string& path, Random& random);

}  // namespace parconv::test
