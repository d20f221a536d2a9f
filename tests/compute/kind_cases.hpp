// Random calls by kind, for parameterised tests of backends of GPUs.
#pragma once

#include "compute/local_op_random.hpp"

namespace parconv::test {

struct KindCase {
  const char* name;
  TestCall (LocalOpGenerator::*generate)();
  int calls;
};

inline void PrintTo(const KindCase& kind, std::ostream* out) { *out << kind.name; }

inline const std::vector<KindCase> kinds_without_filter{
    {"pool", &LocalOpGenerator::pool, 200},
    {"fill", &LocalOpGenerator::fill, 30},
    {"copy", &LocalOpGenerator::copy, 100},
    {"scale_shift", &LocalOpGenerator::scale_shift, 100},
    {"sum", &LocalOpGenerator::sum, 200},
    {"binary", &LocalOpGenerator::binary, 300},
    {"row_sum", &LocalOpGenerator::row_sum, 100},
    {"reduce", &LocalOpGenerator::reduce, 300},
    {"lrn", &LocalOpGenerator::lrn, 100},
    {"matmul", &LocalOpGenerator::matmul, 300},
    {"softmax", &LocalOpGenerator::softmax, 100},
    {"resample", &LocalOpGenerator::resample, 300},
    {"rearrange", &LocalOpGenerator::rearrange, 400},
    {"reshape", &LocalOpGenerator::reshape, 100},
};

inline const std::vector<KindCase> kinds_with_filter{{"conv", &LocalOpGenerator::conv, 400},
                                                     {"deconv", &LocalOpGenerator::deconv, 200}};

inline TestCall draw_call(const KindCase& kind, std::uint64_t seed, Numbers numbers) {
  LocalOpGenerator generator(seed, numbers);
  return (generator.*kind.generate)();
}

/// Made of exponentials or powers, which every implementation rounds in its own way.
inline bool is_rounded(const TestCall& call) {
  return std::holds_alternative<LocalSoftmax>(call.op.kind) || std::holds_alternative<LocalLrn>(call.op.kind);
}

}  // namespace parconv::test
