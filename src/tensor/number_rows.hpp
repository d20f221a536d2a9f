// SPDX-License-Identifier: Apache-2.0
// Rows of numbers: conversion between element types, scaling.
#pragma once

#include <span>

#include "parconv/core/types.hpp"

namespace parconv {

/// The numbers at `row`, of any element type that inputs have and at any alignment, as f32.
void floats_from_row(const std::byte* row, DType type, std::span<float> results);

/// The numbers rounded to an activation type.
void row_from_floats(std::span<const float> numbers, DType type, std::byte* row);

/// Scaling of one channel: x -> (x * scale - mean) / deviation.
struct ChannelScaling {
  float scale = 1;
  float mean = 0;
  float deviation = 1;
};
void scale_row(std::span<float> row, const ChannelScaling& scaling);

}  // namespace parconv
