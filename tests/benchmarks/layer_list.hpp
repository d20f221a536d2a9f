// SPDX-License-Identifier: Apache-2.0
// Convolution layers of published networks, from a CSV file.
#pragma once

#include <string>
#include <vector>

#include "parconv/core/types.hpp"

namespace parconv::bench {

/// A convolution of one sample, identical along all its spatial axes.
struct Layer {
  std::string network{};
  std::string name{};
  int spatial_ndims = 2;
  index_t ic = 1;
  index_t size = 1;
  index_t oc = 1;
  index_t kernel = 1;
  index_t stride = 1;
  index_t pad = 0;
  index_t out_size = 1;
  double gflop = 0;
  index_t groups = 1;
  index_t dilation = 1;

  /// Number of elements of a line, square or cube with this edge.
  index_t cells(index_t edge) const { return spatial_ndims == 3 ? edge * edge * edge : spatial_ndims == 2 ? edge * edge : edge; }
  index_t weight_elems() const { return oc * ic / groups * cells(kernel); }
  /// Memory in bytes of source, result, and the filter, of which both paths keep a packed copy.
  double bytes() const { return 4.0 * static_cast<double>(ic * cells(size) + oc * cells(out_size) + 3 * weight_elems()); }
};

/// Reads lines of network,layer,count,spatial_ndims,ic,size,oc,kernel,stride,pad,out_size,gflop_n1 and optionally
/// groups,dilation after a header line. Throws
/// Error(InputMissing), or Error(BadData) with the line.
std::vector<Layer> read_layers(const std::string& path);

/// Selection of layers: "network layer" contains `filter`, and the size is within the limit.
struct LayerChoice {
  std::string filter{};
  double max_gflop = 1e9;
  double most_bytes = 4e9;
};

bool is_chosen(const Layer& layer, const LayerChoice& choice);

}  // namespace parconv::bench
