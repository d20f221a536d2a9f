// SPDX-License-Identifier: Apache-2.0
// The emulator itself: unless it is as strict as CUDA, tests on it prove nothing.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

namespace {

constexpr std::size_t size = 4096;

struct Stream {
  Stream() { EXPECT_EQ(cudaStreamCreateWithPriority(&value, cudaStreamNonBlocking, 0), cudaSuccess); }
  ~Stream() { cudaStreamDestroy(value); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  void wait() const { EXPECT_EQ(cudaStreamSynchronize(value), cudaSuccess); }

  cudaStream_t value = nullptr;
};

struct Event {
  explicit Event(unsigned flags = cudaEventDefault) { EXPECT_EQ(cudaEventCreateWithFlags(&value, flags), cudaSuccess); }
  ~Event() { cudaEventDestroy(value); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  cudaEvent_t value = nullptr;
};

struct Memory {
  explicit Memory(std::size_t bytes = size) {
    void* made = nullptr;
    EXPECT_EQ(cudaMalloc(&made, bytes), cudaSuccess);
    data = static_cast<unsigned char*>(made);
  }
  ~Memory() { cudaFree(data); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  unsigned char* data = nullptr;
};

class Emulator : public ::testing::Test {
 protected:
  void SetUp() override {
    int count = 0;
    cudaDeviceProp properties{};
    ASSERT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
    ASSERT_EQ(count, 2);
    ASSERT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
    ASSERT_STREQ(properties.name, "emulator");
    ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
    static_cast<void>(cudaGetLastError());
  }
};
using EmulatorDeathTest = Emulator;

void fill(const Memory& memory, int value, const Stream& stream) {
  EXPECT_EQ(cudaMemsetAsync(memory.data, value, size, stream.value), cudaSuccess);
}

void copy(const Memory& src, const Memory& dst, const Stream& stream) {
  EXPECT_EQ(cudaMemcpyAsync(dst.data, src.data, size, cudaMemcpyDeviceToDevice, stream.value), cudaSuccess);
}

/// The first byte after synchronization.
int first_byte(const Memory& memory) {
  unsigned char byte = 0;
  EXPECT_EQ(cudaMemcpy(&byte, memory.data, 1, cudaMemcpyDeviceToHost), cudaSuccess);
  return byte;
}

TEST_F(Emulator, KeepsTheLastErrorUntilItIsRead) {
  EXPECT_EQ(cudaSetDevice(2), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_STREQ(cudaGetErrorName(cudaErrorInvalidDevice), "cudaErrorInvalidDevice");
}

TEST_F(Emulator, MemoryIsAccountedAndFilledWithGarbage) {
  std::size_t free = 0, total = 0;
  ASSERT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  Memory memory;
  std::size_t left = 0;
  ASSERT_EQ(cudaMemGetInfo(&left, &total), cudaSuccess);
  EXPECT_EQ(free - left, size);
  EXPECT_EQ(first_byte(memory), 0xFF);
  void* data = nullptr;
  EXPECT_EQ(cudaMalloc(&data, total), cudaErrorMemoryAllocation);
}

TEST_F(Emulator, CopiesMustMatchTheirKind) {
  Memory memory;
  std::vector<unsigned char> outside(size);
  EXPECT_EQ(cudaMemcpy(outside.data(), memory.data, size, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(memory.data, outside.data(), size, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy2DAsync(memory.data, 2, memory.data + 64, 4, 4, 2, cudaMemcpyDeviceToDevice, nullptr),
            cudaErrorInvalidValue);
}

TEST_F(Emulator, PageableMemoryIsReadBeforeTheCallReturnsAndPinnedMemoryIsNot) {
  Memory memory;
  Stream stream, other;
  Event gate;
  std::vector<unsigned char> outside(size, 1);
  void* pinned = nullptr;
  ASSERT_EQ(cudaMallocHost(&pinned, size), cudaSuccess);
  std::memset(pinned, 2, size);
  for (int round = 0; round < 50; ++round) fill(memory, 0, other);
  ASSERT_EQ(cudaEventRecord(gate.value, other.value), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(stream.value, gate.value, 0), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(memory.data, outside.data(), 1, cudaMemcpyHostToDevice, stream.value), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(memory.data + 1, pinned, 1, cudaMemcpyHostToDevice, stream.value), cudaSuccess);
  outside[0] = 3;
  std::memset(pinned, 4, size);
  stream.wait();
  unsigned char found[2] = {};
  ASSERT_EQ(cudaMemcpy(found, memory.data, 2, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(found[0], 1);
  EXPECT_EQ(found[1], 4);
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
}

/// Number of rounds in which a copy overtook the work of the other stream, for which it should wait.
int rounds_too_early(bool waits) {
  Memory from, to;
  Stream first, second;
  Event event;
  int early = 0;
  for (int round = 1; round <= 60; ++round) {
    fill(from, round, first);
    EXPECT_EQ(cudaEventRecord(event.value, first.value), cudaSuccess);
    if (waits) cudaStreamWaitEvent(second.value, event.value, 0);
    copy(from, to, second);
    first.wait();
    second.wait();
    if (first_byte(to) != round) ++early;
  }
  return early;
}

TEST_F(Emulator, AMissingWaitIsExposed) {
  EXPECT_EQ(rounds_too_early(true), 0);
  EXPECT_GT(rounds_too_early(false), 0);
}

TEST_F(Emulator, AWaitAppliesToThePrecedingRecord) {
  Memory memory;
  Stream stream, other;
  Event event(cudaEventDisableTiming);
  EXPECT_EQ(cudaEventQuery(event.value), cudaSuccess) << "never recorded";
  ASSERT_EQ(cudaEventRecord(event.value, stream.value), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(other.value, event.value, 0), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(event.value, other.value), cudaSuccess);  // waiting for this event would deadlock
  other.wait();
  EXPECT_EQ(cudaEventQuery(event.value), cudaSuccess);
  float milliseconds = 0;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, event.value, event.value), cudaErrorInvalidResourceHandle) << "has no times";
}

TEST_F(Emulator, NotReadyIsKeptAsTheLastError) {
  Memory memory;
  Stream stream;
  Event event;
  cudaError_t status = cudaSuccess;
  for (int round = 0; round < 100 && status == cudaSuccess; ++round) {
    fill(memory, round, stream);
    ASSERT_EQ(cudaEventRecord(event.value, stream.value), cudaSuccess);
    status = cudaEventQuery(event.value);
  }
  EXPECT_EQ(status, cudaErrorNotReady);
  EXPECT_EQ(cudaGetLastError(), cudaErrorNotReady);
}

TEST_F(Emulator, EventsBelongToTheirDevice) {
  Event event;
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  Stream stream;
  EXPECT_EQ(cudaEventRecord(event.value, stream.value), cudaErrorInvalidResourceHandle);
}

TEST_F(EmulatorDeathTest, BytesBesideAnAllocationAreGuarded) {
  EXPECT_DEATH(
      {
        Memory memory(100);
        memory.data[100] = 0;
      },
      "beside an allocation");
  EXPECT_DEATH(
      {
        Memory memory(100);
        memory.data[-1] = 0;
      },
      "beside an allocation");
}

TEST_F(EmulatorDeathTest, CopiesBeyondAnAllocationAbort) {
  Memory memory(100);
  EXPECT_DEATH(cudaMemsetAsync(memory.data, 0, 101, nullptr), "beyond the end");
  EXPECT_DEATH(cudaMemcpyAsync(memory.data + 60, memory.data, 41, cudaMemcpyDeviceToDevice, nullptr), "beyond the end");
}

/// Captures a fill, and a copy in a second stream, and instantiates the graph.
cudaGraphExec_t capture_copy(const Memory& from, const Memory& to, cudaStream_t origin, cudaStream_t other, bool forks) {
  Event fork, join;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  EXPECT_EQ(cudaStreamBeginCapture(origin, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  if (!forks) cudaEventRecord(fork.value, origin);
  EXPECT_EQ(cudaMemcpyAsync(from.data, from.data + 1, 1, cudaMemcpyDeviceToDevice, origin), cudaSuccess);
  if (forks) cudaEventRecord(fork.value, origin);
  EXPECT_EQ(cudaStreamWaitEvent(other, fork.value, 0), cudaSuccess);
  EXPECT_EQ(cudaMemcpyAsync(to.data, from.data, 1, cudaMemcpyDeviceToDevice, other), cudaSuccess);
  EXPECT_EQ(cudaEventRecord(join.value, other), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(origin, join.value, 0), cudaSuccess);
  EXPECT_EQ(cudaStreamEndCapture(origin, &graph), cudaSuccess);
  EXPECT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  return exec;
}

/// Values copied by 20 launches: 1 if the fill came first.
std::set<int> results_of_launches(bool forks) {
  Memory from, to;
  Stream origin, other;
  cudaGraphExec_t exec = capture_copy(from, to, origin.value, other.value, forks);
  EXPECT_EQ(first_byte(to), 0xFF) << "what is captured is not done";
  std::set<int> results;
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(cudaMemsetAsync(from.data, 0, 1, origin.value), cudaSuccess);
    EXPECT_EQ(cudaMemsetAsync(from.data + 1, 1, 1, origin.value), cudaSuccess);
    EXPECT_EQ(cudaGraphLaunch(exec, origin.value), cudaSuccess);
    origin.wait();
    results.insert(first_byte(to));
  }
  EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
  return results;
}

TEST_F(Emulator, GraphsRunInAnyTopologicalOrder) {
  EXPECT_EQ(results_of_launches(true), std::set<int>({1}));
  EXPECT_EQ(results_of_launches(false), std::set<int>({0, 1}));
}

TEST_F(Emulator, CapturesMustBeJoined) {
  Memory memory;
  Stream origin, other;
  Event fork;
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(origin.value, cudaStreamCaptureModeRelaxed), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(fork.value, origin.value), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(other.value, fork.value, 0), cudaSuccess);
  fill(memory, 1, other);
  EXPECT_EQ(cudaEventQuery(fork.value), cudaErrorCapturedEvent);
  EXPECT_EQ(cudaStreamEndCapture(origin.value, &graph), cudaErrorStreamCaptureUnjoined);
  fill(memory, 2, other);
  other.wait();
  EXPECT_EQ(first_byte(memory), 2) << "the streams are usable again";
}

TEST_F(Emulator, WaitsAndForeignEventsInvalidateCaptures) {
  Stream origin, other;
  Event event;
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(origin.value, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(other.value), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(cudaStreamEndCapture(origin.value, &graph), cudaErrorStreamCaptureInvalidated);
  ASSERT_EQ(cudaEventRecord(event.value, other.value), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(origin.value, cudaStreamCaptureModeRelaxed), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(origin.value, event.value, 0), cudaErrorStreamCaptureIsolation);
  EXPECT_EQ(cudaStreamEndCapture(origin.value, &graph), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(graph, nullptr);
}

TEST_F(Emulator, EventsInGraphsAreRecordedByEachLaunch) {
  Stream stream;
  Event begin, end;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(stream.value, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  ASSERT_EQ(cudaEventRecordWithFlags(begin.value, stream.value, cudaEventRecordExternal), cudaSuccess);
  ASSERT_EQ(cudaEventRecordWithFlags(end.value, stream.value, cudaEventRecordExternal), cudaSuccess);
  ASSERT_EQ(cudaStreamEndCapture(stream.value, &graph), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  EXPECT_EQ(cudaEventRecordWithFlags(begin.value, stream.value, cudaEventRecordExternal), cudaErrorInvalidValue) << "no capture";
  float milliseconds = -1;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, begin.value, end.value), cudaErrorInvalidResourceHandle);
  ASSERT_EQ(cudaGraphLaunch(exec, stream.value), cudaSuccess);
  ASSERT_EQ(cudaEventSynchronize(end.value), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, begin.value, end.value), cudaSuccess);
  EXPECT_GE(milliseconds, 0);
  cudaGraphExecDestroy(exec);
  cudaGraphDestroy(graph);
}

}  // namespace
