// SPDX-License-Identifier: Apache-2.0
// conformance_run SUITE RESULTS [FILTER]: runs every case of the suite on the ranks of this job under every split, and writes
// one line per case to RESULTS. The last line of output has the totals; the exit status is 1 if a case failed. FILTER selects
// the cases whose names contain it.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "conformance/binding.hpp"
#include "conformance/outcome.hpp"
#include "conformance/split_runs.hpp"
#include "parconv/comm/coordinated.hpp"
#include "parconv/comm/mpi/mpi_communicator.hpp"
#include "parconv/comm/watchdog.hpp"
#include "parconv/io/memory_source.hpp"

namespace parconv::test {
namespace {

constexpr double seconds_per_case = 60;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// One case on all ranks: rank 0 decides and compares, the others follow.
class CaseRun {
 public:
  CaseRun(const SuiteCase& suite_case, const std::string& path, const Ranks& ranks)
      : model_(suite_case), path_(path), ranks_(ranks), outcome_{.name = suite_case.name} {}

  /// Collective; the result is complete on rank 0. Errors that ranks cannot agree on abort the job.
  Outcome run() {
    try {
      run_bound(agreed_binding());
    } catch (const JobError& error) {
      fail(error.what());
    } catch (const std::exception& error) {
      throw Error(ExitCode::Bug, concat(outcome_.name, ": ", error.what()));
    }
    return outcome_;
  }

 private:
  bool is_root() const { return ranks_.control.rank() == 0; }

  void fail(const std::string& reason) {
    outcome_.verdict = Verdict::Failed;
    outcome_.reason = reason;
  }

  Binding agreed_binding() {
    return coordinated(ranks_.control, "reading", [&] {
      Binding binding;
      if (!is_root()) return binding;
      binding = find_binding(model_, path_);
      if (ranks_.control.size() == 1) outcome_.reason = inspect_problem(model_, binding, concat(path_, ".as_it_is"));
      return binding;
    });
  }

  void run_bound(Binding binding) {
    binding.refusal = ranks_.control.broadcast(binding.refusal);
    if (!outcome_.reason.empty()) return fail(outcome_.reason);
    if (binding.refusal.empty()) return run_splits(shared(binding.constants));
    outcome_.verdict = Verdict::Refused;
    outcome_.reason = binding.refusal;
  }

  /// Broadcasts the binding of rank 0.
  std::set<std::size_t> shared(const std::set<std::size_t>& constants) {
    std::string marks(model_.input_names().size(), '-');
    for (const std::size_t k : constants) marks[k] = 'x';
    marks = ranks_.control.broadcast(marks);
    std::set<std::size_t> result;
    for (std::size_t k = 0; k < marks.size(); ++k)
      if (marks[k] == 'x') result.insert(k);
    return result;
  }

  void run_splits(const std::set<std::size_t>& constants) {
    const Network network = coordinated(ranks_.control, "reading", [&] { return fuse(read_bound(model_, constants, path_)); });
    std::vector<MemorySource> sources;
    std::vector<std::string> constant_names;
    for (const std::size_t k : constants) constant_names.push_back(model_.input_names()[k]);
    for (const ValueId id : network.inputs) sources.push_back(source_of(data_of(network.value(id).name)));
    const std::vector<std::string> splits = splits_of(network, ranks_.control.size());
    for (const std::string& split : splits) check_split(network, split, sources);
    outcome_.verdict = Verdict::Passed;
    outcome_.splits = joined(splits);
    outcome_.constants = joined(constant_names);
  }

  TestTensor data_of(const std::string& name) const {
    const std::vector<std::string>& names = model_.input_names();
    return model_.input(static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin()));
  }

  void check_split(const Network& network, const std::string& split, std::vector<MemorySource>& sources) {
    const std::vector<TestTensor> outputs = run_split(network, split, sources, ranks_);
    coordinated(ranks_.control, concat("split ", split), [&] {
      if (is_root()) outcome_.difference = std::max(outcome_.difference, compared(outputs, model_.expected_outputs()));
    });
  }

  TestModel model_;
  const std::string& path_;
  const Ranks& ranks_;
  Outcome outcome_;
};

/// A temporary folder for models, created by rank 0. Construction and destruction are collective.
class SharedFolder {
 public:
  explicit SharedFolder(Control& control) : control_(control) {
    const std::string own = (std::filesystem::temp_directory_path() / concat("parconv_conformance_", ::getpid())).string();
    if (control.rank() == 0) std::filesystem::create_directories(own);
    path_ = control.broadcast(own);
  }
  ~SharedFolder() {
    std::error_code ignored;
    if (control_.rank() == 0) std::filesystem::remove_all(path_, ignored);
  }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  Control& control_;
  std::string path_{};
};

struct Request {
  std::string suite{};
  std::string results{};
  std::string filter{};
};

std::vector<SuiteCase> chosen_cases(const Request& request) {
  std::vector<SuiteCase> cases = find_cases(request.suite);
  std::erase_if(cases, [&](const SuiteCase& item) { return item.name.find(request.filter) == std::string::npos; });
  return cases;
}

std::vector<Outcome> run_cases(const Request& request, const Ranks& ranks, Watchdog& watchdog) {
  const SharedFolder folder(ranks.control);
  const std::string path = folder.file("model.onnx");
  std::vector<Outcome> outcomes;
  for (const SuiteCase& suite_case : chosen_cases(request)) {
    const WatchdogPhase phase(watchdog, suite_case.name, seconds_per_case);
    const Outcome outcome = CaseRun(suite_case, path, ranks).run();
    outcomes.push_back(suite_case.wrong_data.empty() ? outcome : judged_as_wrong_data(outcome, suite_case.wrong_data));
    const Outcome& last = outcomes.back();
    if (ranks.control.rank() == 0 && last.verdict == Verdict::Failed)
      std::printf("%s failed: %s\n", last.name.c_str(), last.reason.c_str());
    ranks.control.barrier();  // the model file is overwritten next
  }
  return outcomes;
}

[[noreturn]] void end_hanging_rank(int rank, const std::string& name, double seconds) {
  std::fprintf(stderr, "rank %d: %s did not complete within %g seconds\n", rank, name.c_str(), seconds);
  ::_exit(static_cast<int>(ExitCode::Communication));
}

int run(const Request& request) {
  const MpiEnvironment environment;
  Control control(environment);
  const std::unique_ptr<Communicator> communicator = make_mpi_communicator(control);
  const std::unique_ptr<Backend> backend = make_backend({.name = "auto"});
  Watchdog watchdog([rank = control.rank()](const std::string& name, double s) { end_hanging_rank(rank, name, s); });
  if (control.rank() == 0) std::filesystem::remove(request.results);  // a stale file must not survive a run that ends early
  const std::vector<Outcome> outcomes = run_cases(request, {control, *communicator, *backend}, watchdog);
  if (control.rank() != 0) return 0;
  write_outcomes(request.results, outcomes);
  std::printf("%s (%d ranks)\n", counts_text(outcomes).c_str(), control.size());
  return count_of(outcomes, Verdict::Failed) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace parconv::test

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: conformance_run SUITE RESULTS [PART_OF_NAME]\n");
    return static_cast<int>(parconv::ExitCode::Usage);
  }
  try {
    return parconv::test::run({.suite = argv[1], .results = argv[2], .filter = argc == 4 ? argv[3] : ""});
  } catch (...) {
    const parconv::Error error = parconv::to_error(std::current_exception());
    std::fprintf(stderr, "%s\n", error.what());
    parconv::MpiEnvironment::abort(static_cast<int>(error.code()));
  }
}
