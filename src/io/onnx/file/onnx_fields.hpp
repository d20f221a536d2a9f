// SPDX-License-Identifier: Apache-2.0
// Fields of onnx.proto that are kept when a model is loaded.
#pragma once

namespace parconv {

/// Messages of onnx.proto that the parser descends into.
enum class Message { Model, Graph, Function, Node, Attribute, Tensor };

/// Treatment of a field. `Name` is a short string, `Whole` a message kept unparsed, `Elements` a tensor's elements,
/// `EnterDefault` a default attribute of a function.
enum class Action { Keep, Name, Whole, Drop, Enter, EnterDefault, Elements, CountSparse, Refuse };

struct Rule {
  Action action = Action::Drop;
  Message child = Message::Tensor;
};

/// The treatment of a field of a message. Field numbers are those of onnx.proto; unlisted fields are dropped.
Rule rule_of(Message message, int field);

}  // namespace parconv
