// SIGINT and SIGTERM as a flag that long work asks for.
#pragma once

#include "base/result.h"

namespace macloom {

/// Makes the first SIGINT or SIGTERM set a flag; a second one ends the program at once. Idempotent.
void InstallInterruptHandlers();

/// True once a signal has arrived.
bool Interrupted();

/// kInterrupted once a signal has arrived; long loops return it, so that temporary files go.
Status CheckInterrupted();

}  // namespace macloom
