// Coefficients of the estimator that come with the program.
#pragma once

#include <map>
#include <string>

namespace macloom::cost {

/// Files of cost/cards by name, "osu018.json".
const std::map<std::string, std::string>& EmbeddedCards();

}  // namespace macloom::cost
