// SPDX-License-Identifier: Apache-2.0
#include "session/files/open_files.hpp"

#include "session/files/shared_contents.hpp"

namespace parconv {

std::vector<Fact> OpenFiles::note(std::vector<Fact> facts) {
  facts_.insert(facts_.end(), facts.begin(), facts.end());
  return facts;
}

std::vector<Fact> OpenFiles::open_model(JobContext& job, const Request& request) {
  const std::vector<NamedFile> files = job.together(JobPhase::Read, [&] {
    watched_.add({"the model", request.model});
    model_.emplace(request.model);
    std::vector<NamedFile> all = model_->files();
    for (const NamedFile& file : all) watched_.add(file);
    return all;
  });
  return note(shared_contents(job, watched_, files));
}

std::vector<Fact> OpenFiles::open_inputs(const Request& request, int threads) {
  inputs_.emplace(request.inputs, *model_, threads);
  return note(inputs_->watch(watched_));
}

Workload OpenFiles::workload(const Request& request) { return workload_of(*model_, *inputs_, request); }

void OpenFiles::expect_weights_in_place() const {
  if (!model_) return;
  for (const NamedFile& file : model_->files()) watched_.expect_in_place(file.path);
}

}  // namespace parconv
