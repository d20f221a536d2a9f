// SPDX-License-Identifier: Apache-2.0
#include <nvtx3/nvToolsExt.h>
#include <array>

#include "cuda/cuda_check.hpp"
#include "cuda/cuda_copy.hpp"
#include "device/cuda/cuda_graph.hpp"
#include "parconv/core/error.hpp"
#include "parconv/device/devices.hpp"
#include "parconv/tensor/copy_loops.hpp"

namespace parconv {
namespace {

using cuda::check;

/// Owner of a CUDA stream. If several streams have work, the one with the higher priority runs first.
class Stream {
 public:
  explicit Stream(int priority) {
    check(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, priority), "cudaStreamCreate");
  }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

struct Priorities {
  int least = 0;
  int greatest = 0;
};

Priorities stream_priorities() {
  Priorities priorities;
  check(cudaDeviceGetStreamPriorityRange(&priorities.least, &priorities.greatest), "cudaDeviceGetStreamPriorityRange");
  return priorities;
}

class CudaDevice;

class CudaEvent final : public DeviceEvent {
 public:
  CudaEvent(const CudaDevice& device, EventKind kind) : device_(device), kind_(kind) {
    const unsigned flags = kind == EventKind::Timed ? cudaEventDefault : cudaEventDisableTiming;
    check(cudaEventCreateWithFlags(&event_, flags), "cudaEventCreate");
  }
  ~CudaEvent() override { cudaEventDestroy(event_); }
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;

  void record(DeviceStream stream) override;
  void wait(DeviceStream stream) override;
  bool is_reached() override {
    const cudaError_t status = cudaEventQuery(event_);
    if (status == cudaErrorNotReady) {
      static_cast<void>(cudaGetLastError());  // otherwise the next launch would report it
      return false;
    }
    check(status, "cudaEventQuery");
    return true;
  }
  double seconds_since(const DeviceEvent& earlier) const override {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, static_cast<const CudaEvent&>(earlier).event_, event_), "cudaEventElapsedTime");
    return static_cast<double>(milliseconds) * 1e-3;
  }

 private:
  const CudaDevice& device_;
  EventKind kind_;
  cudaEvent_t event_ = nullptr;
};

void copy_runs(const std::byte* src, std::byte* dst, const CopyLoops& loops, cudaMemcpyKind kind, cudaStream_t stream) {
  const auto extent = static_cast<std::size_t>(loops.runs.extent);
  if (extent == 1) {
    check(cudaMemcpyAsync(dst, src, loops.run_bytes, kind, stream), "cudaMemcpyAsync");
    return;
  }
  check(cudaMemcpy2DAsync(dst, static_cast<std::size_t>(loops.runs.dst_stride), src,
                          static_cast<std::size_t>(loops.runs.src_stride), loops.run_bytes, extent, kind, stream),
        "cudaMemcpy2DAsync");
}

class CudaDevice final : public Device {
 public:
  CudaDevice(int index, GpuInfo info) : index_(index), info_(std::move(info)) {}

  std::string name() const override { return info_.name; }
  DevicePlatform platform() const override { return DevicePlatform::Cuda; }
  DeviceMemory memory() const override {
    DeviceMemory memory;
    check(cudaMemGetInfo(&memory.free_bytes, &memory.total_bytes), "cudaMemGetInfo");
    return memory;
  }

  std::unique_ptr<DeviceEvent> make_event(EventKind kind) override { return std::make_unique<CudaEvent>(*this, kind); }

  void copy(ConstView src, View dst, DeviceStream stream) override {
    expect_same(src, dst);
    if (volume(src.layout.extents) == 0) return;
    const CopyLoops loops = copy_loops(src.layout, dst.layout);
    if (loops.outer.loops().empty() && loops.runs.extent == 1)
      copy_runs(src.data, dst.data, loops, cudaMemcpyDeviceToDevice, native(stream));
    else
      launch_copy_box(src.data, src.layout, dst.data, dst.layout, native(stream));
  }
  void upload(ConstView host, View device, DeviceStream stream) override {
    transfer(host, device, cudaMemcpyHostToDevice, stream);
  }
  void download(ConstView device, View host, DeviceStream stream) override {
    transfer(device, host, cudaMemcpyDeviceToHost, stream);
  }

