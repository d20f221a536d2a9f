// What differs between oneDNN 2 and 3, and how its threads are set. Only sources that wrap oneDNN include this.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string>

#include "parconv/core/types.hpp"
#include "parconv/model/operators.hpp"

namespace parconv::onednn {

/// A forward convolution. Dilations are oneDNN's: 0 for neighbouring taps. A bias descriptor of zero dimensions means none.
struct ConvDescription {
  dnnl::memory::desc src{};
  dnnl::memory::desc weights{};
  dnnl::memory::desc bias{};
  dnnl::memory::desc dst{};
  dnnl::memory::dims strides{};
  dnnl::memory::dims dilates{};
  dnnl::memory::dims pad_lo{};
  dnnl::memory::dims pad_hi{};
};

/// The CPU engine and the stream on it, made on first use.
const dnnl::engine& cpu_engine();
const dnnl::stream& cpu_stream();

/// The same type in oneDNN's words. Precondition: f32 or bf16.
dnnl::memory::data_type data_type_of(DType type);

/// True if this CPU, as far as oneDNN makes use of it, has instructions for convolutions of `type`.
bool has_instructions_for(DType type);

/// oneDNN's first choice for a direct convolution. Throws dnnl::error if it has none.
dnnl::convolution_forward::primitive_desc describe(const ConvDescription& conv, const dnnl::primitive_attr& attributes);

/// Appends an activation to what is done to each result.
void append_activation(dnnl::post_ops& post_ops, const Activation& activation);

/// Throws Error(Unavailable) naming the call if `status` is not success. For calls of oneDNN's C interface.
void check(dnnl_status_t status, const char* call);

/// The number of threads of oneDNN calls made by the calling thread from now on. Nothing happens if the library was built
/// without OpenMP.
void use_threads(int threads);

/// "2.6.3".
std::string version();

}  // namespace parconv::onednn
