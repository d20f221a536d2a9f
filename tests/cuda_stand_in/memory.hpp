// The memory of the stand-in's GPUs: memory of the host, with guards around it.
#pragma once

#include <cstddef>

namespace parconv::stand_in {

enum class Place {
  Pageable,  ///< any memory of the host that was not asked for here
  Pinned,
  Device,
};

/// nullptr if the device has not as much left. Full of numbers that are none.
void* allocate_device(std::size_t bytes, int device);
void* allocate_pinned(std::size_t bytes);
/// Gives up if bytes beside it were written. False if nothing begins at the address.
bool release(void* data, Place place);
std::size_t free_bytes(int device);

/// Where [data, data + bytes) is. Gives up if it is partly there and partly elsewhere.
Place place_of(const void* data, std::size_t bytes);

}  // namespace parconv::stand_in
