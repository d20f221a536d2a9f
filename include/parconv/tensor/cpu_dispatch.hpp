// SPDX-License-Identifier: Apache-2.0
// Function multiversioning: one clone per instruction set, selected when the program is loaded.
#pragma once

// Selection runs before the sanitizer runtime is initialised, so sanitizer builds use the plain loops.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PARCONV_FOR_EVERY_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
// For loops of std::fma: the instruction where the CPU has it, else the function of the C library, with the same bits.
#define PARCONV_FOR_EVERY_FMA __attribute__((target_clones("avx512f", "fma", "default")))
#else
#define PARCONV_FOR_EVERY_CPU
#define PARCONV_FOR_EVERY_FMA
#endif
#if defined(__clang__)
#define PARCONV_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define PARCONV_INDEPENDENT _Pragma("GCC ivdep")
#endif
