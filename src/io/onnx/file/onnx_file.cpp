// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/file/onnx_file.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>

#include <limits>

#include "io/file_errors.hpp"
#include "io/onnx/file/onnx_external.hpp"
#include "io/onnx/file/onnx_fields.hpp"
#include "io/onnx/file/onnx_input_file.hpp"
#include "io/onnx/functions/inline.hpp"
#include "parconv/core/error.hpp"
#include "parconv/io/onnx/onnx_model.hpp"

namespace parconv {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::FileInputStream;

constexpr std::uint32_t max_inline_bytes = 1024;
/// Limit on names, modes and file locations, which appear in messages.
constexpr std::uint32_t max_name_bytes = 1024;
/// Estimates of memory use: overhead of a string, overhead of a message, growth of packed integers (one or more bytes each in
/// the file), and growth of a message kept whole (a dimension may take two bytes).
constexpr index_t text_bytes = 64;
constexpr index_t message_bytes = 256;
constexpr index_t number_growth = 4;
constexpr index_t message_growth = 32;

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 128; value >>= 7) out.push_back(static_cast<char>(value | 128));
  out.push_back(static_cast<char>(value));
}

void append_bytes(std::string& out, std::uint32_t tag, const std::string& bytes) {
  append_varint(out, tag);
  append_varint(out, bytes.size());
  out += bytes;
}

template <class Number>
void append_fixed(std::string& out, Number value) {
  for (std::size_t k = 0; k < sizeof(value); ++k) out.push_back(static_cast<char>(value >> (8 * k)));
}

/// Serialised TensorProto.segment {begin, end}.
std::string segment_bytes(std::int64_t begin, std::int64_t end) {
  std::string out;
  append_varint(out, 1 << 3);
  append_varint(out, static_cast<std::uint64_t>(begin));
  append_varint(out, 2 << 3);
  append_varint(out, static_cast<std::uint64_t>(end));
  return out;
}

/// Copies the required fields of a serialised model from a stream to a string.
class Stripper {
 public:
  Stripper(CodedInputStream& in, const std::string& path) : in_(in), path_(path) {}

  /// The required part of the message that ends at byte `end` of the file.
  std::string strip(Message message, std::int64_t end) {
    std::string out;
    while (position() < end) {
      const std::uint32_t tag = in_.ReadTagNoLastTag();
      if ((tag >> 3) == 0) fail_damaged();
      strip_field(message, tag, end, out);
    }
    if (position() > end) fail_damaged();
    return out;
  }

  index_t num_sparse() const { return num_sparse_; }
  /// For each function that was read, its default attributes, as those of a NodeProto.
  const std::vector<std::string>& function_defaults() const { return function_defaults_; }

 private:
  static constexpr std::uint32_t segment_tag = (3 << 3) | 2;
  static constexpr std::uint32_t attribute_of_node_tag = (5 << 3) | 2;

  std::int64_t position() const { return in_.CurrentPosition(); }

  [[noreturn]] void fail_damaged() const {
    throw Error(ExitCode::BadData, concat("'", path_, "' is not an ONNX model, or is damaged near byte ", position()),
                "check that the file is complete and that it is an ONNX file");
  }
  void require(bool is_good) const {
    if (!is_good) fail_damaged();
  }

  void strip_field(Message message, std::uint32_t tag, std::int64_t end, std::string& out) {
    const Rule rule = rule_of(message, static_cast<int>(tag >> 3));
    const bool is_kept = rule.action == Action::Keep || rule.action == Action::Elements;
    switch (tag & 7) {
      case 0:
        return copy_varint(tag, is_kept, out);
      case 1:
        return copy_fixed64(tag, is_kept, out);
      case 2:
        return strip_bytes(rule, tag, end, out);
      case 5:
        return copy_fixed32(tag, is_kept, out);
      default:
        fail_damaged();
    }
  }

  void copy_varint(std::uint32_t tag, bool is_kept, std::string& out) {
    std::uint64_t value = 0;
    require(in_.ReadVarint64(&value));
    if (!is_kept) return;
    append_varint(out, tag);
    append_varint(out, value);
    account(10);
  }

  void copy_fixed64(std::uint32_t tag, bool is_kept, std::string& out) {
    std::uint64_t value = 0;
    require(in_.ReadLittleEndian64(&value));
    if (!is_kept) return;
    append_varint(out, tag);
    append_fixed(out, value);
    account(9);
  }

  void copy_fixed32(std::uint32_t tag, bool is_kept, std::string& out) {
    std::uint32_t value = 0;
    require(in_.ReadLittleEndian32(&value));
    if (!is_kept) return;
    append_varint(out, tag);
    append_fixed(out, value);
    account(5);
  }

