// SPDX-License-Identifier: Apache-2.0
#include "help_format.hpp"

#include <vector>

namespace parconv::app {
namespace {

std::vector<const CLI::Option*> options_of(const CLI::App& app, const std::string& group) {
  return app.get_options([&](const CLI::Option* option) { return option->nonpositional() && option->get_group() == group; });
}

std::vector<std::string> shown_groups(const CLI::App& app) {
  std::vector<std::string> groups = app.get_groups();
  std::erase_if(groups, [&](const std::string& group) {
    return group.empty() || group == option_group::former || options_of(app, group).empty();
  });
  return groups;
}

}  // namespace

std::string HelpFormat::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  if (mode == CLI::AppFormatMode::Sub) return make_expanded(app);
  std::string text = make_description(app) + make_usage(app, name) + make_positionals(app);
  const std::vector<std::string> groups = shown_groups(*app);
  const bool is_short = mode == CLI::AppFormatMode::Normal && groups.size() > 1;
  for (const std::string& group : groups)
    if (!is_short || group == option_group::common) text += make_group(group, false, options_of(*app, group));
  if (is_short) text += "\nAll options: --help-all\n";
  return text + make_subcommands(app, mode) + '\n' + make_footer(app);
}

std::string HelpFormat::make_expanded(const CLI::App* command) const {
  std::string text = '\n' + command->get_display_name() + '\n' + make_description(command) + make_positionals(command);
  for (const std::string& group : shown_groups(*command)) text += make_group(group, false, options_of(*command, group));
  return text;
}

}  // namespace parconv::app
