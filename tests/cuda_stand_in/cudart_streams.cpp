#include <vector>

#include "runtime.hpp"
#include "settings.hpp"

namespace parconv::stand_in {
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

CapturedPlace captured_place(CUevent_st& event) {
  const std::scoped_lock lock(event.mutex);
  return event.captured;
}

cudaError_t record_in_capture(CUevent_st& event, CUstream_st& stream, unsigned flags) {
  if ((flags & cudaEventRecordExternal) != 0) {
    stream.capture->add(&stream, {.event = &event});
    return cudaSuccess;
  }
  const std::scoped_lock lock(event.mutex);
  event.captured = stream.capture->place(&stream);
  return cudaSuccess;
}

/// A stream that waits for work in a capture takes part in it.
cudaError_t wait_in_capture(CUstream_st& stream, const CapturedPlace& place) {
  if (!place.capture) {
    stream.capture->spoil();
    return told(cudaErrorStreamCaptureIsolation);
  }
  if (stream.capture && stream.capture != place.capture) give_up("one stream in two captures");
  if (!place.capture->join(&stream, place)) return told(cudaErrorCapturedEvent);
  stream.capture = place.capture;
  return cudaSuccess;
}

/// Why the host may not look at this event, if it may not.
cudaError_t hidden(CUevent_st& event) {
  if (!captured_place(event).capture) return cudaSuccess;
  static_cast<void>(unsafe_call());
  return cudaErrorCapturedEvent;
}

}  // namespace
}  // namespace parconv::stand_in

using namespace parconv::stand_in;

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  PARCONV_STAND_IN_ENTER();
  if (flags != cudaStreamNonBlocking) give_up("streams that wait for the default stream are not known here");
  *stream = new CUstream_st{.stream = new Stream(current_device())};
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (stream == nullptr) return told(cudaErrorInvalidResourceHandle);
  stream->stream->destroy();
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  PARCONV_STAND_IN_ENTER();
  CUstream_st& waited = stream_of(stream);
  if (waited.capture) waited.capture->spoil();
  if (waited.capture) return told(cudaErrorStreamCaptureUnsupported);
  if (const cudaError_t status = unsafe_call(); status != cudaSuccess) return told(status);
  waited.stream->wait();
  return told(device_failure());
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  PARCONV_STAND_IN_ENTER();
  CUstream_st& asked = stream_of(stream);
  if (asked.capture) asked.capture->spoil();
  if (asked.capture) return told(cudaErrorStreamCaptureUnsupported);
  return told(asked.stream->is_idle() ? cudaSuccess : cudaErrorNotReady);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  PARCONV_STAND_IN_ENTER();
  *event = new CUevent_st{.device = current_device(), .is_timed = (flags & cudaEventDisableTiming) == 0};
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (event == nullptr) return told(cudaErrorInvalidResourceHandle);
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  PARCONV_STAND_IN_ENTER();
  CUstream_st& to = stream_of(stream);
  if (to.stream->device() != event->device) return told(cudaErrorInvalidResourceHandle);
  if (to.capture) return record_in_capture(*event, to, flags);
  if (flags != cudaEventRecordDefault) return told(cudaErrorInvalidValue);  // means something in captures only
  to.stream->submit([mark = new_mark(*event)] { mark->reach(); });
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return cudaEventRecordWithFlags(event, stream, cudaEventRecordDefault);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  PARCONV_STAND_IN_ENTER();
  if (flags != cudaEventWaitDefault) give_up("a wait with flags");
  CUstream_st& to = stream_of(stream);
  const CapturedPlace place = captured_place(*event);
  if (place.capture || to.capture) return wait_in_capture(to, place);
  if (const std::shared_ptr<Mark> mark = mark_of(*event)) to.stream->submit([mark] { mark->wait(); });
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  PARCONV_STAND_IN_ENTER();
  if (const cudaError_t status = hidden(*event); status != cudaSuccess) return told(status);
  if (const cudaError_t status = unsafe_call(); status != cudaSuccess) return told(status);
  const std::shared_ptr<Mark> mark = mark_of(*event);
  return told(!mark || mark->is_reached() ? cudaSuccess : cudaErrorNotReady);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  PARCONV_STAND_IN_ENTER();
  if (const cudaError_t status = hidden(*event); status != cudaSuccess) return told(status);
  if (const cudaError_t status = unsafe_call(); status != cudaSuccess) return told(status);
  if (const std::shared_ptr<Mark> mark = mark_of(*event)) mark->wait();
  return told(device_failure());
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  PARCONV_STAND_IN_ENTER();
  if (!is_timed(begin) || !is_timed(end)) return told(cudaErrorInvalidResourceHandle);
  const std::shared_ptr<Mark> first = mark_of(*begin);
  const std::shared_ptr<Mark> last = mark_of(*end);
  if (!first || !last) return told(cudaErrorInvalidResourceHandle);
  if (!first->is_reached() || !last->is_reached()) return told(cudaErrorNotReady);
  *milliseconds = std::chrono::duration<float, std::milli>(last->time() - first->time()).count();
  return cudaSuccess;
}
