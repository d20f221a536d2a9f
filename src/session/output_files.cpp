// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/output_files.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

#include "parconv/io/json/plan_json.hpp"
#include "parconv/io/named_files.hpp"

namespace parconv {
namespace {

/// Throughput of a slow disk.
constexpr double slow_bytes_per_second = 20e6;

std::string time_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

Provenance provenance_of(const JobContext& job, const OutputFiles::Contents& contents) {
  Provenance provenance = contents.provenance ? contents.provenance() : Provenance{};
  provenance.plan_json = plan_to_json(contents.setup.plan, contents.setup.network);
  provenance.mpi_size = job.size();
  provenance.started = time_now();
  return provenance;
}

std::string job_id(JobContext& job) { return job.control().broadcast(fmt::format("{}-{}", std::time(nullptr), ::getpid())); }

}  // namespace

OutputFiles::OutputFiles(JobContext& job, const Contents& contents) : job_(job) {
  const Setup& setup = contents.setup;
  Hdf5SinkOptions sink{.replaces_existing = contents.request.replaces_output, .threads = contents.threads};
  job.together(JobPhase::Create, [&] {
    if (job.is_root()) sink.provenance = provenance_of(job, contents);
  });
  sink.job_id = job_id(job);
  for (std::size_t k = 0; k < setup.network.outputs.size(); ++k) {
    const Value& value = setup.network.value(setup.network.outputs[k]);
    const std::string path = output_path(contents.request.output_file, setup.network, k);
    sink.path = job.together(JobPhase::Create, [&] { return link_target(path); });
    sink.name = value.name;
    sink.extents = output_extents(setup, setup.network.outputs[k]);
    sink.ndims = value.ndims;
    extra_seconds_ += static_cast<double>(volume(sink.extents)) * sizeof(float) / slow_bytes_per_second;
    job.together(JobPhase::Create, [&] { files_.push_back(std::make_unique<Hdf5Sink>(job.control(), sink)); }, extra_seconds_);
    job.remove_on_failure(files_.back()->partial_path());
    names_.push_back(path + ":" + files_.back()->dataset_path());
  }
}

std::vector<DataSink*> OutputFiles::sinks() const {
  std::vector<DataSink*> result;
  for (const auto& file : files_) result.push_back(file.get());
  return result;
}

void OutputFiles::finish() {
  for (auto file = files_.rbegin(); file != files_.rend(); ++file)
    job_.together(JobPhase::Finish, [&] { (*file)->finish(time_now()); }, extra_seconds_);
  job_.keep_files();
}

}  // namespace parconv
