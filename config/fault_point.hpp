#pragma once

namespace sidevoice {

/// A named place where chaos tests kill the process. Does nothing unless the build has fault points
/// (SIDEVOICE_FAULTS: presets dev and lab, never release) and the environment asks for this one:
/// SIDEVOICE_FAULT=append.before:7 is SIGKILL at the seventh time. Any thread.
void fault_point(const char* name);

/// True in builds whose faults can be asked for: SIDEVOICE_FAULTS. Any thread.
bool has_faults();

} // namespace sidevoice
