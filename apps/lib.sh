# SPDX-License-Identifier: Apache-2.0
# Common functions of the scripts; to be sourced.
# shellcheck shell=bash
#
# Variables a caller may set:
#   PARCONV_NO_INSTALL=1  never install system packages; CMake reports missing dependencies
#   PARCONV_JOBS=N        parallel jobs for building and testing (default: number of cores)
#   PARCONV_PYTHON=PATH   Python with h5py, numpy and Pillow (default: Debian's)

parconv_root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
parconv_build="$parconv_root/build"
parconv_jobs="${PARCONV_JOBS:-$(getconf _NPROCESSORS_ONLN)}"

# apt installs packages for Debian's Python, while another python3 may come first in PATH.
parconv_python="${PARCONV_PYTHON:-/usr/bin/python3}"
[[ -x "$parconv_python" ]] || parconv_python=python3

parconv_packages=(
  g++ cmake ninja-build pkg-config git ca-certificates
  libopenmpi-dev openmpi-bin libhdf5-openmpi-dev libdnnl-dev libonnx-dev libprotobuf-dev protobuf-compiler
  libcli11-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libxxhash-dev libssl-dev libgtest-dev libgmock-dev libonnx-testdata
  python3 python3-numpy python3-h5py python3-pil python3-tifffile python3-xarray python3-h5netcdf netcdf-bin hdf5-tools
)

step() { printf '\n== %s\n' "$*"; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Prints the required packages that are not installed.
missing_packages() {
  local installed # dpkg-query fails if any package is unknown
  installed=" $({ dpkg-query -W -f='${db:Status-Status}:${binary:Package}\n' "${parconv_packages[@]}" 2>/dev/null || true; } |
    sed -n 's/^installed:\([^:]*\).*/\1/p' | tr '\n' ' ') "
  local package
  for package in "${parconv_packages[@]}"; do
    [[ "$installed" == *" $package "* ]] || printf '%s\n' "$package"
  done
}

# Non-interactive apt-get, through sudo if not root.
apt_get() {
  local command=(env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 "$@")
  if ((EUID != 0)); then command=(sudo "${command[@]}"); fi
  "${command[@]}" </dev/null
}

install_with_apt() {
  local missing=("$@") updated=no
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    fail "not installed: ${missing[*]}. There is no sudo here: as root, run  apt-get install ${missing[*]}
       (or set PARCONV_NO_INSTALL=1 if these libraries come from somewhere else)"
  fi
  step "Installing ${missing[*]}"
  if ! apt-get --simulate install "${missing[@]}" >/dev/null 2>&1; then # package lists are missing
    apt_get update
    updated=yes
  fi
  apt_get install --no-install-recommends "${missing[@]}" && return
  [[ $updated == no ]] || fail "apt-get could not install ${missing[*]}"
  apt_get update # package lists were outdated
  apt_get install --no-install-recommends "${missing[@]}" || fail "apt-get could not install ${missing[*]}"
}

# Without apt, or with libraries from environment modules, only commands are checked; CMake reports missing libraries.
check_commands() {
  local missing=() command
  for command in cmake ninja mpirun "${CXX:-c++}"; do
    command -v "$command" >/dev/null || missing+=("$command")
  done
  if ((${#missing[@]})); then
    fail "not found: ${missing[*]}. Install or load them, with parallel HDF5, oneDNN, ONNX, protobuf, CLI11, fmt, spdlog, nlohmann-json,
       xxhash, OpenSSL and GoogleTest; then this script, or plain 'cmake --preset release && cmake --build build', goes on"
  fi
}

install_dependencies() {
  if [[ -n "${PARCONV_NO_INSTALL:-}" ]] || ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    check_commands
    return
  fi
  local list missing
  list="$(missing_packages)"
  mapfile -t missing <<<"$list"
  if [[ -n "$list" ]]; then install_with_apt "${missing[@]}"; fi
}

# Environment for Open MPI with more ranks than cores, as root, and in containers that forbid reading another process's memory.
# Open MPI 4 reads OMPI_MCA_*, the launcher of Open MPI 5 reads PRTE_MCA_*. Values set by the caller take precedence.
set_mpi_environment() {
  export OMPI_MCA_rmaps_base_oversubscribe="${OMPI_MCA_rmaps_base_oversubscribe:-1}"
  export PRTE_MCA_rmaps_default_mapping_policy="${PRTE_MCA_rmaps_default_mapping_policy:-:oversubscribe}"
  # The mpirun of Open MPI 4 can deadlock when a rank dies in MPI_Init; docs/reliability.md has the figures.
  export PMIX_MCA_gds="${PMIX_MCA_gds:-hash}"
  if ((EUID == 0)); then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
  if [[ -e /.dockerenv || -e /run/.containerenv ]]; then
    export OMPI_MCA_btl_vader_single_copy_mechanism="${OMPI_MCA_btl_vader_single_copy_mechanism:-none}"
    export OMPI_MCA_smsc="${OMPI_MCA_smsc:-^cma}" # the equivalent for Open MPI 5
  fi
}

configure_release() {
  local launcher
  launcher="$(command -v ccache || true)"
  (cd "$parconv_root" && cmake --preset release -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher")
}

# build_targets TARGET... ("all" for everything)
build_targets() {
  local arguments=() target
  for target in "$@"; do arguments+=(--target "$target"); done
  cmake --build "$parconv_build" -j "$parconv_jobs" "${arguments[@]}"
}

# After `sudo bash ...`, ownership of the build folder returns to the owner of the checkout, who can continue without sudo.
return_build_to_owner() {
  if ((EUID == 0)) && [[ -d "$parconv_build" ]]; then
    chown -R --reference="$parconv_root" "$parconv_build" || true
  fi
}
trap return_build_to_owner EXIT
