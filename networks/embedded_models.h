// The files of models/ that are inside the program: shipped networks and sounds.
#pragma once

#include <map>
#include <string>

namespace macloom::networks {

/// File name to bytes: `<network>.safetensors` and `<digit>_<voice>.wav`.
const std::map<std::string, std::string>& EmbeddedModels();

}  // namespace macloom::networks
