// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/patient_file.h"

namespace plimsoll::osd {

Task<bool> PatientFile::again(const Result<>& done, uint64_t length) {
  if (done || done.error().code() != ENOSPC) co_return false;
  if (ballast_.release(length)) co_return true;
  if (!ballast_.patient()) co_return false;
  co_await clock_.sleep(Ballast::kRetry);
  co_return true;
}

Task<Result<>> PatientFile::write(uint64_t offset, std::vector<Bytes> pieces) {
  for (;;) {
    auto done = co_await file_->write(offset, pieces);
    if (done) co_return done;
    uint64_t length = 0;
    for (const auto& p : pieces) length += p.size();
    if (!co_await again(done, length)) co_return done;
  }
}

Task<Result<>> PatientFile::write_durable(uint64_t offset, Bytes data) {
  for (;;) {
    auto done = co_await file_->write_durable(offset, data);
    if (done) co_return done;
    if (!co_await again(done, data.size())) co_return done;
  }
}

}  // namespace plimsoll::osd
