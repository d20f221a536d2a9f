// SPDX-License-Identifier: Apache-2.0
// Short help and long help.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace parconv::app {

/// Groups of options, in the order of --help-all. --help shows the first one only.
namespace option_group {
inline constexpr const char* common = "Options";
inline constexpr const char* samples = "Batch sizes";
inline constexpr const char* dry_run = "Machine of a dry run";
inline constexpr const char* devices = "Devices and messages";
inline constexpr const char* numerics = "Sums and convolution algorithms";
inline constexpr const char* data = "Input and output data";
inline constexpr const char* resume = "Stop and resume";
inline constexpr const char* output = "Deadline and trace";
/// Hidden from all help. CLI11's own hidden group is not used, since its options have no name in messages.
inline constexpr const char* former = "Former names";
}  // namespace option_group

/// Formats help. --help shows the common group only if a command has others; former names appear in no help.
class HelpFormat final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_expanded(const CLI::App* command) const override;
};

}  // namespace parconv::app
