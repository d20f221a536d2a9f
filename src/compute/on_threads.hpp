// SPDX-License-Identifier: Apache-2.0
// Parallel work of one rank.
#pragma once

#include "parconv/tensor/threads.hpp"
