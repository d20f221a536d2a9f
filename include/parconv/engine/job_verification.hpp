// SPDX-License-Identifier: Apache-2.0
// Compares the results of a job with the oracle, layer by layer.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "parconv/engine/engine.hpp"
#include "parconv/engine/oracle.hpp"
#include "parconv/io/data_sink.hpp"

namespace parconv {

/// The network with the result of every node as an output, in node order.
Network with_all_outputs(const Network& network);

/// The part of a layer that is compared.
enum class VerifyExtent {
  Samples,    ///< small boxes at both ends of each owned box, where cuts and edges lie
  Everything  ///< the whole owned box
};

/// One box per value of a network; an empty box is not compared.
using BoxesOfValues = std::vector<Box>;

/// The boxes that `rank` compares, grouped into oracle passes. Pure. Boxes of one pass lie close together, so they depend on a
/// small part of the inputs.
std::vector<BoxesOfValues> boxes_to_verify(const Network& network, const Layout& layout, int rank, VerifyExtent extent);

/// A sink that keeps the written data inside given boxes and the largest magnitude.
class KeepingSink final : public DataSink {
 public:
  KeepingSink(const Extents& extents, const std::vector<Box>& boxes);

  Extents extents() const override { return extents_; }
  Extents chunk() const override { return extents_; }
  void write(const Box& box, ConstView src) override;

  const std::vector<HostTensor>& kept() const { return kept_; }
  /// The largest finite magnitude of all written elements.
  double largest() const { return largest_; }

 private:
  Extents extents_;
  std::vector<HostTensor> kept_;
  double largest_ = 0;
};

/// The difference between one layer and the oracle.
struct LayerDifference {
  NodeId node = -1;
  double worst = 0;    ///< largest absolute difference; infinite if exactly one value is NaN
  double largest = 0;  ///< largest magnitude: compared oracle values and sums of magnitudes, all values of the ranks
  double compared_elems = 0;
  double different_elems = 0;  ///< with other bits; all NaNs are equal

  /// `worst` / `largest`; 0 if nothing differs.
  double relative() const;
};

/// Accumulates the difference of two boxes of one layer into `difference`. Precondition: equal extents.
void compare(ConstView actual, ConstView expected, LayerDifference& difference);

/// Compares the data kept by the sinks of all nodes with the oracle. Local; the caller reduces over ranks. Precondition: the
/// sinks were constructed with the same `passes`.
std::vector<LayerDifference> differences_from_oracle(const Network& network, std::span<const KeepingSink> sinks,
                                                     std::span<const BoxesOfValues> passes, const OracleInput& input,
                                                     Backend& backend);

/// One sink per node, for the boxes of `passes`.
std::vector<KeepingSink> make_keeping_sinks(const Network& network, std::span<const BoxesOfValues> passes);

}  // namespace parconv
