#include "output_files.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

#include "parconv/io/plan_json.hpp"
#include "sha256.hpp"
#include "versions.hpp"

namespace parconv::app {
namespace {

/// What a slow disk still does.
constexpr double slow_bytes_per_second = 20e6;

std::string time_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

Provenance provenance_of(const AppJob& job, const RunOptions& options, const RunSetup& setup, const std::string& input_names) {
  return {.command = options.command,
          .plan_json = plan_to_json(setup.plan, setup.network),
          .model_sha256 = sha256_of_file(options.model),
          .input_path = input_names,
          .mpi_size = job.size(),
          .git_rev = git_revision(),
          .libs = fmt::format("parconv {}, {}", version(), compiler()),
          .started = time_now()};
}

std::string job_id(AppJob& job) { return job.control().broadcast(fmt::format("{}-{}", std::time(nullptr), ::getpid())); }

}  // namespace

OutputFiles::OutputFiles(AppJob& job, const RunOptions& options, const RunSetup& setup, const std::string& input_names)
    : job_(job) {
  Hdf5SinkOptions sink{.replaces_existing = options.replaces_output};
  job.together(Phase::Create, [&] {
    if (job.is_root()) sink.provenance = provenance_of(job, options, setup, input_names);
  });
  sink.job_id = job_id(job);
  for (std::size_t k = 0; k < setup.network.outputs.size(); ++k) {
    const Value& value = setup.network.value(setup.network.outputs[k]);
    sink.path = output_path(options, setup.network, k);
    sink.name = value.name;
    sink.extents = output_extents(setup, setup.network.outputs[k]);
    sink.ndims = value.ndims;
    extra_seconds_ += static_cast<double>(volume(sink.extents)) * sizeof(float) / slow_bytes_per_second;
    job.together(
        Phase::Create, [&] { files_.push_back(std::make_unique<Hdf5Sink>(job.control(), sink)); }, extra_seconds_);
    job.remove_on_failure(files_.back()->partial_path());
    names_.push_back(sink.path + ":" + files_.back()->dataset_path());
  }
}

std::vector<DataSink*> OutputFiles::sinks() const {
  std::vector<DataSink*> result;
  for (const auto& file : files_) result.push_back(file.get());
  return result;
}

void OutputFiles::finish() {
  for (auto file = files_.rbegin(); file != files_.rend(); ++file)
    job_.together(
        Phase::Finish, [&] { (*file)->finish(time_now()); }, extra_seconds_);
  job_.keep_files();
}

}  // namespace parconv::app
