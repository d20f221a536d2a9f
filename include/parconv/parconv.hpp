// SPDX-License-Identifier: Apache-2.0
// All that programs with parconv need: the session, and the values that it takes and returns.
//
//   network and plan    parconv/model, parconv/plan: Network, read_network, Split, Plan
//   data                parconv/io, parconv/session/span_data.hpp: sources and sinks in memory and in HDF5 files
//   the job             parconv/session: JobContext, Request, Workload, Session; dry_run without MPI
//
// Backends, communicators, engines and programs have headers of their own below parconv/.
#pragma once

#include "parconv/comm/mpi/mpi_environment.hpp"
#include "parconv/core/error.hpp"
#include "parconv/core/types.hpp"
#include "parconv/geometry/box.hpp"
#include "parconv/io/data_sink.hpp"
#include "parconv/io/data_source.hpp"
#include "parconv/io/hdf5/hdf5_sink.hpp"
#include "parconv/io/hdf5/hdf5_source.hpp"
#include "parconv/io/json/plan_json.hpp"
#include "parconv/io/onnx/onnx_model.hpp"
#include "parconv/io/onnx/onnx_reader.hpp"
#include "parconv/model/network.hpp"
#include "parconv/model/operators.hpp"
#include "parconv/model/shape.hpp"
#include "parconv/plan/plan.hpp"
#include "parconv/plan/split.hpp"
#include "parconv/program/explain.hpp"
#include "parconv/session/devices/known_gpus.hpp"
#include "parconv/session/dry_run.hpp"
#include "parconv/session/files/input_files.hpp"
#include "parconv/session/files/output_files.hpp"
#include "parconv/session/files/span_data.hpp"
#include "parconv/session/job/job_context.hpp"
#include "parconv/session/request.hpp"
#include "parconv/session/session.hpp"
#include "parconv/session/verification.hpp"
#include "parconv/session/workload.hpp"
