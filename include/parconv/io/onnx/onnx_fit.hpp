// SPDX-License-Identifier: Apache-2.0
// Data whose sizes do not fit a model, such as sizes that are no multiple of its strides.
#pragma once

#include <string>

#include "parconv/io/onnx/onnx_reader.hpp"

namespace parconv {

/// The treatment of data of sizes that a model cannot be read with.
enum class SizePolicy {
  AsGiven,   ///< refused
  PadToFit,  ///< extended by reflection to the least sizes that fit; outputs that grow with the input are cropped
};

/// The same as read_network for sizes that fit. For others, the sizes near them that fit are found by trying: at most 256 away,
/// on the spatial axes that the model leaves open, and in the proportions of the data for several inputs. No weights are read. By
/// SizePolicy::AsGiven the error states these sizes. Local. Throws as read_network, and Error(BadData) for an output that cannot
/// be cropped.
Network read_fitting_network(const OnnxModel& model, const ReadOptions& options, SizePolicy policy);

/// "H=500 does not fit this network: 496 and 512 do" for each such axis; empty if all sizes fit, or none near them does. Local.
std::string misfit_text(const OnnxModel& model, const ReadOptions& options);

}  // namespace parconv
