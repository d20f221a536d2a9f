// SPDX-License-Identifier: Apache-2.0
// Fault injection: wrong input that --verify has to detect.
#pragma once

#include <utility>
#include <vector>

#include "job/launched_job.hpp"
#include "parconv/io/data_source.hpp"

namespace parconv::app {

/// Reads another source and alters the first element of each box.
class WrongSource final : public DataSource {
 public:
  explicit WrongSource(DataSource& inner) : inner_(inner) {}

  Extents extents() const override { return inner_.extents(); }
  int ndims() const override { return inner_.ndims(); }
  void read(const Box& box, View dst) override;

 private:
  DataSource& inner_;
};

/// The sources that this rank reads in verification, the first of them altered if a fault asks for that.
class VerifiedSources {
 public:
  VerifiedSources(const LaunchedJob& job, std::vector<DataSource*> sources)
      : sources_(std::move(sources)), wrong_(*sources_.front()) {
    if (job.alters_input()) sources_.front() = &wrong_;
  }
  VerifiedSources(const VerifiedSources&) = delete;
  VerifiedSources& operator=(const VerifiedSources&) = delete;

  const std::vector<DataSource*>& list() const { return sources_; }

 private:
  std::vector<DataSource*> sources_;
  WrongSource wrong_;
};

}  // namespace parconv::app
