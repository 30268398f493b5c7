// SPDX-License-Identifier: LGPL-2.1-or-later
// Empty: CMake compiles precompiled.h for a target, and a target needs a source.
