// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/json/plan_json.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "json/json_checks.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using Json = nlohmann::json;
/// Preserves key order on output.
using OrderedJson = nlohmann::ordered_json;

constexpr int plan_version = 1;
/// Bound on the size of tables that a file can request.
constexpr int max_ranks = 1 << 20;

constexpr JsonChecks checks("plan");

// ---- writing -------------------------------------------------------------------------------------------------------------

OrderedJson split_to_json(const GridVector& parts) {
  OrderedJson split = OrderedJson::object();
  for (GridAxis axis : all_grid_axes)
    if (parts[axis] != 1) split[name_of(axis)] = parts[axis];
  return split;
}

OrderedJson node_to_json(const NodePlan& plan) {
  OrderedJson cuts = OrderedJson::object();
  for (Axis axis : all_axes)
    if (const Cuts& borders = plan.cuts[static_cast<std::size_t>(axis)]; borders.size() > 2) cuts[name_of(axis)] = borders;
  if (!plan.ic_cuts.empty()) cuts["ic"] = plan.ic_cuts;
  return {{"split", split_to_json(plan.grid.parts)}, {"first_rank", plan.grid.first_rank}, {"stage", plan.stage}, {"cuts", cuts}};
}

// ---- reading -------------------------------------------------------------------------------------------------------------

int small_integer(const Json& object, const char* key, const std::string& of, int lowest, int missing) {
  const std::string where = concat("key ", quoted(key), " of ", of);
  const auto found = object.find(key);
  return found == object.end() ? missing
                               : static_cast<int>(checks.integer(*found, where, lowest, std::numeric_limits<int>::max()));
}

GridVector parts_from_json(const Json& json, const std::string& where) {
  GridVector parts{{1, 1, 1, 1, 1, 1}};
  for (GridAxis axis : all_grid_axes) parts[axis] = small_integer(json, name_of(axis), where, 1, 1);
  return parts;
}

Cuts cuts_from_json(const Json& json, const std::string& where) {
  if (!json.is_array()) checks.refuse(where, concat("is ", json.dump(), ", but must be a list of cuts such as [0,8,16]"));
  Cuts cuts;
  for (const Json& border : json) cuts.push_back(checks.integer(border, where, 0, std::numeric_limits<index_t>::max()));
  return cuts;
}

/// Runs `make`; reports a split that does not fit as BadData of the file rather than as a usage error.
template <class Make>
auto as_bad_data(Make&& make) {
  try {
    return make();
  } catch (const Error& error) {
    throw Error(ExitCode::BadData, concat("plan: key \"default\" of the file: ", error.what()), error.hint());
  }
}

/// Parses one file for one network.
class PlanReader {
 public:
  PlanReader(const Json& json, const Network& network) : json_(json), network_(network) {}

  Plan run() {
    check_header();
    num_ranks_ = small_integer(json_, "ranks", "the file", 1, 0);
    if (num_ranks_ > max_ranks) checks.refuse("key \"ranks\" of the file", concat("is ", num_ranks_, ", more than ", max_ranks));
    if (num_ranks_ == 0) checks.refuse("key \"ranks\"", "is missing", "state the number of ranks: \"ranks\": 4");
    Plan plan = default_plan();
    if (const auto nodes = json_.find("nodes"); nodes != json_.end()) read_nodes(*nodes, plan);
    validate(plan, network_);
    return plan;
  }

 private:
  void check_header() const {
    checks.require_object(json_, "the file");
    const auto version = json_.find("parconv_plan");
    if (version == json_.end())
      checks.refuse("key \"parconv_plan\"", "is missing", "a plan begins with {\"parconv_plan\": 1, ...");
    if (*version != plan_version)
      checks.refuse("key \"parconv_plan\"",
                    concat("is version ", version->dump(), ", but this program reads version ", plan_version));
    checks.require_known_keys(json_, {"parconv_plan", "ranks", "stages", "default", "nodes"}, "the file");
  }

  Plan default_plan() const {
    const SplitRequest request = default_request();
    Plan plan = as_bad_data([&] { return make_plan(network_, request, num_ranks_); });
    const int stages = small_integer(json_, "stages", "the file", 1, plan.num_stages);
    if (stages < plan.num_stages)
      checks.refuse("key \"stages\" of the file", concat("is ", stages, ", but \"default\" asks for ", plan.num_stages),
                    "leave one of them out");
    plan.num_stages = stages;
    return plan;
  }

  SplitRequest default_request() const {
    const auto found = json_.find("default");
    if (found == json_.end()) return SplitPolicy::Auto;
    if (found->is_string())
      return as_bad_data([&] { return parse_split(found->get<std::string>(), num_ranks_, spatial_ndims()); });
    checks.require_object(*found, "key \"default\" of the file");
    checks.require_known_keys(*found, {"n", "f", "c", "d", "h", "w", "stages"}, "\"default\"");
    const Split split{.stages = small_integer(*found, "stages", "\"default\"", 1, 1),
                      .parts = parts_from_json(*found, "\"default\"")};
    check_size(split);
    return split;
  }

