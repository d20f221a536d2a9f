// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/communicator.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

void UncapturedExchange::capture_start() { PARCONV_EXPECT(false, "an exchange that cannot be captured"); }
void UncapturedExchange::capture_finish() { PARCONV_EXPECT(false, "an exchange that cannot be captured"); }

}  // namespace parconv
