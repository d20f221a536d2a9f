// Functions that are compiled for several instruction sets, of which the machine's is chosen when the program starts.
#pragma once

// The choice is made before sanitizers are ready, so they get the plain loops.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PARCONV_FOR_EVERY_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define PARCONV_FOR_EVERY_CPU
#endif
#if defined(__clang__)
#define PARCONV_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define PARCONV_INDEPENDENT _Pragma("GCC ivdep")
#endif
