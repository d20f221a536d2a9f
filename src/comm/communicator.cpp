#include "parconv/comm/communicator.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

void Exchange::capture_start() { PARCONV_EXPECT(false, "an exchange that cannot be captured"); }
void Exchange::capture_finish() { PARCONV_EXPECT(false, "an exchange that cannot be captured"); }

}  // namespace parconv
