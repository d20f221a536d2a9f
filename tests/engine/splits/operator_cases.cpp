// SPDX-License-Identifier: Apache-2.0
#include "engine/splits/operator_cases.hpp"

namespace parconv::test {

Network network_of(const OperatorCase& operator_case, Weights weights, int num_nodes) {
  RandomNetworkBuilder builder(17, weights);
  const auto elementwise = [&](ValueId src, int k) {
    const Activation leaky{.kind = ActivationKind::LeakyRelu, .alpha = 0.25F};
    return builder.activation(src, k % 2 == 0 ? leaky : Activation{.kind = ActivationKind::Clip, .alpha = -64, .beta = 64});
  };
  ValueId value = builder.input(operator_case.input, operator_case.ndims);
  const int before = num_nodes / 2;
  for (int k = 0; k < before; ++k) value = elementwise(value, k);
  value = operator_case.add(builder, value);
  for (int k = before + 1; k < num_nodes; ++k) value = elementwise(value, k);
  const Network network = builder.build({value});
  return num_nodes == 1 ? fuse(network) : network;
}

}  // namespace parconv::test