  std::string capture_problem() const override { return {}; }
  std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) override;
  bool is_capturing() const { return is_capturing_; }

  void synchronize() override {
    check(cudaStreamSynchronize(native(DeviceStream::Communication)), "cudaStreamSynchronize");
    check(cudaStreamSynchronize(native(DeviceStream::Compute)), "cudaStreamSynchronize");
  }

  void* native_stream(DeviceStream stream) const override { return native(stream); }
  cudaStream_t native(DeviceStream stream) const {
    return stream == DeviceStream::Compute ? compute_.get() : communication_.get();
  }

  void begin_range(const char* name) override { nvtxRangePushA(name); }
  void end_range() override { nvtxRangePop(); }

 protected:
  std::byte* allocate_bytes(std::size_t size_bytes, MemoryKind kind) override {
    void* data = nullptr;
    const cudaError_t status = kind == MemoryKind::Device ? cudaMalloc(&data, size_bytes) : cudaMallocHost(&data, size_bytes);
    if (status == cudaErrorMemoryAllocation) throw_out_of_memory(size_bytes, kind);
    check(status, "cudaMalloc");
    check(cudaMemsetAsync(data, 0, size_bytes, compute_.get()), "cudaMemsetAsync");
    check(cudaStreamSynchronize(compute_.get()), "cudaStreamSynchronize");
    return static_cast<std::byte*>(data);
  }
  void free_bytes(std::byte* data, MemoryKind kind) noexcept override {
    if (kind == MemoryKind::Device)
      cudaFree(data);
    else
      cudaFreeHost(data);
  }

 private:
  static void expect_same(const ConstView& src, const View& dst) {
    PARCONV_EXPECT(src.layout.extents == dst.layout.extents, "src ", src.layout.extents, ", dst ", dst.layout.extents);
    PARCONV_EXPECT(src.layout.type == dst.layout.type, "src ", name_of(src.layout.type), ", dst ", name_of(dst.layout.type));
  }

  void transfer(const ConstView& src, const View& dst, cudaMemcpyKind kind, DeviceStream stream) {
    expect_same(src, dst);
    if (volume(src.layout.extents) == 0) return;
    const CopyLoops loops = copy_loops(src.layout, dst.layout);
    loops.outer.for_each(
        [&](index_t from, index_t to) { copy_runs(src.data + from, dst.data + to, loops, kind, native(stream)); });
  }

  [[noreturn]] void throw_out_of_memory(std::size_t size_bytes, MemoryKind kind) const {
    static_cast<void>(cudaGetLastError());  // reported here, not by the next call
    const DeviceMemory now = memory();
    throw Error(
        ExitCode::OutOfMemory,
        concat("cannot allocate ", size_bytes, " bytes of ", kind == MemoryKind::Device ? "GPU" : "pinned host", " memory: GPU ",
               index_, " (", info_.name, ") has ", now.free_bytes, " of ", now.total_bytes, " bytes free"),
        "Use more ranks, smaller micro-batches (--micro-batch), or a GPU with more memory.");
  }

  int index_;
  GpuInfo info_;
  Stream compute_{stream_priorities().least};
  Stream communication_{stream_priorities().greatest};
  bool is_capturing_ = false;
};

/// The external flag is an error outside captures.
void CudaEvent::record(DeviceStream stream) {
  if (kind_ == EventKind::Timed && device_.is_capturing())
    check(cudaEventRecordWithFlags(event_, device_.native(stream), cudaEventRecordExternal), "cudaEventRecordWithFlags");
  else
    check(cudaEventRecord(event_, device_.native(stream)), "cudaEventRecord");
}
void CudaEvent::wait(DeviceStream stream) {
  check(cudaStreamWaitEvent(device_.native(stream), event_, 0), "cudaStreamWaitEvent");
}

/// A graph on the compute stream, with events around it for the communication stream.
class CudaStreamsGraph final : public DeviceGraph {
 public:
  CudaStreamsGraph(const CudaDevice& device, const cuda::CapturedWork& work)
      : device_(device), graph_(work), mark_(device, EventKind::Order) {
    graph_.upload(device.native(DeviceStream::Compute));
  }

  void launch() override {
    mark_.record(DeviceStream::Communication);
    mark_.wait(DeviceStream::Compute);
    graph_.launch(device_.native(DeviceStream::Compute));
    mark_.record(DeviceStream::Compute);
    mark_.wait(DeviceStream::Communication);
  }

 private:
  const CudaDevice& device_;
  cuda::Graph graph_;
  CudaEvent mark_;
};

std::unique_ptr<DeviceGraph> CudaDevice::capture(const std::function<void()>& work) {
  PARCONV_EXPECT(!is_capturing_, "a capture within a capture");
  is_capturing_ = true;
  try {
    const cuda::CapturedWork captured(native(DeviceStream::Compute), work);
    is_capturing_ = false;
    return std::make_unique<CudaStreamsGraph>(*this, captured);
  } catch (...) {
    is_capturing_ = false;
    static_cast<void>(cudaGetLastError());  // reported here, not by the next call
    throw;
  }
}

}  // namespace

std::unique_ptr<Device> make_cuda_device(int index) {
  GpuList list = find_gpus();
  if (list.gpus.empty()) throw Error(ExitCode::Unavailable, list.problem, "Use --device cpu on machines without a usable GPU.");
  PARCONV_EXPECT(index >= 0 && index < static_cast<int>(list.gpus.size()), "GPU ", index, " of ", list.gpus.size());
  check(cudaSetDevice(index), "cudaSetDevice");
  return std::make_unique<CudaDevice>(index, std::move(list.gpus[static_cast<std::size_t>(index)]));
}

}  // namespace parconv
