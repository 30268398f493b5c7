// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/journal.h"
#include <gtest/gtest.h>
