#include "commands.hpp"

namespace parconv::app {

int demonstrate(AppJob&, const DemoOptions&) { return 0; }

}  // namespace parconv::app
