// base/json_fields.h under the names of this stage.
#pragma once

#include "base/json_fields.h"

namespace macloom::ir {
using macloom::JsonFields;
}  // namespace macloom::ir
