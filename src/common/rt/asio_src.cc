// SPDX-License-Identifier: LGPL-2.1-or-later
// Asio's non-template code, compiled once (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
