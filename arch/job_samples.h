// The part of a job folder that holds samples.
#pragma once

#include "arch/job.h"
#include "base/files.h"

namespace macloom::arch {

/// Name of the file with a node's expected tensor, "expected/NN_name.npy".
std::string ExpectedFile(const Job& job, int node);

/// Writes what SaveJob() promises for samples into its folder. @pre There is at least one.
Status SaveJobSamples(const Job& job, const JobSamples& samples, OutputDirectory& output);

}  // namespace macloom::arch
