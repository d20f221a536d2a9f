// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/devices/algorithm_timing.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>

#include "parconv/comm/device_communicators.hpp"
#include "parconv/compute/conv_algorithm_chooser.hpp"
#include "parconv/engine/conv_algorithm_table.hpp"
#include "parconv/io/text_files.hpp"
#include "parconv/session/devices/gpu_memory.hpp"
#include "parconv/session/numerics.hpp"

namespace parconv {
namespace {

/// The choice for calls without a timing.
ConvAlgorithmChoice untimed(ConvAlgorithmChoice requested) {
  return requested == ConvAlgorithmChoice::Exact ? ConvAlgorithmChoice::Exact : ConvAlgorithmChoice::Heuristic;
}

/// Multiprocessors that NCCL may use while ranks compute.
int multiprocessors_for_messages(const JobContext& job, const RankDevice& device, Overlap overlap) {
  const bool computes_meanwhile = overlap == Overlap::On && job.size() > 1;
  return computes_meanwhile && device.placement().transport == Transport::Nccl ? NcclOptions{}.max_ctas : 0;
}

/// Empty for a missing file.
ConvAlgorithmTables read_tables(const std::string& file) {
  std::error_code ignored;
  if (file.empty() || !std::filesystem::exists(file, ignored)) return {};
  try {
    return conv_algorithms_from_json(read_text_file(file));
  } catch (const Error& error) {
    const char* const hint = "Remove the file; the next run writes a new one.";
    throw Error(error.code(), concat("--conv-algorithm-cache ", file, ": ", error.what()),
                error.hint().empty() ? hint : error.hint());
  }
}

/// Replaces the file atomically: of jobs that end at the same time, the last one wins.
void replace_file(const std::string& file, const std::string& text) {
  const std::string partial = concat(file, ".partial-", ::getpid());
  write_text_file(partial, text);
  std::error_code failure;
  std::filesystem::rename(partial, file, failure);
  if (!failure) return;
  std::filesystem::remove(partial);
  throw Error(ExitCode::CannotCreate, concat("cannot create ", file, ": ", failure.message()), "Check the path.");
}

/// Agreement of all ranks on one algorithm per call.
class Agreement {
 public:
  Agreement(JobContext& job, const std::string& cache_file, const BackendOptions& backend)
      : job_(job),
        cache_file_(cache_file),
        chooser_(job.together(JobPhase::Prepare, [&] { return make_conv_algorithm_chooser(backend); })),
        machine_(chooser_->machine()) {}

  AlgorithmTiming run(std::span<const LocalOp> ops) {
    const auto begin = std::chrono::steady_clock::now();
    const ConvAlgorithmTables stored = stored_tables();
    const auto known = stored.find(machine_);
    Control kind = ranks_of_own_kind();
    const ConvAlgorithms before = known == stored.end() ? ConvAlgorithms{} : known->second;
    index_t num_timed = 0;
    const ConvAlgorithms choices = job_.together(JobPhase::Prepare, [&] {
      return agree_on_conv_algorithms(kind, *chooser_, ops, before, [&] { ++num_timed, job_.watchdog().kick(); });
    });
    store(stored, kind, choices);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    return {.choices = std::make_shared<const ConvAlgorithms>(choices),
            .num_timed = job_.control().sum(num_timed),
            .seconds = spent.count(),
            .machine = to_string(machine_),
            .is_machine_in_cache = known != stored.end()};
  }

 private:
  /// Read by one rank, since hosts may see different files.
  ConvAlgorithmTables stored_tables() {
    ConvAlgorithmTables own;
    job_.together(JobPhase::Prepare, [&] {
      if (job_.is_root()) own = read_tables(cache_file_);
    });
    return conv_algorithms_from_json(job_.control().broadcast(conv_algorithms_to_json(own)));
  }

  Control ranks_of_own_kind() {
    ConvAlgorithmTables kinds;
    for (const std::string& text : job_.control().all_gather(conv_algorithms_to_json({{machine_, {}}})))
      kinds.merge(conv_algorithms_from_json(text));
    return job_.control().split(static_cast<int>(std::distance(kinds.begin(), kinds.find(machine_))));
  }

  /// Entries of other machines stay.
  void store(const ConvAlgorithmTables& stored, const Control& kind, const ConvAlgorithms& choices) {
    if (cache_file_.empty()) return;
    const ConvAlgorithmTables own = kind.rank() == 0 ? ConvAlgorithmTables{{machine_, choices}} : ConvAlgorithmTables{};
    const std::vector<std::string> texts = job_.control().gather(conv_algorithms_to_json(own));
    job_.together(JobPhase::Prepare, [&] {
      ConvAlgorithmTables tables = stored;
      for (const std::string& text : texts)
        for (auto& [machine, each] : conv_algorithms_from_json(text)) tables[machine] = each;
      if (job_.is_root() && tables != stored) replace_file(cache_file_, conv_algorithms_to_json(tables));
    });
  }

  JobContext& job_;
  const std::string& cache_file_;
  std::unique_ptr<ConvAlgorithmChooser> chooser_;
  ConvAlgorithmMachine machine_;
};

}  // namespace

GpuOptions gpu_options(JobContext& job, const Request& request, RankDevice& device, Overlap overlap) {
  GpuOptions result{.f32_products = precision_of(request.numerics).products,
                    .conv_algorithms = untimed(request.conv_algorithms),
                    .multiprocessors_left = multiprocessors_for_messages(job, device, overlap)};
  if (device.device() == nullptr) return result;
  const std::size_t own = most_workspace_bytes(device.device()->memory().total_bytes, device.placement().max_ranks_per_gpu);
  result.most_workspace_bytes = static_cast<std::size_t>(job.control().min(own));
  return result;
}

AlgorithmTiming time_conv_algorithms(JobContext& job, const std::string& cache_file, const BackendOptions& backend,
                                     std::span<const LocalOp> ops) {
  return Agreement(job, cache_file, backend).run(ops);
}

}  // namespace parconv
