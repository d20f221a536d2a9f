// SPDX-License-Identifier: Apache-2.0
#include "compute/onednn/onednn_api.hpp"

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl_version.h>

#include "parconv/core/error.hpp"

namespace parconv::onednn {
namespace {

constexpr auto forward = dnnl::prop_kind::forward_inference;
constexpr auto direct = dnnl::algorithm::convolution_direct;

void append_eltwise(dnnl::post_ops& post_ops, dnnl::algorithm algorithm, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
  post_ops.append_eltwise(algorithm, alpha, beta);
#else
  post_ops.append_eltwise(1.0f, algorithm, alpha, beta);
#endif
}

/// Looks up a function of the OpenMP runtime loaded by oneDNN, so that parconv links none of its own.
template <class Function>
Function openmp_function(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

const dnnl::stream& cpu_stream() {
  static const dnnl::stream stream(cpu_engine());
  return stream;
}

dnnl::memory::data_type data_type_of(DType type) {
  PARCONV_EXPECT(type == DType::F32 || type == DType::BF16, name_of(type));
  return type == DType::BF16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

/// The bits of an instruction set include those of its subsets.
bool has_instructions_for(DType type) {
  if (type != DType::BF16) return type == DType::F32;
  const auto found = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (found & wanted) == wanted;
}

dnnl::convolution_forward::primitive_desc describe(const ConvDescription& conv, const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  return {cpu_engine(), forward,      direct,       conv.src,    conv.weights, conv.bias,
          conv.dst,     conv.strides, conv.dilates, conv.pad_lo, conv.pad_hi,  attributes};
#else
  const dnnl::convolution_forward::desc description(forward, direct, conv.src, conv.weights, conv.bias, conv.dst, conv.strides,
                                                    conv.dilates, conv.pad_lo, conv.pad_hi);
  return {description, attributes, cpu_engine()};
#endif
}

void append_activation(dnnl::post_ops& post_ops, const Activation& activation) {
  switch (activation.kind) {
    case ActivationKind::None:
      return;
    case ActivationKind::Relu:
      return append_eltwise(post_ops, dnnl::algorithm::eltwise_relu, 0, 0);
    case ActivationKind::LeakyRelu:
      return append_eltwise(post_ops, dnnl::algorithm::eltwise_relu, activation.alpha, 0);
    case ActivationKind::Clip:
      return append_eltwise(post_ops, dnnl::algorithm::eltwise_clip, activation.alpha, activation.beta);
    default:
      PARCONV_EXPECT(false, "an activation that oneDNN is not trusted with");
  }
}

void check(dnnl_status_t status, const char* call) {
  if (status == dnnl_success) return;
  throw Error(ExitCode::Unavailable, concat("oneDNN ", version(), ": ", call, " failed with status ", static_cast<int>(status)),
              "This is a limitation of oneDNN. Use another version of it, or another device.");
}

void use_threads(int threads) {
  using GetMaxThreads = int (*)();
  using SetNumThreads = void (*)(int);
  static const auto get_max_threads = openmp_function<GetMaxThreads>("omp_get_max_threads");
  static const auto set_num_threads = openmp_function<SetNumThreads>("omp_set_num_threads");
  if (get_max_threads == nullptr || set_num_threads == nullptr || get_max_threads() == threads) return;
  set_num_threads(threads);
}

std::string version() {
  const dnnl_version_t* found = dnnl_version();
  return concat(found->major, ".", found->minor, ".", found->patch);
}

}  // namespace parconv::onednn
