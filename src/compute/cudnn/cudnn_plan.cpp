// SPDX-License-Identifier: Apache-2.0
#include "compute/cudnn/cudnn_plan.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"

namespace parconv::cudnn {
namespace {

using Note = cudnnBackendNumericalNote_t;

#if CUDNN_VERSION >= 90800
void set_properties(Descriptor& descriptor, cudnnBackendAttributeName_t name, const Target& target) {
  if (target.properties != nullptr) descriptor.set_descriptor(name, *target.properties);
}
#define PARCONV_SET_PROPERTIES(descriptor, name, target) set_properties(descriptor, name, target)
#else
#define PARCONV_SET_PROPERTIES(descriptor, name, target) static_cast<void>(target)
#endif

/// A query of cuDNN's heuristics.
struct Question {
  cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
  int multiprocessors = 0;  ///< 0: all
};

/// The queries in order.
std::vector<Question> questions(const ConvAlgorithmRules& rules) {
  std::vector<Question> questions;
  if (rules.multiprocessors > 0) questions.push_back({.multiprocessors = rules.multiprocessors});
  questions.push_back({});
  questions.push_back({.mode = CUDNN_HEUR_MODE_FALLBACK});
  return questions;
}

/// The recommended configurations, best first; empty if the heuristics do not support the graph.
std::vector<Descriptor> recommended(const ConvGraph& graph, const Question& question, const Target& target) {
  Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set_descriptor(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.graph());
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, question.mode);
  if (question.multiprocessors > 0)
    heuristic.set(CUDNN_ATTR_ENGINEHEUR_SM_COUNT_TARGET, static_cast<std::int32_t>(question.multiprocessors));
  PARCONV_SET_PROPERTIES(heuristic, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, target);
  if (!heuristic.try_finalize()) return {};
  std::vector<Descriptor> configurations;
  std::vector<cudnnBackendDescriptor_t> descriptors;
  for (index_t k = heuristic.read_descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, {}); k > 0; --k) {
    configurations.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    descriptors.push_back(configurations.back().get());
  }
  const auto found = static_cast<std::size_t>(heuristic.read_descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, descriptors));
  configurations.erase(configurations.begin() + static_cast<std::ptrdiff_t>(std::min(found, configurations.size())),
                       configurations.end());
  return configurations;
}

Descriptor engine_of(const Descriptor& configuration) {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t descriptor = engine.get();
  configuration.read_descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, {&descriptor, 1});
  return engine;
}

std::vector<Note> notes_of(const Descriptor& engine) {
  std::array<Note, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
  const index_t count = engine.read(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, std::span<Note>(notes));
  return {notes.begin(), notes.begin() + std::min<index_t>(count, std::ssize(notes))};
}

/// cuDNN does not report the number of knobs, but fills as many entries as it needs.
std::vector<ConvAlgorithmKnob> knobs_of(const Descriptor& configuration) {
  std::vector<Descriptor> choices;
  std::vector<cudnnBackendDescriptor_t> descriptors;
  for (int k = 0; k < CUDNN_KNOB_TYPE_COUNTS; ++k) {
    choices.emplace_back(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
    descriptors.push_back(choices.back().get());
  }
  const index_t count = configuration.read_descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, descriptors);
  std::vector<ConvAlgorithmKnob> knobs;
  for (index_t k = 0; k < std::min(count, std::ssize(choices)); ++k) {
    const Descriptor& choice = choices[static_cast<std::size_t>(k)];
    knobs.push_back({.type = static_cast<int>(choice.read<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE)),
                     .value = choice.read<index_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE)});
  }
  return knobs;
}

/// Empty if the plan is not allowed or cuDNN cannot execute it.
std::optional<Plan> plan_of(const Descriptor& configuration, const ConvAlgorithmRules& rules, const Target& target) {
  const Descriptor engine = engine_of(configuration);
  if (!is_allowed(notes_of(engine), rules)) return std::nullopt;
  Plan plan;
  plan.engine = engine.read<index_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
  plan.plan.set_descriptor(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
  if (target.handle != nullptr) plan.plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target.handle);
  PARCONV_SET_PROPERTIES(plan.plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, target);
  if (!plan.plan.try_finalize()) return std::nullopt;
  plan.workspace_bytes = static_cast<std::size_t>(plan.plan.read<index_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
  if (plan.workspace_bytes > rules.most_workspace_bytes) return std::nullopt;
  plan.knobs = knobs_of(configuration);
  return plan;
}

std::optional<Descriptor> engine_of(const ConvAlgorithm& choice, const ConvGraph& graph, const Target& target) {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  engine.set_descriptor(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph.graph());
  engine.set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, choice.engine);
  if (choice.multiprocessors > 0)
    engine.set(CUDNN_ATTR_ENGINE_SM_COUNT_TARGET, static_cast<std::int32_t>(choice.multiprocessors));
  PARCONV_SET_PROPERTIES(engine, CUDNN_ATTR_ENGINE_DEVICEPROP, target);
  if (!engine.try_finalize()) return std::nullopt;
  return engine;
}

std::vector<Descriptor> knob_choices(std::span<const ConvAlgorithmKnob> knobs) {
  std::vector<Descriptor> choices;
  for (const ConvAlgorithmKnob& knob : knobs) {
    Descriptor& choice = choices.emplace_back(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
    choice.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, static_cast<cudnnBackendKnobType_t>(knob.type));
    choice.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, knob.value);
    choice.finalize();
  }
  return choices;
}

