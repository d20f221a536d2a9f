// Comparing what ranks compute with the oracle, layer by layer.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "parconv/engine/engine.hpp"
#include "parconv/engine/oracle.hpp"
#include "parconv/io/data_sink.hpp"

namespace parconv {

/// The same network with the result of every node as an output, in the order of the nodes.
Network with_all_outputs(const Network& network);

/// How much of a layer is compared.
enum class VerifyExtent {
  Samples,    ///< small boxes at both ends of what each rank owns, where cuts and edges are
  Everything  ///< all that each rank owns
};

/// Boxes of all values of a network that one rank compares; an empty box is not compared.
using BoxesOfValues = std::vector<Box>;

/// What `rank` compares, as passes of the oracle: boxes of one pass are close to each other, so that they depend on a small part
/// of the inputs.
std::vector<BoxesOfValues> boxes_to_verify(const Network& network, const Layout& layout, int rank, VerifyExtent extent);

/// Keeps the parts of what is written that lie in given boxes, and how large numbers are.
class KeepingSink final : public DataSink {
 public:
  KeepingSink(const Extents& extents, std::vector<Box> boxes);

  Extents extents() const override { return extents_; }
  Extents chunk() const override { return extents_; }
  void write(const Box& box, ConstView src) override;

  const std::vector<HostTensor>& kept() const { return kept_; }
  /// The largest finite magnitude of all that was written.
  double largest() const { return largest_; }

 private:
  Extents extents_;
  std::vector<HostTensor> kept_;
  double largest_ = 0;
};

/// How far one layer is from the oracle.
struct LayerDifference {
  NodeId node = -1;
  double worst = 0;    ///< largest absolute difference; infinite if one of two values is not a number
  double largest = 0;  ///< largest magnitude of the layer: compared values of the oracle, all values of the ranks
  double compared_elems = 0;

  /// `worst` in relation to `largest`; 0 if nothing differs.
  double relative() const;
};

/// The differences of two boxes of one layer, added to `difference`.
void compare(ConstView actual, ConstView expected, LayerDifference& difference);

/// Compares what the sinks of all nodes have kept with the oracle. Local; the caller reduces over ranks. `passes` are those the
/// sinks were made with, in their order.
std::vector<LayerDifference> differences_from_oracle(const Network& network, std::span<const KeepingSink> sinks,
                                                     std::span<const BoxesOfValues> passes, const OracleInput& input,
                                                     Backend& backend);

/// One sink per node, for the boxes of `passes`.
std::vector<KeepingSink> make_keeping_sinks(const Network& network, std::span<const BoxesOfValues> passes);

}  // namespace parconv
