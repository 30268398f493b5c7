// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/daemon/host_info.h"

#include <gtest/gtest.h>

namespace plimsoll::daemon {
namespace {

const char* kMounts =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
    "28 27 8:1 / /srv rw - xfs /dev/sda1 rw\n"
    "29 28 8:17 / /srv/fast rw shared:2 - xfs /dev/sdb1 rw\n"
    "30 28 8:33 / /srv/fast rw - xfs /dev/sdc1 rw\n"
    "malformed\n";

TEST(HostInfo, FindsTheDeviceOfTheInnermostAndLatestMount) {
  EXPECT_EQ(device_of(kMounts, "/var/lib/osd"), "254:0");
  EXPECT_EQ(device_of(kMounts, "/srv"), "8:1");
  EXPECT_EQ(device_of(kMounts, "/srv/faster"), "8:1");
  EXPECT_EQ(device_of(kMounts, "/srv/fast/osd.0"), "8:33");
  EXPECT_EQ(device_of("", "/srv"), "");
}

TEST(HostInfo, FindsTheInterfaceOfANetwork) {
  const char* routes =
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
      "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
      "eth1\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n"
      "eth2\t0001000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
  const auto of = [&](const char* addr) { return interface_of(routes, *EntityAddr::parse(addr)); };
  EXPECT_EQ(of("192.0.2.7:6800"), "eth0");
  EXPECT_EQ(of("10.9.0.1:6800"), "eth1");
  EXPECT_EQ(of("10.0.1.1:6800"), "eth2");
  EXPECT_EQ(of("127.0.0.1:6800"), "");
  EXPECT_EQ(of("[::1]:6800"), "");
}

}  // namespace
}  // namespace plimsoll::daemon
