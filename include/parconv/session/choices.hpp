// SPDX-License-Identifier: Apache-2.0
// Choices of a job as enumerations, with the single name of each value in command lines, messages and reports.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "parconv/compute/backend.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/engine/job_verification.hpp"
#include "parconv/program/options.hpp"

namespace parconv {

/// Device that ranks compute on. Auto: GPUs where every rank has one of its own, else CPUs.
enum class DeviceChoice { Auto, Cpu, Cuda };

/// Transport of messages between ranks. Auto: MPI between CPUs; NCCL between GPUs where available, else staged.
enum class TransportChoice {
  Auto,
  Mpi,    ///< between host memories; between GPUs by a CUDA-aware MPI library
  Nccl,   ///< between GPUs
  Staged  ///< between GPUs, through pinned host memory
};

/// Overlap of computation and messages. Auto: on in jobs of several hosts.
enum class OverlapChoice { Auto, On, Off };

/// Type of activations, and precision of f32 products. Tf32 keeps activations in f32 and rounds the factors of products.
enum class Numerics { F32, Tf32, BF16, F16 };

/// An enumerator and its name.
template <class Enum>
struct Named {
  const char* name;
  Enum value;
};

/// The names of an enumeration; specialised for each user-visible one.
template <class Enum>
struct Choices;

template <>
struct Choices<DeviceChoice> {
  static constexpr std::array names{Named<DeviceChoice>{"auto", DeviceChoice::Auto},
                                    Named<DeviceChoice>{"cpu", DeviceChoice::Cpu},
                                    Named<DeviceChoice>{"cuda", DeviceChoice::Cuda}};
};

template <>
struct Choices<TransportChoice> {
  static constexpr std::array names{
      Named<TransportChoice>{"auto", TransportChoice::Auto}, Named<TransportChoice>{"mpi", TransportChoice::Mpi},
      Named<TransportChoice>{"nccl", TransportChoice::Nccl}, Named<TransportChoice>{"staged", TransportChoice::Staged}};
};

template <>
struct Choices<OverlapChoice> {
  static constexpr std::array names{Named<OverlapChoice>{"auto", OverlapChoice::Auto},
                                    Named<OverlapChoice>{"on", OverlapChoice::On},
                                    Named<OverlapChoice>{"off", OverlapChoice::Off}};
};

template <>
struct Choices<Numerics> {
  static constexpr std::array names{Named<Numerics>{"f32", Numerics::F32}, Named<Numerics>{"tf32", Numerics::Tf32},
                                    Named<Numerics>{"bf16", Numerics::BF16}, Named<Numerics>{"f16", Numerics::F16}};
};

/// Types of outputs in files.
template <>
struct Choices<DType> {
  static constexpr std::array names{Named<DType>{"f32", DType::F32}, Named<DType>{"f16", DType::F16},
                                    Named<DType>{"bf16", DType::BF16}, Named<DType>{"u8", DType::U8},
                                    Named<DType>{"i16", DType::I16}};
};

template <>
struct Choices<LeafRule> {
  static constexpr std::array names{Named<LeafRule>{"fast", LeafRule::Coarse}, Named<LeafRule>{"ordered", LeafRule::Fine}};
};

template <>
struct Choices<GraphUse> {
  static constexpr std::array names{Named<GraphUse>{"auto", GraphUse::Auto}, Named<GraphUse>{"on", GraphUse::On},
                                    Named<GraphUse>{"off", GraphUse::Off}};
};

template <>
struct Choices<ConvAlgorithmChoice> {
  static constexpr std::array names{Named<ConvAlgorithmChoice>{"heuristic", ConvAlgorithmChoice::Heuristic},
                                    Named<ConvAlgorithmChoice>{"timed", ConvAlgorithmChoice::Timed},
                                    Named<ConvAlgorithmChoice>{"exact", ConvAlgorithmChoice::Exact}};
};

template <>
struct Choices<VerifyExtent> {
  static constexpr std::array names{Named<VerifyExtent>{"sampled", VerifyExtent::Samples},
                                    Named<VerifyExtent>{"full", VerifyExtent::Everything}};
};

/// The name of an enumerator: "auto" for DeviceChoice::Auto.
template <class Enum>
constexpr std::string_view choice_name(Enum value) {
  for (const Named<Enum>& each : Choices<Enum>::names)
    if (each.value == value) return each.name;
  return {};
}

/// The enumerator with this name; nullopt for an unknown name.
template <class Enum>
constexpr std::optional<Enum> choice_named(std::string_view name) {
  for (const Named<Enum>& each : Choices<Enum>::names)
    if (each.name == name) return each.value;
  return std::nullopt;
}

}  // namespace parconv
