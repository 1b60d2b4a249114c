// SPDX-License-Identifier: Apache-2.0
// The program `pilake`: chooses the subcommand, and turns what happened into an exit code.
#pragma once

namespace pilake::cli {

/// All of the program, for whoever starts it: a binary or a Python script. Takes over the signals
/// of the process. Arguments as `main` gets them; gives the exit code.
int Program(int argc, const char* const* argv);

}  // namespace pilake::cli
