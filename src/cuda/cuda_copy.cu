// SPDX-License-Identifier: Apache-2.0
#include "cuda/cuda_copy.hpp"

#include "cuda/cuda_for_each.hpp"
#include "cuda/cuda_half.hpp"
#include "parconv/core/error.hpp"
#include "parconv/tensor/box_copy.hpp"

namespace parconv {
namespace {

struct StreamExecutor {
  cudaStream_t stream = nullptr;

  template <class Function>
  void for_each(index_t count, const Function& function) const {
    cuda::for_each(count, function, stream);
  }

  void copy_rows(const std::byte* src, index_t src_pitch, std::byte* dst, index_t dst_pitch, std::size_t row_bytes,
                 index_t rows) const {
    if (rows == 1) return cuda::check(cudaMemcpyAsync(dst, src, row_bytes, cudaMemcpyDeviceToDevice, stream), "cudaMemcpyAsync");
    cuda::check(cudaMemcpy2DAsync(dst, static_cast<std::size_t>(dst_pitch), src, static_cast<std::size_t>(src_pitch), row_bytes,
                                  static_cast<std::size_t>(rows), cudaMemcpyDeviceToDevice, stream),
                "cudaMemcpy2DAsync");
  }
};

}  // namespace

void launch_copy_box(const std::byte* src, const OperandLayout& src_layout, std::byte* dst, const OperandLayout& dst_layout,
                     cudaStream_t stream) {
  PARCONV_EXPECT(src_layout.extents == dst_layout.extents, "src ", src_layout.extents, ", dst ", dst_layout.extents);
  PARCONV_EXPECT(src_layout.type == dst_layout.type || (is_element_type(src_layout.type) && is_element_type(dst_layout.type)),
                 name_of(src_layout.type), " to ", name_of(dst_layout.type));
  box_copy::BoxCopy<StreamExecutor>({src, src_layout}, {dst, dst_layout}, StreamExecutor{stream}).run();
}

}  // namespace parconv
