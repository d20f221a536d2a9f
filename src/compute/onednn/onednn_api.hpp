// SPDX-License-Identifier: Apache-2.0
// Differences between oneDNN 2 and 3, and thread control. Included only by sources that wrap oneDNN.
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

/// The CPU engine and its stream, created on first use.
const dnnl::engine& cpu_engine();
const dnnl::stream& cpu_stream();

/// oneDNN's data type. Precondition: f32 or bf16.
dnnl::memory::data_type data_type_of(DType type);

/// True if oneDNN uses instructions of this CPU for convolutions of `type`.
bool has_instructions_for(DType type);

/// oneDNN's first choice for a direct convolution. Throws dnnl::error if it has none.
dnnl::convolution_forward::primitive_desc describe(const ConvDescription& conv, const dnnl::primitive_attr& attributes);

/// Appends an activation to the post-ops.
void append_activation(dnnl::post_ops& post_ops, const Activation& activation);

/// Throws Error(Unavailable) naming the call if `status` is not success. For calls of oneDNN's C interface.
void check(dnnl_status_t status, const char* call);

/// Sets the number of threads of later oneDNN calls by the calling thread. No effect if oneDNN was built without OpenMP.
void use_threads(int threads);

/// "2.6.3".
std::string version();

}  // namespace parconv::onednn
