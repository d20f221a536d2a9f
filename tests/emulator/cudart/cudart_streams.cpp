// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "emulator/cudart/emulated_runtime.hpp"
#include "emulator/settings.hpp"

namespace parconv::emulator {
namespace {

CUstream_st& default_stream(int device) {
  static std::mutex mutex;
  static auto& streams = *new std::map<int, CUstream_st>;
  const std::scoped_lock lock(mutex);
  CUstream_st& found = streams[device];
  if (found.stream == nullptr) found.stream = new Stream(device);
  return found;
}

bool is_timed(const cudaEvent_t event) { return event != nullptr && event->is_timed; }

}  // namespace

CUstream_st& stream_of(cudaStream_t stream) { return stream != nullptr ? *stream : default_stream(current_device()); }

void submit(cudaStream_t stream, Work work) {
  CUstream_st& to = stream_of(stream);
  if (to.capture)
    to.capture->add(&to, {.work = std::move(work)});
  else
    to.stream->submit(std::move(work));
}

std::shared_ptr<Mark> new_mark(CUevent_st& event) {
  const std::scoped_lock lock(event.mutex);
  event.captured = {};
  event.mark = std::make_shared<Mark>();
  return event.mark;
}

namespace {

std::shared_ptr<Mark> mark_of(CUevent_st& event) {
  const std::scoped_lock lock(event.mutex);
  return event.mark;
}

CapturePoint capture_point(CUevent_st& event) {
  const std::scoped_lock lock(event.mutex);
  return event.captured;
}

cudaError_t record_in_capture(CUevent_st& event, CUstream_st& stream, unsigned flags) {
  if ((flags & cudaEventRecordExternal) != 0) {
    stream.capture->add(&stream, {.event = &event});
    return cudaSuccess;
  }
  const std::scoped_lock lock(event.mutex);
  event.captured = stream.capture->point(&stream);
  return cudaSuccess;
}

/// A stream that waits for a captured event joins the capture.
cudaError_t wait_in_capture(CUstream_st& stream, const CapturePoint& point) {
  if (!point.capture) {
    stream.capture->invalidate();
    return record_error(cudaErrorStreamCaptureIsolation);
  }
  if (stream.capture && stream.capture != point.capture) abort_with("unsupported: one stream in two captures");
  if (!point.capture->join(&stream, point)) return record_error(cudaErrorCapturedEvent);
  stream.capture = point.capture;
  return cudaSuccess;
}

/// The error for host access to an event recorded in a capture.
cudaError_t captured_event_error(CUevent_st& event) {
  if (!capture_point(event).capture) return cudaSuccess;
  static_cast<void>(unsafe_call());
  return cudaErrorCapturedEvent;
}

}  // namespace
}  // namespace parconv::emulator

using namespace parconv::emulator;

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  PARCONV_EMULATOR_ENTER();
  if (flags != cudaStreamNonBlocking) abort_with("unsupported: a stream that synchronizes with the default stream");
  *stream = new CUstream_st{.stream = new Stream(current_device())};
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (stream == nullptr) return record_error(cudaErrorInvalidResourceHandle);
  stream->stream->destroy();
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  PARCONV_EMULATOR_ENTER();
  CUstream_st& waited = stream_of(stream);
  if (waited.capture) waited.capture->invalidate();
  if (waited.capture) return record_error(cudaErrorStreamCaptureUnsupported);
  if (const cudaError_t status = unsafe_call(); status != cudaSuccess) return record_error(status);
  waited.stream->wait();
  return record_error(device_failure());
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  PARCONV_EMULATOR_ENTER();
  CUstream_st& asked = stream_of(stream);
  if (asked.capture) asked.capture->invalidate();
  if (asked.capture) return record_error(cudaErrorStreamCaptureUnsupported);
  return record_error(asked.stream->is_idle() ? cudaSuccess : cudaErrorNotReady);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  PARCONV_EMULATOR_ENTER();
  *event = new CUevent_st{.device = current_device(), .is_timed = (flags & cudaEventDisableTiming) == 0};
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (event == nullptr) return record_error(cudaErrorInvalidResourceHandle);
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  PARCONV_EMULATOR_ENTER();
  CUstream_st& to = stream_of(stream);
  if (to.stream->device() != event->device) return record_error(cudaErrorInvalidResourceHandle);
  if (to.capture) return record_in_capture(*event, to, flags);
  if (flags != cudaEventRecordDefault) return record_error(cudaErrorInvalidValue);  // allowed in captures only
  to.stream->submit([mark = new_mark(*event)] { mark->reach(); });
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return cudaEventRecordWithFlags(event, stream, cudaEventRecordDefault);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  PARCONV_EMULATOR_ENTER();
  if (flags != cudaEventWaitDefault) abort_with("unsupported: cudaStreamWaitEvent with flags");
  CUstream_st& to = stream_of(stream);
  const CapturePoint point = capture_point(*event);
  if (point.capture || to.capture) return wait_in_capture(to, point);
  if (const std::shared_ptr<Mark> mark = mark_of(*event)) to.stream->submit([mark] { mark->wait(); });
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  PARCONV_EMULATOR_ENTER();
  if (const cudaError_t status = captured_event_error(*event); status != cudaSuccess) return record_error(status);
  if (const cudaError_t status = unsafe_call(); status != cudaSuccess) return record_error(status);
  const std::shared_ptr<Mark> mark = mark_of(*event);
  return record_error(!mark || mark->is_reached() ? cudaSuccess : cudaErrorNotReady);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  PARCONV_EMULATOR_ENTER();
  if (const cudaError_t status = captured_event_error(*event); status != cudaSuccess) return record_error(status);
  if (const cudaError_t status = unsafe_call(); status != cudaSuccess) return record_error(status);
  if (const std::shared_ptr<Mark> mark = mark_of(*event)) mark->wait();
  return record_error(device_failure());
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  PARCONV_EMULATOR_ENTER();
  if (!is_timed(begin) || !is_timed(end)) return record_error(cudaErrorInvalidResourceHandle);
  const std::shared_ptr<Mark> first = mark_of(*begin);
  const std::shared_ptr<Mark> last = mark_of(*end);
  if (!first || !last) return record_error(cudaErrorInvalidResourceHandle);
  if (!first->is_reached() || !last->is_reached()) return record_error(cudaErrorNotReady);
  *milliseconds = std::chrono::duration<float, std::milli>(last->time() - first->time()).count();
  return cudaSuccess;
}
