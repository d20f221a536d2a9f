// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/timed_run.hpp"

#include <algorithm>
#include <utility>

#include "parconv/comm/mpi/mpi_communicator.hpp"
#include "parconv/io/constants.hpp"
#include "parconv/io/data_sink.hpp"
#include "parconv/io/data_source.hpp"
#include "support/random.hpp"

namespace parconv::bench {
namespace {

HostTensor random_tensor(const Extents& extents) {
  HostTensor tensor(Box::whole(extents));
  const std::vector<float> values = test::Random(1).reals(volume(extents));
  std::copy(values.begin(), values.end(), reinterpret_cast<float*>(tensor.view().data));
  return tensor;
}

/// Repeats one sample for all micro-batches.
class RepeatingSource final : public DataSource {
 public:
  RepeatingSource(const Extents& extents, int ndims) : sample_(random_tensor(extents)), ndims_(ndims) {}

  Extents extents() const override { return sample_.box().extents(); }
  int ndims() const override { return ndims_; }
  void read(const Box& box, View dst) override {
    if (!box.is_empty()) copy(std::as_const(sample_).view(box.with(Axis::N, {0, 1})), dst);
  }

 private:
  HostTensor sample_;
  int ndims_;
};

class DiscardingSink final : public DataSink {
 public:
  explicit DiscardingSink(const Extents& extents) : extents_(extents) {}

  Extents extents() const override { return extents_; }
  Extents chunk() const override { return extents_; }
  void write(const Box&, ConstView) override {}

 private:
  Extents extents_;
};

Extents extents_of(const Layer& layer, index_t channels, index_t edge) {
  return {{1, channels, layer.spatial_ndims == 3 ? edge : 1, edge, edge}};
}

Window window_of(const Layer& layer) {
  Window window;
  for (Axis axis : spatial_axes)
    if (axis != Axis::D || layer.spatial_ndims == 3)
      window[axis] = {.kernel = layer.kernel, .stride = layer.stride, .pad_lo = layer.pad, .pad_hi = layer.pad};
  return window;
}

Conv conv_of(const Window& window, index_t ic, index_t oc) {
  const std::array<index_t, 3> k{window[Axis::D].kernel, window[Axis::H].kernel, window[Axis::W].kernel};
  const index_t taps = k[0] * k[1] * k[2];
  const float scale = 1.0F / static_cast<float>(ic * taps);
  ConstantData data{.count = oc * ic * taps};
  data.values = std::make_shared<const std::vector<float>>(test::Random(2).reals(data.count, -scale, scale));
  return {.window = window,
          .filter = {.data = std::move(data),
                     .oc = oc,
                     .ic_per_group = ic,
                     .kernel = k,
                     .strides = {ic * taps, taps, k[1] * k[2], k[2], 1}}};
}

Network with_input(const Extents& extents, int ndims) {
  Network network;
  network.values.push_back({.name = "input", .kind = ValueKind::Input, .extents = extents, .ndims = ndims});
  network.inputs = {0};
  return network;
}

/// Appends an operator to the last value; its result becomes the output.
void append(Network& network, Operator op, const Extents& extents, Epilogue epilogue = {}) {
  const auto made = static_cast<ValueId>(network.values.size());
  const std::string name = concat("layer", network.nodes.size());
  network.nodes.push_back(
      {.name = name, .op = std::move(op), .inputs = {made - 1}, .output = made, .epilogue = std::move(epilogue)});
  network.values.push_back({.name = name, .extents = extents, .ndims = network.values.front().ndims});
  network.outputs = {made};
}

Epilogue bias_and_relu(index_t channels) {
  return {.bias = test::Random(3).reals(channels), .activation = {.kind = ActivationKind::Relu}};
}

RankPlan job_of(Network network, const RunOptions& options, const Control& control) {
  Plan plan = make_plan(network, options.split, control.size());
  return make_rank_plan(std::move(network), std::move(plan), {.overlap = options.overlap}, control.rank());
}

bool is_counted(const Step& step, NodeId first_counted) {
  if (track_of(step.action) == Track::Io) return false;
  return step.node >= first_counted || !std::holds_alternative<Compute>(step.action);
}

}  // namespace

Network network_of(const Layer& layer) {
  const Extents in = extents_of(layer, layer.ic, layer.size);
  Network network = with_input(in, layer.spatial_ndims + 2);
  const auto channels = static_cast<std::size_t>(layer.ic);
  append(network, ScaleShift{.scale = std::vector<float>(channels, 1.0F), .shift = std::vector<float>(channels)}, in);
  append(network, conv_of(window_of(layer), layer.ic, layer.oc), extents_of(layer, layer.oc, layer.out_size),
         bias_and_relu(layer.oc));
  return network;
}

Network chain_of_pixels(int count, index_t channels) {
  const Extents extents{{1, channels, 1, 1, 1}};
  Network network = with_input(extents, 4);
  for (int k = 0; k < count; ++k) append(network, conv_of({}, channels, channels), extents, bias_and_relu(channels));
  return network;
}

TimedRun::TimedRun(Network network, const RunOptions& options, Control& control, Backend& backend)
    : first_counted_node_(options.first_counted_node),
      job_(job_of(std::move(network), options, control)),
      communicator_(make_mpi_communicator(control)) {
  const Value& input = job_.network.value(job_.network.inputs.front());
  source_ = std::make_unique<RepeatingSource>(input.extents, input.ndims);
  sink_ = std::make_unique<DiscardingSink>(job_.network.value(job_.network.outputs.front()).extents);
  engine_ = std::make_unique<Engine>(job_.network, job_.program, *communicator_, backend,
                                     EngineOptions{.read_filter = make_filter_reader()});
}

TrackTimes TimedRun::run(index_t micro_batches) {
  const TrackTimes before = spent();
  DataSource* const sources[] = {source_.get()};
  DataSink* const sinks[] = {sink_.get()};
  engine_->run({.sources = sources, .sinks = sinks}, micro_batches);
  const TrackTimes after = spent();
  const auto per_micro_batch = [&](double from, double to) { return (to - from) / static_cast<double>(micro_batches); };
  return {.compute_seconds = per_micro_batch(before.compute_seconds, after.compute_seconds),
          .communication_seconds = per_micro_batch(before.communication_seconds, after.communication_seconds)};
}

TrackTimes TimedRun::spent() const {
  TrackTimes times;
  const auto& steps = engine_->program().steps;
  for (std::size_t k = 0; k < steps.size(); ++k) {
    if (!is_counted(steps[k], first_counted_node_)) continue;
    const bool is_communication = track_of(steps[k].action) == Track::Communication;
    (is_communication ? times.communication_seconds : times.compute_seconds) += engine_->step_times()[k].seconds;
  }
  return times;
}

std::string TimedRun::implementation() const {
  const auto& steps = engine_->program().steps;
  const auto last = static_cast<NodeId>(job_.network.nodes.size()) - 1;
  for (std::size_t k = 0; k < steps.size(); ++k)
    if (steps[k].node == last && std::holds_alternative<Compute>(steps[k].action)) return engine_->implementation(k);
  return {};
}

}  // namespace parconv::bench