  void strip_bytes(const Rule& rule, std::uint32_t tag, std::int64_t end, std::string& out) {
    std::uint32_t length = 0;
    require(in_.ReadVarint32(&length) && position() + length <= end);
    switch (rule.action) {
      case Action::Enter:
        return enter(rule.child, tag, length, out);
      case Action::EnterDefault:
        return enter(rule.child, attribute_of_node_tag, length, function_defaults_.back());
      case Action::Name:
        check_name(length);
        return keep(tag, length, index_t{length} + text_bytes, out);
      case Action::Whole:
        return keep(tag, length, index_t{length} * message_growth + message_bytes, out);
      case Action::Keep:
        return keep(tag, length, index_t{length} * number_growth, out);
      case Action::Elements:
        return length > max_inline_bytes ? leave(length, out) : keep(tag, length, index_t{length} * number_growth, out);
      case Action::Refuse:
        throw Error(ExitCode::BadData, concat("'", path_, "' has a segmented tensor, which is not supported"),
                    "save the model without segmented tensors");
      case Action::CountSparse:
        ++num_sparse_;
        break;
      case Action::Drop:
        break;
    }
    skip(length);
  }

  void enter(Message child, std::uint32_t tag, std::uint32_t length, std::string& out) {
    if (child == Message::Node) count("nodes", num_nodes_);
    if (child == Message::Tensor) count("tensors", num_tensors_);
    if (child == Message::Function) {
      count("functions", num_functions_);
      function_defaults_.emplace_back();
    }
    account(message_bytes);
    append_bytes(out, tag, strip(child, position() + length));
  }

  void keep(std::uint32_t tag, std::uint32_t length, index_t memory_bytes, std::string& out) {
    account(memory_bytes);
    std::string bytes;
    require(in_.ReadString(&bytes, static_cast<int>(length)));
    append_bytes(out, tag, bytes);
  }

  void check_name(std::uint32_t length) const {
    if (length <= max_name_bytes) return;
    throw Error(
        ExitCode::BadData,
        concat("'", path_, "' has a string of ", length, " bytes near byte ", position(), ", but at most ", max_name_bytes),
        "shorten the names of its nodes and tensors");
  }

  void leave(std::uint32_t length, std::string& out) {
    append_bytes(out, segment_tag, segment_bytes(position(), position() + length));
    skip(length);
  }

  void skip(std::uint32_t length) { require(in_.Skip(static_cast<int>(length))); }

  void count(const char* what, index_t& counter) const {
    if (++counter <= max_onnx_nodes) return;
    throw Error(ExitCode::BadData, concat("'", path_, "' has more than ", max_onnx_nodes, " ", what),
                "models of up to this size are supported");
  }

  void account(index_t bytes) {
    structure_bytes_ += bytes;
    if (structure_bytes_ <= max_onnx_structure_bytes) return;
    throw Error(
        ExitCode::BadData,
        concat("'", path_, "' has more than ", max_onnx_structure_bytes >> 20, " MiB besides the raw data of its tensors"),
        "save the weights as raw data (raw_data) or external data");
  }

  CodedInputStream& in_;
  const std::string& path_;
  index_t num_sparse_ = 0;
  index_t num_nodes_ = 0;
  index_t num_tensors_ = 0;
  index_t num_functions_ = 0;
  std::vector<std::string> function_defaults_{};
  index_t structure_bytes_ = 0;
};

/// A stream that cannot be read looks like one that ends early.
std::string structure_of(Stripper& stripper, const FileInputStream& stream, const InputFile& file) {
  const auto throw_if_unreadable = [&] {
    if (stream.GetErrno() != 0) throw reading_error(file.path(), stream.ByteCount(), stream.GetErrno());
  };
  try {
    std::string structure = stripper.strip(Message::Model, file.size_bytes());
    throw_if_unreadable();
    return structure;
  } catch (const Error&) {
    throw_if_unreadable();
    throw;
  }
}

void check_size(const InputFile& file, const std::string& path) {
  if (file.size_bytes() > std::numeric_limits<int>::max())
    throw Error(ExitCode::BadData, concat("'", path, "' has ", file.size_bytes(), " bytes; an ONNX file has at most 2 GiB"),
                "save the weights as external data");
}

void check_is_model(const OnnxContents& contents, bool is_parsed) {
  const onnx::ModelProto& proto = contents.proto;
  if (is_parsed && proto.has_graph() && proto.ir_version() >= 1) return;
  throw Error(ExitCode::BadData, concat("'", contents.path, "' is not an ONNX model: it has no graph or no IR version"),
              "check that this is the right file");
}

}  // namespace

OnnxContents load_onnx(const std::string& path) {
  const InputFile file(path);
  check_size(file, path);
  FileInputStream stream(file.descriptor(), 1 << 16);
  CodedInputStream in(&stream);
  Stripper stripper(in, path);
  OnnxContents contents{.path = path};
  const std::string structure = structure_of(stripper, stream, file);
  check_is_model(contents, contents.proto.ParseFromString(structure));
  contents.num_sparse_initializers = stripper.num_sparse();
  for (const std::string& defaults : stripper.function_defaults())
    if (!contents.function_defaults.emplace_back().ParseFromString(defaults))
      throw Error(ExitCode::BadData, concat("'", path, "' has a function with damaged default attributes"));
  return contents;
}

OnnxModel::OnnxModel(const std::string& path) : contents_(std::make_shared<const OnnxContents>(inlined(load_onnx(path)))) {}

const std::string& OnnxModel::path() const { return contents_->path; }

std::vector<NamedFile> OnnxModel::files() const {
  std::vector<NamedFile> files{{"the model", path()}};
  for (const std::string& file : external_files(contents_->proto, path()))
    files.push_back({"the external data of the model", file});
  return files;
}

}  // namespace parconv
