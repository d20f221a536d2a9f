// SPDX-License-Identifier: Apache-2.0
#include "conformance/split_runs.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "parconv/comm/coordinated.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/engine/rank_plan.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/io/data_sink.hpp"
#include "parconv/io/memory_sink.hpp"
#include "parconv/io/memory_source.hpp"
#include "parconv/model/shape.hpp"
#include "parconv/plan/plan.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv::test {
namespace {

constexpr double absolute_tolerance = 1e-7;

bool is_divisible(const Network& network, Axis axis) {
  return std::any_of(network.values.begin(), network.values.end(),
                     [&](const Value& value) { return value.kind != ValueKind::Constant && value.extents[axis] > 1; });
}

int spatial_ndims_of(const Network& network) {
  int ndims = 2;
  for (const Value& value : network.values) ndims = std::max(ndims, value.ndims);
  return ndims - 2;
}

/// A network prepared on this rank.
struct Prepared {
  RankPlan job;
  std::optional<Engine> engine{};

  Prepared(const Network& network, const std::string& split, const Ranks& ranks)
      : job(make_rank_plan(network, plan_of(network, split, ranks.communicator.size()),
                           {.overlap = Overlap::On, .store = {.kind = StoreKind::Root}}, ranks.communicator.rank())) {
    engine.emplace(job.network, std::move(job.program), ranks.communicator, ranks.backend,
                   EngineOptions{.read_filter = make_filter_reader()});
  }

 private:
  static Plan plan_of(const Network& network, const std::string& split, int num_ranks) {
    return make_plan(network, parse_split(split, num_ranks, spatial_ndims_of(network)), num_ranks);
  }
};

std::vector<MemorySink> sinks_for(const Network& network) {
  std::vector<MemorySink> sinks;
  for (const ValueId id : network.outputs) sinks.emplace_back(network.value(id).extents);
  return sinks;
}

TestTensor tensor_of(const Value& value, const MemorySink& sink) {
  TestTensor tensor{.name = value.name, .dims = dims_of(shape_of(value))};
  tensor.values.resize(static_cast<std::size_t>(volume(value.extents)));
  to_onnx_order(sink.tensor().view(), tensor.values);
  return tensor;
}

/// The tolerance of the suite; for bfloat16 one unit in the last place, since the suite truncates where others round.
double relative_tolerance(DType type) { return type == DType::BF16 ? 1.0 / 128 : 1e-3; }

double difference_of(const TestTensor& actual, const TestTensor& expected, std::size_t k) {
  const auto a = static_cast<double>(actual.values[k]);
  const auto e = static_cast<double>(expected.values[k]);
  if (a == e || (std::isnan(a) && std::isnan(e))) return 0;
  const double difference = std::abs(a - e);
  if (std::isfinite(e) && difference <= absolute_tolerance + relative_tolerance(expected.type) * std::abs(e)) return difference;
  throw Error(ExitCode::BadData, concat("element ", k, " of output '", expected.name, "' is ", a, ", expected ", e));
}

/// A value without dimensions has one of 1 in parconv.
std::vector<index_t> dims_here(const std::vector<index_t>& dims) { return dims.empty() ? std::vector<index_t>{1} : dims; }

double compared(const TestTensor& actual, const TestTensor& expected) {
  if (actual.dims != dims_here(expected.dims) || actual.values.size() != expected.values.size())
    throw Error(ExitCode::BadData, concat("output '", expected.name, "' has ", actual.dims.size(), " dimensions and ",
                                          actual.values.size(), " elements, expected ", expected.dims.size(), " and ",
                                          expected.values.size(), ", or they are in another order"));
  double largest = 0;
  for (std::size_t k = 0; k < expected.values.size(); ++k) largest = std::max(largest, difference_of(actual, expected, k));
  return largest;
}

}  // namespace

std::vector<std::string> splits_of(const Network& network, int num_ranks) {
  if (num_ranks == 1) return {"1"};
  std::vector<std::string> splits;
  for (const Axis axis : {Axis::N, Axis::D, Axis::H, Axis::W})
    if (is_divisible(network, axis)) splits.emplace_back(name_of(axis));
  if (is_divisible(network, Axis::C)) splits.insert(splits.end(), {"f", "c"});
  if (std::ssize(network.nodes) >= num_ranks) splits.emplace_back("stages");
  splits.emplace_back("auto");
  return splits;
}

MemorySource source_of(const TestTensor& tensor) {
  const Shape shape = shape_from_dims(tensor.dims, concat("input '", tensor.name, "'"));
  HostTensor memory(Box::whole(shape.extents));
  from_onnx_order(std::as_bytes(std::span(tensor.values)), DType::F32, memory.view());
  return {std::move(memory), shape.ndims};
}

std::vector<TestTensor> run_split(const Network& network, const std::string& split, std::vector<MemorySource>& sources,
                                  const Ranks& ranks) {
  const std::unique_ptr<Prepared> prepared = coordinated(ranks.control, concat("preparing split ", split),
                                                         [&] { return std::make_unique<Prepared>(network, split, ranks); });
  std::vector<DataSource*> source_list;
  for (MemorySource& source : sources) source_list.push_back(&source);
  std::vector<MemorySink> sinks = sinks_for(network);
  std::vector<DataSink*> sink_list;
  for (MemorySink& sink : sinks) sink_list.push_back(&sink);
  prepared->engine->run({.sources = source_list, .sinks = sink_list}, 1);
  std::vector<TestTensor> outputs;
  if (ranks.control.rank() != 0) return outputs;
  for (std::size_t k = 0; k < sinks.size(); ++k) outputs.push_back(tensor_of(network.value(network.outputs[k]), sinks[k]));
  return outputs;
}

double compared(const std::vector<TestTensor>& actual, const std::vector<TestTensor>& expected) {
  if (actual.size() != expected.size())
    throw Error(ExitCode::BadData, concat("there are ", actual.size(), " outputs, expected ", expected.size()));
  double largest = 0;
  for (std::size_t k = 0; k < expected.size(); ++k) largest = std::max(largest, compared(actual[k], expected[k]));
  return largest;
}

}  // namespace parconv::test
