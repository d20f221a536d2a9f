// SPDX-License-Identifier: Apache-2.0
#include "parconv/plan/split.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <vector>

#include "parconv/core/error.hpp"
#include "parconv/core/overloaded.hpp"

namespace parconv {
namespace {

/// Target of a factor: the network by depth, or a grid axis.
struct Target {
  bool is_stages = false;
  GridAxis axis = GridAxis::N;

  friend bool operator==(const Target&, const Target&) = default;
};

struct Factor {
  std::string text{};
  Target target{};
  std::optional<int> count{};
};

std::string name_of(const Target& target) { return target.is_stages ? "stages" : name_of(target.axis); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> comma_separated(std::string_view text) {
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    fields.push_back(trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return fields;
}

std::optional<SplitPolicy> policy_of(std::string_view word) {
  if (word == "auto") return SplitPolicy::Auto;
  if (word == "rule") return SplitPolicy::Rule;
  return std::nullopt;
}

/// Reads one --split argument for one job.
class SplitParser {
 public:
  SplitParser(std::string_view spec, int num_ranks, int spatial_ndims)
      : spec_(trimmed(spec)), num_ranks_(num_ranks), spatial_ndims_(spatial_ndims) {}

  SplitRequest run() {
    if (const std::optional<SplitPolicy> policy = policy_of(spec_)) return *policy;
    if (spec_.empty()) refuse("is empty", concat("use auto, or ", suggestions()));
    if (spec_ != "1")
      for (std::string_view field : comma_separated(spec_)) factors_.push_back(factor(field));
    return product();
  }

 private:
  [[noreturn]] void refuse(const std::string& why, const std::string& hint) const {
    throw Error(ExitCode::Usage, concat("split '", spec_, "' ", why), hint);
  }

  Factor factor(std::string_view field) const {
    const std::size_t equals = field.find('=');
    const std::string_view name = trimmed(field.substr(0, equals));
    if (name.empty()) refuse("has a factor without a name", "write a comma-separated product such as h=2,w=2");
    if (policy_of(name))
      refuse(concat("mixes ", name, " with other factors"), concat(name, " cannot be combined: it chooses the whole split"));
    Factor result{.text = std::string(field), .target = target(name)};
    for (const Factor& other : factors_)
      if (other.target == result.target)
        refuse(concat("names ", name_of(result.target), " twice ('", other.text, "' and '", field, "')"), "name every axis once");
    if (equals != std::string_view::npos) result.count = count(field, trimmed(field.substr(equals + 1)));
    return result;
  }

  Target target(std::string_view name) const {
    if (name == "stages" || name == "pipeline") return {.is_stages = true};
    if (name == "batch") return {.axis = GridAxis::N};
    if (name == "filter") return {.axis = GridAxis::F};
    if (name == "channel") return {.axis = GridAxis::C};
    if (name == "spatial") return {.axis = spatial_ndims_ == 3 ? GridAxis::D : GridAxis::H};
    for (GridAxis axis : all_grid_axes)
      if (name == parconv::name_of(axis)) return checked(axis);
    refuse(concat("names the unknown axis '", name, "'"),
           "the axes are n (batch), f (filter), c (channel), d, h, w (spatial) and stages (pipeline), or auto or rule");
  }

  Target checked(GridAxis axis) const {
    const bool is_missing = (axis == GridAxis::D && spatial_ndims_ < 3) || (axis == GridAxis::W && spatial_ndims_ < 2);
    if (is_missing)
      refuse(concat("divides ", parconv::name_of(axis), ", but the data has ", spatial_ndims_, " spatial dimension",
                    spatial_ndims_ == 1 ? "" : "s"),
             spatial_ndims_ == 2 ? "2-D data has the axes h and w" : "1-D data has the axis h");
    return {.axis = axis};
  }

  int count(std::string_view field, std::string_view digits) const {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc::result_out_of_range)
      refuse(concat("has the count '", digits, "', which is too large"), concat("use ", suggestions()));
    if (error != std::errc() || end != digits.data() + digits.size())
      refuse(concat("has '", field, "', whose count is not an integer"), "write a factor as axis=count, such as h=4");
    if (value < 1) refuse(concat("has '", field, "', but a count must be at least 1"), "leave out axes that are not divided");
    return value;
  }

  /// The product of the factors; the one without a count takes the remaining ranks.
  Split product() const {
    const Factor* open = nullptr;
    index_t needed = 1;
    for (const Factor& factor : factors_) {
      if (factor.count) needed = multiplied(needed, *factor.count);
      if (factor.count) continue;
      if (open != nullptr)
        refuse(concat("leaves both ", open->text, " and ", factor.text, " without a count"),
               "only one axis can take the remaining ranks");
      open = &factor;
    }
    if (open != nullptr && num_ranks_ % needed != 0)
      refuse(concat("leaves no integer count for ", open->text, ": ", num_ranks_, " is not a multiple of ", needed),
             concat("use ", suggestions()));
    if (open == nullptr && needed != num_ranks_) refuse_number(needed);
    return split_of(static_cast<int>(num_ranks_ / needed));
  }

  index_t multiplied(index_t product, int count) const {
    const index_t result = product * count;
    if (result > std::numeric_limits<int>::max()) refuse("needs more than 2147483647 ranks", concat("use ", suggestions()));
    return result;
  }

  [[noreturn]] void refuse_number(index_t needed) const {
    refuse(concat("needs ", needed, needed == 1 ? " rank" : " ranks", ", but the job has ", num_ranks_),
           concat("use ", suggestions(), " or start ", needed, needed == 1 ? " rank" : " ranks", " with mpirun -np ", needed));
  }

  Split split_of(int left) const {
    Split split;
    for (const Factor& factor : factors_) {
      const int count = factor.count.value_or(left);
      (factor.target.is_stages ? split.stages : split.parts[factor.target.axis]) = count;
    }
    return split;
  }

  /// Splits that fit the ranks, close to the request: all ranks on its first axis, or nearly square over two axes.
  std::string suggestions() const {
    if (num_ranks_ == 1) return "1 (one rank, nothing divided)";
    const Target first = factors_.empty() ? Target{.axis = GridAxis::H} : factors_.front().target;
    std::string result = concat(name_of(first), "=", num_ranks_);
    int low = 1;
    for (int k = 2; k <= num_ranks_ / k; ++k)
      if (num_ranks_ % k == 0) low = k;
    if (low > 1) result += concat(", ", name_of(first), "=", num_ranks_ / low, ",", name_of(second(first)), "=", low);
    return result;
  }

  /// The second axis of the request, or a suitable partner of the first.
  Target second(const Target& first) const {
    if (factors_.size() > 1) return factors_[1].target;
    if (spatial_ndims_ >= 2 && first == Target{.axis = GridAxis::H}) return {.axis = GridAxis::W};
    if (first == Target{.axis = GridAxis::H}) return {.axis = GridAxis::N};
    return {.axis = GridAxis::H};
  }

  std::string_view spec_;
  int num_ranks_;
  int spatial_ndims_;
  std::vector<Factor> factors_{};
};

}  // namespace

int Split::num_ranks() const { return stages * Grid{.parts = parts}.size(); }

SplitRequest parse_split(std::string_view spec, int num_ranks, int spatial_ndims) {
  PARCONV_EXPECT(num_ranks >= 1 && spatial_ndims >= 0 && spatial_ndims <= 3, "ranks ", num_ranks, ", spatial ", spatial_ndims);
  return SplitParser(spec, num_ranks, spatial_ndims).run();
}

std::string to_string(const Split& split) {
  std::string parts = concat(Grid{.parts = split.parts});
  if (split.stages == 1) return parts;
  return parts == "1" ? concat("stages=", split.stages) : concat("stages=", split.stages, ",", parts);
}

std::string to_string(const SplitRequest& request) {
  return std::visit(Overloaded{[](const Split& split) { return to_string(split); },
                               [](SplitPolicy policy) { return std::string(policy == SplitPolicy::Auto ? "auto" : "rule"); }},
                    request);
}

}  // namespace parconv
