#include <nvtx3/nvToolsExt.h>
#include <array>

#include "device/cuda_check.hpp"
#include "device/cuda_copy.hpp"
#include "device/cuda_graph.hpp"
#include "parconv/core/error.hpp"
#include "parconv/device/devices.hpp"
#include "tensor/copy_loops.hpp"

namespace parconv {
namespace {

using cuda::check;

/// A stream of one lane; lanes with a higher priority go first where both have work.
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

  void record(DeviceLane lane) override;
  void hold(DeviceLane lane) override;
  bool is_reached() override {
    const cudaError_t status = cudaEventQuery(event_);
    if (status == cudaErrorNotReady) {
      static_cast<void>(cudaGetLastError());  // kept by CUDA, which a later launch would take for its own failure
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
  bool is_host() const override { return false; }
  DeviceMemory memory() const override {
    DeviceMemory memory;
    check(cudaMemGetInfo(&memory.free_bytes, &memory.total_bytes), "cudaMemGetInfo");
    return memory;
  }

  std::unique_ptr<DeviceEvent> make_event(EventKind kind) override { return std::make_unique<CudaEvent>(*this, kind); }

  void copy(ConstView src, View dst, DeviceLane lane) override {
    expect_same(src, dst);
    if (volume(src.layout.extents) == 0) return;
    const CopyLoops loops = copy_loops(src.layout, dst.layout);
    if (loops.outer.loops().empty() && loops.runs.extent == 1)
      copy_runs(src.data, dst.data, loops, cudaMemcpyDeviceToDevice, stream(lane));
    else
      launch_copy_box(src.data, src.layout, dst.data, dst.layout, stream(lane));
  }
  void upload(ConstView host, View device, DeviceLane lane) override { transfer(host, device, cudaMemcpyHostToDevice, lane); }
  void download(ConstView device, View host, DeviceLane lane) override { transfer(device, host, cudaMemcpyDeviceToHost, lane); }

  std::string capture_problem() const override { return {}; }
  std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) override;
  bool is_capturing() const { return is_capturing_; }

  void synchronize() override {
    check(cudaStreamSynchronize(stream(DeviceLane::Communication)), "cudaStreamSynchronize");
    check(cudaStreamSynchronize(stream(DeviceLane::Compute)), "cudaStreamSynchronize");
  }

  void* native_stream(DeviceLane lane) const override { return stream(lane); }
  cudaStream_t stream(DeviceLane lane) const { return lane == DeviceLane::Compute ? compute_.get() : communication_.get(); }

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

  void transfer(const ConstView& src, const View& dst, cudaMemcpyKind kind, DeviceLane lane) {
    expect_same(src, dst);
    if (volume(src.layout.extents) == 0) return;
    const CopyLoops loops = copy_loops(src.layout, dst.layout);
    loops.outer.for_each([&](index_t from, index_t to) { copy_runs(src.data + from, dst.data + to, loops, kind, stream(lane)); });
  }

  [[noreturn]] void throw_out_of_memory(std::size_t size_bytes, MemoryKind kind) const {
    static_cast<void>(cudaGetLastError());  // the failed allocation is told here, not by the next call
    const DeviceMemory now = memory();
    throw Error(
        ExitCode::OutOfMemory,
        concat(size_bytes, " bytes of ", kind == MemoryKind::Device ? "GPU" : "pinned host", " memory were asked for; GPU ",
               index_, " (", info_.name, ") has ", now.free_bytes, " of ", now.total_bytes, " bytes free"),
        "Use more ranks, smaller micro-batches (--micro-batch), or a GPU with more memory.");
  }

  int index_;
  GpuInfo info_;
  Stream compute_{stream_priorities().least};
  Stream communication_{stream_priorities().greatest};
  bool is_capturing_ = false;
};

/// The flag is an error outside captures.
void CudaEvent::record(DeviceLane lane) {
  if (kind_ == EventKind::Timed && device_.is_capturing())
    check(cudaEventRecordWithFlags(event_, device_.stream(lane), cudaEventRecordExternal), "cudaEventRecordWithFlags");
  else
    check(cudaEventRecord(event_, device_.stream(lane)), "cudaEventRecord");
}
void CudaEvent::hold(DeviceLane lane) { check(cudaStreamWaitEvent(device_.stream(lane), event_, 0), "cudaStreamWaitEvent"); }

/// A graph on the compute lane, with marks around it for the other one.
class CudaLanesGraph final : public DeviceGraph {
 public:
  CudaLanesGraph(const CudaDevice& device, const cuda::CapturedWork& work)
      : device_(device), graph_(work), mark_(device, EventKind::Order) {
    graph_.upload(device.stream(DeviceLane::Compute));
  }

  void launch() override {
    mark_.record(DeviceLane::Communication);
    mark_.hold(DeviceLane::Compute);
    graph_.launch(device_.stream(DeviceLane::Compute));
    mark_.record(DeviceLane::Compute);
    mark_.hold(DeviceLane::Communication);
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
    const cuda::CapturedWork captured(stream(DeviceLane::Compute), work);
    is_capturing_ = false;
    return std::make_unique<CudaLanesGraph>(*this, captured);
  } catch (...) {
    is_capturing_ = false;
    static_cast<void>(cudaGetLastError());  // told here, not by the next call
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