std::optional<Descriptor> configuration_of(const ConvAlgorithm& choice, const ConvGraph& graph, const Target& target) {
  const std::optional<Descriptor> engine = engine_of(choice, graph, target);
  if (!engine) return std::nullopt;
  const std::vector<Descriptor> knobs = knob_choices(choice.knobs);
  std::vector<cudnnBackendDescriptor_t> descriptors;
  for (const Descriptor& knob : knobs) descriptors.push_back(knob.get());
  Descriptor configuration(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  configuration.set_descriptor(CUDNN_ATTR_ENGINECFG_ENGINE, *engine);
  if (!descriptors.empty()) configuration.set_descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, descriptors);
  if (!configuration.try_finalize()) return std::nullopt;
  return configuration;
}

}  // namespace

bool is_allowed(std::span<const Note> notes, const ConvAlgorithmRules& rules) {
  return std::none_of(notes.begin(), notes.end(), [&](Note note) {
    switch (note) {
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
      case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
      case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
        return true;
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
        return rules.needs_whole_f32;
      case CUDNN_NUMERICAL_NOTE_FFT:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13:
        return rules.needs_exact_integers;
      default:
        return false;
    }
  });
}

#if CUDNN_VERSION >= 90800
Descriptor device_properties(int gpu) {
  Descriptor properties(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  properties.set(CUDNN_ATTR_DEVICEPROP_DEVICE_ID, static_cast<std::int32_t>(gpu));
  properties.finalize();
  return properties;
}

Descriptor device_properties(const std::string& json) {
  Descriptor properties(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  properties.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, std::span<const char>(json));
  properties.finalize();
  return properties;
}

std::string to_json(const Descriptor& properties) {
  const index_t size = properties.read(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, std::span<char>());
  std::string json(static_cast<std::size_t>(size), ' ');
  properties.read(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, std::span<char>(json));
  return json.substr(0, json.find('\0'));
}
#else
namespace {
[[noreturn]] void refuse_properties() {
  throw Error(ExitCode::Unavailable, concat("cuDNN ", version(), " cannot read descriptions of GPUs"), "Use cuDNN 9.8 or newer.");
}
}  // namespace
Descriptor device_properties(int) { refuse_properties(); }
Descriptor device_properties(const std::string&) { refuse_properties(); }
std::string to_json(const Descriptor&) { refuse_properties(); }
#endif

ConvAlgorithmRules rules_for(const StridedConv& conv, const GpuOptions& options, int multiprocessors) {
  const bool leaves_some = options.multiprocessors_left > 0 && options.multiprocessors_left < multiprocessors;
  return {.needs_whole_f32 = conv.src.type == DType::F32 && options.f32_products == F32Products::Whole,
          .needs_exact_integers = options.conv_algorithms == ConvAlgorithmChoice::Exact,
          .most_workspace_bytes = options.most_workspace_bytes,
          .multiprocessors = leaves_some ? multiprocessors - options.multiprocessors_left : 0};
}

ConvAlgorithm choice_of(const Plan& plan) {
  return {.engine = plan.engine,
          .knobs = plan.knobs,
          .multiprocessors = plan.multiprocessors,
          .workspace_bytes = static_cast<index_t>(plan.workspace_bytes),
          .seconds = plan.seconds};
}

std::optional<Plan> plan_of(const ConvAlgorithm& choice, const ConvGraph& graph, const ConvAlgorithmRules& rules,
                            const Target& target) {
  const bool is_known = std::all_of(choice.knobs.begin(), choice.knobs.end(), [](const ConvAlgorithmKnob& knob) {
    return knob.type >= 0 && knob.type < CUDNN_KNOB_TYPE_COUNTS;
  });
  if (!choice.computes() || !is_known) return std::nullopt;
  try {
    const std::optional<Descriptor> configuration = configuration_of(choice, graph, target);
    std::optional<Plan> plan = configuration ? plan_of(*configuration, rules, target) : std::nullopt;
    if (plan) plan->multiprocessors = choice.multiprocessors;
    return plan;
  } catch (const Error&) {
    return std::nullopt;  // indices unknown to this cuDNN
  }
}

std::vector<Plan> find_plans(const ConvGraph& graph, const ConvAlgorithmRules& rules, const Target& target, std::size_t most) {
  std::vector<Plan> plans;
  for (const Question& question : questions(rules)) {
    if (!plans.empty()) break;
    for (const Descriptor& configuration : recommended(graph, question, target)) {
      if (plans.size() == most) break;
      auto plan = plan_of(configuration, rules, target);
      if (!plan) continue;
      plan->multiprocessors = question.multiprocessors;
      plans.push_back(std::move(*plan));
    }
  }
  return plans;
}

Descriptor variant_pack(const ConvGraph& graph, const Addresses& addresses) {
  std::vector<std::int64_t> uids;
  std::vector<void*> pointers;
  for (const Uid uid : graph.uids()) {
    uids.push_back(static_cast<std::int64_t>(uid));
    pointers.push_back(const_cast<void*>(addresses.tensors[static_cast<std::size_t>(uid) - 1]));
  }
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, std::span<const std::int64_t>(uids));
  pack.set_pointers(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, pointers);
  pack.set_pointers(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {&addresses.workspace, 1});
  pack.finalize();
  return pack;
}

}  // namespace parconv::cudnn