  void check_size(const Split& split) const {
    index_t ranks = split.stages;
    for (int count : split.parts.values) ranks = std::min(ranks * count, index_t{num_ranks_} + 1);
    if (ranks != num_ranks_)
      checks.refuse("key \"default\" of the file",
                    concat("has counts whose product is not ", num_ranks_, ", the number of ranks"),
                    "change its counts or \"ranks\"");
  }

  int spatial_ndims() const {
    return network_.inputs.empty() ? 0 : std::max(0, network_.value(network_.inputs.front()).ndims - 2);
  }

  void read_nodes(const Json& nodes, Plan& plan) const {
    checks.require_object(nodes, "key \"nodes\" of the file");
    std::unordered_map<std::string, std::size_t> ids;
    for (std::size_t id = 0; id < network_.nodes.size(); ++id) ids[network_.value(network_.nodes[id].output).name] = id;
    for (const auto& [name, json] : nodes.items()) {
      const auto id = ids.find(name);
      if (id == ids.end())
        checks.refuse(concat("tensor ", quoted(name)), "is not an output of any operator of the network",
                      "nodes are named by their output tensors after fusion; --dry-run writes a complete plan");
      read_node(json, quoted(name), network_.nodes[id->second], plan.nodes[id->second]);
    }
  }

  void read_node(const Json& json, const std::string& name, const Node& node, NodePlan& plan) const {
    checks.require_object(json, concat("the entry of ", name));
    checks.require_known_keys(json, {"split", "first_rank", "stage", "cuts"}, name);
    if (const auto split = json.find("split"); split != json.end()) {
      checks.require_object(*split, concat("key \"split\" of ", name));
      checks.require_known_keys(*split, {"n", "f", "c", "d", "h", "w"}, concat("\"split\" of ", name));
      plan.grid.parts = parts_from_json(*split, concat("\"split\" of ", name));
    }
    plan.grid.first_rank = small_integer(json, "first_rank", name, 0, 0);
    plan.stage = small_integer(json, "stage", name, 0, 0);
    check_ranks(plan.grid, name);
    plan.cuts = default_cuts(network_, node, plan.grid);
    plan.ic_cuts.clear();
    if (const auto cuts = json.find("cuts"); cuts != json.end()) read_cuts(*cuts, name, plan);
  }

  /// Precedes every allocation whose size comes from the file.
  void check_ranks(const Grid& grid, const std::string& name) const {
    index_t ranks = 1;
    for (int count : grid.parts.values) ranks = std::min(ranks * count, index_t{num_ranks_} + 1);
    if (grid.first_rank + ranks > num_ranks_)
      checks.refuse(concat("\"split\" of ", name),
                    concat("from rank ", grid.first_rank, " does not fit the ranks 0 to ", num_ranks_ - 1),
                    "lower its counts or \"first_rank\", or raise \"ranks\"");
  }

  void read_cuts(const Json& json, const std::string& name, NodePlan& plan) const {
    checks.require_object(json, concat("key \"cuts\" of ", name));
    checks.require_known_keys(json, {"n", "c", "d", "h", "w", "ic"}, concat("\"cuts\" of ", name));
    for (Axis axis : all_axes)
      if (const auto cuts = json.find(name_of(axis)); cuts != json.end())
        plan.cuts[static_cast<std::size_t>(axis)] = cuts_from_json(*cuts, concat("\"cuts\" along ", name_of(axis), " of ", name));
    if (const auto cuts = json.find("ic"); cuts != json.end())
      plan.ic_cuts = cuts_from_json(*cuts, concat("\"cuts\" along ic of ", name));
  }

  const Json& json_;
  const Network& network_;
  int num_ranks_ = 0;
};

}  // namespace

std::string plan_to_json(const Plan& plan, const Network& network) {
  PARCONV_EXPECT(plan.nodes.size() == network.nodes.size(), plan.nodes.size(), " nodes planned of ", network.nodes.size());
  std::string text = concat("{\"parconv_plan\": ", plan_version, ", \"ranks\": ", plan.num_ranks,
                            ", \"stages\": ", plan.num_stages, ", \"nodes\": {");
  for (std::size_t id = 0; id < plan.nodes.size(); ++id) {
    const std::string& name = network.value(network.nodes[id].output).name;
    text += concat(id == 0 ? "\n  " : ",\n  ", Json(name).dump(), ": ", node_to_json(plan.nodes[id]).dump());
  }
  return text + "}}\n";
}

Plan plan_from_json(std::string_view text, const Network& network) {
  const Json json = checks.parsed(text);
  return PlanReader(json, network).run();
}

}  // namespace parconv
