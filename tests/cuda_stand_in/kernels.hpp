// The kernels that programs launch, as loops of the host.
#pragma once

#include <typeinfo>

#include "parconv/core/types.hpp"
#include "stream.hpp"

namespace parconv::stand_in {

/// Makes the work of a launch from the kernel's arguments: the addresses of an index_t and of a function object.
using MakeWork = Work (*)(void** arguments);

/// Lets launches of for_each_kernel with functions of this type do that work.
bool add_kernel(const std::type_info& function, MakeWork make_work);

}  // namespace parconv::stand_in
