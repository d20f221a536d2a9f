#include "gpu_engines.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>

#include "gpu_memory.hpp"
#include "parconv/comm/device_communicators.hpp"
#include "parconv/compute/engine_chooser.hpp"
#include "parconv/engine/engine_table.hpp"
#include "run_setup.hpp"

namespace parconv::app {
namespace {

GpuEngines engines_of(const RunOptions& options) {
  return options.engines == "exact" ? GpuEngines::Exact : GpuEngines::Heuristic;
}

/// Those that NCCL may take while ranks compute.
int multiprocessors_for_messages(const AppJob& job, const RankDevice& device, Overlap overlap) {
  const bool computes_meanwhile = overlap == Overlap::On && job.size() > 1;
  return computes_meanwhile && device.placement().transport == Transport::Nccl ? NcclOptions{}.max_ctas : 0;
}

/// Nothing for a file that does not exist.
EngineTables read_tables(const std::string& file) {
  std::error_code ignored;
  if (file.empty() || !std::filesystem::exists(file, ignored)) return {};
  try {
    return engine_tables_from_json(read_text_file(file));
  } catch (const Error& error) {
    const char* const hint = "Remove the file, and it is written anew.";
    throw Error(error.code(), concat("--engine-cache ", file, ": ", error.what()), error.hint().empty() ? hint : error.hint());
  }
}

/// Jobs that end at the same time do not mix their files: the last one stays.
void replace_file(const std::string& file, const std::string& text) {
  const std::string partial = concat(file, ".partial-", ::getpid());
  write_text_file(partial, text);
  std::error_code failure;
  std::filesystem::rename(partial, file, failure);
  if (!failure) return;
  std::filesystem::remove(partial);
  throw Error(ExitCode::CannotCreate, concat("cannot create ", file, ": ", failure.message()), "Check the path.");
}

/// One agreement, by phases that all ranks of the job pass together.
class Agreement {
 public:
  Agreement(AppJob& job, const RunOptions& options, const BackendOptions& backend)
      : job_(job),
        options_(options),
        chooser_(job.together(Phase::Prepare, [&] { return make_engine_chooser(backend); })),
        machine_(chooser_->machine()) {}

  EngineChoices run(std::span<const LocalOp> ops) {
    const auto begin = std::chrono::steady_clock::now();
    const EngineTables stored = stored_tables();
    const auto known = stored.find(machine_);
    Control kind = ranks_of_own_kind();
    const EngineChoices before = known == stored.end() ? EngineChoices{} : known->second;
    EngineChoices choices = job_.together(Phase::Prepare, [&] {
      return agree_on_engines(kind, *chooser_, ops, before, [&] { ++num_timed_, job_.watchdog().kick(); });
    });
    store(stored, kind, choices);
    tell(known != stored.end(), std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    return choices;
  }

 private:
  /// Read by one rank, since hosts may see other files.
  EngineTables stored_tables() {
    EngineTables own;
    job_.together(Phase::Prepare, [&] {
      if (job_.is_root()) own = read_tables(options_.engine_cache);
    });
    return engine_tables_from_json(job_.control().broadcast(engine_tables_to_json(own)));
  }

  Control ranks_of_own_kind() {
    EngineTables kinds;
    for (const std::string& text : job_.control().gather(engine_tables_to_json({{machine_, {}}})))
      kinds.merge(engine_tables_from_json(text));
    kinds = engine_tables_from_json(job_.control().broadcast(engine_tables_to_json(kinds)));
    return job_.control().split(static_cast<int>(std::distance(kinds.begin(), kinds.find(machine_))));
  }

  /// What is stored for other machines stays.
  void store(const EngineTables& stored, const Control& kind, const EngineChoices& choices) {
    if (options_.engine_cache.empty()) return;
    const EngineTables own = kind.rank() == 0 ? EngineTables{{machine_, choices}} : EngineTables{};
    const std::vector<std::string> texts = job_.control().gather(engine_tables_to_json(own));
    job_.together(Phase::Prepare, [&] {
      EngineTables tables = stored;
      for (const std::string& text : texts)
        for (auto& [machine, each] : engine_tables_from_json(text)) tables[machine] = each;
      if (job_.is_root() && tables != stored) replace_file(options_.engine_cache, engine_tables_to_json(tables));
    });
  }

  void tell(bool is_known, double seconds) {
    const index_t num_timed = job_.control().sum(num_timed_);
    if (!job_.is_root() || options_.is_quiet) return;
    if (options_.is_verbose && !options_.engine_cache.empty() && !is_known)
      fmt::print("{} has no engines for {}\n", options_.engine_cache, to_string(machine_));
    fmt::print("engines: {} call{} timed in {:.2g} s\n", num_timed, num_timed == 1 ? "" : "s", seconds);
  }

  AppJob& job_;
  const RunOptions& options_;
  std::unique_ptr<EngineChooser> chooser_;
  EngineMachine machine_;
  index_t num_timed_ = 0;
};

}  // namespace

GpuOptions gpu_options(AppJob& job, const RunOptions& options, RankDevice& device, Overlap overlap) {
  GpuOptions result{.f32_products = precision_of(options).products,
                    .engines = engines_of(options),
                    .multiprocessors_left = multiprocessors_for_messages(job, device, overlap)};
  if (device.device() == nullptr) return result;
  const std::size_t own = most_workspace_bytes(device.device()->memory().total_bytes, device.placement().max_ranks_per_gpu);
  result.most_workspace_bytes = static_cast<std::size_t>(job.control().min(own));
  return result;
}

std::shared_ptr<const EngineChoices> timed_engines(AppJob& job, const RunOptions& options, const BackendOptions& backend,
                                                   std::span<const LocalOp> ops) {
  return std::make_shared<const EngineChoices>(Agreement(job, options, backend).run(ops));
}

}  // namespace parconv::app
